//! Runs the statements of a migration one by one, and tells who watches.

use std::time::Duration;

use marula_core::{Error, Result};
use marula_postgres::Session;

use super::failed;
use super::record::Recorder;
use crate::migration::{Options, Step, StepKind};
use crate::postgres::classify;

/// How often what gets no lock within its lock_timeout is tried.
const TRIES: u32 = 30;

/// Runs all steps as their file wants it. What fails ends it; what is done stays.
///
/// # Errors
/// The server's complaint about a step.
pub(super) async fn execute(
    session: &Session,
    steps: &[Step],
    options: &Options,
    recorder: &mut Recorder<'_>,
) -> Result<()> {
    let client = session.client();
    let limit = options.lock_timeout.map_or(0, |limit| limit.as_millis());
    client.batch_execute(&format!("SET lock_timeout = {limit}")).await.map_err(failed)?;
    if options.transaction {
        return together(session, steps, recorder).await;
    }
    let mut open = false;
    for (at, step) in steps.iter().enumerate() {
        recorder.before(session, at, open).await?;
        for attempt in 1.. {
            recorder.tried(at, attempt);
            let ran = one(session, at, step, &mut open, recorder).await;
            match ran {
                Ok(()) => break,
                Err(error) if patient(&error, attempt) && !open => pause(attempt).await,
                Err(error) => {
                    let _ = client.batch_execute("ROLLBACK").await;
                    recorder.failed(at, &error);
                    return Err(error);
                }
            }
        }
    }
    if open { client.batch_execute("COMMIT").await.map_err(failed) } else { Ok(()) }
}

/// One statement, by itself or in the transaction that the file opened.
async fn one(
    session: &Session,
    at: usize,
    step: &Step,
    open: &mut bool,
    recorder: &mut Recorder<'_>,
) -> Result<()> {
    let client = session.client();
    let StepKind::Sql(statement) = &step.kind else { return Ok(()) };
    let word = step.text.split_whitespace().next().unwrap_or_default().to_uppercase();
    let control = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"];
    let alone = classify::outside_transaction(statement) || ["DO", "CALL", "SET"].contains(&&*word);
    if *open || alone || control.contains(&&*word) {
        client.batch_execute(&step.text).await.map_err(failed)?;
        if control.contains(&&*word) {
            *open = matches!(&*word, "BEGIN" | "START");
        }
        return recorder.after(session, at, *open).await;
    }
    // What it holds can only be seen before it lets go.
    let run = async {
        client.batch_execute("BEGIN").await.map_err(failed)?;
        client.batch_execute(&step.text).await.map_err(failed)?;
        recorder.after(session, at, true).await?;
        client.batch_execute("COMMIT").await.map_err(failed)
    };
    let ran = run.await;
    if ran.is_err() {
        let _ = client.batch_execute("ROLLBACK").await;
    }
    recorder.ended(at);
    ran
}

/// All in one transaction, which is tried again as a whole.
async fn together(session: &Session, steps: &[Step], recorder: &mut Recorder<'_>) -> Result<()> {
    let client = session.client();
    for attempt in 1.. {
        let mut at = 0;
        let run = async {
            recorder.before(session, 0, false).await?;
            client.batch_execute("BEGIN").await.map_err(failed)?;
            for (number, step) in steps.iter().enumerate() {
                at = number;
                if number > 0 {
                    recorder.before(session, number, true).await?;
                }
                recorder.tried(number, attempt);
                client.batch_execute(&step.text).await.map_err(failed)?;
                recorder.after(session, number, true).await?;
            }
            client.batch_execute("COMMIT").await.map_err(failed)
        };
        let ran = run.await;
        recorder.ended(at);
        match ran {
            Ok(()) => return Ok(()),
            Err(error) => {
                let _ = client.batch_execute("ROLLBACK").await;
                if !patient(&error, attempt) {
                    recorder.failed(at, &error);
                    return Err(error);
                }
                pause(attempt).await;
            }
        }
    }
    Ok(())
}

fn patient(error: &Error, attempt: u32) -> bool {
    error.server_code() == Some("55P03") && attempt < TRIES
}

/// Longer after each try, and never as long as another's.
async fn pause(attempt: u32) {
    let most = 50u64 << attempt.min(5);
    let time = rand::random_range(most / 2..=most);
    tokio::time::sleep(Duration::from_millis(time)).await;
}
