use marula_core::{CandidateDesign, OperationTimes};

/// Designs whose work differs by less than this share, or by less than what was measured is in doubt,
/// are alike: a plainer one is then better.
pub(super) const NOISE: f64 = 0.07;

/// Puts the designs in order, the best first, and says why it is the best.
///
/// A design whose answers differ is never proposed. Then fewer goals out of reach are better (those
/// that even a run alone misses: what a run under load misses by chance is told, and decides
/// nothing), then less work; among designs that are alike the plainer one, which is what
/// `plainness` counts.
pub(super) fn rank(designs: &mut Vec<(CandidateDesign, usize)>) -> String {
    designs.sort_by(|(a, _), (b, _)| {
        let wrong = |design: &CandidateDesign| design.results_equal == Some(false);
        wrong(a)
            .cmp(&wrong(b))
            .then(out_of_reach(a).cmp(&out_of_reach(b)))
            .then(a.work_ms.total_cmp(&b.work_ms))
    });
    let Some((best, _)) = designs.first() else { return "nothing was measured".into() };
    let (work, missed) = (best.work_ms, out_of_reach(best));
    let doubt = best.doubt_ms;
    let alike = |design: &CandidateDesign| {
        design.results_equal != Some(false)
            && out_of_reach(design) == missed
            && design.work_ms - work <= (work * NOISE).max(doubt.hypot(design.doubt_ms))
    };
    let plainest = designs
        .iter()
        .enumerate()
        .filter(|(_, (design, _))| alike(design))
        .min_by_key(|(at, (_, plainness))| (*plainness, *at))
        .map_or(0, |(at, _)| at);
    let fewest = designs
        .iter()
        .filter(|(design, _)| alike(design))
        .min_by_key(|(design, _)| design.goals_missed)
        .map(|(design, _)| (design.name.clone(), design.goals_missed));
    let chosen = designs.remove(plainest);
    designs.insert(0, chosen);
    let why = reason(designs, plainest != 0, work, missed);
    match fewest {
        Some((name, fewest)) if designs[0].0.goals_missed > fewest => format!(
            "{why}; {name} is like it and missed {fewest} goals under load, this one {}: whether \
             that was chance a longer --length tells",
            designs[0].0.goals_missed
        ),
        _ => why,
    }
}

/// Why the first is the best.
fn reason(
    designs: &[(CandidateDesign, usize)],
    plainest: bool,
    work: f64,
    missed: usize,
) -> String {
    let chosen = &designs[0].0;
    let next = designs.get(1).map(|(design, _)| design);
    match next {
        Some(_) if chosen.operations.is_empty() && chosen.work_ms <= 0.0 => {
            "the plainest: the model has no work by which to choose".into()
        }
        _ if plainest => format!(
            "the plainest of those the noise does not tell apart: {:.1} ms of work a second, the least {work:.1}",
            chosen.work_ms
        ),
        None => "the only one that was measured".into(),
        Some(next) if next.results_equal == Some(false) => "the next gives other answers".into(),
        Some(next) if out_of_reach(next) > missed => format!(
            "{missed} goals are out of its reach, and {} are out of that of the next",
            out_of_reach(next)
        ),
        Some(next) => {
            format!("{:.1} ms of work a second, {:.1} with the next", chosen.work_ms, next.work_ms)
        }
    }
}

/// Goals that one run alone misses as often as not.
fn out_of_reach(design: &CandidateDesign) -> usize {
    let missed = |operation: &&OperationTimes| {
        operation.goal_ms.is_some_and(|goal| operation.alone_ms > goal)
    };
    design.operations.iter().filter(missed).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(name: &str, work_ms: f64, missed: usize) -> CandidateDesign {
        let slow =
            OperationTimes { alone_ms: 2.0, goal_ms: Some(1.0), ..OperationTimes::default() };
        CandidateDesign {
            name: name.into(),
            work_ms,
            operations: vec![slow; missed],
            results_equal: Some(true),
            ..CandidateDesign::default()
        }
    }

    #[test]
    fn what_is_alike_is_decided_by_plainness() {
        let mut designs = vec![
            (design("clever", 10.0, 0), 3),
            (design("plain", 10.5, 0), 0),
            (design("slow", 30.0, 0), 0),
        ];
        let why = rank(&mut designs);
        assert_eq!(designs[0].0.name, "plain");
        assert!(why.contains("the noise does not tell apart: 10.5 ms"), "{why}");
    }

    #[test]
    fn one_alike_that_missed_fewer_goals_is_named() {
        let mut late = design("plain", 10.5, 0);
        late.goals_missed = 6;
        let mut prompt = design("clever", 10.0, 0);
        prompt.goals_missed = 2;
        let mut designs = vec![(prompt, 3), (late, 0)];
        let why = rank(&mut designs);
        assert_eq!(designs[0].0.name, "plain");
        assert!(
            why.contains("clever is like it and missed 2 goals under load, this one 6"),
            "{why}"
        );
    }

    #[test]
    fn wrong_answers_are_never_proposed_and_goals_come_before_work() {
        let mut wrong = design("wrong", 1.0, 0);
        wrong.results_equal = Some(false);
        let mut designs =
            vec![(wrong, 0), (design("fast", 10.0, 2), 0), (design("good", 20.0, 0), 1)];
        rank(&mut designs);
        assert_eq!(designs[0].0.name, "good");
        assert_eq!(designs[2].0.name, "wrong");
    }
}
