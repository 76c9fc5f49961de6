//! A question as one find or aggregate over the collections of a structure.

mod buckets;
mod conditions;
mod groups;
mod joins;

use bson::{Document, doc};
use marula_core::Result;
use marula_core::model::Model;

use super::value::field;
use crate::question::{At, Key, Places, Question, Spot};
use crate::structure::{Layout, Structure};
use crate::synth::Value;
use conditions::all;

/// A command, and how its documents become the rows that are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The `find` or `aggregate` command.
    pub command: Document,
    /// Arrays that are left for the program to take apart, the outer first.
    pub arrays: Vec<String>,
    /// Of the rows that come of that, only so many first ones are wanted.
    pub first: Option<u64>,
    /// Where each column of a row is.
    pub columns: Vec<String>,
}

/// The question as a command, with the values of its parameters. The search begins at node `start`.
///
/// # Errors
/// `Unsupported` for a value that is none of the attribute's kind.
pub fn command(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    question: &Question,
    start: usize,
    values: &[Value],
) -> Result<Asked> {
    let places = Places::new(model, structure, layout, question, start);
    let paths = element_paths(&places);
    let writer = Writer { model, structure, question, places: &places, paths, values };
    writer.write()
}

struct Writer<'a> {
    model: &'a Model,
    structure: &'a Structure,
    question: &'a Question,
    places: &'a Places<'a>,
    paths: Vec<ElementPath>,
    values: &'a [Value],
}

/// Where an element is in the documents of the pipeline.
struct ElementPath {
    path: String,
    /// The array it is a copy of, where two nodes take the same array apart.
    copy_of: Option<String>,
}

fn element_paths(places: &Places<'_>) -> Vec<ElementPath> {
    let mut paths: Vec<ElementPath> = Vec::new();
    for (at, element) in places.elements.iter().enumerate() {
        let outer = match element.within {
            Some(outer) => paths[outer].path.clone(),
            None => prefix(element.container),
        };
        let path = join(&outer, &element.field);
        let same = |other: &crate::question::Element| {
            (other.container, other.within, &other.field)
                == (element.container, element.within, &element.field)
        };
        let twice = places.elements[..at].iter().any(same);
        paths.push(match twice {
            true => ElementPath { path: format!("e{at}"), copy_of: Some(path) },
            false => ElementPath { path, copy_of: None },
        });
    }
    paths
}

fn prefix(container: usize) -> String {
    if container == 0 { String::new() } else { format!("c{container}") }
}

fn join(outer: &str, field: &str) -> String {
    if outer.is_empty() { field.to_owned() } else { format!("{outer}.{field}") }
}

/// Takes an array apart; with `keep`, what has none or an empty one stays as it is.
fn unwind(path: &str, keep: bool) -> Document {
    let path = format!("${path}");
    match keep {
        true => doc! { "$unwind": { "path": path, "preserveNullAndEmptyArrays": true } },
        false => doc! { "$unwind": path },
    }
}

