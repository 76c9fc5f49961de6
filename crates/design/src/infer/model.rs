//! What was inferred as a model, with a comment on each part that says how it is known.

use marula_core::grouped;
use marula_core::model::{Attribute, AttributeType, Count, Entity, Model, Relationship};

use super::naming::stem;
use super::rank;
use super::types::Class;
use super::world::{Origin, World};
use crate::model::{Comments, Way};
use crate::schema::{is_required, leads};

/// The model, and what is to be said of its parts.
pub fn model(world: &World, name: &str) -> (Model, Comments) {
    let mut comments = Comments::new();
    let mut model = Model { name: name.into(), ..Model::default() };
    for (at, entity) in world.entities.iter().enumerate() {
        let table = &world.tables[entity.table];
        let part = &world.decomposed[entity.table].parts[entity.part];
        let members = grouped(entity.rows.len() as u64);
        let attributes = attributes(world, at, &mut comments);
        let key: Vec<String> =
            entity.key.iter().map(|key| entity.attributes[*key].name.clone()).collect();
        let said = match (part.parent, entity.surrogate, &table.parent) {
            (Some(_), ..) => format!(
                "out of {}: {members} different {} among {}; {} times one came again, always with \
                 the same",
                table.name,
                key.join(", "),
                grouped(part.of as u64),
                grouped(part.tests as u64),
            ),
            (None, true, _) => {
                format!("{members} rows of {}; no key was found, id is given out", table.source)
            }
            (None, false, Some(parent)) => format!("{members} elements of {}", parent.array),
            (None, false, None) if !table.declared_key.is_empty() => {
                format!(
                    "{members} rows of {}; {} is its declared key",
                    table.source,
                    key.join(", ")
                )
            }
            (None, false, None) => {
                format!(
                    "{members} rows of {}; {} is different in all",
                    table.source,
                    key.join(", ")
                )
            }
        };
        comments.insert(entity_way(at), vec![said]);
        let unique = part
            .unique
            .iter()
            .filter(|ids| is_rule(world, entity.table, ids))
            .filter_map(|ids| {
                let name = |id: &usize| {
                    let known = entity.attributes.iter().find(|known| known.column == Some(*id));
                    known.map(|known| known.name.clone())
                };
                ids.iter().map(name).collect()
            })
            .collect();
        model.entities.push(Entity {
            name: entity.name.clone(),
            attributes,
            key,
            unique,
            rows: Count(entity.rows.len() as u64),
            guess: part.parent.is_some() || entity.surrogate,
            ..Entity::default()
        });
    }
    relations(world, &mut model, &mut comments);
    open_circles(&mut model, &mut comments);
    (model, comments)
}

/// Whether what is different in all members is said to have to be: of names and titles it is not.
fn is_rule(world: &World, table: usize, ids: &[usize]) -> bool {
    ids.len() > 1
        || ids.iter().all(|id| {
            rank::is_like_id(&world.tables[table].columns[*id].name)
                || matches!(world.typed[table][*id].class, Class::Uuid | Class::ObjectId)
        })
}

fn entity_way(at: usize) -> Way {
    Way::root().to("entities").item(at)
}

fn attributes(world: &World, at: usize, comments: &mut Comments) -> Vec<Attribute> {
    let entity = &world.entities[at];
    let table = &world.tables[entity.table];
    let all = &world.decomposed[entity.table];
    let mut out = Vec::new();
    for (place, known) in entity.attributes.iter().enumerate() {
        let way = entity_way(at).to("attributes").item(place);
        let Some(column) = known.column else {
            out.push(Attribute {
                name: known.name.clone(),
                kind: AttributeType::Id,
                required: true,
                guess: true,
                ..Attribute::default()
            });
            comments.insert(way, vec!["given out".into()]);
            continue;
        };
        let typed = &world.typed[entity.table][column];
        let mut attribute = Attribute { name: known.name.clone(), ..typed.attribute.clone() };
        attribute.guess = typed.why.is_some();
        let (there, distinct) = count(world, at, column);
        let rows = entity.rows.len() as u64;
        attribute.required = there == rows && rows > 0;
        attribute.missing =
            (there < rows).then(|| ((rows - there) as f64 / rows.max(1) as f64 * 1e4).ceil() / 1e4);
        attribute.distinct = Some(Count(distinct));
        let mut said: Vec<String> = typed.why.iter().cloned().collect();
        let source = &table.columns[column];
        if source.nulls > 0 && source.missing > 0 {
            said.push(format!(
                "null in {}, not there in {}",
                grouped(source.nulls),
                grouped(source.missing)
            ));
        }
        if source.name != known.name && !source.path.is_empty() {
            said.push(format!("{} in {}", source.path.join("."), table.source));
        }
        let same: Vec<&str> = all
            .same
            .iter()
            .filter(|(_, other)| *other == column)
            .map(|(same, _)| table.columns[*same].name.as_str())
            .filter(|name| *name != known.name)
            .collect();
        if !same.is_empty() {
            let does = if same.len() == 1 {
                "holds the same and is left out"
            } else {
                "hold the same and are left out"
            };
            said.push(format!("in every row {} {does}", same.join(", ")));
        }
        if all.constant.contains(&column) && source.codes.iter().any(|code| *code != 0) {
            said.push("one value in every row".into());
        }
        let part = &all.parts[entity.part];
        if part.unique.iter().any(|ids| ids == &[column] && !is_rule(world, entity.table, ids)) {
            said.push(format!("different in all {}", grouped(rows)));
        }
        if let Some((mixed, _)) = &typed.mixed {
            said.push(mixed.clone());
        }
        if !said.is_empty() {
            comments.insert(way, vec![said.join("; ")]);
        }
        // A number that names something is no quantity.
        let key = entity.key == [place];
        let refers = world.references.iter().any(|r| r.from == at && r.attributes == [place]);
        if typed.class == Class::Integer && (key || refers) {
            attribute.kind = AttributeType::Id;
            attribute.usual = None;
        }
        out.push(attribute);
    }
    out
}

