//! What a workload costs on a structure, by a model of what engines do: documents and rows are
//! found, read, taken apart, joined, written. Its numbers rank structures; they are no times.

mod writes;

use marula_core::Engine;
use marula_core::model::Model;

use super::work::Work;
use crate::figures::Figures;
use crate::question::{Element, Key, Places, Question, found, indexed, start};
use crate::structure::{Layout, Structure};

/// What single steps cost, in milliseconds. Measured on the lab's servers to within a factor of two.
#[derive(Debug, Clone, Copy)]
pub struct Constants {
    /// A statement there and back.
    call: f64,
    /// Finding a row or document by an index.
    probe: f64,
    /// Reading a kilobyte of it.
    kilobyte: f64,
    /// Taking an element out of an array.
    element: f64,
    /// One join of one row with another table or collection.
    join: f64,
    /// Putting a row into a group or an order.
    row: f64,
    /// Writing a row or document, beside its kilobytes.
    write: f64,
    /// Writing a kilobyte.
    write_kilobyte: f64,
    /// Making two writes one transaction.
    transaction: f64,
}

impl Constants {
    /// Those of an engine.
    pub fn of(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Constants {
                call: 0.08,
                probe: 0.004,
                kilobyte: 0.002,
                element: 0.001,
                join: 0.004,
                row: 0.0005,
                write: 0.03,
                write_kilobyte: 0.02,
                transaction: 0.1,
            },
            Engine::Mongodb => Constants {
                call: 0.15,
                probe: 0.008,
                kilobyte: 0.003,
                element: 0.0015,
                join: 0.04,
                row: 0.001,
                write: 0.08,
                write_kilobyte: 0.01,
                transaction: 0.8,
            },
        }
    }
}

/// The work of a second, in milliseconds.
pub(super) fn workload(
    model: &Model,
    structure: &Structure,
    work: &Work,
    constants: &Constants,
) -> f64 {
    let layout = Layout::new(model, structure);
    let weigher =
        Weigher { model, structure, layout: &layout, constants, figures: Figures { model } };
    let reads: f64 = work
        .asked
        .iter()
        .map(|asking| {
            // One whose rate is not said counts a little: it is asked at all.
            let rate = model.queries[asking.query].rate.0.max(0.01);
            rate * weigher.question(&asking.question)
        })
        .sum();
    let mut writes = 0.0;
    for write in &model.writes {
        writes += write.rate.0.max(0.01) * weigher.write(write);
    }
    for transaction in &model.transactions {
        let named = transaction
            .writes
            .iter()
            .filter_map(|name| model.writes.iter().find(|w| w.name == *name));
        writes += transaction.rate.0
            * (constants.transaction + named.map(|write| weigher.write(write)).sum::<f64>());
    }
    // What is kept costs memory; a gigabyte weighs as a millisecond a second.
    let kept: f64 = layout
        .stores
        .iter()
        .map(|store| {
            weigher.figures.documents(structure, &store.entity) * weigher.figures.bytes(store)
        })
        .sum();
    reads + writes + kept / 1e9
}

struct Weigher<'a> {
    model: &'a Model,
    structure: &'a Structure,
    layout: &'a Layout,
    constants: &'a Constants,
    figures: Figures<'a>,
}

