use bson::{Bson, doc};
use marula_core::model::{AttributeType, Entity, Search};

use super::Draw;
use super::indexes::Wish;
use super::types::{is_plain, stored_name};
use crate::structure::{Source, Store};

/// One text index for all texts that are looked for by words, and indexes for beginnings.
pub(super) fn wishes(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Vec<Wish> {
    let mut found = Vec::new();
    let searched = |how: Search| -> Vec<String> {
        let of = entity.attributes.iter().filter(|attribute| {
            attribute.search == Some(how)
                && matches!(attribute.kind, AttributeType::Text | AttributeType::Enumeration)
        });
        of.filter_map(|attribute| store.attribute(&attribute.name))
            .map(|field| stored_name(entity, &field.name).to_owned())
            .filter(|name| is_plain(name))
            .collect()
    };
    let words = searched(Search::Words);
    if !words.is_empty() {
        let mut why = format!(
            "{} looked for by words as they are written: {{$text: {{$search: …}}}}; for the stems of \
             a language give it as default_language",
            words.join(", ")
        );
        if words.len() > 1 {
            why.push_str("; a collection has one text index, so that a search finds the words in any of them");
        }
        let keys = words.into_iter().map(|name| (name, Bson::from("text"))).collect();
        // Words as they are written, in any language.
        let mut options = doc! { "default_language": "none" };
        // A field called so would say in which language a document is, and one the server does not
        // know would be refused.
        if holds(store, "language") {
            options.insert("language_override", "text_language");
        }
        found.push(Wish { keys, options, why: vec![why], ..Wish::default() });
    }
    for name in searched(Search::Prefix) {
        let why = format!("{name} is looked for by its beginning");
        found.push(Wish::on(name, why));
    }
    for name in searched(Search::Part) {
        draw.note(format!(
            "a search for a part of {}.{name} reads every key of its index: the server has no index \
             for parts of texts",
            entity.name
        ));
        let why =
            format!("its keys are fewer bytes than the documents, for a search within {name}");
        found.push(Wish::on(name, why));
    }
    found
}

/// Whether a field is called that, at any depth.
fn holds(store: &Store, name: &str) -> bool {
    store.fields.iter().any(|field| {
        field.name == name
            || matches!(
                &field.source,
                Source::Embedded { store, .. }
                | Source::Subset { store, .. }
                | Source::Rows { store, .. } if holds(store, name)
            )
    })
}

/// Indexes that find what is near.
pub(super) fn places(entity: &Entity, store: &Store) -> Vec<Wish> {
    let of = entity.attributes.iter().filter(|attribute| attribute.kind == AttributeType::Point);
    of.filter_map(|attribute| store.attribute(&attribute.name))
        .filter(|field| is_plain(&field.name))
        .map(|field| Wish {
            keys: vec![(field.name.clone(), "2dsphere".into())],
            why: vec![format!("finds what is near a place in {}", field.name)],
            ..Wish::default()
        })
        .collect()
}
