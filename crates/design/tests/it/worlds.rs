//! Data made from models keeps the models' rules, also where their writes add to it.

use std::collections::HashSet;

use marula_core::model::Model;
use marula_design::model::blueprint;
use marula_design::search::Work;
use marula_design::structure::Structure;
use marula_design::synth::{Member, Value, World};
use marula_design::trial::{Job, operations};
use marula_design::work::Effect;

/// The members there from the start and those that `times` of every write add.
fn members(world: &World<'_>, times: u64) -> Vec<Member> {
    let model = world.model;
    let each = |entity| (0..world.rows(entity)).map(move |row| world.member(entity, row));
    let mut all: Vec<Member> = (0..model.entities.len()).flat_map(each).collect();
    let work = Work::new(model);
    let structure = Structure::normalised(model);
    for operation in operations(model, &work) {
        for serial in 0..times {
            let Job::Do(effects) = operation.job(world, &work, &structure, serial) else {
                continue;
            };
            for effect in effects {
                if let Effect::Insert { trees } = effect {
                    all.extend(trees.into_iter().map(|tree| tree.member));
                }
            }
        }
    }
    all
}

/// What breaks a rule of the model.
fn faults(model: &Model, rows: u64) -> Vec<String> {
    let world = World::new(model, rows, 1);
    let members = members(&world, 60);
    let mut faults = Vec::new();
    for (at, entity) in model.entities.iter().enumerate() {
        let key: Vec<String> = entity.key().into_iter().map(str::to_owned).collect();
        let unique = entity.attributes.iter().filter(|a| a.unique).map(|a| vec![a.name.clone()]);
        let bounded = model.relations.iter().filter(|relation| {
            relation.from == entity.name && relation.fanout.is_some_and(|f| f.max == Some(1))
        });
        let single = bounded.map(|relation| relation.attributes.clone());
        let sets = [key].into_iter().chain(unique).chain(entity.unique.clone()).chain(single);
        for set in sets {
            let mut seen = HashSet::new();
            for member in members.iter().filter(|member| member.entity == at) {
                let values: Vec<Value> = set.iter().map(|name| world.value(member, name)).collect();
                if !values.contains(&Value::Null) && !seen.insert(format!("{values:?}")) {
                    faults.push(format!("{}: {set:?} twice: {values:?}", entity.name));
                    break;
                }
            }
        }
        for attribute in &entity.attributes {
            let (Some(least), most) = (attribute.min, attribute.max.unwrap_or(f64::INFINITY))
            else {
                continue;
            };
            let number = |value: Value| match value {
                Value::Integer(number) => Some(number as f64),
                Value::Float(number) => Some(number),
                Value::Decimal { units, scale } => {
                    Some(units as f64 / 10f64.powi(i32::from(scale)))
                }
                _ => None,
            };
            let own = members.iter().filter(|member| member.entity == at);
            let beyond = own
                .filter_map(|member| number(world.value(member, &attribute.name)))
                .find(|number| *number < least || *number > most);
            faults.extend(beyond.map(|n| format!("{}.{}: {n}", entity.name, attribute.name)));
        }
    }
    faults
}

#[test]
fn every_blueprints_data_keeps_its_rules_at_any_scale() {
    for model in blueprint::models() {
        for rows in [1_500, 20_000] {
            let faults = faults(model, rows);
            assert!(faults.is_empty(), "{} at {rows} rows: {faults:#?}", model.name);
        }
    }
}

/// Who likes what is told by both: a like that is added is not one that is there, nor one added
/// before it.
#[test]
fn members_that_are_added_have_pairs_of_their_own() {
    let text = include_str!("../../examples/bench_designs/models/ebay.yaml");
    let model = marula_design::model::read(text, "ebay.yaml").unwrap().model;
    assert_eq!(faults(&model, 8_000), Vec::<String>::new());
}

/// A session that is begun together with meeting its visitor is that visitor's.
#[test]
fn what_is_added_in_one_transaction_belongs_together() {
    let model = blueprint::models().iter().find(|model| model.entity("visitors").is_some());
    let model = model.unwrap();
    let world = World::new(model, 5_000, 1);
    let (sessions, visitors) = (world.index("sessions"), world.index("visitors").unwrap());
    let of_visitor =
        model.relations.iter().position(|r| r.from == "sessions" && r.to == "visitors").unwrap();
    let added = members(&world, 5).into_iter().filter(|one| one.ordinal.is_some());
    let belong: Vec<u64> = added
        .filter(|one| Some(one.entity) == sessions)
        .map(|one| world.parent(&one, of_visitor).unwrap().row)
        .collect();
    let new = belong.iter().filter(|visitor| **visitor >= world.rows(visitors)).count();
    assert_eq!(new, 5, "{belong:?}");
}
