//! References between what was found apart: an attribute whose every value is another entity's key,
//! and whose name says so.

use rustc_hash::FxHashSet;

use super::naming::{self, singular};
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
        let [key] = target.key.as_slice() else { continue };
        let Some(column) = target.attributes[*key].column else { continue };
        let class = world.typed[target.table][column].class;
        if !matches!(class, Class::Integer | Class::Text | Class::Uuid | Class::ObjectId) {
            continue;
        }
        let candidates = named(world, to, &target.attributes[*key].name, class);
        if candidates.is_empty() {
            continue;
        }
        let values: FxHashSet<&str> =
            (0..target.rows.len()).filter_map(|row| world.value(target, *key, row)).collect();
        for (from, attribute) in candidates {
            let entity = &world.entities[from];
            let Some(column) = entity.attributes[attribute].column else { continue };
            let table = &world.tables[entity.table];
            let mut seen: Vec<bool> = vec![false; table.columns[column].dictionary.len() + 1];
            for row in &entity.rows {
                seen[table.columns[column].codes[*row as usize] as usize] = true;
            }
            let used = (1..seen.len()).filter(|code| seen[*code]);
            let texts: Vec<&str> = used
                .filter_map(|code| table.columns[column].dictionary.get(code as u32))
                .map(|(_, text)| text)
                .collect();
            let inside = texts.iter().filter(|text| values.contains(*text)).count();
            let name = format!("{}.{}", entity.name, entity.attributes[attribute].name);
            if texts.is_empty() {
                continue;
            }
            let sampled = world.tables[target.table].sampled;
            if inside == texts.len() {
                let fanout = world.fanout(from, &[attribute]);
                found.push(Reference {
                    from,
                    attributes: vec![attribute],
                    to,
                    origin: Origin::Inclusion,
                    fanout,
                    at_least_one: false,
                });
            } else if sampled {
                notes.push(format!(
                    "{name} may refer to {}: that is not to be seen in a sample ({inside} of {} values)",
                    target.name,
                    texts.len()
                ));
            } else if inside as f64 >= NEARLY * texts.len() as f64 {
                notes.push(format!(
                    "{name} looks like a reference to {}, but {} of its {} values are not there",
                    target.name,
                    texts.len() - inside,
                    texts.len()
                ));
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
}

/// Attributes of the same type whose name says that they lead to `to`.
fn named(world: &World, to: usize, key: &str, class: Class) -> Vec<(usize, usize)> {
    let target = &world.entities[to];
    let thing = naming::written_out(&names::words(&singular(&target.name)));
    let stem = naming::stem(key);
    let whole = bare(key);
    let mut out = Vec::new();
    for (from, entity) in world.entities.iter().enumerate() {
        for (at, attribute) in entity.attributes.iter().enumerate() {
            let Some(column) = attribute.column else { continue };
            let own = from == to && target.key == [at];
            let refers = world
                .references
                .iter()
                .any(|known| known.from == from && known.attributes.contains(&at));
            if own || refers || world.typed[entity.table][column].class != class {
                continue;
            }
            let other = naming::stem(&attribute.name);
            let same = bare(&attribute.name) == whole && whole != "id" && from != to;
            let leads = |thing: &str| {
                thing.len() > 2 && (other == thing || other.ends_with(&format!("_{thing}")))
            };
            let id = super::rank::is_like_id(&attribute.name);
            let above = from == to && other == "parent";
            if same || (id && above) || (id && (leads(&thing) || (stem != "id" && leads(&stem)))) {
                out.push((from, at));
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
