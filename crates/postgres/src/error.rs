//! What the driver and the server say, as marula's errors.

use std::error::Error as _;

use marula_core::{Error, ErrorKind};
use tokio_postgres::error::{DbError, ErrorPosition};

use crate::ConnectSpec;

/// What to do about a statement that does not parse.
const MEND: &str = "mend the statement";

/// The error of a statement or a connection, by the server's own code.
pub fn from_server(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(db) => from_db(db),
        None if error.is_closed() || is_io(error) => died(),
        None => Error::new(ErrorKind::Server, chain(error)),
    }
}

/// [`from_server`], with the place the server points to marked in `text`.
pub(crate) fn from_statement(error: &tokio_postgres::Error, text: &str, offset: usize) -> Error {
    let made = from_server(error);
    let position = error.as_db_error().and_then(DbError::position);
    let Some(ErrorPosition::Original(position)) = position else { return made };
    // The server counts characters from one, and `offset` bytes of ASCII stand before the text.
    let number = (*position as usize).saturating_sub(1).saturating_sub(offset);
    let start = text.char_indices().nth(number).map_or(text.len(), |(at, _)| at);
    made.mark(crate::sql::mark_word(text, start)).instead(MEND, "mend the statement at the mark")
}

/// The server's connection broke.
pub(crate) fn died() -> Error {
    Error::new(ErrorKind::ServerDied, "the server closed the connection in the middle")
        .hint("look into the server's log, and try again when it is up")
}

/// Somebody answered and hung up before the connection stood.
fn hung_up() -> Error {
    Error::new(ErrorKind::Unreachable, "the server closed the connection at once")
        .hint("check that PostgreSQL listens on this port, and the server's log")
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// The error with those below it, for what is not the server's own.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        below = source.source();
    }
    text
}

fn from_db(db: &DbError) -> Error {
    let code = db.code().code();
    let (kind, hint) = match code {
        "57014" | "25P03" | "57P05" | "25P04" => (ErrorKind::Timeout, "raise --timeout"),
        "55P03" => (ErrorKind::Timeout, "try again when the lock is free"),
        "28P01" => (ErrorKind::Denied, "check the password (PGPASSWORD, ~/.pgpass)"),
        "28000" => (ErrorKind::Denied, "check the user and the server's pg_hba.conf"),
        "42501" => (ErrorKind::Denied, "ask for the right, or connect as another user"),
        "3D000" => (ErrorKind::NotFound, "name a database that exists"),
        "42P01" | "42703" | "42883" | "3F000" | "42704" => {
            (ErrorKind::NotFound, "check the name and the search_path")
        }
        "42601" => (ErrorKind::Syntax, MEND),
        "25006" => (ErrorKind::Refused, "take out what writes: the session is read-only"),
        "57P01" | "57P02" | "57P04" | "08006" | "08003" => {
            (ErrorKind::ServerDied, "look into the server's log, and try again when it is up")
        }
        "57P03" => (ErrorKind::Unreachable, "wait until the server has started"),
        "53300" => (ErrorKind::Unreachable, "free a connection, or raise max_connections"),
        "54001" => (ErrorKind::Unsupported, "write long chains as a list: IN (…), VALUES (…)"),
        "0A000" => (ErrorKind::Unsupported, "write it in a way this server version has"),
        _ => (ErrorKind::Server, ""),
    };
    let mut error = Error::new(kind, db.message()).code(code);
    if let Some(own) = db.hint() {
        error = error.hint(own);
    }
    if let Some(detail) = db.detail() {
        error = error.hint(format!("the server adds: {detail}"));
    }
    if hint.is_empty() { error } else { error.hint(hint) }
}

/// Why a connection could not be made.
pub(crate) fn from_connecting(
    error: &tokio_postgres::Error,
    spec: &ConnectSpec,
    had_password: bool,
) -> Error {
    let with_notes = |error: Error| spec.notes.iter().fold(error, |error, note| error.hint(note));
    if let Some(db) = error.as_db_error() {
        return with_notes(from_db(db));
    }
    let text = chain(error);
    if text.contains("password missing") {
        return with_notes(
            Error::new(ErrorKind::Denied, format!("the server wants a password for {}", spec.user))
                .hint("set PGPASSWORD, or write a line into ~/.pgpass (mode 0600)"),
        );
    }
    if text.contains("server does not support TLS") {
        return Error::new(
            ErrorKind::Denied,
            format!("the server has no TLS, sslmode={} wants it", spec.ssl_mode),
        )
        .hint("turn ssl on in the server, or use sslmode=prefer");
    }
    let below = error.source();
    if below.is_some_and(|source| source.is::<std::io::Error>()) || text.contains("lookup address")
    {
        if text.contains("certificate") || text.contains("TLS") || text.contains("alert") {
            return Error::new(ErrorKind::Denied, format!("TLS failed: {text}")).hint(
                "check sslmode and sslrootcert against the server's certificate and host name",
            );
        }
        // Which of the two ends a connection depends on who is quicker: FIN or RST.
        let io = below.and_then(|source| source.downcast_ref::<std::io::Error>());
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionReset) {
            return hung_up();
        }
        return Error::new(ErrorKind::Unreachable, format!("the server cannot be reached: {text}"))
            .hint("check that it runs, and the host and port");
    }
    if text.contains("authentication") {
        let hint = if had_password { "check the password" } else { "give a password" };
        return with_notes(Error::new(ErrorKind::Denied, text).hint(hint));
    }
    if error.is_closed() {
        return hung_up();
    }
    Error::new(ErrorKind::Unreachable, text).hint("check that it runs, and the host and port")
}
