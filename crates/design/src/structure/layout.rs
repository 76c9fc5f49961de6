use marula_core::model::{Entity, Model, Relationship};

use super::{Bucket, Placement, Span, Structure};

/// The stores a structure comes to, in the order in which they can be filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Tables or collections.
    pub stores: Vec<Store>,
}

/// A table, a collection, or an array of what is within one.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// The entity whose members it holds.
    pub entity: String,
    /// What is kept of each.
    pub fields: Vec<Field>,
}

/// Something kept with each member of a store.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What it is called.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The entity's own attribute.
    Attribute(String),
    /// A copy of an attribute of the one that `relation` leads to.
    Copy {
        /// The relationship's index in the model.
        relation: usize,
        /// The attribute of the one.
        attribute: String,
    },
    /// A value over the many, by its index in [`Structure::computed`].
    Computed(usize),
    /// The many of a relationship, as an array.
    Embedded {
        /// The relationship's index in the model.
        relation: usize,
        /// What is kept of each.
        store: Store,
    },
    /// The first of the many, as an array; all of them are in a store of their own.
    Subset {
        /// Its index in [`Structure::subsets`].
        subset: usize,
        /// The relationship's index in the model.
        relation: usize,
        /// How many there are at most.
        count: u64,
        /// What is kept of each.
        store: Store,
    },
    /// What is kept of a bucket beside its members.
    Span(Span),
    /// The members of a bucket, as an array.
    Rows {
        /// How many a bucket takes.
        count: u64,
        /// What is kept of each.
        store: Store,
    },
    /// How often the writes have changed a subset that is refilled, by its index.
    Turn(usize),
}

impl Layout {
    /// Lays a model out. The structure must be sound ([`Structure::is_sound`]).
    pub fn new(model: &Model, structure: &Structure) -> Self {
        let mut stores: Vec<Store> = Vec::new();
        let mut left: Vec<&Entity> = model
            .entities
            .iter()
            .filter(|entity| structure.home(model, &entity.name).is_none())
            .collect();
        while !left.is_empty() {
            // The first whose references are all there; with a circle of references, the first.
            let ready = left
                .iter()
                .position(|entity| {
                    references(model, structure, &entity.name)
                        .iter()
                        .all(|to| *to == entity.name || !left.iter().any(|e| e.name == *to))
                })
                .unwrap_or(0);
            stores.push(Store::new(model, structure, left.remove(ready), None));
        }
        Layout { stores }
    }

    /// The table or collection for the members of `entity`.
    pub fn store(&self, entity: &str) -> Option<&Store> {
        self.stores.iter().find(|store| store.entity == entity)
    }
}

/// The stores that `entity` and what is within it refer to.
fn references<'a>(model: &'a Model, structure: &Structure, entity: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, relation) in model.relations.iter().enumerate() {
        let embedded = structure.placements[at] == Placement::Embed;
        if relation.from == entity && !embedded {
            found.push(relation.to.as_str());
        }
        if relation.to == entity && embedded {
            found.extend(references(model, structure, &relation.from));
        }
    }
    found
}

impl Store {
    fn new(model: &Model, structure: &Structure, entity: &Entity, within: Option<usize>) -> Self {
        // What the place in the array already says is not said again.
        let implied = |name: &str| {
            within.is_some_and(|at| model.relations[at].attributes.iter().any(|a| a == name))
        };
        let mut fields: Vec<Field> = entity
            .attributes
            .iter()
            .filter(|attribute| !implied(&attribute.name))
            .map(|attribute| Field {
                name: attribute.name.clone(),
                source: Source::Attribute(attribute.name.clone()),
            })
            .collect();
        for (at, relation) in model.relations.iter().enumerate() {
            match &structure.placements[at] {
                Placement::Copy(attributes) if relation.from == entity.name => {
                    fields.extend(attributes.iter().map(|attribute| Field {
                        name: format!("{}_{attribute}", reference_name(relation)),
                        source: Source::Copy { relation: at, attribute: attribute.clone() },
                    }));
                }
                Placement::Embed if relation.to == entity.name => {
                    if let Some(many) = model.entity(&relation.from) {
                        let store = Store::new(model, structure, many, Some(at));
                        let name = relation.inverse.clone().unwrap_or(relation.from.clone());
                        fields
                            .push(Field { name, source: Source::Embedded { relation: at, store } });
                    }
                }
                _ => {}
            }
        }
        for (at, computed) in structure.computed.iter().enumerate() {
            if model.relations[computed.relation].to == entity.name {
                fields.push(Field { name: computed.name.clone(), source: Source::Computed(at) });
            }
        }
        if within.is_none() {
            for at in 0..structure.subsets.len() {
                fields.extend(subset(model, structure, entity, at));
            }
        }
        let bucket = structure.bucket(model, &entity.name).filter(|_| within.is_none());
        if let Some((_, bucket)) = bucket {
            let relation = &model.relations[bucket.relation];
            let (mut own, members): (Vec<Field>, Vec<Field>) =
                fields.into_iter().partition(|field| relation.attributes.contains(&field.name));
            let spans = [
                (Bucket::FIRST, Span::First),
                (Bucket::LAST, Span::Last),
                (Bucket::COUNT, Span::Count),
            ];
            own.extend(
                spans.map(|(name, span)| Field { name: name.into(), source: Source::Span(span) }),
            );
            let store = Store { entity: entity.name.clone(), fields: members };
            let source = Source::Rows { count: bucket.count, store };
            own.push(Field { name: Bucket::ROWS.into(), source });
            fields = own;
        }
        Store { entity: entity.name.clone(), fields }
    }

    /// The field that holds the entity's own attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&Field> {
        let is = |field: &&Field| field.source == Source::Attribute(name.into());
        self.fields.iter().find(is)
    }
}

/// The fields by which the one keeps the first of its many.
fn subset(model: &Model, structure: &Structure, entity: &Entity, at: usize) -> Vec<Field> {
    let subset = &structure.subsets[at];
    let relation = &model.relations[subset.relation];
    let Some(many) = model.entity(&relation.from).filter(|_| relation.to == entity.name) else {
        return Vec::new();
    };
    let mut store = Store::new(model, structure, many, Some(subset.relation));
    store.fields.retain(|field| match &field.source {
        Source::Attribute(name) => subset.attributes.contains(name),
        Source::Copy { relation, attribute } => {
            subset.shown.iter().any(|(by, shown)| by == relation && shown == attribute)
        }
        _ => false,
    });
    let mut fields = vec![Field {
        name: subset.name.clone(),
        source: Source::Subset {
            subset: at,
            relation: subset.relation,
            count: subset.count,
            store,
        },
    }];
    if subset.is_refilled(model) {
        fields.push(Field { name: subset.turn(), source: Source::Turn(at) });
    }
    fields
}

/// What one of the many calls the one: its name, or what its attribute is called without `_id`.
pub fn reference_name(relation: &Relationship) -> String {
    let by_attribute = || {
        let attribute = relation.attributes.first()?;
        let name = attribute.strip_suffix("_id").or(attribute.strip_suffix("_key"));
        name.filter(|name| !name.is_empty()).map(str::to_owned)
    };
    relation.name.clone().or_else(by_attribute).unwrap_or(relation.to.clone())
}
