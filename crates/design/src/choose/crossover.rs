//! Where the verdict would turn.

use std::time::Duration;

use marula_core::model::Model;
use marula_core::{Engine, ErrorKind, Progress, Result};

use super::{Compared, better};
use crate::propose::{ProposeOptions, try_engine};
use crate::search::Work;

/// Rates beyond this many times the model's are not told: the model would be another one.
const FAR: f64 = 100.0;

/// At which rate of a single operation, all others as they are, the two engines' work is equal.
/// Computed from what was measured: work grows with the rate in a straight line.
pub(super) fn rates(compared: &Compared<'_>) -> Vec<String> {
    let ahead = compared.work_ms[1] - compared.work_ms[0];
    let mut found = Vec::new();
    for (left, right, _) in &compared.pairs {
        let per_run = right.alone_ms - left.alone_ms;
        if per_run == 0.0
            || left.rate == 0.0
            || better(left.alone_ms, right.alone_ms, 0.0).is_none()
        {
            continue;
        }
        let turn = left.rate - ahead / per_run;
        if turn >= 0.0 && turn <= left.rate * FAR {
            let (side, word) = if turn > left.rate { ("above", "more") } else { ("below", "less") };
            // Beyond the turn the one that is behind now is ahead.
            let winner = if ahead > 0.0 { "MongoDB" } else { "PostgreSQL" };
            found.push(format!(
                "{winner} is ahead {side} {:.1} {} a second ({word} often than the {:.1} of the model)",
                turn, left.name, left.rate
            ));
        }
    }
    found
}

/// Whether the verdict is another with a quarter of the rows, and with four times the greatest
/// fan-out of what an engine embeds: both measured, with one design of each engine.
pub(super) async fn sizes(
    model: &Model,
    options: &ProposeOptions,
    compared: &Compared<'_>,
    progress: &dyn Progress,
) -> Result<Vec<String>> {
    let quick = ProposeOptions { candidates: 1, length: Duration::ZERO, ..options.clone() };
    let now = compared.better();
    let mut found = Vec::new();
    let smaller = ProposeOptions { rows: (options.rows / 4).max(1_000), ..quick.clone() };
    let when = "with a quarter of the rows";
    found.push(again(when, now, both(model, &smaller, progress).await)?);
    let widest = model.relations.iter().enumerate().filter(|(_, relation)| relation.owned);
    let widest = widest.max_by(|(_, a), (_, b)| {
        let average =
            |r: &marula_core::model::Relationship| r.fanout.map_or(0.0, |fanout| fanout.average);
        average(a).total_cmp(&average(b))
    });
    if let Some((at, relation)) = widest {
        let mut wider = model.clone();
        if let Some(fanout) = &mut wider.relations[at].fanout {
            fanout.average *= 4.0;
            fanout.p99 = fanout.p99.map(|p99| p99 * 4);
            fanout.max = fanout.max.map(|max| max * 4);
        }
        if let Some(many) = wider.entities.iter_mut().find(|entity| entity.name == relation.from) {
            many.rows.0 *= 4;
        }
        let when = format!("with four times as many {} for each of {}", relation.from, relation.to);
        found.push(again(&when, now, both(&wider, &quick, progress).await)?);
    }
    Ok(found)
}

/// What was measured with another size. What the servers refuse then does not undo the verdict.
fn again(when: &str, now: Option<Engine>, both: Result<[(f64, f64); 2]>) -> Result<String> {
    match both {
        Ok(times) => Ok(told(when, now, times)),
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ServerDied) => {
            Err(error)
        }
        Err(error) => Ok(format!("{when} it was not measured: {}", error.message())),
    }
}

async fn both(
    model: &Model,
    options: &ProposeOptions,
    progress: &dyn Progress,
) -> Result<[(f64, f64); 2]> {
    let work = Work::new(model);
    let postgres = try_engine(model, &work, Engine::Postgres, options, progress).await?;
    let mongodb = try_engine(model, &work, Engine::Mongodb, options, progress).await?;
    let compared = Compared::new(&postgres.designs, &mongodb.designs);
    let [left, right] = compared.work_ms;
    let [postgres, mongodb] = compared.best.map(|design| design.doubt_ms);
    Ok([(left, postgres), (right, mongodb)])
}

fn told(
    when: &str,
    now: Option<Engine>,
    [(postgres, left), (mongodb, right)]: [(f64, f64); 2],
) -> String {
    let then = better(postgres, mongodb, left.hypot(right));
    let name = |engine: Option<Engine>| engine.map_or("no difference", |engine| engine.title());
    let turns = if then == now { "the verdict stays" } else { "the verdict turns" };
    format!(
        "{when} {turns}: {} ({postgres:.1} ms of work a second on PostgreSQL, {mongodb:.1} on MongoDB)",
        name(then)
    )
}
