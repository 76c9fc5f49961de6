//! A live database, read-only: each table or collection, or a sample of it.

use marula_core::{CollectionKind, Engine, ErrorKind, Progress, RelationKind, Result, Statement};
use marula_postgres::sql;

use super::builder::Shredder;
use super::document::Node;
use super::{Form, Limits, Read, SourceRead, What, bson, json};

/// Reads the tables of a PostgreSQL database, of each no more rows than `limits` allows.
///
/// # Errors
/// What the server says.
pub async fn postgres(
    session: &marula_postgres::Session,
    limits: Limits,
    progress: &dyn Progress,
) -> Result<Vec<Read>> {
    use marula_postgres::catalog::{Scope, read};
    progress.step("reading the catalogue");
    let catalog = read(session, Scope::All).await?;
    let mut all = Vec::new();
    for relation in &catalog.relations {
        if !matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable) {
            continue;
        }
        progress.step(&format!("reading {}", relation.qualified()));
        let table = sql::quote_qualified(&relation.schema, &relation.name);
        let estimate = relation.rows.filter(|rows| *rows > 0.0);
        let mut source = SourceRead::new(&relation.qualified(), Form::Postgres);
        // A partitioned table has no rows of its own to draw pages of, but its parts have.
        let sample = match estimate {
            Some(rows) if rows > limits.rows as f64 * 1.2 => {
                let percent = (limits.rows as f64 * 110.0 / rows).clamp(0.0001, 100.0);
                source.of = Some(rows as u64);
                source.how = format!(
                    "a random sample of {percent:.2} % of its rows (TABLESAMPLE BERNOULLI)"
                );
                format!(" TABLESAMPLE BERNOULLI ({percent:.4}) REPEATABLE (1)")
            }
            _ => String::new(),
        };
        let text = format!(
            "SELECT pg_catalog.row_to_json(t)::text FROM {table} t{sample} LIMIT {}",
            limits.rows.saturating_add(1)
        );
        let name = match relation.schema.as_str() {
            "public" => relation.name.clone(),
            schema => format!("{schema}_{}", relation.name),
        };
        let mut shredder = Shredder::new(&name, limits);
        let statement = Statement::new(Engine::Postgres, text);
        let ran = marula_postgres::run::run(session, &statement, |row| {
            source.read += 1;
            let place = source.read;
            let text = row.first().copied().flatten().unwrap_or_default();
            let mut seen = json::Seen::default();
            match json::parse(text, &mut seen) {
                Ok(Node::Object(fields)) => match shredder.document(&fields, place, &mut source) {
                    true => source.kept += 1,
                    false => source.beyond += 1,
                },
                _ => {
                    source.trouble(What::Malformed, place, "the row is not to be had as JSON");
                    source.set_aside += 1;
                }
            }
        })
        .await;
        match ran {
            Err(error) if error.kind() == ErrorKind::Denied => {
                source.trouble(What::Empty, 0, error.message());
            }
            other => {
                other?;
            }
        }
        if source.beyond > 0 && source.of.is_none() {
            source.how = format!("its first {} rows: it was never analysed", source.kept);
        }
        let mut tables = shredder.finish(&mut source);
        if let Some(root) = tables.first_mut() {
            let columns = &root.columns;
            let there = |name: &String| columns.iter().any(|column| column.path == [name.clone()]);
            if relation.primary_key().iter().all(there) {
                root.declared_key = relation.primary_key().to_vec();
            }
        }
        all.push(Read { tables, source });
    }
    Ok(all)
}

/// Reads the collections of a MongoDB database, of each no more documents than `limits` allows.
///
/// # Errors
/// What the server says.
pub async fn mongodb(
    session: &marula_mongodb::Session,
    limits: Limits,
    progress: &dyn Progress,
) -> Result<Vec<Read>> {
    use marula_mongodb::catalog::{Scope, read};
    use marula_mongodb::{Command, command::Aggregate, command::Operation};
    progress.step("reading the collections");
    let catalog = read(session, Scope::All, None).await?;
    let mut all = Vec::new();
    for collection in &catalog.collections {
        if collection.kind == CollectionKind::View || collection.name.starts_with("system.") {
            continue;
        }
        progress.step(&format!("reading {}", collection.name));
        let mut source = SourceRead::new(&collection.name, Form::Mongodb);
        let mut pipeline = Vec::new();
        if collection.documents > limits.rows {
            let size = i64::try_from(limits.rows).unwrap_or(i64::MAX);
            pipeline.push(::bson::doc! {"$sample": {"size": size}});
            source.of = Some(collection.documents);
            source.how = format!("a random sample of {} documents ($sample)", limits.rows);
        }
        let aggregate = Aggregate { pipeline, ..Aggregate::default() };
        let command = Command::new(collection.name.clone(), Operation::Aggregate(aggregate));
        let name = crate::names::words(&collection.name).join("_");
        let mut shredder = Shredder::new(&name, limits);
        marula_mongodb::run::run(session, &command, |document| {
            source.read += 1;
            let place = source.read;
            bson::add(document, place, &mut shredder, &mut source);
            Ok(())
        })
        .await?;
        let mut tables = shredder.finish(&mut source);
        if let Some(root) = tables.first_mut()
            && root.columns.iter().any(|column| column.name == "_id")
        {
            root.declared_key = vec!["_id".into()];
        }
        all.push(Read { tables, source });
    }
    Ok(all)
}
