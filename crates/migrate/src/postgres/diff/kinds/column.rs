//! Columns and their defaults.

use super::super::model::{Id, Kind, Model, Object};
use super::{Change, Sides, Sql, bare, misc, reset, view_column};

/// Whether the server computes it.
pub(in super::super) fn is_generated(object: &Object) -> bool {
    object.has("generated")
}

/// A column as CREATE TABLE and ADD COLUMN take it.
pub(super) fn definition(object: &Object, default: Option<&str>) -> String {
    let mut text = format!("{} {}", object.get("name"), object.get("type"));
    if object.has("collation") {
        text.push_str(&format!(" COLLATE {}", object.get("collation")));
    }
    if object.has("generated") {
        text.push_str(&format!(" {}", object.get("generated")));
    }
    if let Some(default) = default {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    if object.has("identity") {
        text.push_str(&format!(
            " GENERATED {} AS IDENTITY{}",
            object.get("identity"),
            bare_identity(object)
        ));
    }
    if object.has("not_null") && !object.get("not_null").ends_with("NOT VALID") {
        text.push_str(&format!(" {}", object.get("not_null")));
    }
    text
}

/// The options of an identity column's sequence, where they are not the usual ones.
fn bare_identity(object: &Object) -> String {
    let (name, counts) = object.get("identity_sequence").split_once('\n').unwrap_or(("", ""));
    let usual = format!("{}_{}_seq", object.get("table"), object.get("name"));
    let mut options = Vec::new();
    if !name.is_empty() && name != usual {
        options.push(format!("SEQUENCE NAME {name}"));
    }
    let counts = misc::counts(counts, true);
    if !counts.is_empty() {
        options.push(counts);
    }
    if options.is_empty() { String::new() } else { format!(" ({})", options.join(" ")) }
}

/// What is set on a column once it is there.
pub(super) fn afterwards(object: &Object) -> Vec<Sql> {
    if view_column(object) {
        return Vec::new();
    }
    let mut all: Vec<Sql> = Vec::new();
    if object.get("not_null").ends_with("NOT VALID") {
        all.push(not_null(object).into());
    }
    all.extend(stored(None, object));
    all
}

/// How its values are stored and counted; `None` is a new column.
pub(super) fn stored(from: Option<&Object>, to: &Object) -> Vec<Sql> {
    let relation = if view_column(to) { "MATERIALIZED VIEW" } else { "TABLE" };
    let column = format!("ALTER {relation} {} ALTER COLUMN {}", to.get("table"), to.get("name"));
    let differs = |fact: &str| from.map_or("", |own| own.get(fact)) != to.get(fact);
    let said = |fact: &str, usual: &str| match to.get(fact) {
        "" => usual.to_string(),
        own => own.to_string(),
    };
    let mut all: Vec<Sql> = Vec::new();
    if differs("storage") {
        let storage = said("storage", to.get("_storage"));
        all.push(format!("{column} SET STORAGE {storage}").into());
    }
    if differs("compression") {
        let compression = said("compression", "default");
        all.push(format!("{column} SET COMPRESSION {compression}").into());
    }
    if differs("statistics") {
        all.push(format!("{column} SET STATISTICS {}", said("statistics", "-1")).into());
    }
    let options = from.map_or("", |own| own.get("options"));
    all.extend(reset(&column, options, to.get("options"), ""));
    all
}

fn not_null(object: &Object) -> String {
    let (table, name) = (object.get("table"), object.get("name"));
    match object.get("not_null") {
        "NOT NULL" => format!("ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL"),
        said => {
            let said = said.replacen("NOT NULL", &format!("NOT NULL {name}"), 1);
            format!("ALTER TABLE {table} ADD {said}")
        }
    }
}

/// DROP NOT NULL. It reaches the tables below this one, too: those that keep theirs must not be
/// without it for a moment.
fn nullable(object: &Object, sides: Sides<'_>) -> Vec<Sql> {
    let (table, name) = (object.get("table"), object.get("name"));
    let has = |model: &Model, child: &str| {
        let column = model.get(&Id::new(Kind::Column, format!("{child}.{name}")));
        column.is_some_and(|column| column.has("not_null"))
    };
    let mut kept = below(sides.from, table);
    kept.retain(|child| has(sides.from, child) && has(sides.to, child));
    let partitioned = |model: &Model| {
        model.get(&Id::new(Kind::Table, table)).is_some_and(|own| own.has("partitioned"))
    };
    if kept.is_empty() {
        return vec![format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL").into()];
    }
    if !partitioned(sides.from) {
        return vec![format!("ALTER TABLE ONLY {table} ALTER COLUMN {name} DROP NOT NULL").into()];
    }
    let mut all: Vec<Sql> = kept
        .iter()
        .map(|child| format!("ALTER TABLE {child} ALTER COLUMN {name} SET NOT NULL").into())
        .collect();
    // Since 18 a partition has one of its own, which the parent's does not take along.
    let at = if sides.to.version.major >= 18 { all.len() } else { 0 };
    all.insert(at, format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL").into());
    all
}

/// The names a NOT NULL has below, before it is inherited: later it cannot be renamed there.
fn as_inherited(object: &Object, sides: Sides<'_>) -> Vec<Sql> {
    let of = |model: &Model, child: &str| {
        model.get(&Id::new(Kind::Column, format!("{child}.{}", object.get("name")))).cloned()
    };
    let one = |child: &String| {
        let (old, new) = (of(sides.from, child)?, of(sides.to, child)?);
        let names = (old.get("_not_null_name"), new.get("_not_null_name"));
        let named = !names.0.is_empty() && !names.1.is_empty() && names.0 != names.1;
        (named && !follows(names, &new, sides)).then(|| {
            let (from, to) = names;
            format!("ALTER TABLE {child} RENAME CONSTRAINT {from} TO {to}").into()
        })
    };
    below(sides.from, object.get("table")).iter().filter_map(one).collect()
}

/// Whether a parent's NOT NULL gets the same other name: its children's get it with it.
fn follows(names: (&str, &str), object: &Object, sides: Sides<'_>) -> bool {
    let table = sides.from.get(&Id::new(Kind::Table, object.get("table")));
    let parents = table.map_or("", |table| table.get("parents"));
    parents.split(", ").any(|parent| {
        let id = Id::new(Kind::Column, format!("{parent}.{}", object.get("name")));
        let of = |model: &Model| model.get(&id).map(|own| own.get("_not_null_name").to_string());
        of(sides.from).as_deref() == Some(names.0) && of(sides.to).as_deref() == Some(names.1)
    })
}

/// The tables that inherit from a table, or are partitions of it, however deep.
fn below(model: &Model, table: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = vec![table.to_string()];
    while let Some(parent) = open.pop() {
        for own in model.objects.values().filter(|own| own.id.kind == Kind::Table) {
            let child = own.get("parents").split(", ").any(|name| name == parent);
            if child && !all.contains(&own.id.name) {
                all.push(own.id.name.clone());
                open.push(own.id.name.clone());
            }
        }
    }
    all
}

/// ADD COLUMN.
pub(super) fn create(object: &Object, inline: &[&Object]) -> Vec<Sql> {
    if view_column(object) {
        return Vec::new();
    }
    let default = inline.first().map(|default| default.get("expression"));
    let added =
        format!("ALTER TABLE {} ADD COLUMN {}", object.get("table"), definition(object, default));
    let mut all = vec![added.into()];
    all.extend(afterwards(object));
    all
}

/// SET DEFAULT.
pub(super) fn create_default(object: &Object) -> Vec<Sql> {
    vec![
        format!(
            "ALTER {} {} ALTER COLUMN {} SET DEFAULT {}",
            object.get("_relation"),
            object.get("table"),
            object.get("name"),
            object.get("expression")
        )
        .into(),
    ]
}

/// How a column comes to be another.
pub(super) fn alter(from: &Object, to: &Object, sides: Sides<'_>) -> Change {
    if view_column(from) {
        return Change::by(Vec::new());
    }
    let differ = from.differing(to);
    let (table, name) = (to.get("table"), to.get("name"));
    let alter_table = format!("ALTER TABLE {table}");
    let column = format!("{alter_table} ALTER COLUMN {name}");
    let mut all: Vec<Sql> = Vec::new();
    if differ.contains("generated") {
        if to.has("generated") && from.has("generated") {
            let expression = to.get("generated");
            let kept = [" STORED", " VIRTUAL"]
                .iter()
                .any(|word| expression.ends_with(word) && from.get("generated").ends_with(word));
            let same_type = !differ.contains("type") && !differ.contains("collation");
            if !(sides.to.version.major >= 17 && kept && same_type) {
                return Change::Recreate;
            }
            let expression = expression.trim_start_matches("GENERATED ALWAYS AS ");
            let expression = expression.trim_end_matches(" STORED").trim_end_matches(" VIRTUAL");
            all.push(format!("{column} SET EXPRESSION AS {expression}").into());
        } else if from.get("generated").ends_with(" STORED") {
            all.push(format!("{column} DROP EXPRESSION").into());
        } else {
            return Change::Recreate;
        }
    }
    let retyped = differ.contains("type") || differ.contains("collation");
    if retyped && !all.is_empty() {
        return Change::Recreate;
    }
    if retyped {
        let collate = match to.get("collation") {
            "" if from.has("collation") => " COLLATE \"default\"".to_string(),
            "" => String::new(),
            collation => format!(" COLLATE {collation}"),
        };
        let kind = to.get("type");
        let plain = format!("{column} TYPE {kind}{collate}");
        all.push(Sql { otherwise: Some(format!("{plain} USING {name}::{kind}")), text: plain });
    }
    if differ.contains("identity") {
        all.push(
            match (from.has("identity"), to.has("identity")) {
                (true, false) => format!("{column} DROP IDENTITY"),
                (false, true) => format!(
                    "{column} ADD GENERATED {} AS IDENTITY{}",
                    to.get("identity"),
                    bare_identity(to)
                ),
                _ => format!("{column} SET GENERATED {}", to.get("identity")),
            }
            .into(),
        );
    }
    if from.has("identity") && to.has("identity") && differ.contains("identity_sequence") {
        let old = from.get("identity_sequence").split_once('\n').unwrap_or_default();
        let new = to.get("identity_sequence").split_once('\n').unwrap_or_default();
        if old.0 != new.0 {
            all.push(format!("ALTER SEQUENCE {} RENAME TO {}", old.0, bare(new.0)).into());
        }
        if old.1 != new.1 && !differ.contains("type") {
            let counts = new
                .1
                .split_once(" INCREMENT")
                .map_or(new.1, |(kind, _)| new.1.get(kind.len() + 1..).unwrap_or(new.1));
            all.push(format!("ALTER SEQUENCE {} {counts}", new.0).into());
        }
    }
    if differ.contains("not_null") {
        // What is a key's or an identity's needs NOT NULL before, and loses it after.
        let (old, new) = (from.get("not_null"), to.get("not_null"));
        let names = (from.get("_not_null_name"), to.get("_not_null_name"));
        match (old, new) {
            ("", _) => {
                let at = all.iter().position(|sql| sql.text.contains(" AS IDENTITY"));
                let renamed = as_inherited(to, sides);
                // By itself it would be called otherwise, for the name is had below.
                let added = match new.ends_with("NOT NULL") && !renamed.is_empty() {
                    true => format!("{alter_table} ADD CONSTRAINT {} NOT NULL {name}", names.1),
                    false => not_null(to),
                };
                all.insert(at.unwrap_or(all.len()), added.into());
                all.splice(0..0, renamed);
            }
            (_, "") => all.extend(nullable(to, sides)),
            _ if names.0 != names.1 && !names.1.is_empty() && follows(names, to, sides) => {}
            _ if names.0 != names.1 && !names.1.is_empty() => {
                all.push(
                    format!("{alter_table} RENAME CONSTRAINT {} TO {}", names.0, names.1).into(),
                );
            }
            _ if old.ends_with("NOT VALID") && !new.ends_with("NOT VALID") => {
                all.push(format!("{alter_table} VALIDATE CONSTRAINT {}", names.0).into());
            }
            _ => {
                all.push(format!("{column} DROP NOT NULL").into());
                all.push(not_null(to).into());
            }
        }
    }
    all.extend(stored(Some(from), to));
    if retyped {
        // The default may not be castable by itself.
        let id = Id::new(Kind::Default, to.id.name.clone());
        if let Some(default) = sides.from.get(&id)
            && !default.implied
        {
            all.insert(0, format!("{column} DROP DEFAULT").into());
            if let Some(default) = sides.to.get(&id) {
                all.extend(create_default(default));
            }
        }
    }
    Change::Alter { statements: all, breaks: retyped }
}
