use marula_core::model::Model;

use super::Question;
use super::finder::Finder;
use crate::structure::{Field, Layout, Source, Store, Structure, reference_name};

/// Where a structure keeps what a question asks about.
///
/// The nodes of a question make a tree; it is walked from the node at which the search begins, so
/// containers are joined in an order that can be run.
#[derive(Debug, Clone)]
pub struct Places<'a> {
    model: &'a Model,
    layout: &'a Layout,
    question: &'a Question,
    /// Tables or collections, each joined to one before it.
    pub containers: Vec<Container>,
    /// Array elements within them, each within a container or an element before it.
    pub elements: Vec<Element>,
    /// Where each node of the question is.
    pub nodes: Vec<Place>,
}

/// A table or collection that takes part.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// The entity on its own there.
    pub entity: String,
    /// How it is joined; `None` for the first.
    pub join: Option<Join>,
}

/// An equality between two containers, attribute by attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// Where the values are known, in containers before this one.
    pub known: Vec<Spot>,
    /// Where they are looked for, in this one.
    pub wanted: Vec<Spot>,
    /// Whether at most one matches.
    pub to_one: bool,
    /// Whether at least one matches, always.
    pub surely: bool,
    /// Whether none need match: a row comes all the same.
    pub optional: bool,
}

/// An array whose elements take part one by one.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// The container.
    pub container: usize,
    /// The element it is within, if any.
    pub within: Option<usize>,
    /// The array's field.
    pub field: String,
    /// The entity of the elements.
    pub entity: String,
    /// The relationship they are embedded by.
    pub relation: usize,
    /// How many there are at most, where only the first are kept, or one bucket of them.
    pub most: Option<u64>,
    /// Whether it is a member of a bucket, which is of the same entity.
    pub bucket: bool,
    /// Whether there need be none: a row comes all the same.
    pub optional: bool,
}

/// Where a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A member of a container.
    Container(usize),
    /// An element of an array.
    Element(usize),
    /// Nowhere of its own: what is asked of it is with another node, of which it is the one of a
    /// relationship.
    Copied {
        /// The node that has the copies.
        by: usize,
        /// The relationship.
        relation: usize,
    },
}

/// A field of a container or element.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spot {
    /// The container.
    pub container: usize,
    /// The element within it, if any.
    pub element: Option<usize>,
    /// The field.
    pub field: String,
}

impl<'a> Places<'a> {
    /// Finds the places, beginning at node `start`.
    pub fn new(
        model: &'a Model,
        structure: &'a Structure,
        layout: &'a Layout,
        question: &'a Question,
        start: usize,
    ) -> Self {
        let nodes = vec![Place::Container(0); question.nodes.len()];
        let mut finder = Finder {
            model,
            structure,
            question,
            places: Places {
                model,
                layout,
                question,
                containers: Vec::new(),
                elements: Vec::new(),
                nodes,
            },
        };
        let place = match question.held.filter(|held| held.node == start) {
            Some(held) => finder.enter_subset(held.subset),
            None => finder.enter(&question.nodes[start].entity, None),
        };
        finder.places.nodes[start] = place;
        finder.spread(start, None);
        finder.places
    }

    /// Where an attribute of a node is.
    pub fn spot(&self, node: usize, attribute: &str) -> Option<Spot> {
        let Place::Copied { by, relation } = self.nodes[node] else {
            let (container, element) = self.base(&self.nodes[node]);
            return self.within(container, element, &self.question.nodes[node].entity, attribute);
        };
        let r = &self.model.relations[relation];
        let key = self.model.entity(&r.to)?.key();
        let name = match key.iter().position(|part| *part == attribute) {
            Some(at) => r.attributes.get(at)?.clone(),
            None => format!("{}_{attribute}", reference_name(r)),
        };
        let (container, element) = self.base(&self.nodes[by]);
        // A reference may itself be implied by where its holder is.
        self.within(container, element, &self.question.nodes[by].entity, &name)
    }

    /// The field of a bucket, which says whose it is, or of a member in it.
    fn in_bucket(
        &self,
        container: usize,
        element: usize,
        entity: &str,
        attribute: &str,
    ) -> Option<Spot> {
        let store = self.layout.store(entity)?;
        if let Some(field) = store.attribute(attribute) {
            return Some(Spot { container, element: None, field: field.name.clone() });
        }
        let rows = store.fields.iter().find_map(|field| match &field.source {
            Source::Rows { store, .. } => Some(store),
            _ => None,
        })?;
        let field = rows.attribute(attribute)?.name.clone();
        Some(Spot { container, element: Some(element), field })
    }

    pub(super) fn base(&self, place: &Place) -> (usize, Option<usize>) {
        match place {
            Place::Container(container) => (*container, None),
            Place::Element(element) => (self.elements[*element].container, Some(*element)),
            Place::Copied { .. } => (0, None),
        }
    }

    /// The field of `entity`, which is at an element or a container; what the place in the array
    /// implies is the key of what it is within.
    pub(crate) fn within(
        &self,
        container: usize,
        element: Option<usize>,
        entity: &str,
        attribute: &str,
    ) -> Option<Spot> {
        if let Some(at) = element {
            let holder = &self.elements[at];
            if holder.bucket {
                return self.in_bucket(container, at, entity, attribute);
            }
            let relation = &self.model.relations[holder.relation];
            if let Some(part) = relation.attributes.iter().position(|a| a == attribute) {
                let one = self.model.entity(&relation.to)?;
                let key = (*one.key().get(part)?).to_owned();
                return self.within(container, holder.within, &one.name, &key);
            }
        }
        let store = store(self.layout, entity)?;
        let field = store.attribute(attribute).or_else(|| named(store, attribute))?;
        Some(Spot { container, element, field: field.name.clone() })
    }
}

/// The store that holds an entity's members, wherever it is.
fn store<'l>(layout: &'l Layout, entity: &str) -> Option<&'l Store> {
    fn find<'l>(store: &'l Store, entity: &str) -> Option<&'l Store> {
        if store.entity == entity {
            return Some(store);
        }
        store.fields.iter().find_map(|field| match &field.source {
            Source::Embedded { store, .. } => find(store, entity),
            _ => None,
        })
    }
    layout.stores.iter().find_map(|store| find(store, entity))
}

fn named<'s>(store: &'s Store, name: &str) -> Option<&'s Field> {
    store.fields.iter().find(|field| field.name == name)
}
