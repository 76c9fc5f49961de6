//! What a database holds, and what its planner knows of it, in a handful of queries however many
//! relations there are.

mod columns;
mod constraints;
mod indexes;
mod relations;
mod scope;
mod server;

use std::collections::HashMap;

use marula_core::{Relation, RelationalCatalog, Result};

use crate::{Session, error, transaction};

/// How much of a database to read.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All relations the user may see, without the system's.
    All,
    /// These relations, `orders` along the search path or `shop.orders`, with what the views
    /// among them read, and the partitions of partitioned tables.
    Relations(&'a [String]),
}

/// Reads the catalogue: what the user may see and no more.
///
/// Definitions (defaults, views, constraints, indexes) come with every name qualified, so that
/// they hold under any search path.
///
/// # Errors
/// `NotFound` with the nearest names when a relation does not exist; the server's own errors.
pub async fn read(session: &Session, scope: Scope<'_>) -> Result<RelationalCatalog> {
    transaction::read_only(session, async {
        let client = session.client();
        let failed = |e: tokio_postgres::Error| error::from_server(&e).at(session.database());
        let server = server::read(client).await.map_err(failed)?;
        let wanted = scope::resolve(session, scope).await?;
        client.batch_execute("SET LOCAL search_path = pg_catalog").await.map_err(failed)?;
        let mut relations =
            relations::read(client, session.version(), &wanted).await.map_err(failed)?;
        let oids: Vec<u32> = relations.iter().map(|(oid, _)| *oid).collect();
        let places: HashMap<u32, usize> =
            oids.iter().enumerate().map(|(place, oid)| (*oid, place)).collect();
        for (oid, column) in
            columns::read(client, session.version(), &oids).await.map_err(failed)?
        {
            if let Some(relation) = at(&mut relations, &places, oid) {
                relation.columns.push(column);
            }
        }
        for (oid, constraint) in
            constraints::read(client, session.version(), &oids).await.map_err(failed)?
        {
            if let Some(relation) = at(&mut relations, &places, oid) {
                relation.constraints.push(constraint);
            }
        }
        for (oid, index) in indexes::read(client, &oids).await.map_err(failed)? {
            if let Some(relation) = at(&mut relations, &places, oid) {
                relation.indexes.push(index);
            }
        }
        Ok(RelationalCatalog {
            version: session.version(),
            database: server.database,
            search_path: server.search_path,
            relations: relations.into_iter().map(|(_, relation)| relation).collect(),
            extensions: server.extensions,
            settings: server.settings,
        })
    })
    .await
}

fn at<'a>(
    relations: &'a mut [(u32, Relation)],
    places: &HashMap<u32, usize>,
    oid: u32,
) -> Option<&'a mut Relation> {
    relations.get_mut(*places.get(&oid)?).map(|(_, relation)| relation)
}
