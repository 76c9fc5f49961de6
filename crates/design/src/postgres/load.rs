//! Filling the tables of a structure.

use std::fmt::Write as _;
use std::io::Cursor;

use futures_util::SinkExt;
use marula_core::{Error, Result};
use marula_postgres::sql::quote_ident;
use marula_postgres::{Session, from_server};
use tokio_postgres::error::SqlState;

use super::bound::text;
use super::schema::SchemaOptions;
use crate::structure::{Layout, Store, Structure};
use crate::synth::World;
use crate::work::{Record, Tree};

/// How much is sent at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// Puts every member of a world into the tables of a layout, in an order that keeps references.
///
/// # Errors
/// What the server says, such as a check the data does not keep.
pub async fn fill(
    session: &Session,
    world: &World<'_>,
    structure: &Structure,
    layout: &Layout,
) -> Result<()> {
    let options = SchemaOptions::of(session).await?;
    for store in &layout.stores {
        table(session, world, structure, &options, store).await.map_err(|refusal| refusal.error)?;
    }
    Ok(())
}

/// Why a table could not be filled; it is empty then.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What the server says.
    pub(crate) error: Error,
    /// The check that a row breaks, when it is that.
    pub(crate) check: Option<String>,
}

impl Refusal {
    fn new(error: &tokio_postgres::Error, table: &str) -> Self {
        let database = error.as_db_error();
        let check = database.filter(|said| *said.code() == SqlState::CHECK_VIOLATION);
        let check = check.and_then(|said| said.constraint()).map(str::to_owned);
        Refusal { error: from_server(error).at(table.to_owned()), check }
    }
}

/// Puts every member of a world that a store holds into its table.
pub(crate) async fn table(
    session: &Session,
    world: &World<'_>,
    structure: &Structure,
    options: &SchemaOptions,
    store: &Store,
) -> Result<(), Refusal> {
    let Some(entity) = world.index(&store.entity) else { return Ok(()) };
    let names: Vec<String> = store.fields.iter().map(|field| quote_ident(&field.name)).collect();
    let command = format!("COPY {} ({}) FROM STDIN", quote_ident(&store.entity), names.join(", "));
    let failed = |error: tokio_postgres::Error| Refusal::new(&error, &store.entity);
    let sink = session.client().copy_in::<_, Cursor<Vec<u8>>>(&command).await.map_err(failed)?;
    let mut sink = std::pin::pin!(sink);
    let mut chunk = String::with_capacity(CHUNK + 4_096);
    for row in 0..world.rows(entity) {
        let tree = Tree::alone(world.member(entity, row));
        let record = Record::new(world, structure, store, &tree);
        for (at, (_, value)) in record.fields.iter().enumerate() {
            if at > 0 {
                chunk.push('\t');
            }
            escape(&mut chunk, text(value, options).as_deref());
        }
        chunk.push('\n');
        if chunk.len() >= CHUNK {
            let part = Cursor::new(std::mem::take(&mut chunk).into_bytes());
            sink.send(part).await.map_err(failed)?;
        }
    }
    sink.send(Cursor::new(chunk.into_bytes())).await.map_err(failed)?;
    sink.finish().await.map(drop).map_err(failed)
}

/// A value as COPY's text format has it.
fn escape(out: &mut String, value: Option<&str>) {
    let Some(value) = value else {
        out.push_str("\\N");
        return;
    };
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => {
                let _ = out.write_char(other);
            }
        }
    }
}
