//! What a structure keeps twice, and which writes keep it in step.

use marula_core::model::{AggregateFunction, Deed, Model, Write};

use super::loses;
use crate::structure::{Placement, Structure, Subset, reference_name};

/// Something a structure keeps although it stands elsewhere, or could be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Where it is kept: `orders.customer_name`.
    pub field: String,
    /// What it repeats: `customers.name`, `count of reviews`.
    pub of: String,
    /// The writes that have to keep it in step. With none it never changes.
    pub steps: Vec<InStep>,
}

/// A write that has to do more, for the sake of what is kept twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InStep {
    /// The write's name.
    pub write: String,
    /// What it has to do, too.
    pub also: String,
    /// The model's transactions it is part of already.
    pub transactions: Vec<String>,
    /// Whether both are one document or row, so that no transaction is needed.
    pub atomic: bool,
}

impl InStep {
    /// In which transaction the two happen, in words.
    pub fn transaction(&self) -> String {
        match (self.atomic, self.transactions.is_empty()) {
            (true, _) => "one document: no transaction is needed".into(),
            (false, true) => format!("in one transaction with {}", self.write),
            (false, false) => format!("in the transaction {}", self.transactions.join(", ")),
        }
    }
}

impl Duplicate {
    /// In a sentence.
    pub fn to_text(&self) -> String {
        let mut text = format!("{} repeats {}", self.field, self.of);
        if self.steps.is_empty() {
            return text + "; no write of the model changes that";
        }
        for step in &self.steps {
            text.push_str(&format!("; {} also {} ({})", step.write, step.also, step.transaction()));
        }
        text
    }
}

/// What the structure keeps twice.
pub fn duplicates(model: &Model, structure: &Structure) -> Vec<Duplicate> {
    let mut found = copies(model, structure);
    found.extend(computed(model, structure));
    found.extend(structure.subsets.iter().map(|subset| held(model, structure, subset)));
    found
}

/// The first of the many that are kept with the one.
fn held(model: &Model, structure: &Structure, subset: &Subset) -> Duplicate {
    let relation = &model.relations[subset.relation];
    let (many, one) = (&relation.from, &relation.to);
    let field = format!("{one}.{}", subset.name);
    let shown = |write: &Write| {
        let changes = |name: &String| write.set.contains(name) || write.increment.contains(name);
        let mut copied = subset.recopied(model, structure);
        copied.any(|(by, name)| model.relations[*by].to == write.entity && changes(name))
    };
    let mut steps = Vec::new();
    for write in &model.writes {
        let held = |name: &&String| subset.attributes.contains(name);
        let brings = write.does == Deed::Insert && write.with.contains(many);
        let mut say = |also: String, atomic| steps.push(step(model, write, also, atomic));
        if write.entity == *one && brings {
            say(format!("writes the first {} of them into {field}", subset.count), true);
        } else if write.entity == *many && write.does == Deed::Insert || brings {
            say(
                format!(
                    "pushes it into {field} ($push with $each, $sort and $slice: {})",
                    subset.count
                ),
                false,
            );
        } else if subset.refills(model, write) {
            say(format!("reads the first {} of {many} anew into {field}", subset.count), false);
        } else if write.entity == *many
            && write.set.iter().chain(&write.increment).any(|name| held(&name))
        {
            say(format!("changes it in {field}, where it is there (arrayFilters)"), false);
        } else if write.does == Deed::Update && shown(write) {
            say(format!("changes its copies in all {field} (arrayFilters)"), false);
        }
    }
    Duplicate { field, of: format!("the first {} of {many}", subset.count), steps }
}

fn copies(model: &Model, structure: &Structure) -> Vec<Duplicate> {
    let mut found = Vec::new();
    for (relation, placement) in model.relations.iter().zip(&structure.placements) {
        let Placement::Copy(attributes) = placement else { continue };
        let name = reference_name(relation);
        for attribute in attributes {
            let field = format!("{}.{name}_{attribute}", relation.from);
            let changes = |write: &&Write| {
                write.entity == relation.to
                    && write.does == Deed::Update
                    && (write.set.contains(attribute) || write.increment.contains(attribute))
            };
            let mut steps: Vec<InStep> = model
                .writes
                .iter()
                .filter(changes)
                .map(|write| {
                    let also = format!("sets it in all {} of the one it changes", relation.from);
                    step(model, write, also, false)
                })
                .collect();
            let refers = |name: &String| relation.attributes.contains(name);
            let points = |write: &&Write| {
                let own = write.entity == relation.from;
                let brings = write.does == Deed::Insert && write.with.contains(&relation.from);
                brings || own && (write.does == Deed::Insert || write.set.iter().any(refers))
            };
            steps.extend(model.writes.iter().filter(points).map(|write| {
                let also = format!("reads {} of its {name} and writes it along", attribute);
                step(model, write, also, false)
            }));
            found.push(Duplicate { field, of: format!("{}.{attribute}", relation.to), steps });
        }
    }
    found
}

fn computed(model: &Model, structure: &Structure) -> Vec<Duplicate> {
    let mut found = Vec::new();
    for computed in &structure.computed {
        let Some(relation) = model.relations.get(computed.relation) else { continue };
        let within = structure.placements.get(computed.relation) == Some(&Placement::Embed);
        let adds = matches!(computed.function, AggregateFunction::Count | AggregateFunction::Sum);
        let word = |write: &Write| match (adds, write.does) {
            (true, Deed::Delete) => "takes from",
            (true, _) => "adds to",
            (false, _) => "computes anew",
        };
        let touches = |write: &&Write| {
            let own = write.entity == relation.from && write.does != Deed::Delete;
            let brings = write.does == Deed::Insert && write.with.contains(&relation.from);
            let changes = |name: &String| {
                computed.attribute.as_ref() == Some(name) || relation.attributes.contains(name)
            };
            let relevant =
                write.does != Deed::Update || write.set.iter().chain(&write.increment).any(changes);
            (own && relevant) || brings || loses(model, write, computed.relation)
        };
        let steps = model
            .writes
            .iter()
            .filter(touches)
            .map(|write| {
                let also = format!("{} {}.{}", word(write), relation.to, computed.name);
                let own = write.entity == relation.from;
                // One that is new has its count with it, and those of its own kind have another's.
                let new = write.entity == relation.to && write.does == Deed::Insert;
                let same = (within && own) || (new && !own);
                step(model, write, also, same)
            })
            .collect();
        let function = format!("{:?}", computed.function).to_lowercase();
        let over = match &computed.attribute {
            Some(attribute) => format!("{function} of {}.{attribute}", relation.from),
            None => format!("{function} of {}", relation.from),
        };
        found.push(Duplicate {
            field: format!("{}.{}", relation.to, computed.name),
            of: format!("the {over}"),
            steps,
        });
    }
    found
}

fn step(model: &Model, write: &Write, also: String, atomic: bool) -> InStep {
    let holds = |one: &&marula_core::model::Transaction| one.writes.contains(&write.name);
    let transactions =
        model.transactions.iter().filter(holds).map(|one| one.name.clone()).collect();
    InStep { write: write.name.clone(), also, transactions, atomic }
}
