//! One timed run with its rows fetched and hashed.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use marula_core::{ErrorKind, Result, Statement};
use marula_postgres::Session;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Column, Row};

use super::processor::Meter;
use crate::bench::Run;
use crate::clone::postgres::failed;
use crate::compare::{Digest, RowHash, columns_hash};

/// How long past the limit the server may take to stop before it is asked again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lets the server stop what runs longer than `limit`.
pub(super) async fn set_limit(session: &Session, limit: Duration) -> Result<()> {
    let ms = limit.as_millis().clamp(1, i32::MAX as u128);
    session.client().batch_execute(&format!("SET statement_timeout = {ms}")).await.map_err(failed)
}

/// Runs `statement` to its last row, or to the limit.
pub(super) async fn run(session: &Session, statement: &Statement, limit: Duration) -> Result<Run> {
    set_limit(session, limit).await?;
    learn_types(session, statement).await?;
    let meter = Meter::start(session).await;
    let started = Instant::now();
    let cut = |started: Instant| {
        let ms = (limit.as_secs_f64() * 1000.0).max(started.elapsed().as_secs_f64() * 1000.0);
        Run { ms, clock_ms: ms, digest: None, timed_out: true }
    };
    match tokio::time::timeout(limit + PATIENCE, fetch(session, statement)).await {
        Ok(Ok(digest)) => {
            let clock = started.elapsed().as_secs_f64() * 1000.0;
            let ms = match meter {
                Some(meter) => meter.undisturbed(session, clock).await,
                None => clock,
            };
            Ok(Run { ms, clock_ms: clock, digest: Some(digest), timed_out: false })
        }
        Ok(Err(error)) if error.kind() == ErrorKind::Timeout => Ok(cut(started)),
        Ok(Err(error)) => Err(error),
        Err(_) => {
            session.cancel().await?;
            Ok(cut(started))
        }
    }
}

/// Makes the connection know the types of the result before rows come. A type of the database's
/// own (an enum, a composite, a domain) is looked up by a query, and one that is sent while rows
/// of this statement wait to be read waits for ever.
async fn learn_types(session: &Session, statement: &Statement) -> Result<()> {
    let parameters = vec![Type::UNKNOWN; statement.parameters.len()];
    session.client().prepare_typed(&statement.text, &parameters).await.map_err(failed)?;
    Ok(())
}

async fn fetch(session: &Session, statement: &Statement) -> Result<Digest> {
    let parameters = statement.parameters.iter().map(|p| (Text(p.value.as_deref()), Type::UNKNOWN));
    let rows =
        session.client().query_typed_raw(&statement.text, parameters).await.map_err(failed)?;
    let mut rows = std::pin::pin!(rows);
    let mut digest: Option<Digest> = None;
    while let Some(row) = rows.next().await {
        let row = row.map_err(failed)?;
        let digest = digest.get_or_insert_with(|| {
            Digest::new(columns_hash(
                row.columns().iter().map(|c| (c.name(), u64::from(c.type_().oid()))),
            ))
        });
        digest.push(hash(&row));
    }
    // An empty result shows no columns; two empty results are equal.
    Ok(digest.unwrap_or_else(|| Digest::new(0)))
}

fn hash(row: &Row) -> RowHash {
    let mut hash = RowHash::new();
    for (number, column) in row.columns().iter().enumerate() {
        match row.try_get::<_, Option<Raw<'_>>>(number) {
            Ok(Some(Raw(bytes))) => value(&mut hash, column, bytes),
            Ok(None) | Err(_) => hash.null(),
        }
    }
    hash
}

fn value(hash: &mut RowHash, column: &Column, bytes: &[u8]) {
    if *column.type_() == Type::FLOAT8
        && let Ok(bytes) = bytes.try_into()
    {
        hash.float(f64::from_be_bytes(bytes));
    } else if *column.type_() == Type::FLOAT4
        && let Ok(bytes) = bytes.try_into()
    {
        hash.float(f64::from(f32::from_be_bytes(bytes)));
    } else {
        hash.bytes(bytes);
    }
}

/// A value in the server's binary form.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A parameter in text form, whatever type the server gives it.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Option<&'a str>);

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self.0 {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
