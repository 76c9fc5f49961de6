//! Documents as hashes.
//!
//! Two documents are equal when they have the same fields with equal values; the order of the
//! fields counts below the top level, as it does for the server itself, but not at the top,
//! where drivers read fields by name and a rewrite may well put them in another order.

use bson::raw::{RawArray, RawBsonRef, RawDocument};

use crate::compare::RowHash;

const END: u64 = 0x0e0d;

/// The hash of a result document.
pub(super) fn document(document: &RawDocument) -> RowHash {
    let mut whole = RowHash::new();
    whole.unordered(document.iter().map(|field| {
        let mut hash = RowHash::new();
        match field {
            Ok((name, below)) => {
                hash.bytes(name.as_str().as_bytes());
                value(&mut hash, below);
            }
            Err(_) => hash.mark(END + 1),
        }
        hash
    }));
    whole
}

fn value(hash: &mut RowHash, value: RawBsonRef<'_>) {
    hash.mark(value.element_type() as u64);
    match value {
        RawBsonRef::Double(number) => hash.float(number),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => {
            hash.bytes(text.as_bytes());
        }
        RawBsonRef::Document(below) => ordered(hash, below),
        RawBsonRef::Array(below) => elements(hash, below),
        RawBsonRef::Boolean(flag) => hash.mark(u64::from(flag)),
        RawBsonRef::Int32(number) => hash.bytes(&number.to_le_bytes()),
        RawBsonRef::Int64(number) => hash.bytes(&number.to_le_bytes()),
        RawBsonRef::DateTime(at) => hash.bytes(&at.timestamp_millis().to_le_bytes()),
        RawBsonRef::ObjectId(id) => hash.bytes(&id.bytes()),
        RawBsonRef::Decimal128(number) => hash.bytes(&number.bytes()),
        RawBsonRef::Binary(binary) => {
            hash.mark(u64::from(u8::from(binary.subtype)));
            hash.bytes(binary.bytes);
        }
        RawBsonRef::Timestamp(at) => {
            hash.mark(u64::from(at.time));
            hash.mark(u64::from(at.increment));
        }
        RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::MaxKey | RawBsonRef::MinKey => {}
        // Patterns, code with scope and database pointers: rare, and plain to write out.
        other => hash.bytes(format!("{other:?}").as_bytes()),
    }
}

fn ordered(hash: &mut RowHash, document: &RawDocument) {
    for field in document.iter() {
        match field {
            Ok((name, below)) => {
                hash.bytes(name.as_str().as_bytes());
                value(hash, below);
            }
            Err(_) => hash.mark(END + 1),
        }
    }
    hash.mark(END);
}

fn elements(hash: &mut RowHash, array: &RawArray) {
    for element in array {
        match element {
            Ok(below) => value(hash, below),
            Err(_) => hash.mark(END + 1),
        }
    }
    hash.mark(END);
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, doc};

    use crate::compare::{Comparison, Digest, Outcome};

    fn digest(document: bson::Document) -> Digest {
        let mut digest = Digest::new(0);
        let raw = RawDocumentBuf::try_from(&document).unwrap_or_default();
        digest.push(super::document(&raw));
        digest
    }

    #[test]
    fn the_order_of_fields_counts_only_below_the_top() {
        let equal = |a, b| digest(a).compare(&digest(b), &Comparison::Multiset) == Outcome::Equal;
        assert!(equal(doc! { "a": 1, "b": 2.5 }, doc! { "b": 2.5, "a": 1 }));
        assert!(!equal(doc! { "x": { "a": 1, "b": 2 } }, doc! { "x": { "b": 2, "a": 1 } }));
        assert!(!equal(doc! { "a": 1_i32 }, doc! { "a": 1_i64 }));
        assert!(!equal(doc! { "a": bson::Bson::Null }, doc! {}));
        assert!(!equal(doc! { "a": "" }, doc! { "a": bson::Bson::Null }));
        assert!(!equal(doc! { "a": [1, 2] }, doc! { "a": [2, 1] }));
        assert!(!equal(doc! { "a": [[1], 2] }, doc! { "a": [[1, 2]] }));
        let sums = (0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1);
        assert!(equal(doc! { "s": sums.0 }, doc! { "s": sums.1 }));
    }
}
