use marula_core::model::{Model, Operator};

use super::{Demand, Key, Places, Question};
use crate::figures::Figures;
use crate::structure::{Layout, Structure};

/// The node at which the search begins: where what must hold leaves the fewest members to look at,
/// by what indexes can answer. Of two that leave as many, the one the path begins with.
pub fn start(model: &Model, structure: &Structure, layout: &Layout, question: &Question) -> usize {
    if let Some(held) = question.held {
        return held.node;
    }
    let figures = Figures { model };
    let left = |node: usize| {
        let places = Places::new(model, structure, layout, question, node);
        let rows =
            places.containers.first().map_or(1.0, |container| figures.rows(&container.entity));
        let shares =
            question.conditions.iter().filter(|demand| indexed(demand)).filter_map(|demand| {
                let spot = places.spot(demand.at.node, &demand.at.attribute)?;
                let share = figures.share(question, demand);
                // A document is found by any of its elements.
                let by = if spot.element.is_some() {
                    figures.rows(&question.nodes[demand.at.node].entity) / rows
                } else {
                    1.0
                };
                (spot.container == 0).then_some((share * by).min(1.0))
            });
        let any = question.any.iter().filter(|one| found(&places, one));
        let any = any.map(|one| figures.share_of_any(question, one));
        let left = rows * shares.product::<f64>() * any.product::<f64>();
        // A first page is read off an index that has its order.
        let first_page = question.limit.filter(|_| !question.groups() && !question.sort.is_empty());
        let sorted_here = question.sort.iter().all(|(key, _)| match key {
            Key::At(at) => places
                .spot(at.node, &at.attribute)
                .is_some_and(|spot| spot.container == 0 && spot.element.is_none()),
            Key::Aggregate(_) => false,
        });
        // What is asked elsewhere may leave nothing of the first ones.
        let asked_here = question.demands().all(|demand| {
            places
                .spot(demand.at.node, &demand.at.attribute)
                .is_some_and(|spot| spot.container == 0)
        });
        match first_page {
            Some(limit) if sorted_here && asked_here => left.min(limit as f64 * 2.0),
            // All that belongs to what is found is read before the first of it are known.
            Some(_) => left * multiplied(&figures, question, node),
            None => left,
        }
    };
    let mut best = (0, f64::INFINITY);
    // From what need not be there one does not come to what has nothing there.
    for node in (0..question.nodes.len()).filter(|node| !question.nodes[*node].optional) {
        let weighed = left(node);
        if weighed < best.1 * 0.999 {
            best = (node, weighed);
        }
    }
    best.0
}

/// How many rows come of one member of a node, by the relationships that lead from it to many.
fn multiplied(figures: &Figures<'_>, question: &Question, start: usize) -> f64 {
    let mut way = vec![start];
    while let Some((from, ..)) = way.last().and_then(|&node| question.nodes[node].step) {
        way.push(from);
    }
    let steps = question.nodes.iter().enumerate().filter_map(|(at, node)| Some((at, node.step?)));
    // On the way from the start to where the path begins, steps are gone backwards.
    let to_many = steps.filter(|(at, (_, _, to_one))| way.contains(at) == *to_one);
    to_many.map(|(_, (_, relation, _))| figures.fanout(relation).max(1.0)).product()
}

/// Whether indexes of the first container can find each of several alternatives.
pub(crate) fn found(places: &Places<'_>, alternatives: &[Demand]) -> bool {
    alternatives.iter().all(|demand| {
        let spot = places.spot(demand.at.node, &demand.at.attribute);
        indexed(demand) && spot.is_some_and(|s| s.container == 0 && s.element.is_none())
    })
}

/// Whether an index can find what a condition asks for.
pub(crate) fn indexed(demand: &Demand) -> bool {
    !matches!(
        demand.is,
        Operator::NotEqual | Operator::Present | Operator::Missing | Operator::Matches
    )
}
