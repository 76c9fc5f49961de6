//! What the picked changes cost those who write.

use marula_core::{LeftOut, Progress, Result, WriteCost};
use pg_query::NodeEnum;

use super::arena::PostgresArena;
use super::read::{Read, Write};
use crate::tuning::{Arena, Set, Tuner, seconds, trial_fatal};

/// The most writing statements that are measured, the heaviest first.
const MOST: usize = 30;

/// Below this the clock of a write says nothing.
const WOBBLE: f64 = 1.08;
/// The most indexes whose own cost is measured.
const WEIGHED: usize = 8;

/// Measures what the picked changes cost those who write, and takes out what costs them more than
/// it gains those who read.
pub(super) async fn weigh(
    tuner: &mut Tuner<'_, PostgresArena>,
    read: &Read,
    left_out: &mut Vec<LeftOut>,
    progress: &dyn Progress,
) -> Result<Vec<WriteCost>> {
    let mut costs = measured(tuner, read, left_out, progress).await?;
    let mut weighed = Set::new();
    while let Some(number) = suspect(tuner, &costs, &weighed).filter(|_| weighed.len() < WEIGHED) {
        weighed.insert(number);
        let change = tuner.choices[number].change.clone();
        progress.step(&format!("weighing {} against writes", change.title));
        tuner.settle_best().await?;
        let mut loss = 0.0;
        for write in read.writes.iter().take(MOST) {
            if Some(&write.relation) != change.relation.as_ref() {
                continue;
            }
            let (bench, alone) = (tuner.arena.bench(), [change.clone()]);
            // Those that fail were left out when all were measured.
            if let Ok((before, after)) =
                bench.write_speed(&write.statement, &write.relation, &alone).await
            {
                loss += lost(before.ms, after.ms, write.calls);
            }
        }
        let gain = tuner.best.gains.get(&number).copied().unwrap_or(0.0);
        if loss > gain {
            let why = format!(
                "it gains those who read {} and costs those who write {}",
                seconds(gain),
                seconds(loss)
            );
            tuner.without(number, why).await?;
            costs = measured(tuner, read, &mut Vec::new(), progress).await?;
        }
    }
    Ok(costs)
}

/// The index that gains least among those of tables whose writes lose more than it gains.
fn suspect(tuner: &Tuner<'_, PostgresArena>, costs: &[WriteCost], weighed: &Set) -> Option<usize> {
    let mut found: Option<(f64, usize)> = None;
    for number in tuner.best.set.iter().filter(|number| !weighed.contains(number)) {
        let choice = &tuner.choices[*number];
        let own =
            costs.iter().filter(|cost| Some(&cost.relation) == choice.change.relation.as_ref());
        let loss: f64 = own
            .map(|cost| {
                let (before, after) = (cost.before_per_second, cost.after_per_second);
                lost(1000.0 / before.max(1e-6), 1000.0 / after.max(1e-6), cost.calls)
            })
            .sum();
        let gain = tuner.best.gains.get(number).copied().unwrap_or(0.0);
        let writes = !choice.is_rewrite() && !choice.is_statistics();
        if writes && loss > gain && found.is_none_or(|(least, _)| gain < least) {
            found = Some((gain, *number));
        }
    }
    found.map(|(_, number)| number)
}

/// What all calls of a write lose, in milliseconds, beyond what the clock wobbles.
fn lost(before: f64, after: f64, calls: u64) -> f64 {
    if after > before * WOBBLE { (after - before) * calls as f64 } else { 0.0 }
}

/// Measures each writing statement without and with what was picked.
pub(super) async fn measured(
    tuner: &mut Tuner<'_, PostgresArena>,
    read: &Read,
    left_out: &mut Vec<LeftOut>,
    progress: &dyn Progress,
) -> Result<Vec<WriteCost>> {
    if read.writes.is_empty() {
        return Ok(Vec::new());
    }
    let changes = tuner.settle_best().await?;
    let mut costs = Vec::new();
    for write in read.writes.iter().take(MOST) {
        progress.step(&format!("measuring writes to {}", write.relation));
        let bench = tuner.arena.bench();
        match bench.write_speed(&write.statement, &write.relation, &changes).await {
            Ok((before, after)) => costs.push(WriteCost {
                relation: write.relation.clone(),
                operation: operation(write).into(),
                statement: write.statement.text.clone(),
                calls: write.calls,
                before_per_second: 1000.0 / before.ms.max(0.001),
                after_per_second: 1000.0 / after.ms.max(0.001),
                hot_before: before.hot,
                hot_after: after.hot,
            }),
            Err(error) if trial_fatal(&error) => return Err(error),
            Err(error) => left_out.push(LeftOut {
                statement: write.statement.text.clone(),
                calls: write.calls,
                reason: format!("it fails on the lab's copy: {error}"),
            }),
        }
    }
    Ok(costs)
}

fn operation(write: &Write) -> &'static str {
    match write.root.node {
        Some(NodeEnum::InsertStmt(_)) => "INSERT",
        Some(NodeEnum::UpdateStmt(_)) => "UPDATE",
        Some(NodeEnum::DeleteStmt(_)) => "DELETE",
        _ => "MERGE",
    }
}
