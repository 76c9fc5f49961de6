//! Runs a command and hands over its documents, for comparing results; and, in the lab, makes
//! changes.

use bson::{Bson, Document, RawDocument, RawDocumentBuf};
use marula_core::{Error, ErrorKind, Result};

use crate::command::{CountKind, Operation};
use crate::{Command, Session, guard};

/// Runs a reading command and calls `on_document` with each document, in the server's order.
/// `distinct` gives one document `{value: …}` per value, counts one document `{n: …}`.
///
/// # Errors
/// `Refused` by the guard (writes are never run here), `Timeout` past the session's limit, what
/// the server says, and what `on_document` returns.
pub async fn run(
    session: &Session,
    command: &Command,
    mut on_document: impl FnMut(&RawDocument) -> Result<()>,
) -> Result<u64> {
    if command.writes() {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{} changes data and is not run", command.name()),
        )
        .hint("it can be explained: that does not change anything"));
    }
    guard::check(command)?;
    if session.options().read_only {
        guard::check_in_catalog(session, command).await?;
    }
    let database = session.database_of(command);
    let mut body = command.to_command();
    body.insert("maxTimeMS", session.max_time());
    match &command.operation {
        Operation::Distinct(_) => {
            let reply = session.send(&database, body).await?;
            let values = reply.get_array("values").map(Vec::as_slice).unwrap_or_default();
            for value in values {
                emit(&mut on_document, Document::from_iter([("value".into(), value.clone())]))?;
            }
            Ok(values.len() as u64)
        }
        Operation::Count(count) if count.kind != CountKind::Documents => {
            let reply = session.send(&database, body).await?;
            let n = reply.get("n").cloned().unwrap_or(Bson::Null);
            emit(&mut on_document, Document::from_iter([("n".into(), n)]))?;
            Ok(1)
        }
        _ => {
            let mut running = database.run_raw_cursor_command(raw(&body)?);
            if let Some(criteria) = session.criteria() {
                running = running.selection_criteria(criteria);
            }
            let mut cursor = session
                .patiently(async { running.await.map_err(|failure| session.map(failure)) })
                .await?;
            let mut count = 0;
            loop {
                let next = async { cursor.advance().await.map_err(|failure| session.map(failure)) };
                if !session.patiently(next).await? {
                    return Ok(count);
                }
                on_document(cursor.current())?;
                count += 1;
            }
        }
    }
}

fn raw(body: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(body).map_err(|failure| {
        Error::new(ErrorKind::Usage, format!("it cannot be sent as BSON: {failure}"))
            .hint("correct the command and try again")
    })
}

fn emit(
    on_document: &mut impl FnMut(&RawDocument) -> Result<()>,
    document: Document,
) -> Result<()> {
    on_document(&raw(&document)?)
}

/// Makes a change in the lab: indexes, options, documents. Gives the server's reply.
///
/// # Errors
/// `Refused` on a read-only session, and what the server says.
pub async fn apply(session: &Session, command: &Command) -> Result<Document> {
    if session.options().read_only {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{} changes data, and the target is read-only", command.name()),
        )
        .hint("run it yourself once it is proved"));
    }
    session.send(&session.database_of(command), command.to_command()).await
}
