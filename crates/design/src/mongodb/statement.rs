//! A question as one find or aggregate over the collections of a structure.

use bson::{Bson, Document, doc};
use marula_core::model::{AggregateFunction, Attribute, AttributeType, Model, Operator};
use marula_core::{Error, ErrorKind, Result};

use super::value::{bson, field};
use crate::question::{At, Demand, Direction, Key, Operand, Places, Question, Spot};
use crate::structure::{Layout, Structure};
use crate::synth::Value;

/// A command, and how its documents become the rows that are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The `find` or `aggregate` command.
    pub command: Document,
    /// Arrays that are left for the program to take apart, the outer first.
    pub arrays: Vec<String>,
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
    let writer = Writer { model, question, places: &places, paths, values };
    writer.write()
}

struct Writer<'a> {
    model: &'a Model,
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

impl Writer<'_> {
    fn write(&self) -> Result<Asked> {
        let first = self.first_match()?;
        let mut stages = Vec::new();
        if !first.is_empty() {
            stages.push(doc! { "$match": first.clone() });
        }
        let mut arrays = Vec::new();
        self.take_apart(0, &mut stages, &mut arrays)?;
        let late = self.late();
        for container in 1..self.places.containers.len() {
            if !late.contains(&container) {
                self.look_up(container, &mut stages, &mut arrays)?;
            }
        }
        let alone =
            self.places.containers.len() == 1 && stages.len() <= 1 && !self.question.groups();
        let (columns, shape) = self.group(&mut stages);
        let sort = self.sort();
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
            if let Some(limit) = self.question.limit {
                find.insert("limit", limit as i64);
            }
            find
        } else {
            stages.push(doc! { "$project": shape });
            doc! { "aggregate": collection, "pipeline": stages, "cursor": {} }
        };
        Ok(Asked { command, arrays, columns })
    }

    /// What of the conditions can be asked of the first collection's documents as they stand.
    fn first_match(&self) -> Result<Document> {
        let mut filter = Vec::new();
        for demand in &self.question.conditions {
            let Some(spot) = self.spot(&demand.at) else { continue };
            if spot.container != 0 {
                continue;
            }
            match spot.element {
                None => filter.push(doc! { self.path(&spot): self.test(demand)? }),
                // Absence within an array says nothing about the document.
                Some(_) if matches!(demand.is, Operator::Missing | Operator::NotEqual) => {}
                Some(element) => {
                    filter.push(doc! { self.stored_path(element, &spot): self.test(demand)? })
                }
            }
        }
        Ok(all(filter))
    }

    /// The path of an element's field in the stored document.
    fn stored_path(&self, element: usize, spot: &Spot) -> String {
        let mut path = spot.field.clone();
        let mut at = Some(element);
        while let Some(element) = at {
            let holder = &self.places.elements[element];
            path = format!("{}.{path}", holder.field);
            at = holder.within;
        }
        path
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
            if let Some(array) = &self.paths[at].copy_of {
                stages.push(doc! { "$addFields": { &self.paths[at].path: format!("${array}") } });
            }
        }
        for (at, _) in elements() {
            let path = &self.paths[at].path;
            if self.is_left(at) {
                arrays.push(path.clone());
            } else {
                stages.push(doc! { "$unwind": format!("${path}") });
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
                    filter.push(doc! { "$expr": { "$eq": sides.to_vec() } });
                }
            }
        }
        if !filter.is_empty() {
            stages.push(doc! { "$match": all(filter) });
        }
        Ok(())
    }

    /// Whether an array may stay as it is: nothing but its values is wanted, and no row is counted.
    fn is_left(&self, element: usize) -> bool {
        let here = |at: &At| self.spot(at).is_some_and(|spot| spot.element == Some(element));
        let question = self.question;
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
            && !question.conditions.iter().any(|demand| here(&demand.at))
            && inner.into_iter().all(|(inner, _)| self.is_left(inner))
            // Two arrays side by side multiply; that is the server's work.
            && self.places.elements.iter().filter(|other| other.within == self.places.elements[element].within).count() == 1
    }

    /// The containers that only add to rows already chosen: they are looked up last.
    fn late(&self) -> Vec<usize> {
        let question = self.question;
        if question.groups() {
            return Vec::new();
        }
        let mut late: Vec<usize> = Vec::new();
        for (at, container) in self.places.containers.iter().enumerate().rev() {
            let Some(join) = &container.join else { continue };
            let here =
                |attribute: &At| self.spot(attribute).is_some_and(|spot| spot.container == at);
            let needed = self.places.containers.iter().enumerate().any(|(other, container)| {
                let knows = |spot: &Spot| spot.container == at;
                !late.contains(&other)
                    && container.join.as_ref().is_some_and(|join| join.known.iter().any(knows))
            });
            let sorted =
                question.sort.iter().any(|(key, _)| matches!(key, Key::At(at) if here(at)));
            let asked = question.conditions.iter().any(|demand| here(&demand.at));
            let whole = self.places.elements.iter().all(|element| element.container != at);
            if join.to_one && join.surely && whole && !needed && !sorted && !asked {
                late.insert(0, at);
            }
        }
        late
    }

    fn look_up(
        &self,
        container: usize,
        stages: &mut Vec<Document>,
        arrays: &mut Vec<String>,
    ) -> Result<()> {
        let entity = &self.places.containers[container].entity;
        let Some(join) = &self.places.containers[container].join else { return Ok(()) };
        let name = prefix(container);
        if let ([known], [wanted]) = (join.known.as_slice(), join.wanted.as_slice()) {
            let foreign = match wanted.element {
                Some(element) => self.stored_path(element, wanted),
                None => field(self.model, entity, &wanted.field).to_owned(),
            };
            stages.push(doc! { "$lookup": {
                "from": entity, "localField": self.path(known), "foreignField": foreign, "as": &name,
            } });
        } else {
            let mut variables = Document::new();
            let mut equal = Vec::new();
            for (at, (known, wanted)) in join.known.iter().zip(&join.wanted).enumerate() {
                variables.insert(format!("v{at}"), format!("${}", self.path(known)));
                let foreign = field(self.model, entity, &wanted.field);
                if wanted.element.is_none() {
                    equal.push(Bson::from(
                        doc! { "$eq": [format!("${foreign}"), format!("$$v{at}")] },
                    ));
                }
            }
            stages.push(doc! { "$lookup": {
                "from": entity, "let": variables, "as": &name,
                "pipeline": [ { "$match": { "$expr": { "$and": equal } } } ],
            } });
        }
        stages.push(doc! { "$unwind": format!("${name}") });
        self.take_apart(container, stages, arrays)
    }

    /// The groups, and in any case where the columns are and what is kept of each document.
    fn group(&self, stages: &mut Vec<Document>) -> (Vec<String>, Document) {
        let question = self.question;
        if !question.groups() {
            let columns: Vec<String> = question.select.iter().map(|at| self.at(at)).collect();
            let mut shape = Document::new();
            if !columns.iter().any(|column| column == "_id") {
                shape.insert("_id", 0);
            }
            columns.iter().for_each(|column| {
                shape.insert(column, 1);
            });
            return (columns, shape);
        }
        let mut id = Document::new();
        for (at, key) in question.group.iter().enumerate() {
            id.insert(
                format!("g{at}"),
                doc! { "$ifNull": [format!("${}", self.at(key)), Bson::Null] },
            );
        }
        let id = if id.is_empty() { Bson::Null } else { Bson::Document(id) };
        let mut group = doc! { "_id": id };
        let mut shape = doc! { "_id": 0 };
        let mut columns = Vec::new();
        for at in 0..question.group.len() {
            shape.insert(format!("g{at}"), format!("$_id.g{at}"));
            columns.push(format!("g{at}"));
        }
        for (at, aggregate) in question.aggregates.iter().enumerate() {
            let name = format!("a{at}");
            columns.push(name.clone());
            let value = aggregate.of.as_ref().map(|of| {
                let value = Bson::String(format!("${}", self.at(of)));
                match &aggregate.times {
                    Some(times) => {
                        Bson::from(doc! { "$multiply": [value, format!("${}", self.at(times))] })
                    }
                    None => value,
                }
            });
            let there = |value: &Bson| doc! { "$sum": { "$cond": [ { "$gt": [value.clone(), Bson::Null] }, 1, 0 ] } };
            shape.insert(&name, 1);
            match (aggregate.function, value) {
                (AggregateFunction::Sum, Some(value)) => {
                    // The sum of nothing is nothing, not zero.
                    group.insert(format!("n{at}"), there(&value));
                    let sum = doc! { "$cond": [ { "$gt": [format!("$n{at}"), 0] }, format!("${name}"), Bson::Null ] };
                    shape.insert(&name, sum);
                    group.insert(name, doc! { "$sum": value });
                }
                (AggregateFunction::Average, Some(value)) => {
                    drop(group.insert(name, doc! { "$avg": value }))
                }
                (AggregateFunction::Min, Some(value)) => {
                    drop(group.insert(name, doc! { "$min": value }))
                }
                (AggregateFunction::Max, Some(value)) => {
                    drop(group.insert(name, doc! { "$max": value }))
                }
                (AggregateFunction::Count, Some(value)) => drop(group.insert(name, there(&value))),
                (_, None) => drop(group.insert(name, doc! { "$sum": 1 })),
            }
        }
        stages.push(doc! { "$group": group });
        (columns, shape)
    }

    fn sort(&self) -> Document {
        let mut sort = Document::new();
        for (key, direction) in &self.question.sort {
            let path = match key {
                Key::Aggregate(at) => format!("a{at}"),
                Key::At(at) => match self.question.group.iter().position(|key| key == at) {
                    Some(at) if self.question.groups() => format!("_id.g{at}"),
                    _ => self.at(at),
                },
            };
            sort.insert(path, if *direction == Direction::Ascending { 1 } else { -1 });
        }
        sort
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

    /// What must hold of a field, in the query language.
    fn test(&self, demand: &Demand) -> Result<Bson> {
        let one = || self.operand(demand).map(|value| bson(&value));
        Ok(match demand.is {
            Operator::Equal | Operator::Contains => one()?,
            // A comparison with what is not there is not true.
            Operator::NotEqual => Bson::from(doc! { "$nin": [one()?, Bson::Null] }),
            Operator::Less => Bson::from(doc! { "$lt": one()? }),
            Operator::AtMost => Bson::from(doc! { "$lte": one()? }),
            Operator::Greater => Bson::from(doc! { "$gt": one()? }),
            Operator::AtLeast => Bson::from(doc! { "$gte": one()? }),
            Operator::In => Bson::from(doc! { "$in": self.operands(demand)? }),
            Operator::StartsWith => match self.operand(demand)? {
                Value::Text(text) => Bson::from(doc! { "$regex": format!("^{}", literal(&text)) }),
                _ => return Err(self.no_value(demand)),
            },
            Operator::Matches => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "a search for words in {} is answered by each engine in its own way",
                        demand.at.attribute
                    ),
                ));
            }
            Operator::Missing => Bson::Null,
            Operator::Present => Bson::from(doc! { "$ne": Bson::Null }),
        })
    }

    fn operand(&self, demand: &Demand) -> Result<Value> {
        match &demand.operand {
            Some(Operand::Parameter(number)) => {
                let value = self.values.get(*number as usize - 1);
                value.cloned().ok_or_else(|| self.no_value(demand))
            }
            Some(Operand::Value(json)) => {
                let kind = self.attribute(demand).map(|attribute| match demand.is {
                    Operator::Contains => attribute.of.unwrap_or_default(),
                    _ => attribute.kind,
                });
                // What is kept although it could be counted is a whole number.
                let kind = kind.unwrap_or(AttributeType::Integer);
                Value::typed(kind, json).ok_or_else(|| self.no_value(demand))
            }
            None => Ok(Value::Null),
        }
    }

    fn operands(&self, demand: &Demand) -> Result<Vec<Bson>> {
        match &demand.operand {
            Some(Operand::Value(marula_core::Json::Array(values))) => {
                let kind =
                    self.attribute(demand).map(|attribute| attribute.kind).unwrap_or_default();
                let typed = |json| Value::typed(kind, json).ok_or_else(|| self.no_value(demand));
                values.iter().map(|json| typed(json).map(|value| bson(&value))).collect()
            }
            _ => match self.operand(demand)? {
                Value::List(values) => Ok(values.iter().map(bson).collect()),
                value => Ok(vec![bson(&value)]),
            },
        }
    }

    fn attribute(&self, demand: &Demand) -> Option<&Attribute> {
        self.model
            .entity(&self.question.nodes[demand.at.node].entity)?
            .attribute(&demand.at.attribute)
    }

    fn no_value(&self, demand: &Demand) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!("what {} is compared with is no value of its kind", demand.at.attribute),
        )
    }
}

/// All of several filters.
fn all(mut filters: Vec<Document>) -> Document {
    let mut names: Vec<&String> = filters.iter().flat_map(Document::keys).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() == count {
        return filters.drain(..).flatten().collect();
    }
    doc! { "$and": filters }
}

/// A text in which nothing has a meaning to a regular expression.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
