//! From tables to entities and the references between them.

use std::sync::Arc;

use marula_core::Progress;
use rustc_hash::FxHashMap;

use super::column::{Column, Dictionary, Kind, Table};
use super::decompose::{self, Decomposed};
use super::naming::{self, singular};
use super::types::{self, Class};
use super::world::{Attributed, Entity, Origin, Reference, World, spread};

/// Takes all tables apart. `parent` of a table counts within `tables`.
pub fn build(tables: Vec<Table>, progress: &dyn Progress) -> World {
    let mut world = World::default();
    let total = tables.len() as u64;
    for (at, mut table) in tables.into_iter().enumerate() {
        progress.step(&format!("taking {} apart", table.name));
        let declared: Vec<usize> = table
            .declared_key
            .iter()
            .filter_map(|name| table.columns.iter().position(|c| c.path == [name.clone()]))
            .collect();
        let above = lead_up(&world, &mut table);
        // Those found before lead_up() put columns in front.
        let declared: Vec<usize> = declared.iter().map(|at| at + above.len()).collect();
        let typed: Vec<_> = table.columns.iter().map(types::of).collect();
        for (column, typed) in table.columns.iter_mut().zip(&typed) {
            one_number_each(column, typed.class);
        }
        let decomposed = decompose::decompose(&table, &typed, &above, &declared);
        world.tables.push(table);
        world.typed.push(typed);
        world.decomposed.push(decomposed);
        entities(&mut world, at, &above);
        progress.advance(at as u64 + 1, total);
    }
    unique_names(&mut world);
    world
}

/// Values that are the same by their type get one number: 12 and "12", a UUID in small and in
/// capital letters.
pub(super) fn one_number_each(column: &mut Column, class: Class) {
    let mut first: FxHashMap<String, u32> = FxHashMap::default();
    let mut number: Vec<u32> = vec![0];
    let mut any = false;
    for (at, (_, text)) in column.dictionary.values().enumerate() {
        let text = match class {
            Class::Uuid => text.to_ascii_lowercase(),
            Class::Integer if text == "-0" => "0".into(),
            _ => text.to_string(),
        };
        let code = *first.entry(text).or_insert(at as u32 + 1);
        any |= code != at as u32 + 1;
        number.push(code);
    }
    if any {
        for code in &mut column.codes {
            *code = number.get(*code as usize).copied().unwrap_or(0);
        }
    }
}

/// Gives the elements of an array the key of what they stand in, and their position.
fn lead_up(world: &World, table: &mut Table) -> Vec<usize> {
    let Some(parent) = &table.parent else { return Vec::new() };
    let Some(above) = world.of_part.get(parent.table).and_then(|parts| parts.first()) else {
        return Vec::new();
    };
    let entity = &world.entities[*above];
    let of = &world.tables[parent.table];
    let mut added = Vec::new();
    for at in &entity.key {
        let attribute = &entity.attributes[*at];
        let base = format!("{}_{}", singular(&of.name), attribute.name.trim_matches('_'));
        let (codes, dictionary) = match attribute.column {
            Some(column) => {
                let column = &of.columns[column];
                let codes = parent.rows.iter().map(|row| column.codes[*row as usize]).collect();
                (codes, column.dictionary.clone())
            }
            None => numbered(parent.rows.iter().map(|row| row + 1)),
        };
        added.push(derived(table, &added, base, codes, dictionary));
    }
    let (codes, dictionary) = numbered(parent.ordinals.iter().copied());
    added.push(derived(table, &added, "position".into(), codes, dictionary));
    let count = added.len();
    added.append(&mut table.columns);
    table.columns = added;
    (0..count).collect()
}

fn numbered(numbers: impl Iterator<Item = u32>) -> (Vec<u32>, Arc<Dictionary>) {
    let mut dictionary = Dictionary::default();
    let codes = numbers.map(|number| dictionary.code(Kind::Number, &number.to_string())).collect();
    (codes, Arc::new(dictionary))
}

