//! Runs a plan in the lab: what is written down is what ran.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::{Session, from_server};
use tokio_postgres::error::SqlState;

use super::plan::{Part, Planned};

/// What to do about a step that the server refuses.
const BY_HAND: &str = "do this step in a migration of your own, and take the difference again";

/// Runs a part as it will run: in one transaction, or each statement by itself. A statement that
/// had to be said otherwise is so from now on.
///
/// # Errors
/// `Unsupported` with the object and what the server said.
pub(super) async fn replay(lab: &Session, part: &mut Part) -> Result<()> {
    let client = lab.client();
    let say = |sql: &'static str| async move {
        client.batch_execute(sql).await.map_err(|error| from_server(&error))
    };
    if part.transaction {
        say("BEGIN").await?;
    }
    for planned in &mut part.statements {
        if let Err(error) = one(lab, planned, part.transaction).await {
            if part.transaction {
                say("ROLLBACK").await?;
            }
            return Err(error);
        }
    }
    if part.transaction {
        client.batch_execute("COMMIT").await.map_err(|error| {
            let error = from_server(&error);
            Error::new(
                ErrorKind::Unsupported,
                format!("the plan cannot be committed: {}", error.message()),
            )
        })?;
    }
    Ok(())
}

async fn one(lab: &Session, planned: &mut Planned, transaction: bool) -> Result<()> {
    let client = lab.client();
    let guarded = transaction && planned.otherwise.is_some();
    if guarded {
        client.batch_execute("SAVEPOINT one").await.map_err(|error| from_server(&error))?;
    }
    let Err(error) = client.batch_execute(&planned.text).await else {
        planned.otherwise = None;
        return Ok(());
    };
    if let Some(otherwise) = planned.otherwise.take()
        && error.code().is_some_and(|code| {
            [
                SqlState::DATATYPE_MISMATCH,
                SqlState::CANNOT_COERCE,
                SqlState::INVALID_PARAMETER_VALUE,
            ]
            .contains(code)
        })
    {
        if guarded {
            let back = "ROLLBACK TO SAVEPOINT one";
            client.batch_execute(back).await.map_err(|error| from_server(&error))?;
        }
        planned.text = otherwise;
        return client.batch_execute(&planned.text).await.map_err(|error| failed(planned, &error));
    }
    Err(failed(planned, &error))
}

fn failed(planned: &Planned, error: &tokio_postgres::Error) -> Error {
    let server = from_server(error);
    let what = format!("{}: {}", planned.about, server.message());
    let mut failed = Error::new(ErrorKind::Unsupported, what)
        .at(format!("the plan's statement: {}", planned.text.replace('\n', " ")))
        .hint(BY_HAND);
    if server.message().starts_with("cannot alter ")
        && server.message().contains(" because column ")
    {
        failed = failed.instead(
            BY_HAND,
            "PostgreSQL changes no attribute of a type that a column is stored in: make a new type \
             and a column of it beside the old one (marula migrate change-type does it in steps, \
             with --using), then take the difference again",
        );
    }
    if let Some(code) = server.server_code() {
        failed = failed.code(code);
    }
    failed
}
