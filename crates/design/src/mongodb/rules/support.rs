//! What rules share: the vocabulary, and the questions several of them ask of a catalogue.

pub(super) use marula_core::{
    Collection, CollectionKind, DocumentCatalog, FieldProfile, Json, Severity, numbered,
};

pub(super) use crate::draft::{Draft, Fix};
pub(super) use crate::looks::{Looks, looks};
pub(super) use crate::names;
pub(super) use crate::rule::{Rule, bad, good, rule};

/// A rule on a MongoDB database.
pub(super) type Check = Rule<DocumentCatalog>;

/// Where most of the knowledge about shapes comes from.
pub(super) const GUIDANCE: &str = "MongoDB's guidance on schema design";

/// Collections as people made them.
pub(super) fn collections(catalog: &DocumentCatalog) -> impl Iterator<Item = &Collection> {
    catalog.collections.iter().filter(|collection| collection.kind == CollectionKind::Collection)
}

/// Their fields, at any depth.
pub(super) fn fields(
    catalog: &DocumentCatalog,
) -> impl Iterator<Item = (&Collection, &str, &FieldProfile)> {
    collections(catalog).flat_map(|collection| {
        let known = collection.schema.iter().flat_map(|schema| &schema.fields);
        known.map(move |(path, profile)| (collection, path.as_str(), profile))
    })
}

/// The types a field was seen with, null aside.
pub(super) fn types(profile: &FieldProfile) -> Vec<&str> {
    profile.types.keys().map(String::as_str).filter(|name| *name != "null").collect()
}

/// Whether it is a number wherever it is anything.
pub(super) fn is_number(name: &str) -> bool {
    matches!(name, "int" | "long" | "double" | "decimal")
}

/// Whether it is a text wherever it is anything.
pub(super) fn only_texts(profile: &FieldProfile) -> bool {
    types(profile) == ["string"]
}

/// The texts among a field's frequent values.
pub(super) fn texts(profile: &FieldProfile) -> Vec<&str> {
    profile.common_values.iter().filter_map(|(value, _)| value.as_str()).collect()
}

/// The last name of a path: `price` of `items[].price`.
pub(super) fn last(path: &str) -> &str {
    path.trim_end_matches("[]").rsplit('.').next().unwrap_or(path)
}

/// A path as queries write it: `items.sku` for `items[].sku`.
pub(super) fn plain(path: &str) -> String {
    path.replace("[]", "")
}

/// `db.orders`, or `db["my orders"]`, as the shell takes it.
pub(super) fn db(collection: &str) -> String {
    let word = collection.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && collection.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if word { format!("db.{collection}") } else { format!("db[{}]", Json::from(collection)) }
}

/// Whether an index that answers every question begins with that path.
pub(super) fn leads(collection: &Collection, path: &str) -> bool {
    // One of those that have the field finds every value of it.
    let there = serde_json::json!({ path: { "$exists": true } });
    collection.indexes.iter().any(|index| {
        index.partial.as_ref().is_none_or(|filter| *filter == there)
            && index.keys.first().is_some_and(|(key, _)| key == path)
    })
}

/// An index on one path, made and dropped.
pub(super) fn index_on(collection: &str, path: &str, unique: bool) -> Fix {
    let name = format!("{path}_1");
    let unique = if unique { ", unique: true" } else { "" };
    let (db, path, name) = (db(collection), Json::from(path), Json::from(name));
    Fix::of_index(
        format!("index {collection}.{}", path.as_str().unwrap_or_default()),
        format!("{db}.createIndex({{{path}: 1}}, {{name: {name}{unique}}})"),
        format!("{db}.dropIndex({name})"),
    )
    .mind("writes get a little dearer; the build reads every document")
}

/// The types that `marula migrate change-type` converts to.
const CONVERTED: [&str; 8] =
    ["int", "long", "double", "decimal", "bool", "date", "string", "objectId"];

/// A finding about a field's type, whose way out is a migration that converts in batches.
pub(super) fn convert(
    severity: Severity,
    collection: &Collection,
    path: &str,
    to: &str,
    title: &str,
    why: &str,
) -> Draft {
    let (name, path) = (&collection.name, plain(path));
    let text = match CONVERTED.contains(&to) {
        true => format!(
            "{why} Convert the documents in batches: marula migrate change-type {name}.{path} {to} \
             --engine mongodb"
        ),
        false => format!(
            "{why} What the others mean as {to} is for you to say: in the update of a backfill \
             (marula migrate backfill --help)"
        ),
    };
    Draft::new(severity, name.clone(), format!("{name}.{path} {title}"), text).at(path)
}

/// The types of a field with how often each was seen.
pub(super) fn counted(profile: &FieldProfile) -> String {
    let parts: Vec<String> =
        profile.types.iter().map(|(name, count)| format!("{name} {count}")).collect();
    parts.join(", ")
}
