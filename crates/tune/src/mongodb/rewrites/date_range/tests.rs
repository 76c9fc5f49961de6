#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use bson::doc;
use marula_core::{FieldProfile, Version};

use super::*;

fn answer(kinds: &[&str], expression: Bson) -> Answer {
    let types = kinds.iter().map(|kind| (kind.to_string(), 1)).collect();
    let field = FieldProfile { types, ..FieldProfile::default() };
    let fields = BTreeMap::from([("at".to_string(), field)]);
    let schema = InferredSchema { sampled: 9, complete: true, fields, ..Default::default() };
    let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
    rewrite(&[doc! {"$match": {"$expr": expression}}], facts)
}

fn range(expression: Document) -> Option<(String, String)> {
    let rewritten = answer(&["date"], expression.into()).ok()?.pipeline;
    let asked = rewritten[0].get_document("$match").unwrap();
    assert!(asked.contains_key("$expr"), "the condition stays");
    let ends = asked.get_document("at").unwrap();
    let end = |key: &str| {
        ends.get_datetime(key).map(|at| at.try_to_rfc3339_string().unwrap()).unwrap_or_default()
    };
    Some((end("$gte"), end("$lt")))
}

fn between(low: &str, high: &str) -> Option<(String, String)> {
    Some((low.into(), high.into()))
}

#[test]
fn parts_of_a_date_are_an_interval() {
    let year = doc! {"$eq": [{"$year": "$at"}, 2024]};
    assert_eq!(range(year.clone()), between("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"));
    let month = doc! {"$eq": [12, {"$month": {"date": "$at", "timezone": "UTC"}}]};
    let both = doc! {"$and": [year, month]};
    assert_eq!(range(both), between("2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"));
    let since = doc! {"$gte": [{"$year": "$at"}, 2023]};
    assert_eq!(range(since), between("2023-01-01T00:00:00Z", ""));
    let text =
        doc! {"$eq": [{"$dateToString": {"format": "%Y-%m-%d", "date": "$at"}}, "2024-02-29"]};
    assert_eq!(range(text), between("2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"));
    let hour = bson::DateTime::parse_rfc3339_str("2024-02-29T23:00:00Z").unwrap();
    let trunc = doc! {"$eq": [{"$dateTrunc": {"date": "$at", "unit": "hour"}}, hour]};
    assert_eq!(range(trunc), between("2024-02-29T23:00:00Z", "2024-03-01T00:00:00Z"));
}

#[test]
fn another_zone_or_what_is_no_date_is_declined() {
    let zone = doc! {"$eq": [{"$year": {"date": "$at", "timezone": "Europe/Oslo"}}, 2024]};
    assert_eq!(range(zone), None);
    let before = doc! {"$lt": [{"$year": "$at"}, 2024]};
    assert_eq!(range(before), None, "null is less than every year");
    let year = doc! {"$eq": [{"$year": "$at"}, 2024]};
    assert!(answer(&["date", "string"], year.clone().into()).is_err());
    assert!(answer(&["array"], year.clone().into()).is_err());
    assert!(answer(&["date", "null"], year.into()).is_ok());
    let no_day =
        doc! {"$eq": [{"$dateToString": {"format": "%Y-%m-%d", "date": "$at"}}, "2023-02-29"]};
    assert_eq!(range(no_day), None);
    let middle = bson::DateTime::parse_rfc3339_str("2024-02-29T23:10:00Z").unwrap();
    let trunc = doc! {"$eq": [{"$dateTrunc": {"date": "$at", "unit": "day"}}, middle]};
    assert_eq!(range(trunc), None);
}
