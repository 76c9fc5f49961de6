//! What a file says held against the model's published JSON Schema: every part that does not fit
//! is named and left out, so that what is left is a model.

use std::sync::OnceLock;

use marula_core::model::{Count, Growth, Model, Rate};
use marula_core::nearest;
use serde_json::{Number, Value, json};

use super::mistake::{Mistake, Way};
use super::tree::{Key, Kind, Tree, shown};

/// The JSON Schema of a model.
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| schemars::schema_for!(Model).to_value())
}

/// Holds `tree` against the schema, and leaves out what does not fit.
pub(super) fn fit(tree: &mut Tree, mistakes: &mut Vec<Mistake>) {
    let mut fitter = Fitter { root: schema(), mistakes };
    fitter.fits(tree, schema(), &Way::root());
}

struct Fitter<'a> {
    root: &'static Value,
    mistakes: &'a mut Vec<Mistake>,
}

/// What became of a part.
#[derive(PartialEq)]
enum Fit {
    Stays,
    Goes,
}

impl Fitter<'_> {
    /// Mistakes inside are said, and what is wrong is left out; `Goes` where the whole cannot stay.
    fn fits(&mut self, tree: &mut Tree, schema: &Value, way: &Way) -> Fit {
        let mut schema = schema;
        let mut optional = false;
        let mut name = "";
        loop {
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                name = reference.rsplit('/').next().unwrap_or_default();
                let found = self.root.get("$defs").and_then(|all| all.get(name));
                let Some(found) = found else { return Fit::Stays };
                schema = found;
            } else if let Some([inner, null]) = schema.get("anyOf").and_then(pair)
                && null == &json!({"type": "null"})
            {
                optional = true;
                schema = inner;
            } else {
                break;
            }
        }
        let types = types(schema);
        optional |= types.contains(&"null");
        if tree.value == Kind::Null && types.first() != Some(&"null") && !types.is_empty()
            || tree.value == Kind::Null && choices(schema).is_some()
        {
            // A name with nothing behind it says nothing.
            if !optional && types.first() != Some(&"array") {
                self.wrong(way, tree, &expected(schema, &types, name));
            }
            return Fit::Goes;
        }
        match name {
            "Count" | "Rate" | "Growth" => return self.quantity(tree, name, way),
            _ => {}
        }
        if let Some(choices) = choices(schema) {
            return self.choice(tree, &choices, name, way);
        }
        match types.iter().find(|name| **name != "null") {
            Some(&"object") => self.object(tree, schema, name, way),
            Some(&"array") => self.array(tree, schema, way),
            Some(&"string") => self.text(tree, way),
            Some(&"boolean") => match tree.value {
                Kind::Bool(_) => Fit::Stays,
                _ => self.wrong(way, tree, "true or false"),
            },
            Some(&("integer" | "number")) => self.number(tree, schema, &types, way),
            _ => Fit::Stays,
        }
    }

    fn say(&mut self, mut mistake: Mistake, offset: usize) {
        mistake.offset = Some(offset);
        self.mistakes.push(mistake);
    }

    fn wrong(&mut self, way: &Way, tree: &Tree, wanted: &str) -> Fit {
        let found = match &tree.value {
            Kind::Text(text) => format!("the text {}", shown(text)),
            Kind::Number(number) => format!("the number {number}"),
            _ => tree.called().into(),
        };
        let what = format!("{wanted} is expected, not {found}");
        self.say(Mistake::new(way.clone(), what), tree.range.start);
        Fit::Goes
    }

    fn quantity(&mut self, tree: &mut Tree, name: &str, way: &Way) -> Fit {
        let text = match &tree.value {
            Kind::Text(text) => text.clone(),
            Kind::Number(number) => number.to_string(),
            _ => String::new(),
        };
        // A bare number is taken as it is, and a text as people write it.
        let value = tree.json();
        let (fits, wanted) = match name {
            "Count" => (
                serde_json::from_value::<Count>(value).is_ok() || Count::parse(&text).is_some(),
                "a whole number such as 1200, 200k or 1.5M",
            ),
            "Rate" => (
                serde_json::from_value::<Rate>(value).is_ok() || Rate::parse(&text).is_some(),
                "how often, such as 300/s, 5/min, 10/h or 2/day,",
            ),
            _ => (
                serde_json::from_value::<Growth>(value).is_ok() || Growth::parse(&text).is_some(),
                "a growth such as 5%/month or 40%/year",
            ),
        };
        if fits {
            return Fit::Stays;
        }
        self.wrong(way, tree, wanted);
        if name != "Rate" {
            return Fit::Goes;
        }
        // What never ran would not count.
        if let Some(mistake) = self.mistakes.last_mut() {
            mistake.what += "; taken as 1/s";
        }
        tree.value = Kind::Number(1.into());
        Fit::Stays
    }

    fn choice(&mut self, tree: &mut Tree, choices: &[&str], name: &str, way: &Way) -> Fit {
        self.written(tree);
        let Kind::Text(text) = &tree.value else {
            let wanted = format!("one of {}", choices.join(", "));
            return self.wrong(way, tree, &wanted);
        };
        if choices.contains(&text.as_str()) {
            return Fit::Stays;
        }
        let meant = meant(name, text, choices);
        let text = text.clone();
        let a_type = name == "AttributeType" && meant.is_none();
        let taken = match name {
            _ if meant.is_some() => "",
            "AttributeType" => "; taken as text",
            "Operator" => "; taken as =",
            "Deed" => "; the write is left out",
            _ => "",
        };
        let what = format!("{} is no {}{taken}", shown(&text), kind_of(name));
        let text = &text;
        let mistake = Mistake::new(way.clone(), what);
        let near: Vec<&str> = match meant {
            Some(meant) => vec![meant],
            None => nearest(text, choices.iter().copied()),
        };
        let mistake = match (near.is_empty(), text.is_empty()) {
            (_, true) => mistake.hint("put it in quotes: in YAML a bare > begins a text"),
            (true, _) => mistake.hint(format!("write one of {}", choices.join(", "))),
            (false, _) => mistake.near(&near),
        };
        let mistake = if meant.is_some() { mistake.low() } else { mistake };
        self.say(mistake, tree.range.start);
        match meant.or(a_type.then_some("text")) {
            Some(meant) => {
                tree.value = Kind::Text(meant.into());
                Fit::Stays
            }
            None => Fit::Goes,
        }
    }

    /// A YAML scalar where a text is expected is the text that was written.
    fn written(&self, tree: &mut Tree) {
        if !matches!(tree.value, Kind::Text(_) | Kind::Null)
            && let Some(written) = &tree.written
        {
            tree.value = Kind::Text(written.to_string());
        }
    }

    fn text(&mut self, tree: &mut Tree, way: &Way) -> Fit {
        self.written(tree);
        match &tree.value {
            Kind::Text(_) => Fit::Stays,
            _ => self.wrong(way, tree, "a text"),
        }
    }

    fn number(&mut self, tree: &mut Tree, schema: &Value, types: &[&str], way: &Way) -> Fit {
        let whole = types.contains(&"integer");
        // `max: 5k` is as clear as `rows: 5k`.
        if let Kind::Text(text) = &tree.value
            && let Some(Count(count)) = Count::parse(text)
        {
            tree.value = Kind::Number(count.into());
        }
        if whole
            && let Kind::Number(number) = &tree.value
            && let Some(float) = number.as_f64()
            && number.as_u64().is_none()
            && float.fract() == 0.0
            && (0.0..9e15).contains(&float)
        {
            tree.value = Kind::Number(Number::from(float as u64));
        }
        let most = match schema.get("format").and_then(Value::as_str) {
            Some("uint32") => f64::from(u32::MAX),
            _ => f64::MAX,
        };
        let fits = match &tree.value {
            Kind::Number(number) if whole => number.as_u64().is_some_and(|n| n as f64 <= most),
            Kind::Number(number) => number.as_f64().is_some_and(f64::is_finite),
            _ => false,
        };
        let wanted = if whole { "a whole number, not negative," } else { "a number" };
        if fits { Fit::Stays } else { self.wrong(way, tree, wanted) }
    }

    fn array(&mut self, tree: &mut Tree, schema: &Value, way: &Way) -> Fit {
        let items = schema.get("items");
        // One text where a list of texts is expected is a list of one.
        let simple = items.is_some_and(|items| types(items).contains(&"string"));
        if simple && matches!(tree.value, Kind::Text(_)) {
            tree.value = Kind::List(vec![tree.clone()]);
        }
        let Kind::List(list) = &mut tree.value else {
            return self.wrong(way, tree, "a list");
        };
        let Some(items) = items else { return Fit::Stays };
        let mut kept = Vec::with_capacity(list.len());
        for mut item in std::mem::take(list) {
            let way = way.item(item.item);
            if self.fits(&mut item, items, &way) == Fit::Stays {
                kept.push(item);
            }
        }
        *list = kept;
        Fit::Stays
    }

    fn object(&mut self, tree: &mut Tree, schema: &Value, name: &str, way: &Way) -> Fit {
        let known = schema.get("properties").and_then(Value::as_object);
        let Some(known) = known else { return Fit::Stays };
        let whole = tree.range.clone();
        let Kind::Map(parts) = &mut tree.value else {
            let names: Vec<&str> = known.keys().map(String::as_str).take(3).collect();
            let wanted = format!("a group of names and values ({} …)", names.join(", "));
            return self.wrong(way, tree, &wanted);
        };
        let mut kept: Vec<(Key, Tree)> = Vec::with_capacity(parts.len());
        for (key, mut value) in std::mem::take(parts) {
            let Some(schema) = known.get(&key.name) else {
                let thing = if name.is_empty() { "a model" } else { &with_article(kind_of(name)) };
                let what = format!("{thing} has no {}", shown(&key.name));
                let near = nearest(&key.name, known.keys().map(String::as_str));
                let mut mistake = Mistake::new(way.clone(), what);
                mistake = match near.is_empty() {
                    _ if key.name.contains(' ') => mistake
                        .hint("put the text before it in quotes: within braces a comma ends it"),
                    false => mistake.near(&near),
                    true => {
                        let all: Vec<&str> = known.keys().map(String::as_str).collect();
                        mistake.hint(format!("it may have {}", all.join(", ")))
                    }
                };
                self.say(mistake, key.range.start);
                continue;
            };
            if self.fits(&mut value, schema, &way.to(&key.name)) == Fit::Stays {
                kept.push((key, value));
            } else if (name, key.name.as_str()) == ("Write", "does") {
                // Without it an insert would be meant.
                return Fit::Goes;
            }
        }
        *parts = kept;
        for wanted in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let Some(wanted) = wanted.as_str() else { continue };
            if parts.iter().any(|(key, _)| key.name == wanted) {
                continue;
            }
            let list = known.get(wanted).is_some_and(|part| types(part).contains(&"array"));
            let filler = match wanted {
                _ if list => Kind::List(Vec::new()),
                // The file's name is taken.
                "name" if name.is_empty() => Kind::Text(String::new()),
                _ => {
                    let what = format!("this {} has no {wanted}; left out", kind_of(name));
                    self.say(Mistake::new(way.clone(), what), whole.start);
                    return Fit::Goes;
                }
            };
            let key = Key { name: wanted.into(), range: whole.start..whole.start };
            parts.push((key, Tree::new(filler, whole.start..whole.start)));
        }
        Fit::Stays
    }
}