impl Weigher<'_> {
    fn question(&self, question: &Question) -> f64 {
        let question = &question.of(self.model, self.structure);
        let node = start(self.model, self.structure, self.layout, question);
        let places = Places::new(self.model, self.structure, self.layout, question, node);
        let c = self.constants;
        let spot = |node: usize, attribute: &str| places.spot(node, attribute);
        let mut rows = self.found(question, &places);
        let mut cost = c.call + rows * (c.probe + self.kilobytes(&places, 0) * c.kilobyte);
        for (at, container) in places.containers.iter().enumerate() {
            if let Some(join) = &container.join {
                let many = if join.to_one { 1.0 } else { self.joined(&places, at) };
                cost +=
                    rows * (c.join + many * (c.probe + self.kilobytes(&places, at) * c.kilobyte));
                rows *= many;
            }
            for (number, element) in
                places.elements.iter().enumerate().filter(|(_, e)| e.container == at)
            {
                let most = element.most.map_or(f64::INFINITY, |most| most as f64);
                rows *= self.figures.fanout(element.relation).min(most).max(1.0);
                cost += rows * c.element;
                for demand in &question.conditions {
                    if spot(demand.at.node, &demand.at.attribute)
                        .is_some_and(|s| s.element == Some(number))
                    {
                        rows *= self.figures.share(question, demand);
                    }
                }
                rows = rows.max(0.1);
            }
            if at > 0 {
                for demand in &question.conditions {
                    let here = |s: &crate::question::Spot| s.container == at && s.element.is_none();
                    if spot(demand.at.node, &demand.at.attribute).as_ref().is_some_and(here) {
                        rows *= self.figures.share(question, demand);
                    }
                }
            }
        }
        for group in question.any.iter().filter(|group| !found(&places, group)) {
            rows *= self.figures.share_of_any(question, group);
        }
        cost + rows * c.row * if question.groups() || !question.sort.is_empty() { 2.0 } else { 1.0 }
    }

    /// How many members of the first container are looked at.
    fn found(&self, question: &Question, places: &Places<'_>) -> f64 {
        let spot = |node: usize, attribute: &str| places.spot(node, attribute);
        let all = self.figures.documents(self.structure, &places.containers[0].entity);
        let bucket = self.structure.bucket(self.model, &places.containers[0].entity);
        let of_time = |field: &str| bucket.is_some_and(|(_, bucket)| bucket.time == field);
        let mut rows = all;
        let mut only_here = true;
        for demand in &question.conditions {
            let Some(at) = spot(demand.at.node, &demand.at.attribute) else { continue };
            if at.container != 0 || at.element.is_some() || !indexed(demand) {
                only_here = false;
            }
            if at.container == 0 && indexed(demand) {
                let by = match at.element {
                    // The moments of a bucket's members are close together.
                    Some(_) if of_time(&at.field) => 1.0,
                    Some(_) => self.figures.rows(&question.nodes[demand.at.node].entity) / all,
                    None => 1.0,
                };
                rows *= (self.figures.share(question, demand) * by).min(1.0);
            }
        }
        for group in &question.any {
            match found(places, group) {
                true => rows *= self.figures.share_of_any(question, group),
                false => only_here = false,
            }
        }
        let ordered = question.sort.iter().all(|(key, _)| match key {
            Key::At(at) => spot(at.node, &at.attribute)
                .is_some_and(|s| s.container == 0 && s.element.is_none()),
            Key::Aggregate(_) => false,
        });
        if let (Some(limit), true, true, false) =
            (question.limit, only_here, ordered, question.groups())
        {
            rows = rows.min(limit as f64);
        }
        if let (Some(limit), Some((_, bucket)), false) = (question.limit, bucket, question.groups())
        {
            let by_time = question.sort.first().is_some_and(|(key, _)| match key {
                Key::At(at) => spot(at.node, &at.attribute).is_some_and(|s| of_time(&s.field)),
                Key::Aggregate(_) => false,
            });
            let enough = 1.0 + (limit as f64 / bucket.count.max(1) as f64).floor();
            if by_time {
                rows = rows.min(enough);
            }
        }
        rows.max(1.0)
    }

    /// How many of a container match one row it is joined to.
    fn joined(&self, places: &Places<'_>, container: usize) -> f64 {
        let Some(join) = &places.containers[container].join else { return 1.0 };
        let rows = self.figures.documents(self.structure, &places.containers[container].entity);
        let known = join.known.first().map_or(rows, |spot| match spot.element {
            Some(element) => {
                let element: &Element = &places.elements[element];
                self.figures.rows(&element.entity)
            }
            None => self.figures.rows(&places.containers[spot.container].entity),
        });
        (rows / known).max(1.0)
    }

    fn kilobytes(&self, places: &Places<'_>, container: usize) -> f64 {
        let store = self.layout.store(&places.containers[container].entity);
        store.map_or(0.1, |store| self.figures.bytes(store)) / 1024.0
    }
}
