use marula_core::model::{Attribute, AttributeType, Entity, Search};
use marula_postgres::sql::quote_ident;

use super::Draw;
use super::columns::Column;
use super::indexes::{Method, Wish};
use crate::structure::Store;

/// What shows that an index is on the parts of texts.
pub(super) const TRIGRAMS: &str = " gin_trgm_ops";

/// The configuration by which words are told apart: endings cut off and stop words left out, as
/// MongoDB's text indexes do by default.
pub const WORDS: &str = "english";

/// The generated column that holds the words of a text: `tsvector`, in the configuration [`WORDS`].
pub fn words_column(store: &Store, attribute: &str) -> String {
    let mut name = format!("{attribute}_words");
    while store.fields.iter().any(|field| field.name == name) {
        name.push('_');
    }
    name
}

/// The columns with the words of texts that are looked for by words.
pub(super) fn generated(entity: &Entity, store: &Store) -> Vec<Column> {
    searched(entity, store, Search::Words)
        .map(|attribute| Column {
            name: words_column(store, &attribute.name),
            type_name: "tsvector".into(),
            filled: Some(format!(
                "GENERATED ALWAYS AS (to_tsvector('{WORDS}', {})) STORED",
                quote_ident(&attribute.name)
            )),
            comment: Some(format!("the words of {}, made by the server", attribute.name)),
            ..Column::default()
        })
        .collect()
}

/// The texts of a store that are looked for in that way.
fn searched<'e>(
    entity: &'e Entity,
    store: &'e Store,
    how: Search,
) -> impl Iterator<Item = &'e Attribute> {
    entity.attributes.iter().filter(move |attribute| {
        attribute.search == Some(how)
            && matches!(attribute.kind, AttributeType::Text | AttributeType::Enumeration)
            && store.attribute(&attribute.name).is_some()
    })
}

/// The indexes that searches need.
pub(super) fn wishes(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Vec<Wish> {
    let mut found = Vec::new();
    for attribute in searched(entity, store, Search::Words) {
        let column = words_column(store, &attribute.name);
        let why = format!("{} is looked for by its words", attribute.name);
        found.push(Wish::of(Method::Gin, &column, why));
    }
    for attribute in searched(entity, store, Search::Part) {
        if draw.options.offers("pg_trgm") {
            let why = format!("{} is looked for by any part, or with mistakes", attribute.name);
            found.push(Wish::of(Method::Trigrams, &attribute.name, why));
        } else {
            draw.note(format!(
                "a search for a part of {}.{} reads every row: the server does not offer pg_trgm",
                entity.name, attribute.name
            ));
        }
    }
    for attribute in searched(entity, store, Search::Prefix) {
        let why = format!("{} is looked for by its beginning, in any collation", attribute.name);
        found.push(Wish::of(Method::Prefix, &attribute.name, why));
    }
    found
}
