//! A model as a file that people read and change: YAML with a line for each attribute.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use marula_core::model::Model;
use serde_json::Value;

use super::mistake::Way;

/// Comments for parts of a model; each stands above its part. The root's come first of all.
pub type Comments = BTreeMap<Way, Vec<String>>;

/// The model as YAML.
pub fn write(model: &Model, comments: &Comments) -> String {
    let mut out = String::new();
    let root = Way::root();
    comment(&mut out, comments, &root, 0);
    let Ok(Value::Object(parts)) = serde_json::to_value(model) else { return out };
    for (name, value) in &parts {
        let way = root.to(name);
        if value.as_array().is_some_and(Vec::is_empty) && name != "entities" {
            continue;
        }
        if value.is_array() || comments.contains_key(&way) {
            out.push('\n');
        }
        comment(&mut out, comments, &way, 0);
        match value {
            Value::Array(items) => {
                let _ = writeln!(out, "{name}:");
                for (at, item) in items.iter().enumerate() {
                    list_item(&mut out, comments, &way.item(at), item, at > 0);
                }
            }
            other => {
                let _ = writeln!(out, "{name}: {}", flow(other));
            }
        }
    }
    out
}

fn comment(out: &mut String, comments: &Comments, way: &Way, indent: usize) {
    for line in comments.get(way).into_iter().flatten().flat_map(|text| text.lines()) {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(out, "{:indent$}# {}", "", line.trim_end());
    }
}

/// One item of a list of the root: on one line where it fits, in a block otherwise.
fn list_item(out: &mut String, comments: &Comments, way: &Way, item: &Value, follows: bool) {
    const WIDTH: usize = 100;
    let line = flow(item);
    let plain = item
        .get("attributes")
        .is_none_or(|a| !a.as_array().is_some_and(|a| a.iter().any(Value::is_object)));
    let text = item.get("sql").or(item.get("access")).is_some();
    if plain && !text && line.chars().count() + 4 <= WIDTH {
        comment(out, comments, way, 2);
        let _ = writeln!(out, "  - {line}");
        return;
    }
    let Value::Object(parts) = item else {
        comment(out, comments, way, 2);
        let _ = writeln!(out, "  - {line}");
        return;
    };
    if follows {
        out.push('\n');
    }
    comment(out, comments, way, 2);
    for (at, (name, value)) in parts.iter().enumerate() {
        let lead = if at == 0 { "  - " } else { "    " };
        let way = way.to(name);
        comment(out, comments, &way, 4);
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                let _ = writeln!(out, "{lead}{name}:");
                for (at, item) in items.iter().enumerate() {
                    comment(out, comments, &way.item(at), 6);
                    let _ = writeln!(out, "      - {}", flow(item));
                }
            }
            Value::String(text) if name == "sql" && (text.contains('\n') || text.len() > 70) => {
                let _ = writeln!(out, "{lead}{name}: >-");
                for line in folded(text, WIDTH - 6) {
                    let _ = writeln!(out, "      {line}");
                }
            }
            Value::Object(inner) if name == "access" => {
                let _ = writeln!(out, "{lead}{name}:");
                for (name, value) in inner {
                    match value {
                        Value::Array(items) if items.iter().any(Value::is_object) => {
                            let _ = writeln!(out, "      {name}:");
                            for item in items {
                                let _ = writeln!(out, "        - {}", flow(item));
                            }
                        }
                        other => {
                            let _ = writeln!(out, "      {name}: {}", flow(other));
                        }
                    }
                }
            }
            other => {
                let _ = writeln!(out, "{lead}{name}: {}", flow(other));
            }
        }
    }
}

/// A text in lines that YAML folds back to it: broken only at single blanks.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    // A text of several lines keeps them only as blanks: SQL does not mind.
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.into());
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}

/// A value on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Number(number) => match number.as_f64() {
            // 2000000.0 and 2e6 are 2000000.
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|(name, value)| format!("{}: {}", scalar(name), flow(value)))
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text, in quotes where YAML would take it for something else.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " _-./()$+%".contains(c);
    let begins = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '/');
    let word = matches!(
        text.to_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" | "nan" | "inf"
    );
    let fine = begins && !word && text.chars().all(plain) && !text.ends_with(' ');
    if fine {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 2);
    if text.chars().any(char::is_control) || text.contains(['\u{2028}', '\u{2029}', '\u{feff}']) {
        return Value::String(text.into()).to_string();
    }
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::read;

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(text in any::<String>()) {
            let model = Model {
                name: "m".into(),
                description: Some(text.clone()),
                ..Model::default()
            };
            let back = read(&write(&model, &Comments::new()), "m.yaml").unwrap().model;
            // An empty description says nothing.
            prop_assert_eq!(back.description.unwrap_or_default(), text);
        }
    }

    #[test]
    fn comments_stand_above_their_part() {
        let model = Model {
            name: "m".into(),
            entities: serde_json::from_value(json!([
                {"name": "a", "attributes": [{"name": "id", "type": "id"}], "rows": 2e6}
            ]))
            .unwrap(),
            ..Model::default()
        };
        let mut comments = Comments::new();
        comments.insert(Way::root(), vec!["A model.".into()]);
        let entities = Way::root().to("entities");
        comments.insert(entities.item(0), vec!["Made up.".into()]);
        comments.insert(entities.item(0).to("attributes").item(0), vec!["Its key.".into()]);
        let text = "# A model.
name: m

entities:
  # Made up.
  - name: a
    attributes:
      # Its key.
      - {name: id, type: id}
    rows: 2000000
";
        assert_eq!(write(&model, &comments), text);
    }
}
