use bson::doc;

use super::*;

const SIX: Version = Version::new(6, 0, 27);

fn equality(kind: &Kind) -> bool {
    *kind == Kind::Equality
}

#[test]
fn a_find_is_its_filter_order_limit_and_fields() {
    let shape = Shape::of(
        &doc! {"find": "orders", "filter": {"status": "paid", "at": {"$gt": 1}},
        "sort": {"total": -1}, "limit": 20, "projection": {"_id": 0, "total": 1}},
        SIX,
    );
    let main = &shape.accesses[0];
    assert_eq!(main.paths(equality), ["status"]);
    assert_eq!(main.paths(|kind| *kind == Kind::Range), ["at"]);
    assert_eq!(main.sort, [("total".to_string(), -1)]);
    assert_eq!(main.limit, Some(20));
    assert_eq!(main.needed.as_deref(), Some(&["total".to_string()][..]));
}

#[test]
fn matches_behind_stages_that_do_not_write_the_path_are_part_of_the_read() {
    let command = doc! {"aggregate": "orders", "pipeline": [
        {"$match": {"status": "paid"}},
        {"$addFields": {"net": {"$subtract": ["$total", "$tax"]}}},
        {"$unwind": "$items"},
        {"$match": {"city": "Oslo", "net": {"$gt": 10}, "items.sku": "x"}},
        {"$lookup": {"from": "products", "localField": "items.sku", "foreignField": "sku",
                     "as": "product", "pipeline": [{"$match": {"active": true}}]}},
        {"$group": {"_id": "$city", "n": {"$sum": 1}}},
    ]};
    let shape = Shape::of(&command, SIX);
    assert_eq!(shape.accesses[0].paths(equality), ["status", "city"]);
    assert_eq!(shape.accesses[0].group, ["city"]);
    assert_eq!(shape.accesses[1].role, Role::Lookup);
    assert_eq!(shape.accesses[1].collection, "products");
    assert_eq!(shape.accesses[1].paths(equality), ["sku", "active"]);
}

#[test]
fn a_sort_behind_a_computed_field_is_not_read_from_an_index() {
    let command = doc! {"aggregate": "orders", "pipeline": [
    {"$addFields": {"x": 1}}, {"$sort": {"at": -1}}, {"$limit": 5}]};
    let shape = Shape::of(&command, SIX);
    assert!(shape.accesses[0].sort.is_empty());
    assert_eq!(shape.accesses[0].limit, None);
}

#[test]
fn a_write_is_read_by_its_filters() {
    let command = doc! {"update": "c", "updates": [{"q": {"a": 1}, "u": {"$set": {"b": 2}}}]};
    let shape = Shape::of(&command, SIX);
    assert_eq!(shape.accesses[0].role, Role::Write);
    assert_eq!(shape.accesses[0].paths(equality), ["a"]);
}

/// Anything a client may send: the operators that matter here, in any place.
#[test]
fn what_is_computed_for_a_group_is_no_field_of_an_index() {
    let group = |id: Bson| {
        let command = doc! {"aggregate": "c", "pipeline": [{"$group": {"_id": id}}]};
        let access = Shape::of(&command, SIX).accesses.remove(0);
        (access.group, access.distinct)
    };
    assert_eq!(group("$a".into()), (vec!["a".to_string()], true));
    assert_eq!(group(doc! {"$year": "$at"}.into()), (vec![], false));
    assert!(!group(doc! {"x": "$a", "y": "$b"}.into()).1);
}

fn anything() -> impl proptest::strategy::Strategy<Value = Bson> {
    use proptest::prelude::*;
    let words = prop::sample::select(vec![
        "$match",
        "$facet",
        "$unwind",
        "$lookup",
        "$group",
        "$sort",
        "$project",
        "$and",
        "$or",
        "$in",
        "$elemMatch",
        "$expr",
        "$eq",
        "$regex",
        "$not",
        "pipeline",
        "from",
        "as",
        "_id",
        "localField",
        "foreignField",
        "path",
        "let",
        "a",
        "a.b",
        "",
        "é.ü",
        ".",
    ]);
    let leaf = prop_oneof![
        Just(Bson::Null),
        any::<i32>().prop_map(Bson::Int32),
        any::<f64>().prop_map(Bson::Double),
        words.clone().prop_map(|word| Bson::String(word.into())),
        words.clone().prop_map(|word| Bson::String(format!("${word}"))),
    ];
    leaf.prop_recursive(8, 64, 4, move |inner| {
        let field = (words.clone(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Bson::Array),
            prop::collection::vec(field, 0..4).prop_map(|fields| {
                Bson::Document(fields.into_iter().map(|(k, v)| (k.to_string(), v)).collect())
            }),
        ]
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]
    #[test]
    fn no_command_makes_it_panic(stages in proptest::collection::vec(anything(), 0..6)) {
        use crate::mongodb::candidates::candidates;
        use crate::mongodb::order::{comparison, decided};
        use crate::mongodb::rewrites::{Facts, Rewrites};
        let filter = stages.first().and_then(Bson::as_document).cloned().unwrap_or_default();
        let pipeline: Vec<Document> =
            stages.iter().filter_map(Bson::as_document).cloned().collect();
        for command in [
            doc! {"aggregate": "c", "pipeline": pipeline.clone()},
            doc! {"find": "c", "filter": filter.clone(), "sort": filter.clone(), "projection": filter},
        ] {
            let shape = Shape::of(&command, SIX);
            for access in &shape.accesses {
                for candidate in candidates(access, None, None) {
                    let _ = candidate.proposal(1.0);
                }
            }
            let _ = comparison(&command, None);
            let _ = decided(&command.to_string(), None, SIX);
        }
        let _ = Rewrites::of(&pipeline, Facts { schema: None, version: SIX });
    }
}
