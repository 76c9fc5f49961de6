//! Whatever a command holds, looking for indexes and rewrites does not panic.

use bson::{Bson, Document, doc};
use marula_core::Version;

use super::shape::Shape;

const SIX: Version = Version::new(6, 0, 0);

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
        let _ = Rewrites::of(&pipeline, Facts { schema: None, version: SIX, unique: &[] });
    }
}
