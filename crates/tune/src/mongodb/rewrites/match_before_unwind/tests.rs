use std::collections::BTreeMap;

use bson::doc;
use marula_core::{FieldProfile, Version};

use super::*;

fn schema(elements: &str) -> InferredSchema {
    let field = |kind: &str| FieldProfile {
        types: BTreeMap::from([(kind.to_string(), 9)]),
        ..FieldProfile::default()
    };
    InferredSchema {
        sampled: 9,
        complete: true,
        fields: BTreeMap::from([
            ("items".to_string(), field("array")),
            ("items[]".to_string(), field(elements)),
        ]),
        ..InferredSchema::default()
    }
}

fn answer_in(schema: Option<&InferredSchema>, filter: Document) -> Answer {
    let pipeline = [doc! {"$unwind": "$items"}, doc! {"$match": filter}];
    rewrite(&pipeline, Facts { schema, version: Version::new(6, 0, 0), unique: &[] })
}

fn answer(filter: Document) -> Answer {
    answer_in(Some(&schema("object")), filter)
}

fn reason(filter: Document) -> String {
    answer(filter).err().flatten().unwrap_or_default()
}

#[test]
fn positive_conditions_are_copied_and_the_original_stays() {
    let filter = doc! {"items.sku": "x", "items.n": {"$gte": 3}, "items.gone": {"$ne": 1}};
    let rewritten = answer(filter.clone()).map(|rewrite| rewrite.pipeline).unwrap_or_default();
    assert_eq!(rewritten[0], doc! {"$match": {"items.sku": "x", "items.n": {"$gte": 3}}});
    assert_eq!(rewritten[2], doc! {"$match": filter});
}

#[test]
fn what_gave_wrong_results_is_declined() {
    for (filter, why) in [
        (doc! {"items.a": {"$ne": 1}}, "$ne"),
        (doc! {"items.a": {"$nin": [1]}}, "$nin"),
        (doc! {"items.a": {"$not": {"$gt": 1}}}, "$not"),
        (doc! {"items.a": {"$exists": false}}, "$exists"),
        (doc! {"items.a": null}, "null"),
        (doc! {"items.a": {"$in": [1, null]}}, "null"),
        (doc! {"items.a": {"$gte": Bson::MinKey}}, "MinKey"),
        (doc! {"items.a": [1, 2]}, "whole array"),
        (doc! {"$expr": {"$eq": ["$items.a", 1]}}, "$expr"),
        (doc! {"$or": [{"items.a": 1}, {"items.b": {"$ne": 2}}]}, "$ne"),
    ] {
        assert!(reason(filter.clone()).contains(why), "{filter}: {}", reason(filter.clone()));
    }
    assert!(answer(doc! {"city": "Oslo"}).is_err(), "the server moves that itself");
    let nested = schema("array");
    assert!(answer_in(Some(&nested), doc! {"items": 1}).is_err());
    assert!(answer_in(None, doc! {"items": 1}).is_err());
}

#[test]
fn what_is_made_behind_the_unwind_is_not_asked_before_it() {
    let schema = schema("object");
    let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
    let declined = |pipeline: &[Document]| {
        rewrite(pipeline, facts).err().flatten().is_some_and(|why| why.contains("is made"))
    };
    let numbered = doc! {"$unwind": {"path": "$items", "includeArrayIndex": "items.at"}};
    assert!(declined(&[numbered, doc! {"$match": {"items.at": 1}}]));
    let inner = doc! {"$unwind": {"path": "$items.tags", "includeArrayIndex": "items.at"}};
    let unwind = doc! {"$unwind": "$items"};
    assert!(declined(&[unwind.clone(), inner, doc! {"$match": {"items.at": 1}}]));
    let set = doc! {"$addFields": {"open": true}};
    let either = doc! {"$match": {"$or": [{"items.a": 1}, {"open": true}]}};
    assert!(declined(&[unwind.clone(), set.clone(), either]));
    let alone = rewrite(&[unwind, set, doc! {"$match": {"items.a": 1, "open": true}}], facts);
    let alone = alone.map(|rewrite| rewrite.pipeline).unwrap_or_default();
    assert_eq!(alone.first(), Some(&doc! {"$match": {"items.a": 1}}));
}

#[test]
fn nothing_is_copied_across_a_limit_or_twice() {
    let facts_schema = schema("object");
    let facts = Facts { schema: Some(&facts_schema), version: Version::new(6, 0, 0), unique: &[] };
    let condition = doc! {"$match": {"items.a": 1}};
    let limited = [doc! {"$unwind": "$items"}, doc! {"$limit": 3}, condition.clone()];
    assert!(rewrite(&limited, facts).is_err());
    let twice = [condition.clone(), doc! {"$unwind": "$items"}, condition];
    assert!(rewrite(&twice, facts).is_err());
}
