//! Statements that differ in their constants only.

use std::collections::BTreeMap;

use marula_core::{WeightedStatement, Workload};

/// The workload with one statement for all of one shape, where it has more than `most`: the
/// heaviest one, with the calls and the time of all. And what the reader should know of it.
///
/// `shape` names what texts have in common that differ in their constants only; `None` for what
/// cannot be read, which is told one by one.
pub(crate) fn by_shape(
    workload: &Workload,
    most: usize,
    shape: impl Fn(&str) -> Option<String>,
) -> (Workload, Option<String>) {
    if workload.statements.len() <= most {
        return (workload.clone(), None);
    }
    // Each shape's place, and what one call of its statement takes.
    let mut places: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    let mut shapes: Vec<WeightedStatement> = Vec::new();
    for weighted in &workload.statements {
        let text = &weighted.statement.text;
        let shape = shape(text).unwrap_or_else(|| text.clone());
        let each = weighted.total_ms.unwrap_or(0.0) / weighted.calls.max(1) as f64;
        let Some((at, heaviest)) = places.get_mut(&shape) else {
            places.insert(shape, (shapes.len(), each));
            shapes.push(weighted.clone());
            continue;
        };
        let known = &shapes[*at];
        let calls = known.calls.saturating_add(weighted.calls);
        let total_ms = match (known.total_ms, weighted.total_ms) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        let goal_ms = match (known.goal_ms, weighted.goal_ms) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let heavier = each > *heaviest;
        *heaviest = heaviest.max(each);
        let taken = if heavier { weighted.clone() } else { known.clone() };
        shapes[*at] = WeightedStatement { calls, total_ms, goal_ms, ..taken };
    }
    let note = (shapes.len() < workload.statements.len()).then(|| {
        format!(
            "the {} statements of the workload are of {} {}: each takes part with one of its \
             statements, and counts with the calls and the time of all",
            workload.statements.len(),
            shapes.len(),
            if shapes.len() == 1 { "shape" } else { "shapes" }
        )
    });
    (Workload { engine: workload.engine, statements: shapes }, note)
}

#[cfg(test)]
mod tests {
    use marula_core::{Engine, Statement};

    use super::*;

    #[test]
    fn constants_do_not_make_another_statement() {
        let statement = |text: String, ms: f64| WeightedStatement {
            statement: Statement::new(Engine::Postgres, text),
            calls: 2,
            total_ms: Some(ms),
            goal_ms: None,
            samples: Vec::new(),
        };
        let statements = (0..100)
            .flat_map(|n| {
                let of = |column: &str| format!("select * from t where {column} = {n}");
                [statement(of("a"), f64::from(n)), statement(of("b"), 1.0)]
            })
            .chain([statement("selec".into(), 1.0)]);
        let workload = Workload { engine: Engine::Postgres, statements: statements.collect() };
        let shape = |text: &str| Some(text.split_once(" = ")?.0.to_string());
        let (shapes, note) = by_shape(&workload, 50, shape);
        assert_eq!(shapes.statements.len(), 3, "{shapes:#?}");
        assert_eq!(shapes.statements[0].calls, 200);
        assert_eq!(shapes.statements[0].total_ms, Some(4950.0));
        assert_eq!(shapes.statements[0].statement.text, "select * from t where a = 99");
        assert!(
            note.is_some_and(|note| note.contains("201 statements") && note.contains("3 shapes"))
        );
        assert_eq!(by_shape(&workload, 500, shape), (workload, None));
    }
}
