//! What is known of a model in numbers: how many, how large, how selective.

use marula_core::Json;
use marula_core::model::{Attribute, AttributeType, Entity, Model, Operator};

use crate::question::{Demand, Operand, Question};
use crate::structure::{Source, Store, Structure};

/// Numbers of a model.
#[derive(Debug, Clone, Copy)]
pub struct Figures<'m> {
    /// The model.
    pub model: &'m Model,
}

impl Figures<'_> {
    /// How many members an entity has.
    pub fn rows(&self, entity: &str) -> f64 {
        self.model.entity(entity).map_or(1.0, |entity| rows(entity) as f64)
    }

    /// How many documents or rows hold the members of an entity on its own.
    pub fn documents(&self, structure: &Structure, entity: &str) -> f64 {
        let rows = self.rows(entity);
        match structure.bucket(self.model, entity) {
            Some((_, bucket)) => {
                let ones = self.rows(&self.model.relations[bucket.relation].to);
                (rows / bucket.count.max(1) as f64).max(ones.min(rows))
            }
            None => rows,
        }
    }

    /// How many of the many belong to one, on average over all ones.
    pub fn fanout(&self, relation: usize) -> f64 {
        let relation = &self.model.relations[relation];
        match relation.fanout {
            Some(fanout) => fanout.average.max(0.0),
            None => self.rows(&relation.from) / self.rows(&relation.to),
        }
    }

    /// About how many bytes a store keeps of one member, arrays included.
    pub fn bytes(&self, store: &Store) -> f64 {
        let entity = self.model.entity(&store.entity);
        let fields = store.fields.iter().map(|field| match &field.source {
            Source::Attribute(name) => {
                entity.and_then(|entity| entity.attribute(name)).map_or(8.0, width)
                    + field.name.len() as f64
            }
            Source::Copy { relation, attribute } => {
                let one = self.model.entity(&self.model.relations[*relation].to);
                one.and_then(|one| one.attribute(attribute)).map_or(8.0, width)
                    + field.name.len() as f64
            }
            Source::Computed(_) | Source::Turn(_) | Source::Span(_) => 8.0,
            Source::Rows { count, store } => *count as f64 * self.bytes(store),
            Source::Subset { relation, count, store, .. } => {
                self.fanout(*relation).min(*count as f64) * self.bytes(store)
            }
            Source::Embedded { relation, store } => self.fanout(*relation) * self.bytes(store),
        });
        24.0 + fields.sum::<f64>()
    }

    /// The share of an entity's members of which something holds.
    pub fn share(&self, question: &Question, demand: &Demand) -> f64 {
        let entity = &question.nodes[demand.at.node].entity;
        let Some(entity) = self.model.entity(entity) else { return 1.0 };
        let one = 1.0 / self.distinct(entity, &demand.at.attribute);
        match demand.is {
            Operator::Equal | Operator::Contains => one,
            Operator::In => match &demand.operand {
                Some(Operand::Value(Json::Array(values))) => (one * values.len() as f64).min(1.0),
                _ => (one * 5.0).min(1.0),
            },
            Operator::NotEqual => 1.0 - one,
            Operator::StartsWith | Operator::Matches => 0.01,
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => 0.3,
            Operator::Missing => 0.1,
            Operator::Present => 0.9,
        }
    }

    /// The share of an entity's members of which at least one of several things holds.
    pub fn share_of_any(&self, question: &Question, demands: &[Demand]) -> f64 {
        1.0 - demands.iter().map(|demand| 1.0 - self.share(question, demand)).product::<f64>()
    }

    /// How many different values an attribute has.
    pub fn distinct(&self, entity: &Entity, name: &str) -> f64 {
        let rows = self.rows(&entity.name);
        let Some(attribute) = entity.attribute(name) else { return rows };
        if attribute.unique || entity.key() == [name] {
            return rows;
        }
        let to = self
            .model
            .relations
            .iter()
            .find(|r| r.from == entity.name && r.attributes.iter().any(|a| a == name));
        if let Some(relation) = to {
            return self.rows(&relation.to).min(rows);
        }
        if let Some(count) = attribute.distinct {
            return (count.0.max(1) as f64).min(rows);
        }
        match attribute.kind {
            AttributeType::Boolean => 2.0,
            AttributeType::Enumeration => attribute.values.len().max(2) as f64,
            AttributeType::Integer | AttributeType::Date => rows.min(1_000.0),
            _ => rows,
        }
    }
}

/// Members of an entity of which nobody says how many there are.
const UNSAID: u64 = 1_000;

/// How many members an entity has, or is taken to have where that is not said.
pub fn rows(entity: &Entity) -> u64 {
    if entity.rows.0 == 0 { UNSAID } else { entity.rows.0 }
}

/// How many members an entity has in a year's time, as it grows now.
pub fn rows_in_a_year(entity: &Entity) -> f64 {
    let growth = entity.growth.map_or(0.0, |growth| growth.0).max(0.0);
    rows(entity) as f64 * (1.0 + growth).powi(12).min(1e6)
}

/// What a model leaves open, as notes: of which entities nobody says how many members there are, and
/// whether there is any work.
pub fn unsaid(model: &Model) -> Vec<String> {
    let names: Vec<&str> =
        model.entities.iter().filter(|e| e.rows.0 == 0).map(|e| e.name.as_str()).collect();
    let volumes = (!names.is_empty()).then(|| {
        format!("how many there are is not said of {}: {UNSAID} are taken", names.join(", "))
    });
    let idle = model.queries.is_empty() && model.writes.is_empty();
    let work = idle.then(|| {
        "the model has no queries and no writes: designs differ in nothing but their size and how \
         long they take to fill; name the work and its rates, and they are chosen by it"
            .to_owned()
    });
    volumes.into_iter().chain(work).collect()
}

/// About how many bytes a value takes.
pub fn width(attribute: &Attribute) -> f64 {
    let text = f64::from(attribute.average_length.unwrap_or(20));
    match attribute.kind {
        AttributeType::Boolean => 1.0,
        AttributeType::Text | AttributeType::Binary => text,
        AttributeType::Json => f64::from(attribute.average_length.unwrap_or(80)),
        AttributeType::Enumeration => 8.0,
        AttributeType::List => attribute.length.map_or(4.0, |length| length.average) * 12.0,
        AttributeType::Uuid | AttributeType::UuidV7 | AttributeType::Point => 16.0,
        AttributeType::Decimal | AttributeType::Money => 12.0,
        AttributeType::DateRange | AttributeType::TimestampRange | AttributeType::NumberRange => {
            24.0
        }
        _ => 8.0,
    }
}
