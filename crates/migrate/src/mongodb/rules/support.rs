//! What rules share: the vocabulary, and the questions several of them ask.

pub(super) use bson::Bson;
pub(super) use marula_core::{Blocks, MigrationWork as Work, Severity, Version};

pub(super) use super::super::context::{Context, each_key, found, is_narrow};
pub(super) use super::super::definition::{same_keys, same_options};
pub(super) use super::super::schema::options_of;
pub(super) use crate::rule::{Draft, Rule, bad, good, rule};

use super::super::context::documents;

/// How a pipeline writes its result, by `$out` or `$merge`, and into which collection.
pub(super) fn written(context: &Context) -> Option<(&'static str, String)> {
    let stage =
        documents(&context.command, "pipeline").last().filter(|_| context.is("aggregate"))?;
    let (how, into) = match (stage.get("$out"), stage.get("$merge")) {
        (Some(into), _) => ("$out", into),
        (None, Some(Bson::Document(merge))) => ("$merge", merge.get("into")?),
        (None, Some(into)) => ("$merge", into),
        _ => return None,
    };
    let name = match into {
        Bson::String(name) => name.clone(),
        Bson::Document(place) => match (place.get_str("db"), place.get_str("coll").ok()?) {
            (Ok(database), name) => format!("{database}.{name}"),
            (_, name) => name.to_string(),
        },
        _ => return None,
    };
    Some((how, name))
}

/// From and to of a rename, with their databases.
pub(super) fn renamed(context: &Context) -> Option<(&str, &str)> {
    let to = context.command.get_str("to").ok()?;
    context.is("renameCollection").then(|| (context.collection(), to))
}

/// The database of `db.collection`.
pub(super) fn database(namespace: &str) -> &str {
    namespace.split_once('.').map_or(namespace, |(database, _)| database)
}

/// Whether many documents are changed in a way that adds up when it is done twice, without a mark
/// in the same update that the filter leaves out.
pub(super) fn adds_up(context: &Context) -> bool {
    context.updates().iter().filter(|update| update.multi).any(|update| {
        let Some(operators) = update.update.as_document() else { return false };
        let adds = ["$inc", "$mul", "$push", "$pop", "$bit"]
            .iter()
            .any(|operator| operators.contains_key(operator));
        let marked = operators
            .get_document("$set")
            .is_ok_and(|set| set.keys().any(|key| update.filter.contains_key(key)));
        adds && !marked
    })
}
