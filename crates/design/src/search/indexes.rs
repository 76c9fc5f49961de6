use marula_core::model::{Model, Operator};

use super::work::Work;
use crate::question::{Demand, Direction, Key, Places, Question, Spot, found, indexed, start};
use crate::structure::{Bucket, KeyOrder, Layout, Structure, Subset, WantedIndex, reference_name};

/// The indexes that the work asks of a structure: for each question equalities, then its order,
/// then ranges, where the search begins; and what its joins look for. Those that are the beginning
/// of another are left out, as are keys, which have theirs.
pub fn indexes(model: &Model, structure: &Structure, work: &Work) -> Vec<WantedIndex> {
    let layout = Layout::new(model, structure);
    let mut wanted = Vec::new();
    for asking in &work.asked {
        let question = asking.question.of(model, structure);
        let name = &model.queries[asking.query].name;
        of_question(model, structure, &layout, &question, name, &mut wanted);
    }
    for write in &model.writes {
        if !write.by.is_empty() && structure.home(model, &write.entity).is_none() {
            let keys = write.by.iter().map(|name| (name.clone(), KeyOrder::Any)).collect();
            add(
                model,
                &mut wanted,
                &write.entity,
                keys,
                format!("{}: finds what it writes", write.name),
                true,
            );
        }
    }
    for subset in &structure.subsets {
        of_subset(model, structure, subset, &mut wanted);
    }
    for bucket in &structure.buckets {
        let r = &model.relations[bucket.relation];
        let whose = r.attributes.iter().map(|name| (name.clone(), KeyOrder::Any));
        let keys = whose.chain([(Bucket::LAST.to_owned(), KeyOrder::Ascending)]).collect();
        let why = format!("the buckets of one {}, by their moments", reference_name(r));
        wanted.push(WantedIndex { store: r.from.clone(), keys, unique: false, given: false, why });
    }
    let served = |at: usize, index: &WantedIndex| {
        wanted.iter().enumerate().any(|(other, one)| {
            // Of two that do for each other the first stays.
            let stays = other < at || !one.is_served_by(index);
            other != at && index.is_served_by(one) && stays
        })
    };
    let left = wanted.iter().enumerate().filter(|(at, index)| !served(*at, index));
    left.map(|(_, index)| index.clone()).collect()
}

/// What keeps a subset in step looks for the first of one's many, and for those that show another.
fn of_subset(model: &Model, structure: &Structure, subset: &Subset, wanted: &mut Vec<WantedIndex>) {
    let r = &model.relations[subset.relation];
    if subset.is_refilled(model) {
        let whose = r.attributes.iter().map(|name| (name.clone(), KeyOrder::Any));
        let order = subset.order.iter().map(|(name, down)| (name.clone(), KeyOrder::sorted(*down)));
        let keys = whose.chain(order).collect();
        let why = format!("the first {} that {} keep are read anew by it", r.from, r.to);
        add(model, wanted, &r.from, keys, why, false);
    }
    for (relation, attribute) in subset.recopied(model, structure) {
        let other = &model.relations[*relation];
        let names = other.attributes.iter();
        let keys = names.map(|name| (format!("{}.{name}", subset.name), KeyOrder::Any)).collect();
        let why = format!("finds the copies of {attribute} of {} in {}", other.to, subset.name);
        add(model, wanted, &r.to, keys, why, true);
    }
}