impl Writer<'_> {
    fn write(&self) -> Result<Asked> {
        let first = self.first_match()?;
        let mut stages = Vec::new();
        if !first.is_empty() {
            stages.push(doc! { "$match": first.clone() });
        }
        stages.extend(self.last_buckets());
        let mut arrays = Vec::new();
        self.take_apart(0, &mut stages, &mut arrays)?;
        let late = self.late();
        for container in 1..self.places.containers.len() {
            if !late.contains(&container) {
                self.look_up(container, &mut stages, &mut arrays)?;
            }
        }
        let after = self.alternatives(false)?;
        if !after.is_empty() {
            stages.push(doc! { "$match": all(after) });
        }
        let asked = usize::from(!first.is_empty());
        let alone =
            self.places.containers.len() == 1 && stages.len() == asked && !self.question.groups();
        let (columns, mut shape) = self.group(&mut stages);
        self.keep_counted(&arrays, &mut shape);
        let of_groups = self.of_groups()?;
        if !of_groups.is_empty() {
            stages.push(doc! { "$match": all(of_groups) });
        }
        // What is held with the one is in its order.
        let held = self.question.held.is_some();
        let sort = if held { Document::new() } else { self.sort() };
        if !sort.is_empty() {
            stages.push(doc! { "$sort": sort.clone() });
        }
        if let Some(limit) = self.question.limit {
            stages.push(doc! { "$limit": limit as i64 });
        }
        for container in late {
            self.look_up(container, &mut stages, &mut arrays)?;
        }
        let collection = &self.places.containers[0].entity;
        let command = if alone {
            let mut find = doc! { "find": collection, "filter": first, "projection": shape };
            if !sort.is_empty() {
                find.insert("sort", sort);
            }
            if let (Some(limit), false) = (self.question.limit, held) {
                find.insert("limit", limit as i64);
            }
            find
        } else {
            stages.push(doc! { "$project": shape });
            doc! { "aggregate": collection, "pipeline": stages, "cursor": {} }
        };
        let first = self.question.limit.filter(|_| !arrays.is_empty());
        Ok(Asked { command, arrays, first, columns })
    }

    /// Takes the arrays of a container apart, as far as the server has to, and asks what must hold
    /// of each element.
    fn take_apart(
        &self,
        container: usize,
        stages: &mut Vec<Document>,
        arrays: &mut Vec<String>,
    ) -> Result<()> {
        let elements =
            || self.places.elements.iter().enumerate().filter(|(_, e)| e.container == container);
        for (at, _) in elements() {
            let path = &self.paths[at].path;
            // An array that is taken apart twice is copied while it still is one.
            let copies = elements().filter(|(other, _)| {
                self.paths[*other].copy_of.as_ref() == Some(path)
                    && self.paths[at].copy_of.is_none()
            });
            for (copy, _) in copies {
                stages.push(doc! { "$addFields": { &self.paths[copy].path: format!("${path}") } });
            }
            if self.is_left(at) {
                arrays.push(path.clone());
            } else {
                stages.push(unwind(path, self.need_not_be(at)));
            }
        }
        let mut filter = Vec::new();
        for demand in &self.question.conditions {
            if let Some(spot) = self.spot(&demand.at)
                && spot.container == container
                && (spot.element.is_some() || container != 0)
            {
                filter.push(doc! { self.path(&spot): self.test(demand)? });
            }
        }
        if let Some(join) = &self.places.containers[container].join {
            for (known, wanted) in join.known.iter().zip(&join.wanted) {
                if wanted.element.is_some() {
                    let sides =
                        [self.path(wanted), self.path(known)].map(|path| format!("${path}"));
                    let equal = doc! { "$expr": { "$eq": sides.to_vec() } };
                    // Of what was found one element at least is it; where nothing was, the row stays.
                    filter.push(match join.optional {
                        true => {
                            let nothing = doc! { prefix(container): { "$exists": false } };
                            doc! { "$or": [nothing, equal] }
                        }
                        false => equal,
                    });
                }
            }
        }
        if !filter.is_empty() {
            stages.push(doc! { "$match": all(filter) });
        }
        Ok(())
    }

    /// Of an array that is left for the program something has to come, that its elements be counted.
    fn keep_counted(&self, arrays: &[String], shape: &mut Document) {
        for (at, element) in self.places.elements.iter().enumerate().rev() {
            let path = &self.paths[at].path;
            let within = format!("{path}.");
            let comes = |name: &String| name == path || name.starts_with(&within);
            if !arrays.contains(path) || shape.keys().any(comes) {
                continue;
            }
            let key = self.model.entity(&element.entity).map(|entity| entity.key());
            let mut spots = key.into_iter().flatten().filter_map(|part| {
                self.places.within(element.container, Some(at), &element.entity, part)
            });
            let own = spots.find(|spot| spot.element == Some(at)).map(|spot| self.path(&spot));
            shape.insert(own.unwrap_or_else(|| path.clone()), 1);
        }
    }

    /// Whether an array may stay as it is: nothing but its values is wanted, and no row is counted.
    fn is_left(&self, element: usize) -> bool {
        let here = |at: &At| self.spot(at).is_some_and(|spot| spot.element == Some(element));
        let question = self.question;
        if question.held.is_some() {
            return self.places.containers.len() == 1;
        }
        let sorted = question.sort.iter().any(|(key, _)| matches!(key, Key::At(at) if here(at)));
        let joined =
            self.places.containers.iter().filter_map(|container| container.join.as_ref()).any(
                |join| {
                    join.known.iter().chain(&join.wanted).any(|spot| spot.element == Some(element))
                },
            );
        let inner = self
            .places
            .elements
            .iter()
            .enumerate()
            .filter(|(_, inner)| inner.within == Some(element));
        question.limit.is_none()
            && !question.groups()
            && !sorted
            && !joined
            && self.paths[element].copy_of.is_none()
            && !question.demands().any(|demand| here(&demand.at))
            && !self.need_not_be(element)
            && inner.into_iter().all(|(inner, _)| self.is_left(inner))
            // Two arrays side by side multiply; that is the server's work.
            && self.places.elements.iter().filter(|other| other.within == self.places.elements[element].within).count() == 1
    }

    /// Whether a row comes also where an array has no element.
    fn need_not_be(&self, element: usize) -> bool {
        let element = &self.places.elements[element];
        let join = self.places.containers[element.container].join.as_ref();
        element.optional || join.is_some_and(|join| join.optional)
    }

    fn spot(&self, at: &At) -> Option<Spot> {
        self.places.spot(at.node, &at.attribute)
    }

    /// Where an attribute is in the documents of the pipeline.
    fn at(&self, at: &At) -> String {
        self.spot(at).map_or_else(|| at.attribute.clone(), |spot| self.path(&spot))
    }

    fn path(&self, spot: &Spot) -> String {
        match spot.element {
            Some(element) => join(&self.paths[element].path, &spot.field),
            None => {
                let entity = &self.places.containers[spot.container].entity;
                join(&prefix(spot.container), field(self.model, entity, &spot.field))
            }
        }
    }
}
