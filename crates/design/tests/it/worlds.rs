//! Data made from models keeps the models' rules, also where their writes add to it.

use std::collections::HashSet;

use marula_core::Timestamp;
use marula_core::model::{Model, Relationship, Skew};
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
            let must = attribute.required || entity.key().contains(&attribute.name.as_str());
            let mut own = members.iter().filter(|member| member.entity == at);
            let missing = |one: &&Member| world.value(one, &attribute.name) == Value::Null;
            let missing = own.find(missing).filter(|_| must);
            faults.extend(missing.map(|one| {
                format!("{}.{} is required: {:?}", entity.name, attribute.name, world.key(one))
            }));
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
    faults.extend(model.relations.iter().filter_map(|relation| astray(&world, &members, relation)));
    faults
}

/// One of the many that refers to nobody who is there.
fn astray(world: &World<'_>, members: &[Member], relation: &Relationship) -> Option<String> {
    let of = |name: &str| {
        let at = world.index(name);
        members.iter().filter(move |member| Some(member.entity) == at)
    };
    let keys: HashSet<String> =
        of(&relation.to).map(|one| format!("{:?}", world.key(one))).collect();
    let values = |one: &Member| -> Vec<Value> {
        relation.attributes.iter().map(|name| world.value(one, name)).collect()
    };
    let many = of(&relation.from).map(values).filter(|values| !values.contains(&Value::Null));
    let mut astray = many.filter(|values| !keys.contains(&format!("{values:?}")));
    let one = astray.next()?;
    let more = astray.count();
    Some(format!(
        "{} {:?} to {}: {one:?} and {more} more",
        relation.from, relation.attributes, relation.to
    ))
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

/// Whoever refers to several that share attributes refers to those of one tenant.
#[test]
fn references_that_share_attributes_agree() {
    let model: Model = serde_saphyr::from_str(include_str!("models/shared.yaml")).unwrap();
    for rows in [3_000, 10_000, 28_000] {
        assert_eq!(faults(&model, rows), Vec::<String>::new(), "{rows}");
    }
    let world = World::new(&model, 28_000, 1);
    let count = |entity: &str, name: &str| {
        let at = world.index(entity).unwrap();
        let each = (0..world.rows(at)).map(|row| world.value(&world.member(at, row), name));
        let there = each.filter(|value| *value != Value::Null).count();
        there as f64 / world.rows(at) as f64
    };
    // As many as the model says refer to somebody.
    assert!((0.6..=0.75).contains(&count("tasks", "assignee")), "{}", count("tasks", "assignee"));
    assert!((0.4..=0.55).contains(&count("tasks", "parent")), "{}", count("tasks", "parent"));
    assert!((0.55..=0.65).contains(&count("files", "project")), "{}", count("files", "project"));
}

/// Models of many fields, as people write them: natural keys of several parts, references that have a
/// part of a key, matches of two teams.
#[test]
fn models_as_they_are_written_get_data_that_keeps_their_rules() {
    let folder =
        |name: &str| std::fs::read_dir(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let written = folder("tests/it/models/as_written");
    let mut all = Vec::new();
    for file in written.chain(folder("examples/bench_designs/models")) {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let read = marula_design::model::read(&text, &name).unwrap();
        assert!(!read.is_faulty(), "{name}: {:?}", read.mistakes);
        let faults = faults(&read.model, 4_000);
        all.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert_eq!(all, Vec::<String>::new());
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

fn rules() -> Model {
    serde_saphyr::from_str(include_str!("models/rules.yaml")).unwrap()
}

/// Also of several parts, of its own kind, within few letters and between bounds; and what comes along
/// with what is new is told by it.
#[test]
fn what_is_told_apart_is_told_apart_at_any_scale() {
    let model = rules();
    for rows in [1_500, 6_000, 15_000] {
        assert_eq!(faults(&model, rows), Vec::<String>::new(), "{rows}");
    }
    let world = World::new(&model, 6_000, 1);
    let lines = world.index("lines").unwrap();
    for line in members(&world, 20).iter().filter(|member| member.entity == lines) {
        assert!(!world.key(line).contains(&Value::Null), "{line:?}");
    }
}

/// A check over two attributes holds of every row, and not because the rarer case is never made.
#[test]
fn checks_over_several_attributes_hold() {
    let model = rules();
    let world = World::new(&model, 6_000, 1);
    let invoices = world.index("invoices").unwrap();
    let mut voided = 0;
    for invoice in members(&world, 60).iter().filter(|member| member.entity == invoices) {
        let value = |name: &str| world.value(invoice, name);
        let Value::Decimal { units: total, .. } = value("total") else { panic!() };
        if value("status") == Value::Text("void".into()) {
            assert_eq!(total, 0, "{invoice:?}");
            voided += 1;
        }
        let (Value::Date(issued), Value::Date(due)) = (value("issued"), value("due")) else {
            panic!()
        };
        assert!((issued..=issued + 30).contains(&due), "{issued} {due}");
        assert!(!matches!(value("weight"), Value::Decimal { units: 0, .. }), "{invoice:?}");
    }
    assert!(voided > 100, "{voided}");
    let lockers = world.index("lockers").unwrap();
    for locker in members(&world, 60).iter().filter(|member| member.entity == lockers) {
        let (Value::Integer(low), Value::Integer(high)) =
            (world.value(locker, "low"), world.value(locker, "high"))
        else {
            panic!()
        };
        assert!(high - low >= 2 && low + high <= 15, "{low} {high}");
    }
}

/// A new status goes with the total that is there.
#[test]
fn what_is_changed_keeps_the_checks() {
    let model = rules();
    let world = World::new(&model, 6_000, 1);
    let (work, structure) = (Work::new(&model), Structure::normalised(&model));
    let invoices = world.index("invoices").unwrap();
    let mut new = HashSet::new();
    for operation in operations(&model, &work).iter().filter(|one| one.name == "pay") {
        for serial in 0..100 {
            let Job::Do(effects) = operation.job(&world, &work, &structure, serial) else {
                panic!()
            };
            let [Effect::Change { by, set, .. }] = &effects[..] else { panic!("{effects:?}") };
            let key: Vec<Value> = by.iter().map(|(_, value)| value.clone()).collect();
            let mut all = (0..world.rows(invoices)).map(|row| world.member(invoices, row));
            let invoice = all.find(|member| world.key(member) == key).unwrap();
            let nothing = matches!(world.value(&invoice, "total"), Value::Decimal { units: 0, .. });
            let void = set[0].1 == Value::Text("void".into());
            assert!(nothing || !void, "{invoice:?}");
            new.insert(format!("{:?}", set[0].1));
        }
    }
    assert!(new.len() > 1, "{new:?}");
}

/// Nothing is held twice at a time, neither of those there from the start nor of those added.
#[test]
fn ranges_of_one_do_not_meet() {
    let model = rules();
    let world = World::new(&model, 6_000, 1);
    let holds = world.index("holds").unwrap();
    let mut all: Vec<(String, i64, i64)> = Vec::new();
    for hold in members(&world, 60).iter().filter(|member| member.entity == holds) {
        let Value::Range(from, to) = world.value(hold, "during") else { panic!() };
        let (Value::Timestamp(Timestamp(from)), Value::Timestamp(Timestamp(to))) = (*from, *to)
        else {
            panic!()
        };
        assert!(from < to);
        all.push((format!("{:?}", world.value(hold, "room")), from, to));
    }
    all.sort();
    let meet = all.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].2 > pair[1].1);
    assert_eq!(meet, None);
    let long = all.iter().filter(|(_, from, to)| to - from > 3_600_000).count();
    assert!(long > all.len() / 2, "{long} of {} are longer than an hour", all.len());
}

/// What a write adds, and whom an update names, refers to nobody whom another write takes away; nobody
/// is taken away twice.
#[test]
fn nobody_refers_to_who_is_taken_away() {
    let model = rules();
    let world = World::new(&model, 6_000, 1);
    let (work, structure) = (Work::new(&model), Structure::normalised(&model));
    let mut gone: HashSet<(usize, String)> = HashSet::new();
    let mut named = Vec::new();
    let mut twice = 0;
    for operation in operations(&model, &work) {
        for serial in 0..80 {
            let Job::Do(effects) = operation.job(&world, &work, &structure, serial) else {
                continue;
            };
            for effect in effects {
                match effect {
                    Effect::Remove { entity, by } => {
                        let key: Vec<Value> = by.into_iter().map(|(_, value)| value).collect();
                        twice += usize::from(!gone.insert((entity, format!("{key:?}"))));
                    }
                    Effect::Insert { trees } => named.extend(trees.into_iter().map(|t| t.member)),
                    _ => {}
                }
            }
        }
    }
    assert_eq!(twice, 0);
    assert!(gone.len() > 200, "{}", gone.len());
    for member in &named {
        for at in 0..model.relations.len() {
            let mut one = world
                .parent(member, at)
                .filter(|_| model.relations[at].from == model.entities[member.entity].name);
            // Nor to one that goes with the one it belongs to.
            while let Some(parent) = one {
                let key = (parent.entity, format!("{:?}", world.key(&parent)));
                assert!(!gone.contains(&key), "{member:?} refers to {key:?}");
                let name = &world.entity(&parent).name;
                let owner = model.relations.iter().position(|r| r.from == *name && r.owned);
                one = owner.and_then(|at| world.parent(&parent, at));
            }
        }
    }
}

/// Nobody gets more than there may be of one, which an array's bound would refuse.
#[test]
fn nobody_is_given_more_than_there_may_be() {
    let mut model = rules();
    model.writes.iter_mut().for_each(|write| write.skew = Skew::Zipf);
    let world = World::new(&model, 6_000, 1);
    for (at, relation) in model.relations.iter().enumerate() {
        let Some(most) = relation.fanout.and_then(|fanout| fanout.max) else { continue };
        let entity = world.index(&relation.from).unwrap();
        let mut counts = std::collections::HashMap::new();
        for member in members(&world, 150).iter().filter(|member| member.entity == entity) {
            if let Some(one) = world.parent(member, at) {
                *counts.entry(format!("{:?}", world.key(&one))).or_insert(0u64) += 1;
            }
        }
        let greatest = counts.values().max().unwrap();
        assert!(*greatest <= most, "{} {:?}: {greatest}", relation.from, relation.attributes);
    }
}
