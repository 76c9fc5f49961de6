//! Where entities stand in a picture: those that are referred to on the left, those that refer to
//! them on the right, and each near what it hangs on.

use std::collections::HashMap;

use marula_core::model::{Entity, Model};

use super::{roles, shown_type};

/// The width of a letter, in pixels, at the size that is used.
pub(super) const LETTER: f64 = 7.3;
/// The height of a line.
pub(super) const LINE: f64 = 20.0;
/// The height of an entity's head.
pub(super) const HEAD: f64 = 30.0;
/// The room between columns and between entities.
const GAP: (f64, f64) = (110.0, 36.0);
/// A column is not higher than this if it can be split.
const TALL: f64 = 1300.0;
/// The most attributes that are drawn of an entity.
pub(super) const MOST_SHOWN: usize = 40;

/// An entity's place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// The column it stands in, from the left.
    pub column: usize,
}

/// A picture's entities, in the model's order, and its size.
pub(super) struct Layout {
    pub entities: Vec<Placed>,
    pub width: f64,
    pub height: f64,
}

/// Lays a model out.
pub(super) fn layout(model: &Model) -> Layout {
    let index: HashMap<&str, usize> =
        model.entities.iter().enumerate().map(|(at, e)| (e.name.as_str(), at)).collect();
    let edges: Vec<(usize, usize)> = model
        .relations
        .iter()
        .filter_map(|r| Some((*index.get(r.to.as_str())?, *index.get(r.from.as_str())?)))
        .filter(|(one, many)| one != many)
        .collect();
    let ranks = ranks(model.entities.len(), &edges);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); ranks.iter().max().map_or(0, |r| r + 1)];
    for (entity, rank) in ranks.iter().enumerate() {
        columns[*rank].push(entity);
    }
    order(&mut columns, &edges);
    let sizes: Vec<(f64, f64)> = model.entities.iter().map(|e| size(model, e)).collect();
    place(&split(columns, &sizes), &sizes)
}

/// How many steps lead to each entity at most; circles are cut where they close.
fn ranks(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut ranks = vec![0usize; count];
    // As many rounds as there can be steps; a circle is kept from growing for ever.
    for _ in 0..count.min(12) {
        let mut changed = false;
        for (one, many) in edges {
            if ranks[*many] <= ranks[*one] && ranks[*one] < 11 {
                let back = edges.contains(&(*many, *one)) && one > many;
                if !back {
                    ranks[*many] = ranks[*one] + 1;
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    // Columns that circles left empty are closed up.
    let mut used: Vec<usize> = ranks.clone();
    used.sort_unstable();
    used.dedup();
    ranks.iter().map(|rank| used.binary_search(rank).unwrap_or(0)).collect()
}

/// Puts each entity of a column near those that it hangs on.
fn order(columns: &mut [Vec<usize>], edges: &[(usize, usize)]) {
    let mut position: HashMap<usize, f64> = HashMap::new();
    let note = |columns: &[Vec<usize>], position: &mut HashMap<usize, f64>| {
        for column in columns {
            let many = column.len().max(1) as f64;
            for (at, entity) in column.iter().enumerate() {
                position.insert(*entity, (at as f64 + 0.5) / many);
            }
        }
    };
    note(columns, &mut position);
    for _ in 0..6 {
        for column in columns.iter_mut() {
            let middle = |entity: &usize| {
                let near: Vec<f64> = edges
                    .iter()
                    .filter_map(|(a, b)| match (a == entity, b == entity) {
                        (true, _) => position.get(b).copied(),
                        (_, true) => position.get(a).copied(),
                        _ => None,
                    })
                    .collect();
                match near.is_empty() {
                    true => position.get(entity).copied().unwrap_or(0.5),
                    false => near.iter().sum::<f64>() / near.len() as f64,
                }
            };
            let mut keyed: Vec<(f64, usize)> = column.iter().map(|e| (middle(e), *e)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            *column = keyed.into_iter().map(|(_, entity)| entity).collect();
        }
        note(columns, &mut position);
    }
}

/// Makes two columns of one that is too tall.
fn split(columns: Vec<Vec<usize>>, sizes: &[(f64, f64)]) -> Vec<Vec<usize>> {
    let mut out = Vec::new();
    for column in columns {
        let all: f64 = column.iter().map(|e| sizes[*e].1 + GAP.1).sum();
        let parts = (all / TALL).ceil().max(1.0);
        let (mut current, mut height) = (Vec::new(), 0.0);
        for entity in column {
            let own = sizes[entity].1 + GAP.1;
            if !current.is_empty() && height + own > all / parts + own / 2.0 {
                out.push(std::mem::take(&mut current));
                height = 0.0;
            }
            height += own;
            current.push(entity);
        }
        if !current.is_empty() {
            out.push(current);
        }
    }
    out
}

fn place(columns: &[Vec<usize>], sizes: &[(f64, f64)]) -> Layout {
    let none = Placed { x: 0.0, y: 0.0, width: 0.0, height: 0.0, column: 0 };
    let mut entities = vec![none; sizes.len()];
    let heights: Vec<f64> = columns
        .iter()
        .map(|column| column.iter().map(|e| sizes[*e].1 + GAP.1).sum::<f64>() - GAP.1)
        .collect();
    let tallest = heights.iter().copied().fold(0.0, f64::max);
    let mut x = 20.0;
    for (at, column) in columns.iter().enumerate() {
        let widest = column.iter().map(|e| sizes[*e].0).fold(0.0, f64::max);
        let mut y = 20.0 + (tallest - heights[at]) / 2.0;
        for entity in column {
            let (width, height) = sizes[*entity];
            entities[*entity] = Placed { x, y, width, height, column: at };
            y += height + GAP.1;
        }
        x += widest + GAP.0;
    }
    let width = (x - GAP.0 + 60.0).max(120.0);
    Layout { entities, width, height: tallest + 40.0 }
}

/// How large an entity is drawn.
fn size(model: &Model, entity: &Entity) -> (f64, f64) {
    let shown = entity.attributes.iter().take(MOST_SHOWN);
    let line = |attribute| {
        let roles = roles(model, entity, attribute).join(" ");
        let letters = [attribute.name.as_str(), &shown_type(attribute), &roles];
        letters.iter().map(|text| text.chars().count()).sum::<usize>() + 6
    };
    let head = entity.name.chars().count() + 12;
    let widest = shown.map(line).fold(head, usize::max).min(70);
    let lines =
        entity.attributes.len().min(MOST_SHOWN) + usize::from(entity.attributes.len() > MOST_SHOWN);
    (widest as f64 * LETTER, HEAD + lines as f64 * LINE + 8.0)
}
