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
