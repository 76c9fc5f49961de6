//! Whatever a model's names and texts hold, a schema is made of whole statements and no panic.

use marula_core::model::{AttributeType, Fanout, Model, Search};
use marula_core::{Json, Version};
use marula_design::mongodb::schema::{advice, commands};
use marula_design::structure::{KeyOrder, Layout, Placement, Structure, WantedIndex};
use marula_design::{mongodb, postgres};
use marula_mongodb::shell;
use proptest::prelude::*;

use super::models::*;

const KINDS: [AttributeType; 20] = [
    AttributeType::Id,
    AttributeType::Uuid,
    AttributeType::UuidV7,
    AttributeType::Integer,
    AttributeType::Decimal,
    AttributeType::Money,
    AttributeType::Float,
    AttributeType::Boolean,
    AttributeType::Text,
    AttributeType::Enumeration,
    AttributeType::Date,
    AttributeType::Time,
    AttributeType::Timestamp,
    AttributeType::Duration,
    AttributeType::Binary,
    AttributeType::Json,
    AttributeType::Point,
    AttributeType::DateRange,
    AttributeType::TimestampRange,
    AttributeType::List,
];

/// A real model with one thing after the other replaced.
fn spoilt() -> impl Strategy<Value = Model> {
    let models = prop::sample::select(vec![SHOP, SERVICE, SCHOOL, CIRCLE, BOOKING, SENSORS]);
    let text = prop_oneof![
        "[a-z_]{1,9}",
        "\\PC{0,12}",
        Just("'; DROP TABLE t; --".to_owned()),
        Just("\"\\\n$$ */ ${x} `".to_owned()),
        Just("\u{2028}\0".to_owned()),
        Just("ß".repeat(90)),
    ];
    let one = (
        0_u8..16,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        text,
        any::<f64>(),
        any::<u32>(),
    );
    (models, prop::collection::vec(one, 1..12)).prop_map(|(model, changes)| {
        let mut model = Case::of(model).model;
        for (what, first, second, text, number, whole) in changes {
            change(&mut model, what, first, second, text, number, whole);
        }
        model
    })
}

fn change(
    model: &mut Model,
    what: u8,
    first: prop::sample::Index,
    second: prop::sample::Index,
    text: String,
    number: f64,
    whole: u32,
) {
    let at = first.index(model.relations.len());
    let relation = &mut model.relations[at];
    let entity = first.index(model.entities.len());
    let entity = &mut model.entities[entity];
    let attribute = second.index(entity.attributes.len());
    let attribute = &mut entity.attributes[attribute];
    match what {
        0 => attribute.name = text,
        1 => attribute.kind = KINDS[whole as usize % KINDS.len()],
        2 => attribute.description = Some(text),
        3 => attribute.default = Some(Json::from(text)),
        4 => (attribute.min, attribute.max) = (Some(number), Some(-number)),
        5 => attribute.values = vec![text.clone(), text],
        6 => attribute.values = (0..30).map(|n| format!("{text}{n}")).collect(),
        7 => (attribute.precision, attribute.scale) = (Some(whole), Some(whole)),
        8 => attribute.search = Some(Search::Words),
        9 => (attribute.max_length, attribute.average_length) = (Some(whole), Some(whole)),
        10 => entity.checks.push(text),
        11 => entity.key = vec![text],
        12 => entity.unique.push(vec![attribute.name.clone(), text]),
        13 => {
            relation.fanout =
                Some(Fanout { average: number, p99: Some(u64::MAX), max: Some(u64::from(whole)) })
        }
        14 => relation.attributes.push(text),
        _ => (entity.keep_days, entity.append_only) = (Some(whole), true),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn schemas_are_whole_statements(
        model in spoilt(),
        placements in prop::collection::vec(0_u8..3, 8),
        major in prop::sample::select(vec![4_u16, 5, 6, 15, 18]),
        path in "[a-z_.]{0,12}",
    ) {
        let mut structure = Structure::normalised(&model);
        for (at, choice) in placements.into_iter().enumerate().take(model.relations.len()) {
            structure.placements[at] = match choice {
                0 => Placement::Reference,
                1 => Placement::Embed,
                _ => Placement::Copy(vec!["name".into()]),
            };
            if !structure.is_sound(&model) {
                structure.placements[at] = Placement::Reference;
            }
        }
        let layout = Layout::new(&model, &structure);
        let wanted: Vec<WantedIndex> = model.entities.iter().map(|entity| WantedIndex {
            store: entity.name.clone(),
            keys: vec![(path.clone(), KeyOrder::Any), (entity.attributes[0].name.clone(), KeyOrder::Descending)],
            unique: false,
            given: false,
            why: path.clone(),
        }).collect();
        let version = Version::new(major, 0, 0);
        if major > 10 {
            let options = postgres::SchemaOptions::new(version);
            let schema = postgres::schema(&model, &structure, &layout, &wanted, &options);
            let count: usize = schema.pieces.iter().map(|piece| piece.statements.len()).sum();
            let script = schema.to_script();
            let nul = script.contains('\0');
            match marula_postgres::sql::parse_all(&script) {
                Ok(parsed) => prop_assert_eq!(parsed.len(), count, "{}", script),
                // A name may hold what no name can; then nothing of it runs.
                Err(error) => prop_assert!(nul || script.contains("\"\""), "{error:?}\n{script}"),
            }
        } else {
            let options = mongodb::SchemaOptions::new(version);
            let schema = mongodb::schema(&model, &structure, &layout, &wanted, &options);
            let count: usize = schema.pieces.iter().map(|piece| piece.statements.len()).sum();
            prop_assert_eq!(commands(&schema).unwrap().len(), count);
            let script = schema.to_script();
            prop_assert_eq!(shell::parse_many(&script).unwrap().len(), count, "{}", script);
            let advice = advice(&model, &structure, &layout, &options);
            prop_assert!(advice.sizes.iter().all(|size| !size.average.is_nan()), "{:?}", advice.sizes);
        }
    }
}
