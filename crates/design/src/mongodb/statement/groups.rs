//! Groups, columns and the order.

use bson::{Bson, Document, doc};
use marula_core::model::AggregateFunction;

use super::Writer;
use crate::question::{Direction, Key};

impl Writer<'_> {
    /// The groups, and in any case where the columns are and what is kept of each document.
    pub(super) fn group(&self, stages: &mut Vec<Document>) -> (Vec<String>, Document) {
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

    pub(super) fn sort(&self) -> Document {
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
}
