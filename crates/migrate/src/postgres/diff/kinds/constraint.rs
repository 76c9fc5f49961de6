//! Constraints, indexes and extended statistics.

use super::super::model::{Kind, Object};
use super::{Change, Sql, reset, with};

fn owner(object: &Object) -> String {
    match object.id.kind {
        Kind::DomainConstraint => format!("ALTER DOMAIN {}", object.get("domain")),
        _ => format!("ALTER TABLE {}", object.get("table")),
    }
}

/// ADD CONSTRAINT.
pub(super) fn create(object: &Object) -> Vec<Sql> {
    let enforced = !object.get("definition").ends_with("NOT ENFORCED");
    let late = if object.get("valid") == "false" && enforced { " NOT VALID" } else { "" };
    vec![
        format!(
            "{} ADD CONSTRAINT {} {}{late}",
            owner(object),
            object.get("name"),
            definition(object)
        )
        .into(),
    ]
}

/// A definition without when it is checked.
fn undeferred(definition: &str) -> &str {
    let definition = definition.trim_end_matches(" INITIALLY DEFERRED");
    definition.trim_end_matches(" DEFERRABLE")
}

/// A constraint's definition with how its index is stored.
pub(super) fn definition(object: &Object) -> String {
    let definition = object.get("definition");
    let options = with(object.get("options"), "");
    if options.is_empty() {
        return definition.to_string();
    }
    let (text, when) = definition.split_at(undeferred(definition).len());
    format!("{text} WITH ({}){when}", options.join(", "))
}

/// How a constraint comes to be another.
pub(super) fn alter(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    let (own, name) = (owner(to), to.get("name"));
    if differ.contains("definition") {
        let (old, new) = (from.get("definition"), to.get("definition"));
        let deferred = to.get("type") == "f" && undeferred(old) == undeferred(new);
        if !deferred {
            return Change::Recreate;
        }
        let when = match new.get(undeferred(new).len()..).unwrap_or_default().trim() {
            "" => "NOT DEFERRABLE",
            when => when,
        };
        return Change::by(vec![format!("{own} ALTER CONSTRAINT {name} {when}").into()]);
    }
    if differ.contains("options") {
        // The index of a partitioned table cannot be told so.
        if to.has("_partitioned") {
            return Change::Recreate;
        }
        let index = format!("ALTER INDEX {}", to.get("_index"));
        return Change::by(reset(&index, from.get("options"), to.get("options"), ""));
    }
    if differ.contains("valid") {
        if to.get("valid") != "true" {
            return Change::Recreate;
        }
        return Change::by(vec![format!("{own} VALIDATE CONSTRAINT {name}").into()]);
    }
    Change::by(Vec::new())
}

/// CREATE INDEX.
pub(super) fn create_index(object: &Object) -> Vec<Sql> {
    vec![index(object).into()]
}

/// CREATE INDEX, with those of the partitions where it is one of a partitioned table.
pub(in super::super) fn index(object: &Object) -> String {
    let definition = object.get("definition");
    if object.get("valid") == "true" {
        return definition.replacen(" ON ONLY ", " ON ", 1);
    }
    definition.to_string()
}

/// How an index comes to be another.
pub(super) fn alter_index(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    if differ.contains("definition") || differ.contains("valid") || differ.contains("table") {
        return Change::Recreate;
    }
    Change::by(Vec::new())
}

/// CREATE STATISTICS.
pub(super) fn create_statistics(object: &Object) -> Vec<Sql> {
    let mut all = vec![object.get("definition").into()];
    all.extend(target(object));
    all
}

fn target(object: &Object) -> Option<Sql> {
    let target = object.has("target").then(|| object.get("target"))?;
    Some(format!("ALTER STATISTICS {} SET STATISTICS {target}", object.id.name).into())
}

/// How extended statistics come to be others.
pub(super) fn alter_statistics(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    if differ.contains("definition") {
        return Change::Recreate;
    }
    let mut all = Vec::new();
    if differ.contains("target") {
        let usual = || format!("ALTER STATISTICS {} SET STATISTICS -1", to.id.name).into();
        all.push(target(to).unwrap_or_else(usual));
    }
    Change::by(all)
}
