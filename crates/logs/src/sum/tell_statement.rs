use marula_core::{Count, Engine, Sample, Slice, StatementDigest, Timestamp};
use rustc_hash::FxHashMap;

use super::statement::StatementSum;
use super::tell::span;
use crate::tally::{Kept, ms};
use crate::{Shape, SortBy};

/// Names told of each kind.
const NAMES: usize = 20;

/// The most frequent names first.
pub fn counts(names: FxHashMap<String, u64>, limit: usize) -> Vec<Count> {
    let mut counts: Vec<_> = names.into_iter().map(|(name, count)| Count { name, count }).collect();
    counts.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    counts.truncate(limit);
    counts
}

/// The statements in the asked order; equals by time, then by name.
pub fn in_order(statements: Vec<StatementSum>, sort: SortBy) -> Vec<StatementSum> {
    let mut keyed: Vec<_> = statements.into_iter().map(|one| (rank(&one, sort), one)).collect();
    keyed.sort_by(|(a_rank, a), (b_rank, b)| {
        b_rank
            .total_cmp(a_rank)
            .then_with(|| b.cost.micros.cmp(&a.cost.micros))
            .then_with(|| b.cost.calls.cmp(&a.cost.calls))
            .then_with(|| a.shape.fingerprint.cmp(&b.shape.fingerprint))
    });
    keyed.into_iter().map(|(_, one)| one).collect()
}

fn rank(statement: &StatementSum, sort: SortBy) -> f64 {
    let cost = &statement.cost;
    match sort {
        SortBy::Total => cost.micros as f64,
        SortBy::Mean => cost.micros as f64 / cost.calls.max(1) as f64,
        SortBy::P99 => cost.quantile_ms(0.99),
        SortBy::Calls => cost.calls as f64,
        SortBy::Reads => cost.reads.or(cost.temp_bytes).unwrap_or(0) as f64,
    }
}

fn sample(kept: Kept, shape: &Shape) -> Sample {
    let text = match shape.engine {
        Engine::Postgres => kept.text,
        Engine::Mongodb => {
            let namespace = shape.objects.first().map_or("", String::as_str);
            crate::mongodb::statement(&kept.text, &shape.operation, namespace)
        }
    };
    Sample {
        at: kept.at.map(Timestamp),
        ms: Some(ms(kept.micros.into())),
        parameters: crate::postgres::parameters(&kept.parameters),
        text,
        truncated: kept.truncated,
        plan: (!kept.plan.is_empty()).then_some(kept.plan),
    }
}

/// A statement as it is told. `all` is the time of all statements, `width` a bucket's seconds.
pub fn tell(mut statement: StatementSum, all: u128, width: i64) -> StatementDigest {
    statement.widen(width);
    let [databases, users, applications, hosts] = statement.origins;
    StatementDigest {
        fingerprint: statement.shape.fingerprint.clone(),
        engine: statement.shape.engine,
        shape: statement.shape.text.clone(),
        operation: statement.shape.operation.clone(),
        objects: statement.shape.objects.clone(),
        incomplete: statement.shape.incomplete,
        load: statement.cost.load(),
        share: if all == 0 { 0.0 } else { statement.cost.micros as f64 / all as f64 },
        span: span(statement.span),
        plans: counts(statement.plans, NAMES),
        users: counts(users, NAMES),
        applications: counts(applications, NAMES),
        hosts: counts(hosts, NAMES),
        databases: counts(databases, NAMES),
        timeline: statement
            .slices
            .iter()
            .map(|(bucket, calls, micros)| Slice {
                at: Timestamp(bucket.saturating_mul(width * 1000)),
                calls: *calls,
                total_ms: ms(*micros),
            })
            .collect(),
        partial: statement.partial,
        samples: statement.samples.into_iter().map(|kept| sample(kept, &statement.shape)).collect(),
    }
}
