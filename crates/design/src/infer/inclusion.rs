//! References between what was found apart: an attribute whose every value is another entity's key,
//! and whose name says so.

use rustc_hash::FxHashSet;

use super::naming::{self, singular};
use super::roles;
use super::types::Class;
use super::world::{Origin, Reference, World};
use crate::names;

/// With so large a share of the values found, the few that are not are told as dangling.
const NEARLY: f64 = 0.95;

/// Finds references, and adds them.
pub fn find(world: &mut World) {
    let mut found: Vec<Reference> = Vec::new();
    let mut notes = Vec::new();
    for to in 0..world.entities.len() {
        let target = &world.entities[to];
        let candidates = match target.key.as_slice() {
            [key] => named(world, to, *key),
            _ => together(world, to),
        };
        if candidates.is_empty() {
            continue;
        }
        let keys: FxHashSet<Vec<&str>> =
            (0..target.rows.len()).filter_map(|row| values(world, to, &target.key, row)).collect();
        for (from, attributes) in candidates {
            match included(world, from, &attributes, to, &keys) {
                Inclusion::Whole => {
                    let fanout = world.fanout(from, &attributes, to);
                    let origin = Origin::Inclusion;
                    found.push(Reference {
                        from,
                        attributes,
                        to,
                        origin,
                        fanout,
                        at_least_one: false,
                    });
                }
                Inclusion::Part(note) => notes.push(note),
                Inclusion::None => {}
            }
        }
    }
    // An attribute refers to one thing: the one with the fewest members that has all values.
    found.sort_by_key(|one| (one.from, one.attributes.clone(), world.entities[one.to].rows.len()));
    found.dedup_by(|b, a| a.from == b.from && a.attributes == b.attributes);
    for one in found {
        // Two entities do not refer to one another with their keys.
        let back = world.references.iter().any(|known| {
            known.from == one.to
                && known.to == one.from
                && world.entities[one.from].key == one.attributes
        });
        if !back {
            world.references.push(one);
        }
    }
    world.notes.extend(notes);
    roles::find(world);
}

/// The values of several attributes of a member; `None` where one is not there.
pub(super) fn values<'w>(
    world: &'w World,
    entity: usize,
    attributes: &[usize],
    member: usize,
) -> Option<Vec<&'w str>> {
    let entity = &world.entities[entity];
    attributes.iter().map(|at| world.value(entity, *at, member)).collect()
}

/// How many of the values of some attributes are keys of another entity.
pub(super) enum Inclusion {
    /// All.
    Whole,
    /// Enough to tell of it.
    Part(String),
    /// Few, or there are no values.
    None,
}

/// Whether the values of some attributes are among the keys of `to`.
pub(super) fn included(
    world: &World,
    from: usize,
    attributes: &[usize],
    to: usize,
    keys: &FxHashSet<Vec<&str>>,
) -> Inclusion {
    let (entity, target) = (&world.entities[from], &world.entities[to]);
    let there: FxHashSet<Vec<&str>> =
        (0..entity.rows.len()).filter_map(|row| values(world, from, attributes, row)).collect();
    let inside = there.iter().filter(|values| keys.contains(*values)).count();
    let names = attributes.iter().map(|at| entity.attributes[*at].name.as_str());
    let name = match attributes {
        [at] => format!("{}.{}", entity.name, entity.attributes[*at].name),
        _ => format!("{} ({})", entity.name, names.collect::<Vec<_>>().join(", ")),
    };
    if there.is_empty() {
        Inclusion::None
    } else if inside == there.len() {
        Inclusion::Whole
    } else if world.tables[target.table].sampled {
        Inclusion::Part(format!(
            "{name} may refer to {}: that is not to be seen in a sample ({inside} of {} values)",
            target.name,
            there.len()
        ))
    } else if inside as f64 >= NEARLY * there.len() as f64 {
        Inclusion::Part(format!(
            "{name} looks like a reference to {}, but {} of its {} values are not there",
            target.name,
            there.len() - inside,
            there.len()
        ))
    } else {
        Inclusion::None
    }
}

fn class_of(world: &World, entity: usize, attribute: usize) -> Option<Class> {
    let entity = &world.entities[entity];
    Some(world.typed[entity.table][entity.attributes[attribute].column?].class)
}

/// The type of an attribute that can name something.
pub(super) fn naming_class(world: &World, entity: usize, attribute: usize) -> Option<Class> {
    let class = class_of(world, entity, attribute)?;
    let names = matches!(class, Class::Integer | Class::Text | Class::Uuid | Class::ObjectId);
    names.then_some(class)
}

/// Whether an attribute leads to something already.
pub(super) fn refers(world: &World, entity: usize, attribute: usize) -> bool {
    let known = |one: &Reference| one.from == entity && one.attributes.contains(&attribute);
    world.references.iter().any(known)
}

/// Attributes that are called as those of the key of `to` are, when it has several, and are of their
/// types; the key itself only of one that has fewer members.
fn together(world: &World, to: usize) -> Vec<(usize, Vec<usize>)> {
    let target = &world.entities[to];
    let mut out = Vec::new();
    for (from, entity) in world.entities.iter().enumerate() {
        let known = world
            .references
            .iter()
            .any(|one| (one.from, one.to) == (from, to) || (one.from, one.to) == (to, from));
        if from == to || known {
            continue;
        }
        let same = |key: &usize| {
            let (class, whole) = (class_of(world, to, *key)?, bare(&target.attributes[*key].name));
            (0..entity.attributes.len()).find(|at| {
                bare(&entity.attributes[*at].name) == whole
                    && class_of(world, from, *at) == Some(class)
            })
        };
        // Something of it has to name something: a day alone does not.
        let names = |key: &usize| naming_class(world, to, *key).is_some();
        let attributes: Option<Vec<usize>> = target.key.iter().map(same).collect();
        let Some(attributes) = attributes.filter(|_| target.key.iter().any(names)) else {
            continue;
        };
        let is_key = entity.key.iter().all(|key| attributes.contains(key));
        if !is_key || entity.rows.len() < target.rows.len() {
            out.push((from, attributes));
        }
    }
    out
}

/// Attributes of the same type whose name says that they lead to `to`.
fn named(world: &World, to: usize, key: usize) -> Vec<(usize, Vec<usize>)> {
    let target = &world.entities[to];
    let Some(class) = naming_class(world, to, key) else { return Vec::new() };
    let key = target.attributes[key].name.as_str();
    let thing = naming::written_out(&names::words(&singular(&target.name)));
    let stem = naming::stem(key);
    let whole = bare(key);
    let mut out = Vec::new();
    for (from, entity) in world.entities.iter().enumerate() {
        for (at, attribute) in entity.attributes.iter().enumerate() {
            let own = from == to && target.key == [at];
            if own || refers(world, from, at) || naming_class(world, from, at) != Some(class) {
                continue;
            }
            let other = naming::stem(&attribute.name);
            let same = bare(&attribute.name) == whole && whole != "id" && from != to;
            let leads = |thing: &str| {
                thing.len() > 2 && (other == thing || other.ends_with(&format!("_{thing}")))
            };
            // A code is not by chance one of those: a number can be.
            let id = super::rank::is_like_id(&attribute.name) || class == Class::Text;
            if same || (id && (leads(&thing) || (stem != "id" && leads(&stem)))) {
                out.push((from, vec![at]));
            }
        }
    }
    out
}

/// A name without the short word before it: `nationkey` of `s_nationkey`.
fn bare(name: &str) -> String {
    let mut words = names::words(name);
    if words.len() > 1 && words[0].chars().count() <= 2 {
        words.remove(0);
    }
    words.join("_")
}
