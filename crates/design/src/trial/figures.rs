//! What a trial's times come to.

use marula_core::model::Deed;
use marula_core::{CandidateDesign, Error, LeftOut};

use super::alone::{Timed, percentile};
use super::canonical::Answer;
use super::entrants::Entrant;
use super::failing::left_out;
use super::jobs::{Operation, OperationKind};
use crate::search::Work;
use crate::synth::World;

/// The most of the machine's time that the workload may ask for, by what its operations take alone:
/// above it the rates are lowered, for every design alike.
const BUSY: f64 = 0.5;

/// The answers of a design, each with the query it is to.
pub(super) fn given<S>(
    operations: &[Operation],
    of: Option<&Entrant<S>>,
) -> (Vec<String>, Vec<Answer>) {
    let each = operations.iter().zip(of.into_iter().flat_map(|entrant| &entrant.before));
    let each = each.filter_map(|(operation, answers)| {
        let answers = answers.as_ref().ok()?.iter();
        Some(answers.map(|answer| (operation.name.clone(), answer.clone())))
    });
    each.flatten().unzip()
}

pub(super) fn not_asked(world: &World<'_>, work: &Work, idle: &[Operation]) -> Vec<LeftOut> {
    let queries = work
        .left_out
        .iter()
        .map(|(name, error): &(String, Error)| left_out(name, error.to_string()));
    let writes = idle.iter().map(|operation| {
        let deletes = |at: &usize| world.model.writes[*at].does == Deed::Delete;
        let reason = match &operation.kind {
            OperationKind::Write(at) if deletes(at) => {
                "nobody may be taken away: what refers to them keeps them"
            }
            _ => "it changes nothing, or adds what everybody it could belong to has already",
        };
        left_out(&operation.name, reason.into())
    });
    queries.chain(writes).collect()
}

/// The time all work of a second takes, in milliseconds.
pub(super) fn work_ms(operations: &[Operation], timed: &[Timed]) -> f64 {
    let each = operations.iter().zip(timed);
    // From 0 on: the sum of nothing is -0.
    each.fold(0.0, |sum, (operation, timed)| sum + operation.rate * percentile(&timed.ms, 0.5))
}

/// Half the width of the 95 % interval of that time: a median's is 1.57 times the middle half of the
/// times over the root of their number (McGill, Tukey and Larsen, 1978).
pub(super) fn doubt_ms(operations: &[Operation], timed: &[Timed]) -> f64 {
    let each = operations.iter().zip(timed).map(|(operation, Timed { ms, .. })| {
        let middle = percentile(ms, 0.75) - percentile(ms, 0.25);
        operation.rate * 1.57 * middle / (ms.len().max(1) as f64).sqrt()
    });
    each.map(|doubt| doubt * doubt).sum::<f64>().sqrt()
}

/// What the rates are multiplied with so that the best of the designs keeps up.
pub(super) fn pace<S>(operations: &[Operation], entrants: &[Entrant<S>]) -> f64 {
    let each = entrants.iter().map(|entrant| work_ms(operations, &entrant.timed));
    let least = each.fold(f64::INFINITY, f64::min);
    let may = 1_000.0 * BUSY;
    if least > may { may / least } else { 1.0 }
}

/// What became of the rules of thumb: how the design they give fared beside the best.
pub(super) fn rules_of_thumb(designs: &[CandidateDesign]) -> Vec<String> {
    let Some(best) = designs.first() else { return Vec::new() };
    let Some(rules) = designs.iter().find(|design| design.by_the_rules) else { return Vec::new() };
    if best.by_the_rules {
        return vec![format!("the rules of thumb are followed: {}", best.name)];
    }
    vec![format!(
        "the rules of thumb are broken: they give {}, which takes {:.2} times the work; goals missed: {} instead of {}",
        rules.name,
        rules.work_ms / best.work_ms.max(1e-9),
        rules.goals_missed,
        best.goals_missed
    )]
}
