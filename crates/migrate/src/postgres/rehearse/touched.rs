//! Which relations a migration touches, and which it may stop along with them.

use std::collections::BTreeSet;

use marula_core::{Relation, RelationalCatalog};

use crate::migration::Migration;

/// The relations migrations name (themselves, or through an index, a constraint or a type of
/// theirs), with the tables they are parts of, what foreign keys bind to them, and the views on
/// them. As `schema.name`.
///
/// A word that happens to be a relation's name is taken for it: too much is copied rather than too
/// little.
pub(super) fn touched(migrations: &[Migration], catalog: &RelationalCatalog) -> Vec<String> {
    let mut words = BTreeSet::new();
    for migration in migrations {
        let all = migration.up.iter().chain(migration.down.iter().flatten());
        all.for_each(|step| words.extend(words_of(&step.text)));
    }
    let mut found: BTreeSet<String> =
        catalog.relations.iter().filter(|r| named(r, &words)).map(Relation::qualified).collect();
    let mut add = |grow: &dyn Fn(&Relation, &BTreeSet<String>) -> Vec<String>| {
        let more: Vec<String> = catalog.relations.iter().flat_map(|r| grow(r, &found)).collect();
        found.extend(more);
    };
    // Parts belong to their whole, however deep.
    for _ in 0..4 {
        add(&|r, found| match &r.partition_of {
            Some(parent) if found.contains(&r.qualified()) => vec![parent.clone()],
            _ => Vec::new(),
        });
    }
    add(&|r, found| {
        let own = found.contains(&r.qualified());
        let bound: Vec<&String> =
            r.constraints.iter().filter_map(|c| c.references.as_ref()).collect();
        if own {
            bound.into_iter().cloned().collect()
        } else if bound.into_iter().any(|parent| found.contains(parent)) {
            vec![r.qualified()]
        } else {
            Vec::new()
        }
    });
    add(&|r, found| {
        let reads = r.definition.as_deref().map(words_of).unwrap_or_default();
        let on = |name: &String| name.rsplit('.').next().is_some_and(|bare| reads.contains(bare));
        if found.iter().any(on) { vec![r.qualified()] } else { Vec::new() }
    });
    found.into_iter().collect()
}

fn named(relation: &Relation, words: &BTreeSet<String>) -> bool {
    let own = words.contains(&relation.name);
    let index = relation.indexes.iter().any(|index| words.contains(&index.name));
    let types = relation.columns.iter().any(|column| {
        let bare = column.type_name.rsplit('.').next().unwrap_or_default();
        !BUILT_IN.contains(&bare) && words.contains(bare.trim_matches('"'))
    });
    own || index || types
}

/// Names of types that are in every migration and tell nothing.
const BUILT_IN: [&str; 14] = [
    "bigint",
    "integer",
    "smallint",
    "text",
    "boolean",
    "date",
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "numeric",
    "real",
    "timestamp",
    "interval",
];

/// Whatever may be a name in a text, in its own and in lower case.
pub(super) fn words_of(text: &str) -> BTreeSet<String> {
    words(text).flat_map(|word| [word.to_lowercase(), word.to_owned()]).collect()
}

/// The how-manieth word of a text is this name; the last of all when it is not there.
pub(super) fn place_of(text: &str, name: &str) -> usize {
    words(text).position(|word| word == name || word.to_lowercase() == name).unwrap_or(usize::MAX)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    words.filter(|word| !word.is_empty() && word.len() <= 64)
}
