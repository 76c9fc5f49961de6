//! What must hold, in the query language.

use bson::{Bson, Document, doc};
use marula_core::model::{AggregateFunction, Attribute, AttributeType, Operator};
use marula_core::{Error, ErrorKind, Result};

use super::Writer;
use crate::mongodb::value::bson;
use crate::question::{Demand, Operand, Spot};
use crate::synth::Value;

impl Writer<'_> {
    /// What of the conditions can be asked of the first collection's documents as they stand.
    pub(super) fn first_match(&self) -> Result<Document> {
        let mut filter = Vec::new();
        for demand in &self.question.conditions {
            let Some(spot) = self.spot(&demand.at) else { continue };
            if spot.container != 0 {
                continue;
            }
            if let Some(spanned) = self.spanned(demand)? {
                filter.extend(spanned);
                continue;
            }
            match spot.element {
                None => filter.push(doc! { self.path(&spot): self.test(demand)? }),
                // Absence within an array says nothing about the document, and what is not null is
                // asked of all elements at once.
                Some(_)
                    if matches!(
                        demand.is,
                        Operator::Missing | Operator::Present | Operator::NotEqual
                    ) => {}
                Some(element) => {
                    filter.push(doc! { self.stored_path(element, &spot): self.test(demand)? })
                }
            }
        }
        filter.extend(self.alternatives(true)?);
        Ok(all(filter))
    }

    /// The groups of alternatives: those that can be asked of the first collection's documents as
    /// they stand, or (`first` is false) those that need what is joined or taken apart.
    pub(super) fn alternatives(&self, first: bool) -> Result<Vec<Document>> {
        let as_stored = |demand: &Demand| {
            self.spot(&demand.at).is_some_and(|spot| spot.container == 0 && spot.element.is_none())
        };
        let groups = self.question.any.iter();
        let groups = groups.filter(|group| group.iter().all(as_stored) == first);
        groups
            .map(|group| {
                let test = |demand: &Demand| Ok(doc! { self.at(&demand.at): self.test(demand)? });
                let tests = group.iter().map(test).collect::<Result<Vec<_>>>()?;
                Ok(doc! { "$or": tests })
            })
            .collect()
    }

    /// What must hold of the groups that were made, before they get their columns' names.
    pub(super) fn of_groups(&self) -> Result<Vec<Document>> {
        let mut filter = Vec::new();
        for demand in &self.question.having {
            let aggregate = &self.question.aggregates[demand.aggregate];
            let of = aggregate.of.as_ref().and_then(|at| {
                self.model.entity(&self.question.nodes[at.node].entity)?.attribute(&at.attribute)
            });
            let kind = match (aggregate.function, of) {
                (AggregateFunction::Min | AggregateFunction::Max, Some(of)) => of.kind,
                (_, Some(of)) if of.kind == AttributeType::Float => of.kind,
                _ => AttributeType::Decimal,
            };
            let value = bson(&Value::typed(kind, &demand.value).ok_or_else(|| {
                let what =
                    format!("what {} is compared with is no value of its kind", aggregate.name);
                Error::new(ErrorKind::Unsupported, what)
            })?);
            let test = match demand.is {
                Operator::NotEqual => Bson::from(doc! { "$nin": [value, Bson::Null] }),
                Operator::Less => Bson::from(doc! { "$lt": value }),
                Operator::AtMost => Bson::from(doc! { "$lte": value }),
                Operator::Greater => Bson::from(doc! { "$gt": value }),
                Operator::AtLeast => Bson::from(doc! { "$gte": value }),
                _ => value,
            };
            filter.push(doc! { format!("a{}", demand.aggregate): test });
            // The sum of nothing is zero here, and nothing compares with nothing.
            if aggregate.function == AggregateFunction::Sum {
                filter.push(doc! { format!("n{}", demand.aggregate): { "$gt": 0 } });
            }
        }
        Ok(filter)
    }

    /// The path of an element's field in the stored document.
    pub(super) fn stored_path(&self, element: usize, spot: &Spot) -> String {
        let mut path = spot.field.clone();
        let mut at = Some(element);
        while let Some(element) = at {
            let holder = &self.places.elements[element];
            path = format!("{}.{path}", holder.field);
            at = holder.within;
        }
        path
    }

    /// What must hold of a field, in the query language.
    pub(super) fn test(&self, demand: &Demand) -> Result<Bson> {
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

    pub(super) fn operand(&self, demand: &Demand) -> Result<Value> {
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

    pub(super) fn operands(&self, demand: &Demand) -> Result<Vec<Bson>> {
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

    pub(super) fn attribute(&self, demand: &Demand) -> Option<&Attribute> {
        self.model
            .entity(&self.question.nodes[demand.at.node].entity)?
            .attribute(&demand.at.attribute)
    }

    pub(super) fn no_value(&self, demand: &Demand) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!("what {} is compared with is no value of its kind", demand.at.attribute),
        )
    }
}

/// All of several filters.
pub(super) fn all(mut filters: Vec<Document>) -> Document {
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
