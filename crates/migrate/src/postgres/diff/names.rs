//! The names objects take, of which each is had by one object at a time.

use std::collections::BTreeSet;

use marula_postgres::sql::quote_ident;

use super::model::{Kind, Model, Object};

/// The name of an identity column's sequence.
pub(super) fn counter(object: &Object) -> Option<String> {
    let (name, _) = object.get("identity_sequence").split_once('\n')?;
    Some(format!("relation {name}"))
}

/// The name an object takes from others of other kinds.
pub(super) fn taken(object: &Object) -> Option<String> {
    let name = &object.id.name;
    Some(match object.id.kind {
        Kind::Function | Kind::Aggregate => format!("routine {name}"),
        Kind::Constraint if object.has("_index") => format!("relation {}", object.get("_index")),
        Kind::Constraint | Kind::Column | Kind::Default | Kind::Rule | Kind::Trigger => {
            format!("{:?} {name}", object.id.kind)
        }
        Kind::Policy | Kind::DomainConstraint | Kind::OwnedBy => {
            format!("{:?} {name}", object.id.kind)
        }
        Kind::Schema
        | Kind::Extension
        | Kind::Publication
        | Kind::EventTrigger
        | Kind::DefaultPrivileges
        | Kind::Statistics
        | Kind::Collation => format!("{:?} {name}", object.id.kind),
        _ => format!("relation {name}"),
    })
}

/// All names that relations have on either side.
pub(super) fn relations(from: &Model, to: &Model) -> BTreeSet<String> {
    let objects = from.objects.values().chain(to.objects.values());
    objects.flat_map(|object| [taken(object), counter(object)]).flatten().collect()
}

/// A free name for what is built beside a relation of this name, quoted, without its schema.
pub(super) fn beside(schema: &str, name: &str, known: &mut BTreeSet<String>) -> String {
    free(schema, name, "new", known)
}

/// A free name for a relation that makes room for another of its name, quoted, without its schema.
pub(super) fn aside(schema: &str, name: &str, known: &mut BTreeSet<String>) -> String {
    free(schema, name, "old", known)
}

fn free(schema: &str, name: &str, word: &str, known: &mut BTreeSet<String>) -> String {
    let bare = name.trim_matches('"').replace("\"\"", "\"");
    let mut short = bare.as_str();
    // A name has 63 bytes at most, and characters are not cut.
    while short.len() > 57 {
        short = short.char_indices().last().and_then(|(at, _)| short.get(..at)).unwrap_or_default();
    }
    let mut tried = 1;
    loop {
        let number = if tried == 1 { String::new() } else { tried.to_string() };
        let own = quote_ident(&format!("{short}_{word}{number}"));
        if known.insert(format!("relation {schema}.{own}")) {
            return own;
        }
        tried += 1;
    }
}