fn of_question(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    question: &Question,
    name: &str,
    wanted: &mut Vec<WantedIndex>,
) {
    let node = start(model, structure, layout, question);
    let places = Places::new(model, structure, layout, question, node);
    let spot = |node: usize, attribute: &str| places.spot(node, attribute);
    let here = |ops: &dyn Fn(Operator) -> bool| -> Vec<(Spot, KeyOrder)> {
        let demands = question.conditions.iter().filter(|demand| ops(demand.is) && indexed(demand));
        demands
            .filter_map(|demand| Some((spot(demand.at.node, &demand.at.attribute)?, read(demand))))
            .filter(|(spot, _)| spot.container == 0)
            .collect()
    };
    let equal = here(&|is| matches!(is, Operator::Equal | Operator::In));
    let equal = equal.into_iter().map(|(spot, _)| spot);
    let ranges = here(&|is| !matches!(is, Operator::Equal | Operator::In | Operator::Contains));
    let (plain, within): (Vec<Spot>, Vec<Spot>) = equal.partition(|spot| spot.element.is_none());
    let mut keys: Vec<(String, KeyOrder)> =
        plain.iter().map(|spot| (spot.field.clone(), KeyOrder::Any)).collect();
    let given = keys.len();
    let mut push = |field: String, order: KeyOrder| {
        if !keys.iter().any(|(known, _)| *known == field) {
            keys.push((field, order));
        }
    };
    let sorted: Option<Vec<(Spot, bool)>> = question
        .sort
        .iter()
        .map(|(key, direction)| match key {
            Key::At(at) => spot(at.node, &at.attribute)
                .filter(|spot| spot.container == 0 && spot.element.is_none())
                .map(|spot| (spot, *direction == Direction::Descending)),
            Key::Aggregate(_) => None,
        })
        .collect();
    if let (Some(sorted), false) = (sorted, question.groups()) {
        sorted.into_iter().for_each(|(spot, down)| push(spot.field, KeyOrder::sorted(down)));
    }
    if let Some((range, order)) = ranges.iter().find(|(spot, _)| spot.element.is_none()) {
        push(range.field.clone(), *order);
    }
    let entity = &places.containers[0].entity;
    // A bucket is found by its last moment.
    let bucket = structure.bucket(model, entity).map(|(_, bucket)| bucket);
    if bucket.is_some_and(|bucket| ranges.iter().any(|(spot, _)| spot.field == bucket.time)) {
        push(Bucket::LAST.into(), KeyOrder::Any);
    }
    if !keys.is_empty() {
        let given = keys.len() == given;
        add(model, wanted, entity, keys, format!("{name}: equalities, order, range"), given);
    }
    // Alternatives are found by an index each, or not at all.
    for demand in question.any.iter().filter(|group| found(&places, group)).flatten() {
        if let Some(one) = spot(demand.at.node, &demand.at.attribute) {
            let keys = vec![(one.field, read(demand))];
            add(model, wanted, entity, keys, format!("{name}: one of its alternatives"), true);
        }
    }
    for spot in within {
        add(
            model,
            wanted,
            entity,
            vec![(path(&places, &spot), KeyOrder::Any)],
            format!("{name}: finds an element"),
            true,
        );
    }
    for container in &places.containers {
        if let Some(join) = &container.join {
            let keys =
                join.wanted.iter().map(|spot| (path(&places, spot), KeyOrder::Any)).collect();
            let why = format!("{name}: what it joins");
            // A join may look for what is missing, too.
            add(model, wanted, &container.entity, keys, why, false);
        }
    }
}

/// How an index is read for a condition.
fn read(demand: &Demand) -> KeyOrder {
    match demand.is {
        Operator::StartsWith => KeyOrder::Beginning,
        _ => KeyOrder::Any,
    }
}

/// A field's path from the store on: `lines.product_id`.
fn path(places: &Places<'_>, spot: &Spot) -> String {
    let mut path = spot.field.clone();
    let mut at = spot.element;
    while let Some(element) = at {
        let holder = &places.elements[element];
        path = format!("{}.{path}", holder.field);
        at = holder.within;
    }
    path
}

fn add(
    model: &Model,
    wanted: &mut Vec<WantedIndex>,
    store: &str,
    keys: Vec<(String, KeyOrder)>,
    why: String,
    given: bool,
) {
    let key = model.entity(store).map(|entity| entity.key()).unwrap_or_default();
    let names: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
    // What begins with the whole key is found by the key's own index.
    if !key.is_empty()
        && names.len() >= key.len()
        && key.iter().all(|part| names[..key.len()].contains(part))
    {
        return;
    }
    match wanted.iter_mut().find(|index| index.store == store && index.keys == keys) {
        Some(known) => {
            known.why = format!("{}; {why}", known.why);
            known.given &= given;
        }
        None => {
            wanted.push(WantedIndex { store: store.to_owned(), keys, unique: false, given, why });
        }
    }
}