/// How many members have a value, and how many different ones there are.
fn count(world: &World, at: usize, column: usize) -> (u64, u64) {
    let entity = &world.entities[at];
    let column = &world.tables[entity.table].columns[column];
    let mut seen = vec![false; column.dictionary.len() + 1];
    let (mut there, mut distinct) = (0, 0);
    for row in &entity.rows {
        let code = column.codes[*row as usize] as usize;
        if code != 0 {
            there += 1;
            if !std::mem::replace(&mut seen[code], true) {
                distinct += 1;
            }
        }
    }
    (there, distinct)
}

fn relations(world: &World, model: &mut Model, comments: &mut Comments) {
    for reference in &world.references {
        let (from, to) = (&world.entities[reference.from], &world.entities[reference.to]);
        let attributes: Vec<String> =
            reference.attributes.iter().map(|at| from.attributes[*at].name.clone()).collect();
        let several = world
            .references
            .iter()
            .filter(|other| other.from == reference.from && other.to == reference.to)
            .count();
        // What leads to the same place twice needs a name.
        let name =
            (several > 1).then(|| attributes.iter().map(|a| stem(a)).collect::<Vec<_>>().join("_"));
        let said = match reference.origin {
            Origin::Split => format!("{} repeated what is said of {}", from.name, to.name),
            Origin::Array => "elements of an array".into(),
            Origin::Inclusion => {
                format!("every value of {} is a key of {}", attributes.join(", "), to.name)
            }
        };
        comments.insert(Way::root().to("relations").item(model.relations.len()), vec![said]);
        model.relations.push(Relationship {
            from: from.name.clone(),
            attributes,
            to: to.name.clone(),
            inverse: name.as_ref().map(|name| format!("{}_as_{name}", from.name)),
            name,
            fanout: Some(reference.fanout),
            at_least_one: reference.at_least_one,
            owned: reference.origin == Origin::Array,
            on_delete: None,
            guess: reference.origin != Origin::Array,
        });
    }
    // Both ends of a reference have one type.
    for relation in &model.relations {
        let Some(to) = model.entities.iter().find(|entity| entity.name == relation.to) else {
            continue;
        };
        let kinds: Vec<AttributeType> = to
            .key()
            .iter()
            .filter_map(|key| to.attribute(key).map(|attribute| attribute.kind))
            .collect();
        let Some(from) = model.entities.iter_mut().find(|entity| entity.name == relation.from)
        else {
            continue;
        };
        for (name, kind) in relation.attributes.iter().zip(kinds) {
            if let Some(attribute) = from.attributes.iter_mut().find(|known| known.name == *name) {
                attribute.kind = kind;
                if kind == AttributeType::Id {
                    attribute.usual = None;
                }
            }
        }
    }
}

/// No circle is left in which each must be there before the next: of its references the one that is
/// the least sure need not be there. References stand in that order.
fn open_circles(model: &mut Model, comments: &mut Comments) {
    let mut ways: Vec<(&str, &str)> = Vec::new();
    let mut opened: Vec<&Relationship> = Vec::new();
    for relation in model.relations.iter().filter(|relation| is_required(model, relation)) {
        let (from, to) = (relation.from.as_str(), relation.to.as_str());
        if from == to || leads(&ways, to, from) {
            opened.push(relation);
        } else {
            ways.push((from, to));
        }
    }
    for relation in opened.into_iter().cloned().collect::<Vec<_>>() {
        let Some(at) = model.entities.iter().position(|entity| entity.name == relation.from) else {
            continue;
        };
        let entity = &mut model.entities[at];
        let key: Vec<String> = entity.key().into_iter().map(str::to_owned).collect();
        for (place, attribute) in entity.attributes.iter_mut().enumerate() {
            // What is in a key has to be there.
            if !relation.attributes.contains(&attribute.name) || key.contains(&attribute.name) {
                continue;
            }
            (attribute.required, attribute.missing) = (false, Some(0.0));
            let said = match relation.from == relation.to {
                true => {
                    "there in every row, and not required: the first could refer to nobody".into()
                }
                false => format!(
                    "there in every row, and not required: else {} and {} would each have to be \
                     there before the other",
                    relation.from, relation.to
                ),
            };
            let way = entity_way(at).to("attributes").item(place);
            let known = comments.entry(way).or_default();
            *known = vec![known.iter().cloned().chain([said]).collect::<Vec<_>>().join("; ")];
        }
    }
}
