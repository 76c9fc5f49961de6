use marula_core::model::{Model, Relationship};

use super::Question;
use crate::structure::{Field, Layout, Placement, Source, Store, Structure, reference_name};

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
        let place = finder.enter(&question.nodes[start].entity, None);
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

    fn base(&self, place: &Place) -> (usize, Option<usize>) {
        match place {
            Place::Container(container) => (*container, None),
            Place::Element(element) => (self.elements[*element].container, Some(*element)),
            Place::Copied { .. } => (0, None),
        }
    }

    /// The field of `entity`, which is at an element or a container; what the place in the array
    /// implies is the key of what it is within.
    fn within(
        &self,
        container: usize,
        element: Option<usize>,
        entity: &str,
        attribute: &str,
    ) -> Option<Spot> {
        if let Some(at) = element {
            let holder = &self.elements[at];
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

struct Finder<'a> {
    model: &'a Model,
    structure: &'a Structure,
    question: &'a Question,
    places: Places<'a>,
}

impl Finder<'_> {
    /// A new container for the members of an entity, and the elements that lead to them.
    fn enter(&mut self, entity: &str, join: Option<Join>) -> Place {
        let mut chain = Vec::new();
        let mut top = entity;
        while let Some(relation) = self.structure.home(self.model, top) {
            chain.push(relation);
            top = &self.model.relations[relation].to;
        }
        let container = self.places.containers.len();
        self.places.containers.push(Container { entity: top.to_owned(), join });
        let mut within = None;
        for relation in chain.into_iter().rev() {
            within = Some(self.element(container, within, relation));
        }
        within.map_or(Place::Container(container), Place::Element)
    }

    fn element(&mut self, container: usize, within: Option<usize>, relation: usize) -> usize {
        let r = &self.model.relations[relation];
        let field = r.inverse.clone().unwrap_or(r.from.clone());
        let entity = r.from.clone();
        self.places.elements.push(Element { container, within, field, entity, relation });
        self.places.elements.len() - 1
    }

    /// Places every neighbour of a placed node, and theirs.
    fn spread(&mut self, node: usize, from: Option<usize>) {
        for (next, relation, next_is_one) in self.neighbours(node) {
            if Some(next) == from {
                continue;
            }
            self.places.nodes[next] = self.neighbour(node, next, relation, next_is_one);
            self.spread(next, Some(node));
        }
    }

    /// The nodes beside a node: which, by which relationship, and whether they are the one of it.
    fn neighbours(&self, node: usize) -> Vec<(usize, usize, bool)> {
        let mut found = Vec::new();
        if let Some((from, relation, to_one)) = self.question.nodes[node].step {
            found.push((from, relation, !to_one));
        }
        for (at, other) in self.question.nodes.iter().enumerate() {
            if let Some((from, relation, to_one)) = other.step
                && from == node
            {
                found.push((at, relation, to_one));
            }
        }
        found
    }

    fn neighbour(&mut self, node: usize, next: usize, relation: usize, next_is_one: bool) -> Place {
        let embedded = self.structure.placements[relation] == Placement::Embed;
        let (container, element) = self.places.base(&self.places.nodes[node]);
        match (embedded, next_is_one) {
            (true, true) => match element.and_then(|at| self.places.elements[at].within) {
                Some(outer) => Place::Element(outer),
                None => Place::Container(container),
            },
            (true, false) => Place::Element(self.element(container, element, relation)),
            (false, true) if self.is_copied(next, relation) => Place::Copied { by: node, relation },
            (false, _) => {
                let r = &self.model.relations[relation];
                let join = Join {
                    known: Vec::new(),
                    wanted: Vec::new(),
                    to_one: next_is_one,
                    surely: next_is_one && self.is_required(r),
                };
                let place = self.enter(&self.question.nodes[next].entity, Some(join));
                self.join(node, &place, next, relation, next_is_one);
                place
            }
        }
    }

    /// Fills in by which fields the last container is joined.
    fn join(
        &mut self,
        node: usize,
        place: &Place,
        next: usize,
        relation: usize,
        next_is_one: bool,
    ) {
        let r = &self.model.relations[relation];
        let Some(one) = self.model.entity(&r.to) else { return };
        let key: Vec<String> = one.key().into_iter().map(str::to_owned).collect();
        let (here, there) = if next_is_one { (&r.attributes, &key) } else { (&key, &r.attributes) };
        let spot = |place: &Place, node: usize, attribute: &String| {
            let (container, element) = self.places.base(place);
            let entity = &self.question.nodes[node].entity;
            self.places.within(container, element, entity, attribute)
        };
        let known: Vec<Spot> =
            here.iter().filter_map(|a| spot(&self.places.nodes[node], node, a)).collect();
        let wanted: Vec<Spot> = there.iter().filter_map(|a| spot(place, next, a)).collect();
        if let Some(join) = self.places.containers.last_mut().and_then(|c| c.join.as_mut()) {
            join.known = known;
            join.wanted = wanted;
        }
    }

    /// Whether all that is asked of the one is with the many.
    fn is_copied(&self, next: usize, relation: usize) -> bool {
        let r = &self.model.relations[relation];
        let copies: &[String] = match &self.structure.placements[relation] {
            Placement::Copy(copies) => copies,
            _ => &[],
        };
        let key = self.model.entity(&r.to).map(|one| one.key()).unwrap_or_default();
        let covered = |need: &&str| key.contains(need) || copies.iter().any(|copy| copy == need);
        self.neighbours(next).len() == 1
            && self.is_required(r)
            && self.question.needs(next).iter().all(covered)
    }

    fn is_required(&self, relation: &Relationship) -> bool {
        let required = |name: &String| {
            let entity = self.model.entity(&relation.from);
            entity.is_some_and(|e| {
                e.key().contains(&name.as_str()) || e.attribute(name).is_some_and(|a| a.required)
            })
        };
        relation.attributes.iter().all(required)
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
