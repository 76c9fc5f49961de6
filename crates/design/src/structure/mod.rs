//! How a model is laid out: what stands on its own, what within something else, what twice.
//!
//! A [`Structure`] is one choice for every relationship. It knows no engine: a [`Layout`] made
//! from it has stores (tables or collections) with fields, and the two engines' halves turn that
//! into columns and JSON, or into documents.

mod bucket;
mod index;
mod layout;
mod subset;

use marula_core::model::{AggregateFunction, Model};

pub use bucket::{Bucket, Span};
pub use index::{KeyOrder, WantedIndex};
pub use layout::{Field, Layout, Source, Store, reference_name};
pub use subset::Subset;

/// One choice for every relationship of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Structure {
    /// For each relationship of the model, in its order.
    pub placements: Vec<Placement>,
    /// What is kept although it could be computed.
    pub computed: Vec<Computed>,
    /// The first of the many that are kept with the one, too.
    pub subsets: Vec<Subset>,
    /// Which of the many are kept by so many in one document.
    pub buckets: Vec<Bucket>,
}

/// Where the many of a relationship are kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Placement {
    /// In a store of their own, with the one's key.
    Reference,
    /// In a store of their own, with the one's key and a copy of some of its attributes (an
    /// extended reference).
    Copy(Vec<String>),
    /// Within the one, as an array.
    Embed,
}

/// A value over the many that is kept with the one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Computed {
    /// The relationship's index in the model.
    pub relation: usize,
    /// What is computed.
    pub function: AggregateFunction,
    /// Over which attribute of the many; absent: they are counted.
    pub attribute: Option<String>,
    /// The field that holds it.
    pub name: String,
}

impl Structure {
    /// Everything on its own, nothing twice: third normal form.
    pub fn normalised(model: &Model) -> Self {
        Structure {
            placements: vec![Placement::Reference; model.relations.len()],
            computed: Vec::new(),
            subsets: Vec::new(),
            buckets: Vec::new(),
        }
    }

    /// The attributes of the one that the many of a relationship have copies of.
    pub fn copies(&self, relation: usize) -> &[String] {
        match self.placements.get(relation) {
            Some(Placement::Copy(attributes)) => attributes,
            _ => &[],
        }
    }

    /// How the members of an entity are kept in buckets, when they are: by which of
    /// [`Structure::buckets`].
    pub fn bucket(&self, model: &Model, entity: &str) -> Option<(usize, &Bucket)> {
        let of_it = |bucket: &Bucket| model.relations[bucket.relation].from == entity;
        self.buckets.iter().enumerate().find(|(_, bucket)| of_it(bucket))
    }

    /// The relationship within whose one the members of `entity` are kept, when they are.
    pub fn home(&self, model: &Model, entity: &str) -> Option<usize> {
        let embedded = |at: &usize| self.placements.get(*at) == Some(&Placement::Embed);
        (0..model.relations.len()).filter(embedded).find(|&at| model.relations[at].from == entity)
    }

    /// Whether every entity has one place, and none is within itself.
    pub fn is_sound(&self, model: &Model) -> bool {
        model.entities.iter().all(|entity| {
            let homes =
                model.relations.iter().zip(&self.placements).filter(|(relation, placement)| {
                    relation.from == entity.name && **placement == Placement::Embed
                });
            homes.count() <= 1 && self.is_rooted(model, &entity.name)
        })
    }

    fn is_rooted(&self, model: &Model, entity: &str) -> bool {
        let mut at = entity;
        for _ in 0..=model.entities.len() {
            match self.home(model, at) {
                Some(relation) => at = &model.relations[relation].to,
                None => return true,
            }
        }
        false
    }
}
