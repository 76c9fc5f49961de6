//! Values at paths, as hashes under which `$lookup` finds them.

use bson::{Bson, Document};

/// The hashes of the values at `path`, as `$lookup` matches them: an array counts for each of
/// its elements, what is missing counts as null.
pub(super) fn at(document: &Document, path: &str) -> Vec<u64> {
    let mut found = Vec::new();
    collect(&Bson::Document(document.clone()), path, &mut found);
    if found.is_empty() {
        found.push(hash(&Bson::Null));
    }
    found
}

fn collect(value: &Bson, path: &str, found: &mut Vec<u64>) {
    if path.is_empty() {
        if let Bson::Array(values) = value {
            found.extend(values.iter().map(hash));
        }
        found.push(hash(value));
        return;
    }
    match value {
        Bson::Document(document) => {
            let (head, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(below) = document.get(head) {
                collect(below, rest, found);
            }
        }
        Bson::Array(values) => values.iter().for_each(|value| collect(value, path, found)),
        _ => {}
    }
}

/// A hash that is equal for values `$lookup` finds equal: numbers by their value.
pub(super) fn hash(value: &Bson) -> u64 {
    let text = match value {
        Bson::Int32(n) => format!("n{}", f64::from(*n)),
        Bson::Int64(n) => format!("n{}", *n as f64),
        Bson::Double(n) => format!("n{n}"),
        Bson::Null | Bson::Undefined => "null".to_owned(),
        other => format!("{other:?}"),
    };
    // FNV-1a, then mixed, since the low digits decide whether it is drawn.
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn numbers_arrays_and_what_is_missing_match_as_in_a_lookup() {
        assert_eq!(at(&doc! { "a": 5_i32 }, "a"), at(&doc! { "a": 5.0 }, "a"));
        assert_eq!(at(&doc! { "a": Bson::Null }, "a"), at(&doc! {}, "a"));
        let items = doc! { "items": [{ "sku": 1 }, { "sku": 2 }] };
        assert_eq!(at(&items, "items.sku"), [hash(&Bson::Int64(1)), hash(&Bson::Int32(2))]);
    }
}
