use bson::doc;

use super::*;

fn kinds(filter: Document) -> Vec<(String, Kind)> {
    Filter::parse(&filter).all.into_iter().map(|p| (p.path, p.kind)).collect()
}

#[test]
fn a_filter_is_taken_apart_into_what_an_index_can_use() {
    let filter = doc! {
        "status": "paid",
        "$and": [{"at": {"$gte": 1, "$lt": 9}}],
        "city": {"$in": ["a", "b"]},
        "name": {"$regex": "^Mi"},
        "note": {"$regex": "late", "$options": "i"},
        "gone": null,
        "kind": {"$ne": "x"},
        "items": {"$elemMatch": {"sku": 7, "n": {"$gt": 2}}},
        "$expr": {"$eq": ["$owner", "$$me"]},
    };
    let expected = [
        ("status", Kind::Equality),
        ("at", Kind::Range),
        ("at", Kind::Range),
        ("city", Kind::In(2)),
        ("name", Kind::Range),
        ("note", Kind::Regex),
        ("gone", Kind::Null),
        ("kind", Kind::Negation),
        ("items.sku", Kind::Equality),
        ("items.n", Kind::Range),
        ("owner", Kind::Equality),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(p, k)| (p.to_string(), k)).collect();
    assert_eq!(kinds(filter), expected);
}

#[test]
fn an_or_over_one_path_is_an_in_and_others_keep_their_branches() {
    let same = Filter::parse(&doc! {"$or": [{"a": 1}, {"a": {"$in": [2, 3]}}]});
    assert_eq!(same.all[0].kind, Kind::In(3));
    let other = Filter::parse(&doc! {"$or": [{"a": 1}, {"b": 2}]});
    assert_eq!(other.any[0].len(), 2);
}
