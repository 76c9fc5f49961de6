//! Keys: commands of one key must have one shape, or a cache would tell one for the other.

use bson::{Bson, Document, doc};
use marula_mongodb::command::shape::CommandShape;
use proptest::prelude::*;

use super::super::cursor::{Json, Text};
use super::super::{key, tree};
use crate::generate::mongodb::text_of;

fn scalar() -> impl Strategy<Value = Bson> {
    prop_oneof![
        Just(Bson::Int32(1)),
        Just(Bson::Int32(0)),
        Just(Bson::Int32(-1)),
        Just(Bson::Boolean(true)),
        Just(Bson::Null),
        Just(Bson::Double(1.5)),
        Just(Bson::String("x".into())),
        Just(Bson::String("$x".into())),
        Just(Bson::String("a \"b\" {".into())),
        Just(Bson::DateTime(bson::DateTime::from_millis(5))),
        Just(Bson::Int64(5_000_000_000)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "a",
        "b",
        "a.b",
        "$and",
        "$or",
        "$in",
        "$gt",
        "$expr",
        "$set",
        "$elemMatch",
        "$meta",
        "from",
        "as",
        "pipeline",
        "$comment",
        "$match",
        "$lookup",
        "$project",
        "$sort",
        "$facet",
        "sortBy",
        "let",
        "$each",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Bson> {
    scalar().prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec((name(), inner.clone()), 0..4)
                .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
            proptest::collection::vec(inner, 0..4).prop_map(Bson::Array),
        ]
    })
}

fn command() -> impl Strategy<Value = Document> {
    (value(), value(), value(), 0..8).prop_map(|(one, two, three, kind)| match kind {
        0 => doc! { "find": "o", "filter": one, "sort": two, "projection": three, "limit": 5 },
        1 => doc! { "aggregate": "o", "pipeline": [one, two, three], "cursor": {} },
        2 => doc! { "q": one, "u": two, "multi": three },
        3 => doc! { "findAndModify": "o", "query": one, "update": two, "sort": three },
        4 => doc! { "distinct": "o", "key": "k", "query": one },
        5 => doc! { "aggregate": "o", "pipeline": [{ "$match": one }, { "$lookup": two }, { "$group": three }] },
        6 => doc! { "find": "o", "filter": one, "limit": 0 },
        _ => doc! { "update": "o", "updates": [{ "q": one, "u": two }] },
    })
}

/// Another command of nearly the same form: one scalar is changed.
fn nudged(value: &mut Bson, at: &mut usize, with: &Bson) {
    match value {
        Bson::Document(inner) => inner.iter_mut().for_each(|(_, inner)| nudged(inner, at, with)),
        Bson::Array(items) => items.iter_mut().for_each(|inner| nudged(inner, at, with)),
        scalar => {
            if *at == 0 {
                *scalar = with.clone();
            }
            *at = at.wrapping_sub(1);
        }
    }
}

fn json(command: &Document) -> Vec<u8> {
    serde_json::to_vec(&Bson::Document(command.clone()).into_relaxed_extjson()).unwrap()
}

fn shape(command: &[u8]) -> String {
    CommandShape::of("s.o", "update", &tree::document(command, Json).0, false).text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_key_has_one_shape(command in command(), at in 0..12usize, with in scalar()) {
        let mut other = Bson::Document(command.clone());
        nudged(&mut other, &mut at.clone(), &with);
        let (one, two) = (json(&command), json(other.as_document().unwrap()));
        let key = |raw: &[u8]| key::key(b"s.o", b"update", raw, false, Json);
        if key(&one) == key(&two) {
            prop_assert_eq!(shape(&one), shape(&two));
        }
    }

    #[test]
    fn what_is_read_from_json_and_text_is_what_was_written(command in command()) {
        let read = tree::document(&json(&command), Json);
        prop_assert_eq!(&read, &(command.clone(), true));
        // In text logs a quote inside of a string may end it: only the shape can be asked for.
        let text = text_of(&command);
        if !text.contains("\"b\"") {
            let (read, whole) = tree::document(text.as_bytes(), Text);
            prop_assert!(whole, "{}", text);
            let of = |command: &Document| CommandShape::of("s.o", "update", command, false).text;
            prop_assert_eq!(of(&read), of(&command));
        }
    }
}
