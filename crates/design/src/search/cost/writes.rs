use marula_core::model::{Deed, OnDelete, Relationship, Write};

use super::Weigher;
use crate::schema::{fate, loses};
use crate::structure::Placement;

impl Weigher<'_> {
    /// What a write costs, with all that it keeps in step.
    pub(super) fn write(&self, write: &Write) -> f64 {
        let c = self.constants;
        let Some(entity) = self.model.entity(&write.entity) else { return 0.0 };
        let home = self.structure.home(self.model, &entity.name);
        let top = home
            .map_or(entity.name.as_str(), |relation| self.model.relations[relation].to.as_str());
        let bytes = |name: &str| {
            self.layout.store(name).map_or(0.1, |store| self.figures.bytes(store) / 1024.0)
        };
        let mut steps = 1.0;
        let mut cost = c.call + c.write + bytes(top) * c.write_kilobyte;
        for computed in &self.structure.computed {
            let times = self.tallied(write, computed.relation);
            steps += times;
            cost += times
                * (c.call
                    + c.write
                    + bytes(&self.model.relations[computed.relation].to) * c.write_kilobyte);
        }
        for (at, relation) in
            self.model.relations.iter().enumerate().filter(|(_, r)| r.to == entity.name)
        {
            match &self.structure.placements[at] {
                Placement::Copy(copies)
                    if write.does == Deed::Update
                        && write.set.iter().any(|s| copies.contains(s)) =>
                {
                    let many = self.figures.fanout(at);
                    let holder = self
                        .structure
                        .home(self.model, &relation.from)
                        .map_or(relation.from.as_str(), |home| {
                            self.model.relations[home].to.as_str()
                        });
                    steps += 1.0;
                    cost += c.call + many * (c.write + bytes(holder) * c.write_kilobyte);
                }
                Placement::Embed => {}
                _ if write.does == Deed::Insert && write.with.contains(&relation.from) => {
                    let many = self.figures.fanout(at);
                    steps += 1.0;
                    cost += many * (c.call + c.write + bytes(&relation.from) * c.write_kilobyte);
                }
                _ if write.does == Deed::Delete
                    && fate(self.model, relation) == OnDelete::Cascade =>
                {
                    steps += 1.0;
                    cost += c.call + self.figures.fanout(at) * c.write;
                }
                _ => {}
            }
        }
        // A bucket is found, checked as a whole, and put anew in two indexes.
        if write.does == Deed::Insert && self.structure.bucket(self.model, top).is_some() {
            cost += 2.0 * c.write;
        }
        let (more, held) = self.held(write);
        steps += more;
        cost += held;
        if steps > 1.0 { cost + c.transaction } else { cost }
    }

    /// How many of the many of a relationship a write adds or takes away, whose one was there before
    /// and stays.
    fn tallied(&self, write: &Write, relation: usize) -> f64 {
        let r = &self.model.relations[relation];
        let along = write.does == Deed::Insert && write.with.contains(&r.from);
        let moves = match write.does {
            Deed::Insert => write.entity == r.from || along && write.entity != r.to,
            Deed::Update => false,
            Deed::Delete => loses(self.model, write, relation),
        };
        let by = |other: &Relationship| other.from == r.from && other.to == write.entity;
        let owner = self.model.relations.iter().position(by).filter(|_| write.entity != r.from);
        if moves { owner.map_or(1.0, |at| self.figures.fanout(at)) } else { 0.0 }
    }

    /// The steps that keep the first of the many in step, and what they cost.
    fn held(&self, write: &Write) -> (f64, f64) {
        let c = self.constants;
        let kilobytes = |name: &str| {
            self.layout.store(name).map_or(0.1, |store| self.figures.bytes(store) / 1024.0)
        };
        let (mut steps, mut cost) = (0.0, 0.0);
        for subset in &self.structure.subsets {
            let r = &self.model.relations[subset.relation];
            let one = c.call + c.write + kilobytes(&r.to) * c.write_kilobyte;
            let touches = |name: &String| subset.attributes.contains(name);
            let changed = write.set.iter().chain(&write.increment);
            if subset.refills(self.model, write) {
                let read = c.probe + kilobytes(&r.from) * c.kilobyte;
                steps += 2.0;
                cost += c.call + subset.count as f64 * read + one;
            } else if write.entity == r.from
                && (write.does == Deed::Insert || changed.clone().any(touches))
            {
                steps += 1.0;
                cost += one;
            }
            // Those brought along by another one than the one.
            if write.does == Deed::Insert && write.entity != r.to && write.with.contains(&r.from) {
                let many = self
                    .model
                    .relations
                    .iter()
                    .position(|along| along.from == r.from && along.to == write.entity);
                let many = many.map_or(1.0, |at| self.figures.fanout(at));
                steps += many;
                cost += many * one;
            }
            for (relation, attribute) in subset.recopied(self.model, self.structure) {
                let of_it = write.entity == self.model.relations[*relation].to;
                if of_it && write.does == Deed::Update && changed.clone().any(|s| s == attribute) {
                    steps += 1.0;
                    cost += c.call + self.figures.fanout(*relation) * (one - c.call);
                }
            }
        }
        (steps, cost)
    }
}
