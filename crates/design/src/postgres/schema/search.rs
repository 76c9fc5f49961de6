use marula_core::model::{Attribute, AttributeType, Entity, Search};
use marula_postgres::sql::quote_ident;

use super::Draw;
use super::indexes::{Method, Wish};
use crate::structure::Store;

/// What shows that an index is on the parts of texts.
pub(super) const TRIGRAMS: &str = " gin_trgm_ops";

/// The configuration by which words are told apart: each as it is written but for its case, in any
/// language, as the model's own queries ask.
pub const WORDS: &str = "simple";

/// The words of a text, as an index holds and a query asks them. `column` is quoted.
pub fn words_of(column: &str) -> String {
    format!("to_tsvector('{WORDS}', {column})")
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
        let why = format!(
            "{} is looked for by its words: {} @@ plainto_tsquery('{WORDS}', …); for the stems of a \
             language give its configuration here and there",
            attribute.name,
            words_of(&quote_ident(&attribute.name))
        );
        found.push(Wish::of(Method::Words, &attribute.name, why));
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
