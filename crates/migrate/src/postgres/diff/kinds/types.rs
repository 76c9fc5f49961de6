//! Enums, domains, ranges and composite types.

use super::super::model::{Id, Kind, Object};
use super::{Change, Sides, Sql, bare, column};

/// CREATE TYPE or CREATE DOMAIN.
pub(super) fn create(object: &Object) -> Vec<Sql> {
    let name = &object.id.name;
    vec![
        match object.id.kind {
            Kind::Enum => format!("CREATE TYPE {name} AS ENUM ({})", object.get("labels")),
            Kind::Range => format!("CREATE TYPE {name} AS RANGE ({})", object.get("subtype")),
            Kind::Composite => {
                let attributes = object.get("attributes").replace('\n', ",\n    ");
                format!("CREATE TYPE {name} AS (\n    {attributes}\n)")
            }
            _ => {
                let mut text = format!("CREATE DOMAIN {name} AS {}", object.get("base"));
                if object.has("collation") {
                    text.push_str(&format!(" COLLATE {}", object.get("collation")));
                }
                if object.has("default") {
                    text.push_str(&format!(" DEFAULT {}", object.get("default")));
                }
                if object.has("not_null") {
                    text.push_str(" NOT NULL");
                }
                text
            }
        }
        .into(),
    ]
}

/// How a type comes to be another.
pub(super) fn alter(from: &Object, to: &Object, sides: Sides<'_>) -> Change {
    let differ = from.differing(to);
    let name = &to.id.name;
    match from.id.kind {
        Kind::Enum if differ.contains("labels") => {
            let (old, new) = (labels(from.get("labels")), labels(to.get("labels")));
            added(name, &old, &new).map_or_else(|| replaced(from, to, sides), Change::by)
        }
        Kind::Range if differ.contains("subtype") => Change::Recreate,
        Kind::Composite if differ.contains("attributes") => Change::by(attributes(from, to)),
        Kind::Domain => {
            if differ.contains("base") || differ.contains("collation") {
                return replaced(from, to, sides);
            }
            let domain = format!("ALTER DOMAIN {name}");
            let mut all: Vec<Sql> = Vec::new();
            if differ.contains("default") {
                all.push(
                    match to.get("default") {
                        "" => format!("{domain} DROP DEFAULT"),
                        default => format!("{domain} SET DEFAULT {default}"),
                    }
                    .into(),
                );
            }
            if differ.contains("not_null") {
                let word = if to.has("not_null") { "SET" } else { "DROP" };
                all.push(format!("{domain} {word} NOT NULL").into());
            }
            Change::by(all)
        }
        _ => Change::by(Vec::new()),
    }
}

/// `'a', 'b''c'` as its literals.
pub(in super::super) fn labels(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut own = String::new();
    let mut inside = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' if inside && letters.peek() == Some(&'\'') => {
                letters.next();
                own.push_str("''");
            }
            '\'' => {
                inside = !inside;
                if !inside {
                    all.push(format!("'{}'", std::mem::take(&mut own)));
                }
            }
            letter if inside => own.push(letter),
            _ => {}
        }
    }
    all
}

/// ADD VALUE for each new label, when the old ones stay in their order.
fn added(name: &str, old: &[String], new: &[String]) -> Option<Vec<Sql>> {
    let kept: Vec<&String> = new.iter().filter(|label| old.contains(label)).collect();
    if kept.len() != old.len() || kept.iter().zip(old).any(|(kept, old)| *kept != old) {
        return None;
    }
    let mut there: Vec<&String> = old.iter().collect();
    let mut all = Vec::new();
    for (at, label) in new.iter().enumerate() {
        if old.contains(label) {
            continue;
        }
        let before = new[at + 1..].iter().find(|next| there.contains(next));
        let place = before.map_or(String::new(), |next| format!(" BEFORE {next}"));
        all.push(format!("ALTER TYPE {name} ADD VALUE {label}{place}").into());
        there.push(label);
    }
    Some(all)
}

/// A new type under the old name, with the columns taken over by way of text.
fn replaced(from: &Object, to: &Object, sides: Sides<'_>) -> Change {
    let name = &to.id.name;
    let word = if from.id.kind == Kind::Domain { "DOMAIN" } else { "TYPE" };
    let schema = name.strip_suffix(bare(name)).unwrap_or_default();
    let bare_name = bare(name).trim_matches('"').replace("\"\"", "\"");
    let old = marula_postgres::sql::quote_ident(&format!("{bare_name}_before"));
    let mut all: Vec<Sql> = vec![format!("ALTER {word} {name} RENAME TO {old}").into()];
    all.extend(create(to));
    for object in sides.to.objects.values() {
        if object.id.kind == Kind::DomainConstraint && object.parent.as_ref() == Some(&to.id) {
            all.extend(super::constraint::create(object));
        }
    }
    for own in sides.from.objects.values() {
        let uses = own.id.kind == Kind::Column && own.depends.contains(&from.id) && !own.implied;
        let Some(wanted) = sides.to.get(&own.id).filter(|_| uses) else { continue };
        if own.get("type") != wanted.get("type") {
            continue;
        }
        let (table, name, kind) = (own.get("table"), own.get("name"), own.get("type"));
        let by = if kind.ends_with("[]") { "text[]" } else { "text" };
        let column = format!("ALTER TABLE {table} ALTER COLUMN {name}");
        let default = Id::new(Kind::Default, own.id.name.clone());
        if sides.from.get(&default).is_some() {
            all.push(format!("{column} DROP DEFAULT").into());
        }
        all.push(format!("{column} TYPE {kind} USING {name}::{by}::{kind}").into());
        if let Some(default) = sides.to.get(&default) {
            all.extend(column::create_default(default));
        }
    }
    all.push(format!("DROP {word} {schema}{old}").into());
    Change::Alter { statements: all, breaks: true }
}

/// ADD, ALTER and DROP ATTRIBUTE.
fn attributes(from: &Object, to: &Object) -> Vec<Sql> {
    let split = |object: &Object| -> Vec<(String, String)> {
        let lines = object.get("attributes").lines().map(|line| {
            // Behind an even number of quotes the first blank ends the name.
            let mut quoted = false;
            let at = line.find(|letter| {
                quoted ^= letter == '"';
                letter == ' ' && !quoted
            });
            let at = at.unwrap_or(line.len());
            let (name, kind) = line.split_at(at);
            (name.to_string(), kind.trim().to_string())
        });
        lines.collect()
    };
    let (old, new) = (split(from), split(to));
    let alter = format!("ALTER TYPE {}", to.id.name);
    let mut all = Vec::new();
    for (name, kind) in &new {
        match old.iter().find(|(own, _)| own == name) {
            None => all.push(format!("{alter} ADD ATTRIBUTE {name} {kind} CASCADE").into()),
            Some((_, before)) if before != kind => {
                all.push(format!("{alter} ALTER ATTRIBUTE {name} TYPE {kind} CASCADE").into());
            }
            _ => {}
        }
    }
    for (name, _) in old.iter().filter(|(name, _)| !new.iter().any(|(own, _)| own == name)) {
        all.push(format!("{alter} DROP ATTRIBUTE {name} CASCADE").into());
    }
    all
}
