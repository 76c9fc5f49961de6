//! What keeps the first of the many, which are held with the one, in step.

use bson::{Bson, Document, doc};

use super::value::{CopyRead, bson, document, field};
use super::write::{Step, Writer, assigned, update, with_filters};
use crate::structure::{Source, Store, Subset, reference_name};
use crate::synth::Value;
use crate::work::{Record, Tree};

/// The elements of an array that are read from the collection of all of them, in the transaction
/// that then writes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Refill {
    /// The collection of all of them.
    pub collection: String,
    /// The first of one, in the form of elements.
    pub pipeline: Vec<Document>,
    /// Where the array goes in the command, by fields and places in arrays.
    pub into: String,
}

impl Writer<'_> {
    /// Adds a member, puts all in their order, and keeps the first.
    pub(super) fn hold(
        &self,
        at: usize,
        one: &[Value],
        tree: &Tree,
        copies: &mut Vec<CopyRead>,
    ) -> Option<Document> {
        let (subset, store) = self.subset(at)?;
        let record = Record::new(self.world, self.structure, store, tree);
        let place = format!("updates.0.u.$push.{}.$each.0", subset.name);
        let element = document(self.model, &record, None, &place, copies);
        let push = doc! {
            "$each": [element],
            "$sort": order(subset, |name| name),
            "$slice": subset.count as i64,
        };
        self.of_one(subset, one, doc! { "$push": { &subset.name: push } })
    }

    /// Changes a member where it is among the first; elsewhere it does nothing.
    pub(super) fn rehold(
        &self,
        at: usize,
        one: &[Value],
        key: &[(String, Value)],
        [set, add]: [&[(String, Value)]; 2],
    ) -> Option<Document> {
        let (subset, _) = self.subset(at)?;
        let within = |name: &String| format!("{}.$[m].{name}", subset.name);
        let mut change = assigned(set.iter().map(|(name, value)| (within(name), value)));
        if !add.is_empty() {
            let fields: Document =
                add.iter().map(|(name, value)| (within(name), bson(value))).collect();
            change.insert("$inc", fields);
        }
        let element: Document =
            key.iter().map(|(name, value)| (format!("m.{name}"), bson(value))).collect();
        Some(with_filters(self.of_one(subset, one, change)?, Some(element)))
    }

    /// Brings the copies of another in step that the first of the many have.
    pub(super) fn recopy_held(
        &self,
        at: usize,
        relation: usize,
        one: &[Value],
        set: &[(String, Value)],
    ) -> Option<Document> {
        let (subset, _) = self.subset(at)?;
        let r = &self.model.relations[relation];
        let name = reference_name(r);
        let to = &self.model.relations[subset.relation].to;
        let pairs = || r.attributes.iter().zip(one);
        let documents: Document = pairs()
            .map(|(attribute, value)| (format!("{}.{attribute}", subset.name), bson(value)))
            .collect();
        let element: Document =
            pairs().map(|(attribute, value)| (format!("m.{attribute}"), bson(value))).collect();
        let change =
            assigned(set.iter().map(|(attribute, value)| {
                (format!("{}.$[m].{name}_{attribute}", subset.name), value)
            }));
        Some(with_filters(update(to, documents, change, true), Some(element)))
    }

    /// Reads the first of one's many anew.
    pub(super) fn refill(&self, at: usize, one: &[Value]) -> Option<Step> {
        let (subset, store) = self.subset(at)?;
        let r = &self.model.relations[subset.relation];
        let stored = |name: &str| field(self.model, &r.from, name).to_owned();
        let whose: Document =
            r.attributes.iter().zip(one).map(|(name, value)| (stored(name), bson(value))).collect();
        let mut shape = Document::new();
        for field in &store.fields {
            match stored(&field.name) {
                own if own == field.name => shape.insert(own, 1),
                other => shape.insert(&field.name, format!("${other}")),
            };
        }
        if !shape.contains_key("_id") {
            shape.insert("_id", 0);
        }
        let pipeline = vec![
            doc! { "$match": whose },
            doc! { "$sort": order(subset, |name| field(self.model, &r.from, name)) },
            doc! { "$limit": subset.count as i64 },
            doc! { "$project": shape },
        ];
        let into = format!("updates.0.u.$set.{}", subset.name);
        let empty = doc! { "$set": { &subset.name: Bson::Array(Vec::new()) } };
        let command = self.of_one(subset, one, empty)?;
        let refill = Refill { collection: r.from.clone(), pipeline, into };
        Some(Step { refill: Some(refill), ..Step::of(command) })
    }

    /// A change of the one. Where subsets are refilled it is counted, so that whoever refills meets
    /// whoever else changes what it reads.
    fn of_one(&self, subset: &Subset, one: &[Value], mut change: Document) -> Option<Document> {
        let to = &self.model.relations[subset.relation].to;
        if subset.is_refilled(self.model) {
            match change.get_document_mut("$inc") {
                Ok(counted) => drop(counted.insert(subset.turn(), 1)),
                Err(_) => drop(change.insert("$inc", doc! { subset.turn(): 1 })),
            }
        }
        Some(update(to, self.key(to, one)?, change, false))
    }

    /// A subset, and what is kept of each member.
    fn subset(&self, at: usize) -> Option<(&Subset, &Store)> {
        let subset = self.structure.subsets.get(at)?;
        let top = self.layout.store(&self.model.relations[subset.relation].to)?;
        top.fields.iter().find_map(|field| match &field.source {
            Source::Subset { subset: own, store, .. } if *own == at => Some((subset, store)),
            _ => None,
        })
    }
}

/// The order of a subset.
fn order<'s>(subset: &'s Subset, stored: impl Fn(&'s str) -> &'s str) -> Document {
    let key = |(name, descending): &'s (String, bool)| {
        (stored(name).to_owned(), Bson::Int32(if *descending { -1 } else { 1 }))
    };
    subset.order.iter().map(key).collect()
}
