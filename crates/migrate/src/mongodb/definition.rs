//! Whether two stored definitions say the same: keys of indexes, validators, pipelines of views.

use bson::{Bson, Document, doc};

/// Whether two values say the same. Numbers may be written in any form; fields stand in their
/// order, which tells apart keys of indexes, a `$sort`, and subdocuments that are compared (`==`
/// of documents does not look at it).
pub(super) fn same(a: Option<&Bson>, b: Option<&Bson>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => match (bytes(a), bytes(b)) {
            (Some(a), Some(b)) => a == b,
            // What cannot be written cannot be told apart from anything: it counts as another.
            _ => false,
        },
        (None, None) => true,
        _ => false,
    }
}

/// Whether two sets of options say the same: the options in any order, each as [`same`] says.
pub(super) fn same_options(a: &Document, b: &Document) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, value)| b.contains_key(key) && same(Some(value), b.get(key)))
}

/// Whether two documents are the same keys of an index, in the same order.
pub(super) fn same_keys(a: &Document, b: &Document) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((a, from), (b, to))| a == b && same(Some(from), Some(to)))
}

/// The options that differ, by name.
pub(super) fn differing<'a>(a: &'a Document, b: &'a Document) -> Vec<&'a str> {
    let mut keys: Vec<&str> = a.keys().chain(b.keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !same(a.get(key), b.get(key)));
    keys
}

/// A value with its numbers in one form: 1, 1.0 and NumberLong(1) mean the same here.
pub(super) fn plain(value: &Bson) -> Bson {
    match value {
        Bson::Int32(number) => Bson::Int64(i64::from(*number)),
        Bson::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Bson::Int64(*number as i64)
        }
        Bson::Document(inner) => {
            let fields = inner.iter().map(|(key, value)| (key.clone(), plain(value)));
            Bson::Document(fields.collect())
        }
        Bson::Array(items) => Bson::Array(items.iter().map(plain).collect()),
        other => other.clone(),
    }
}

fn bytes(value: &Bson) -> Option<Vec<u8>> {
    bson::serialize_to_vec(&doc! { "": plain(value) }).ok()
}

#[cfg(test)]
mod tests {
    use bson::bson;

    use super::*;

    #[test]
    fn the_order_of_fields_tells_apart_and_the_form_of_numbers_does_not() {
        for (a, b, alike) in [
            (bson!({ "a": 1, "b": 1 }), bson!({ "a": 1.0, "b": 1_i64 }), true),
            (bson!({ "a": 1, "b": 1 }), bson!({ "b": 1, "a": 1 }), false),
            (
                bson!([{ "$sort": { "a": 1, "b": 1 } }]),
                bson!([{ "$sort": { "b": 1, "a": 1 } }]),
                false,
            ),
            (bson!(f64::NAN), bson!(f64::NAN), true),
            (bson!(1), bson!("1"), false),
        ] {
            assert_eq!(same(Some(&a), Some(&b)), alike, "{a} {b}");
        }
        let (a, b) = (doc! { "x": 1, "key": { "a": 1 } }, doc! { "key": { "a": 1 }, "x": 1 });
        assert!(same_options(&a, &b));
        assert_eq!(differing(&a, &doc! { "key": { "a": -1 }, "y": 1 }), ["key", "x", "y"]);
        assert!(!same_keys(&doc! { "a": 1, "b": 1 }, &doc! { "b": 1, "a": 1 }));
    }
}
