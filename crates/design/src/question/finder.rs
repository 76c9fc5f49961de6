use marula_core::model::Model;

use super::{Container, Element, Held, Join, Place, Places, Question, Spot};
use crate::schema::is_required;
use crate::structure::{Bucket, Placement, Structure};

/// Walks the nodes of a question and finds the place of each.
pub(super) struct Finder<'a> {
    pub(super) model: &'a Model,
    pub(super) structure: &'a Structure,
    pub(super) question: &'a Question,
    pub(super) places: Places<'a>,
}

impl Finder<'_> {
    /// A new container for the members of an entity, and the elements that lead to them.
    pub(super) fn enter(&mut self, entity: &str, join: Option<Join>) -> Place {
        let mut chain = Vec::new();
        let mut top = entity;
        while let Some(relation) = self.structure.home(self.model, top) {
            chain.push(relation);
            top = &self.model.relations[relation].to;
        }
        let container = self.places.containers.len();
        self.places.containers.push(Container { entity: top.to_owned(), join });
        let mut within = None;
        if let Some((_, bucket)) = self.structure.bucket(self.model, top) {
            self.places.elements.push(Element {
                container,
                within: None,
                field: Bucket::ROWS.into(),
                entity: top.to_owned(),
                relation: bucket.relation,
                most: Some(bucket.count),
                bucket: true,
                optional: false,
            });
            return Place::Element(self.places.elements.len() - 1);
        }
        for relation in chain.into_iter().rev() {
            within = Some(self.element(container, within, relation, false));
        }
        within.map_or(Place::Container(container), Place::Element)
    }

    /// The one that keeps the first of the many, and the elements they are.
    pub(super) fn enter_subset(&mut self, at: usize) -> Place {
        let subset = &self.structure.subsets[at];
        let r = &self.model.relations[subset.relation];
        self.places.containers.push(Container { entity: r.to.clone(), join: None });
        self.places.elements.push(Element {
            container: 0,
            within: None,
            field: subset.name.clone(),
            entity: r.from.clone(),
            relation: subset.relation,
            most: Some(subset.count),
            bucket: false,
            optional: false,
        });
        Place::Element(0)
    }

    fn element(
        &mut self,
        container: usize,
        within: Option<usize>,
        relation: usize,
        optional: bool,
    ) -> usize {
        let r = &self.model.relations[relation];
        let field = r.inverse.clone().unwrap_or(r.from.clone());
        let entity = r.from.clone();
        self.places.elements.push(Element {
            container,
            within,
            field,
            entity,
            relation,
            most: None,
            bucket: false,
            optional,
        });
        self.places.elements.len() - 1
    }

    /// Places every neighbour of a placed node, and theirs.
    pub(super) fn spread(&mut self, node: usize, from: Option<usize>) {
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
        let kept_with = |held: Held| {
            held.node == node && self.structure.subsets[held.subset].relation == relation
        };
        let embedded = self.structure.placements[relation] == Placement::Embed
            || (next_is_one && self.question.held.is_some_and(kept_with));
        let (container, element) = self.places.base(&self.places.nodes[node]);
        match (embedded, next_is_one) {
            (true, true) => match element.and_then(|at| self.places.elements[at].within) {
                Some(outer) => Place::Element(outer),
                None => Place::Container(container),
            },
            (true, false) => {
                let optional = self.question.nodes[next].optional;
                Place::Element(self.element(container, element, relation, optional))
            }
            (false, true) if self.is_copied(next, relation) => Place::Copied { by: node, relation },
            (false, _) => {
                let r = &self.model.relations[relation];
                let join = Join {
                    known: Vec::new(),
                    wanted: Vec::new(),
                    to_one: next_is_one,
                    surely: next_is_one && is_required(self.model, r),
                    optional: self.question.nodes[next].optional,
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
        let copies = self.structure.copies(relation);
        let key = self.model.entity(&r.to).map(|one| one.key()).unwrap_or_default();
        let covered = |need: &&str| key.contains(need) || copies.iter().any(|copy| copy == need);
        self.neighbours(next).len() == 1
            && is_required(self.model, r)
            && self.question.needs(next).iter().all(covered)
    }
}
