//! Functions, procedures and aggregates.

use super::super::model::{Kind, Object};
use super::{Change, Sql};

/// CREATE FUNCTION, CREATE PROCEDURE or CREATE AGGREGATE.
pub(super) fn create(object: &Object) -> Vec<Sql> {
    vec![match object.id.kind {
        Kind::Aggregate => {
            format!("CREATE AGGREGATE {} ({})", object.get("signature"), object.get("definition"))
                .into()
        }
        _ => plain(object, "CREATE ").into(),
    }]
}

fn plain(object: &Object, word: &str) -> String {
    let definition = object.get("definition").trim_end();
    let rest = definition.strip_prefix("CREATE OR REPLACE ").unwrap_or(definition);
    format!("{word}{rest}")
}

/// How a routine comes to be another: replaced where its signature stays.
pub(super) fn alter(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    if differ.contains("kind") || differ.contains("result") || differ.contains("signature") {
        return Change::Recreate;
    }
    if !differ.contains("definition") {
        return Change::by(Vec::new());
    }
    if from.id.kind == Kind::Aggregate {
        return Change::Recreate;
    }
    // Names of arguments cannot change, nor defaults go.
    let arguments = |object: &Object| -> Vec<(String, bool)> {
        object
            .get("_arguments")
            .split(", ")
            .map(|argument| match argument.split_once(" DEFAULT ") {
                Some((own, _)) => (own.to_string(), true),
                None => (argument.to_string(), false),
            })
            .collect()
    };
    let (old, new) = (arguments(from), arguments(to));
    let kept = old.len() == new.len()
        && old.iter().zip(&new).all(|(old, new)| old.0 == new.0 && (!old.1 || new.1));
    if !kept && from.get("_arguments") != to.get("_arguments") {
        return Change::Recreate;
    }
    Change::by(vec![plain(to, "CREATE OR REPLACE ").into()])
}