fn pair(value: &Value) -> Option<[&Value; 2]> {
    match value.as_array()?.as_slice() {
        [a, b] => Some([a, b]),
        _ => None,
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The texts a part may be.
fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(all) = schema.get("enum").and_then(Value::as_array) {
        return Some(all.iter().filter_map(Value::as_str).collect());
    }
    let all = schema.get("oneOf")?.as_array()?;
    let mut found = Vec::new();
    for one in all {
        match (one.get("const"), one.get("enum").and_then(Value::as_array)) {
            (Some(Value::String(text)), _) => found.push(text.as_str()),
            (_, Some(texts)) => found.extend(texts.iter().filter_map(Value::as_str)),
            _ => return None,
        }
    }
    Some(found)
}

fn expected(schema: &Value, types: &[&str], name: &str) -> String {
    match (choices(schema), types.first()) {
        (Some(choices), _) => format!("one of {}", choices.join(", ")),
        (_, Some(&"string")) => "a text".into(),
        (_, Some(&"boolean")) => "true or false".into(),
        (_, Some(&("integer" | "number"))) => "a number".into(),
        (_, Some(&"array")) => "a list".into(),
        _ => with_article(kind_of(name)),
    }
}

fn with_article(thing: &str) -> String {
    match thing.chars().next() {
        Some('a' | 'e' | 'i' | 'o') => format!("an {thing}"),
        _ => format!("a {thing}"),
    }
}

/// What the schema's types are called in a message.
fn kind_of(name: &str) -> &str {
    match name {
        "Entity" => "entity",
        "Attribute" => "attribute",
        "AttributeType" => "type",
        "Relationship" => "relation",
        "Fanout" => "fan-out",
        "Query" => "query",
        "Write" => "write",
        "Transaction" => "transaction",
        "AccessPath" => "access path",
        "Condition" => "condition",
        "Operator" => "operator",
        "Aggregate" => "aggregate",
        "AggregateFunction" => "aggregate function",
        "SortKey" => "sort key",
        "Draw" => "parameter",
        "Skew" => "skew",
        "OnDelete" => "on_delete",
        "Deed" => "deed",
        "Search" => "kind of search",
        _ => "value",
    }
}

/// What other tools call it.
fn meant<'a>(name: &str, text: &str, choices: &[&'a str]) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let plain = lower.split('(').next().unwrap_or_default().trim().replace([' ', '-'], "_");
    let word = match (name, plain.as_str()) {
        ("AttributeType", _) => match super::types::of_sql(&plain) {
            Some(kind) => return choices.iter().find(|c| **c == super::types::name(kind)).copied(),
            None => plain.as_str(),
        },
        ("Operator", "==" | "eq" | "is" | "equals") => "=",
        ("Operator", "!=" | "ne" | "not") => "<>",
        ("Operator", "lt" | "before" | "less") => "<",
        ("Operator", "lte" | "le" | "at_most") => "<=",
        ("Operator", "gt" | "after" | "greater") => ">",
        ("Operator", "gte" | "ge" | "at_least") => ">=",
        ("Operator", "like" | "begins_with" | "starts_with") => "starts with",
        ("Operator", "null" | "is_null") => "missing",
        ("Operator", "not_null" | "is_not_null" | "exists") => "present",
        ("AggregateFunction", "avg" | "mean") => "average",
        ("Deed", "create" | "add") => "insert",
        ("Deed", "change" | "modify") => "update",
        ("Deed", "remove") => "delete",
        ("Skew", "zipfian" | "skewed") => "zipf",
        ("Skew", "recent" | "newest") => "latest",
        _ => plain.as_str(),
    };
    choices.iter().find(|choice| **choice == word).copied()
}