fn derived(
    table: &Table,
    added: &[Column],
    mut name: String,
    codes: Vec<u32>,
    dictionary: Arc<Dictionary>,
) -> Column {
    while table.columns.iter().chain(added).any(|column| column.name == name) {
        name = format!("parent_{name}");
    }
    Column { name, path: Vec::new(), codes, dictionary, nulls: 0, missing: 0 }
}

/// Makes entities of a table's parts, and references between them.
fn entities(world: &mut World, at: usize, above: &[usize]) {
    let table = &world.tables[at];
    let all = &world.decomposed[at];
    let first = world.entities.len();
    let mut of_part = Vec::new();
    let mut made = Vec::new();
    for (index, part) in all.parts.iter().enumerate() {
        let named = naming::name(table, all, index, &own(all, index));
        let mut attributes: Vec<Attributed> = named
            .attributes
            .into_iter()
            .zip(&part.columns)
            .map(|(name, column)| Attributed { name, column: Some(*column) })
            .collect();
        let mut key: Vec<usize> = part
            .key
            .iter()
            .filter_map(|id| part.columns.iter().position(|column| column == id))
            .collect();
        let mut rows = part.rows.clone();
        let surrogate = key.is_empty();
        rows.sort_unstable();
        if surrogate {
            let mut name = "id".to_string();
            while attributes.iter().any(|known| known.name == name) {
                name = format!("row_{name}");
            }
            attributes.insert(0, Attributed { name, column: None });
            key = vec![0];
        }
        of_part.push(first + index);
        made.push(Entity {
            name: named.entity,
            table: at,
            part: index,
            attributes,
            key,
            surrogate,
            rows,
        });
    }
    world.entities.extend(made);
    world.of_part.push(of_part);
    for (index, part) in world.decomposed[at].parts.clone().iter().enumerate() {
        let Some(parent) = part.parent else { continue };
        let (from, to) = (first + parent, first + index);
        let attributes: Vec<usize> = part
            .key
            .iter()
            .filter_map(|id| {
                world.entities[from].attributes.iter().position(|known| known.column == Some(*id))
            })
            .collect();
        let fanout = world.fanout(from, &attributes, to);
        let origin = Origin::Split;
        world.references.push(Reference {
            from,
            attributes,
            to,
            origin,
            fanout,
            at_least_one: false,
        });
    }
    let table = &world.tables[at];
    if let (Some(parent), false) = (&table.parent, above.is_empty()) {
        let mut counts: Vec<u64> = vec![0; world.tables[parent.table].rows];
        for row in &parent.rows {
            if let Some(count) = counts.get_mut(*row as usize) {
                *count += 1;
            }
        }
        let at_least_one = !counts.contains(&0);
        let attributes = world.entities[first]
            .attributes
            .iter()
            .enumerate()
            .filter(|(_, known)| known.column.is_some_and(|c| c + 1 < above.len()))
            .map(|(at, _)| at)
            .collect();
        let to = world.of_part[parent.table][0];
        let fanout = spread(counts);
        let origin = Origin::Array;
        world.references.push(Reference {
            from: first,
            attributes,
            to,
            origin,
            fanout,
            at_least_one,
        });
    }
}

/// The columns of a part that are no reference to a part below.
fn own(all: &Decomposed, index: usize) -> Vec<usize> {
    let below = |id: &usize| {
        all.parts.iter().any(|part| part.parent == Some(index) && part.key.contains(id))
    };
    let part = &all.parts[index];
    part.columns.iter().copied().filter(|id| part.key.contains(id) || !below(id)).collect()
}

/// No two entities have one name.
pub fn unique_names(world: &mut World) {
    let mut taken: Vec<String> = Vec::new();
    // The tables' own names first: nobody guessed them.
    let mut order: Vec<usize> = (0..world.entities.len()).collect();
    order.sort_by_key(|at| world.entities[*at].part);
    for at in order {
        let entity = &world.entities[at];
        let mut name = entity.name.clone();
        if taken.contains(&name) {
            name = format!("{}_{name}", singular(&world.tables[entity.table].name));
        }
        let base = name.clone();
        let mut number = 2;
        while taken.contains(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        taken.push(name.clone());
        world.entities[at].name = name;
    }
}
