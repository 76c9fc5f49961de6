use std::collections::HashSet;

use marula_core::{Error, ErrorKind, Result};
use pg_query::NodeRef;

use super::bodies::{self, refuse};
use super::calls::{Calls, Name, last_name};
use super::lookup::{self, Function};
use super::{forbidden, harmless, refused};
use crate::sql::{self, ParsedStatement};
use crate::{Session, error, transaction};

/// Rounds of looking into what the last round found: views on views, functions in functions.
const MAX_ROUNDS: usize = 64;

/// Resolves everything the statement calls in the server's catalogue, through views, row
/// security policies, domains, operators, casts, aggregates and the bodies of functions.
///
/// Refused are: functions that the server calls volatile, unless they are known to do no harm;
/// SECURITY DEFINER functions; functions in untrusted languages, or whose bodies write, run
/// texts as SQL or call what is forbidden; foreign tables that start a program.
///
/// # Errors
/// `Refused` with the name and the way to it, marked in the statement; nothing of it was sent.
pub async fn check_in_catalog(session: &Session, statement: &ParsedStatement) -> Result<()> {
    let Some(root) = statement.root() else {
        return Err(Error::new(ErrorKind::Usage, "there is no statement in the text"));
    };
    let mut calls = Calls::default();
    calls.collect(root.to_ref());
    let checked = transaction::read_only(session, check_calls(session, calls)).await;
    checked.map_err(|error| match (error.kind(), location(statement, error.message())) {
        (ErrorKind::Refused, Some(location)) => {
            let what = error.message().trim_end_matches(": nothing was sent").to_string();
            refused(statement, location, &what)
        }
        _ => error,
    })
}

/// What has been looked at, and what is still to be.
#[derive(Default)]
struct Open {
    functions: HashSet<u32>,
    relations: HashSet<u32>,
    names: HashSet<(Name, i32)>,
    columns: HashSet<u32>,
}

async fn check_calls(session: &Session, mut calls: Calls) -> Result<()> {
    let client = session.client();
    let failed = |e: tokio_postgres::Error| error::from_server(&e);
    let row = client
        .query_one("SELECT pg_catalog.current_schemas(true)::text[]", &[])
        .await
        .map_err(failed)?;
    let path: Vec<String> = row.try_get(0).map_err(failed)?;
    // So that nothing of the user's stands in for the system's, and definitions come with
    // every name qualified.
    client.batch_execute("SET LOCAL search_path = pg_catalog").await.map_err(failed)?;
    let mut open = Open::default();
    for _ in 0..MAX_ROUNDS {
        let mut next = Calls::default();
        round(session, &path, &calls, &mut open, &mut next).await?;
        if next.is_empty() {
            return Ok(());
        }
        calls = next;
    }
    Err(refuse("the statement", "goes through too many views and functions to be checked"))
}

async fn round(
    session: &Session,
    path: &[String],
    calls: &Calls,
    open: &mut Open,
    next: &mut Calls,
) -> Result<()> {
    let client = session.client();
    let major = session.version().major;
    let failed = |e: tokio_postgres::Error| error::from_server(&e);
    let wanted: Vec<(Name, i32)> = calls
        .functions
        .iter()
        .map(|(name, count)| (name.clone(), count.unwrap_or(-1)))
        .filter(|wanted| open.names.insert(wanted.clone()))
        .collect();
    let mut functions = Vec::new();
    if !wanted.is_empty() {
        functions.extend(lookup::functions(client, major, path, &wanted).await.map_err(failed)?);
    }
    if !calls.attributes.is_empty() {
        let names: Vec<String> = calls.attributes.iter().cloned().collect();
        functions.extend(lookup::attributes(client, major, &names).await.map_err(failed)?);
    }
    let mut parts: Vec<u32> = calls.parts.iter().copied().collect();
    if !calls.operators.is_empty() {
        let names: Vec<Name> = calls.operators.iter().cloned().collect();
        parts.extend(lookup::operators(client, path, &names).await.map_err(failed)?);
    }
    let relations: Vec<Name> = calls.relations.iter().cloned().collect();
    if !relations.is_empty() {
        for relation in lookup::relations(client, path, &relations).await.map_err(failed)? {
            if !open.relations.insert(relation.oid) {
                continue;
            }
            open.columns.extend(&relation.types);
            if relation.runs_program {
                return Err(refuse(&relation.title, "starts a program on the server"));
            }
            for text in &relation.texts {
                bodies::of_sql(text, &relation.title, next)?;
            }
        }
    }
    // A type may be written as a function: money(1).
    let types: Vec<Name> =
        calls.types.iter().chain(calls.functions.iter().map(|(name, _)| name)).cloned().collect();
    if !types.is_empty() || !relations.is_empty() {
        let columns: Vec<u32> = open.columns.iter().copied().collect();
        let (conditions, casts) =
            lookup::types(client, path, &types, &columns).await.map_err(failed)?;
        for text in &conditions {
            bodies::of_sql(text, "a domain's condition", next)?;
        }
        parts.extend(casts);
    }
    parts.retain(|oid| !open.functions.contains(oid));
    if !parts.is_empty() {
        functions.extend(lookup::by_oid(client, major, &parts).await.map_err(failed)?);
    }
    for function in functions {
        if open.functions.insert(function.oid) {
            judge(&function, next)?;
        }
    }
    Ok(())
}

fn judge(function: &Function, next: &mut Calls) -> Result<()> {
    let title = function.title();
    if let Some(reason) = forbidden::function(&function.name) {
        return Err(refuse(&title, reason));
    }
    if function.volatile && !(function.vetted && harmless::is_harmless(&function.name)) {
        return Err(refuse(&title, "is VOLATILE: it may write or have other effects"));
    }
    next.parts.extend(&function.parts);
    if function.vetted {
        return Ok(());
    }
    if function.definer {
        return Err(refuse(&title, "is SECURITY DEFINER: it runs with another user's rights"));
    }
    let mut inside = Calls::default();
    match function.language.as_str() {
        // Aggregates, and what CREATE TYPE … AS RANGE makes; else a name for any of the
        // system's functions.
        "internal"
            if function.body == "aggregate_dummy"
                || function.body.starts_with("range_constructor")
                || function.body.starts_with("multirange_constructor") => {}
        "internal" | "c" => {
            return Err(refuse(&title, "is native code outside of any extension"));
        }
        "sql" => bodies::of_sql(&bodies::unfolded(&function.body), &title, &mut inside)?,
        "plpgsql" => bodies::of_plpgsql(&function.body, &title, &mut inside)?,
        _ if !function.trusted => {
            return Err(refuse(&title, "is written in an untrusted language"));
        }
        _ => bodies::of_other(&function.body, &title)?,
    }
    if function.own_path {
        inside.look_anywhere();
    }
    next.merge(inside);
    Ok(())
}

/// Where the name a refusal begins with stands in the statement.
fn location(statement: &ParsedStatement, message: &str) -> Option<i32> {
    let first = message.split([' ', '(']).next()?;
    let bare = first.rsplit('.').next()?;
    let mut found = None;
    let _ = sql::walk(statement.root()?.to_ref(), |node| {
        if found.is_some() {
            return;
        }
        found = match node {
            NodeRef::FuncCall(call) if last_name(&call.funcname) == Some(bare) => {
                Some(call.location)
            }
            NodeRef::RangeVar(relation) if relation.relname == bare => Some(relation.location),
            NodeRef::ColumnRef(column) if last_name(&column.fields) == Some(bare) => {
                Some(column.location)
            }
            _ => None,
        };
    });
    found
}
