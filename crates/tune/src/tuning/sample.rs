use std::collections::HashMap;

use marula_core::{WeightedStatement, Workload};

/// The statements that take part.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// At most as many as were asked for, the heaviest first.
    pub statements: Vec<WeightedStatement>,
    /// How many others there are.
    pub left: usize,
    /// The share of the workload's weight that takes part, from 0 to 1.
    pub share: f64,
}

impl Sampled {
    /// What the reader should know of it; `None` when all take part.
    pub fn note(&self) -> Option<String> {
        (self.left > 0).then(|| {
            format!(
                "the workload has {} different statements; the {} heaviest take part, with {:.0} % \
                 of its {}",
                self.left + self.statements.len(),
                self.statements.len(),
                self.share * 100.0,
                if self.timed() { "time" } else { "calls" }
            )
        })
    }

    fn timed(&self) -> bool {
        self.statements.iter().any(|weighted| weighted.total_ms.is_some())
    }
}

/// The same statements only once, the heaviest `max` of them. The same workload always gives the
/// same sample.
///
/// A statement weighs what all its runs took; where that is not known, its calls do.
pub fn sample(workload: &Workload, max: usize) -> Sampled {
    let mut merged: Vec<WeightedStatement> = Vec::new();
    let mut known: HashMap<(&str, Vec<Option<&str>>), usize> = HashMap::new();
    for weighted in &workload.statements {
        let parameters = weighted.statement.parameters.iter().map(|p| p.value.as_deref());
        let key = (weighted.statement.text.as_str(), parameters.collect());
        match known.get(&key) {
            Some(&at) => merge(&mut merged[at], weighted),
            None => {
                known.insert(key, merged.len());
                merged.push(weighted.clone());
            }
        }
    }
    let timed = merged.iter().any(|weighted| weighted.total_ms.is_some());
    let weight = |weighted: &WeightedStatement| match weighted.total_ms {
        Some(ms) => ms,
        None if timed => 0.0,
        None => weighted.calls as f64,
    };
    let total: f64 = merged.iter().map(weight).sum();
    // Stable: of equal weight the first comes first.
    merged.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let left = merged.len().saturating_sub(max);
    merged.truncate(max);
    let kept: f64 = merged.iter().map(weight).sum();
    Sampled { statements: merged, left, share: if total > 0.0 { kept / total } else { 1.0 } }
}

fn merge(into: &mut WeightedStatement, more: &WeightedStatement) {
    into.calls = into.calls.saturating_add(more.calls);
    into.total_ms = match (into.total_ms, more.total_ms) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    into.goal_ms = match (into.goal_ms, more.goal_ms) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    into.samples.extend(more.samples.iter().cloned());
}

#[cfg(test)]
mod tests {
    use marula_core::{Engine, Statement};

    use super::*;

    fn weighted(text: &str, calls: u64, total_ms: Option<f64>) -> WeightedStatement {
        WeightedStatement {
            statement: Statement::new(Engine::Postgres, text),
            calls,
            total_ms,
            goal_ms: None,
            samples: Vec::new(),
        }
    }

    #[test]
    fn the_heaviest_take_part_and_the_rest_is_said() {
        let mut statements: Vec<_> =
            (0..10_000).map(|n| weighted(&format!("select {n}"), 1, Some(f64::from(n)))).collect();
        statements.push(weighted("select 7", 5, Some(20_000.0)));
        let workload = Workload { engine: Engine::Postgres, statements };
        let sampled = sample(&workload, 100);
        assert_eq!(sampled.statements.len(), 100);
        assert_eq!(sampled.statements[0].statement.text, "select 7");
        assert_eq!(sampled.statements[0].calls, 6);
        assert_eq!(sampled.statements[1].statement.text, "select 9999");
        let note = sampled.note();
        assert!(note.is_some_and(|note| note.contains("10000 different statements; the 100")));
        assert_eq!(sample(&workload, 100), sampled);
    }
}
