use std::fmt::Write as _;

use marula_core::model::Model;

use super::{count, fanout, mandatory, roles, shown_type};

/// The model as a Mermaid `erDiagram`.
pub fn mermaid(model: &Model) -> String {
    let mut out = String::from("erDiagram\n");
    for relation in &model.relations {
        let one = if mandatory(model, relation) { "||" } else { "|o" };
        let many = if relation.at_least_one { "|{" } else { "o{" };
        let line = if relation.owned { "--" } else { ".." };
        let mut label = relation.inverse.clone().unwrap_or_else(|| relation.attributes.join(", "));
        if let Some(known) = &relation.fanout {
            let _ = write!(label, " ×{}", fanout(known));
        }
        let (to, from) = (name(&relation.to), name(&relation.from));
        let _ = writeln!(out, "    {to} {one}{line}{many} {from} : \"{}\"", text(&label));
    }
    for entity in &model.entities {
        let shown = name(&entity.name);
        let rows = match entity.rows.0 {
            0 => String::new(),
            rows => format!("[\"{} · {} rows\"]", text(&entity.name), count(rows as f64)),
        };
        let _ = writeln!(out, "    {shown}{rows} {{");
        for attribute in &entity.attributes {
            let kind = word(&shown_type(attribute));
            let mut line = format!("        {kind} {}", word(&attribute.name));
            let roles = roles(model, entity, attribute);
            if !roles.is_empty() {
                let _ = write!(line, " {}", roles.join(", "));
            }
            let mut notes = Vec::new();
            if !attribute.values.is_empty() {
                notes.push(attribute.values.join(" | "));
            }
            notes.extend(attribute.description.clone());
            if !notes.is_empty() {
                let _ = write!(line, " \"{}\"", text(&notes.join("; ")));
            }
            let _ = writeln!(out, "{line}");
        }
        out.push_str("    }\n");
    }
    out
}

/// A name as Mermaid takes it: in quotes unless it is a plain word.
fn name(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic());
    if plain { name.into() } else { format!("\"{}\"", text(name)) }
}

/// A type or attribute: Mermaid knows no quotes there.
fn word(text: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() || "_-()".contains(c) { c } else { '_' };
    let word: String = text.chars().map(letter).collect();
    match word.starts_with(|c: char| c.is_alphabetic()) {
        true => word,
        false => format!("a_{word}"),
    }
}

/// A text within quotes; there is no way to write a quote in it.
fn text(text: &str) -> String {
    text.chars().map(|c| if c == '"' || c.is_control() { '\'' } else { c }).collect()
}
