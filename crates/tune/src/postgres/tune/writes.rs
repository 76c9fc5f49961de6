//! What the picked changes cost those who write.

use marula_core::{LeftOut, Progress, Result, WriteCost};
use pg_query::NodeEnum;

use super::arena::PostgresArena;
use super::read::{Read, Write};
use crate::tuning::{Arena, Tuner, trial_fatal};

/// The most writing statements that are measured, the heaviest first.
const MOST: usize = 30;

/// Measures each writing statement without and with what was picked.
pub(super) async fn writes(
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
