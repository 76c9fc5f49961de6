//! The tables that were found, made on a real server, filled, joined again and compared with what
//! was read: as multisets, value by value, with every key and reference declared.

use std::io::Cursor;
use std::pin::pin;

use futures_util::SinkExt;
use marula_core::{
    Dataset, Depth, Engine, Error, LabServer, Progress, Proof, Result, Verdict, grouped,
};
use marula_lab::{discover, shared};
use marula_postgres::{Session, SessionOptions, from_server};

use super::types::Class;
use super::world::World;

/// What one table came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rejoined {
    /// The table that was read.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The rows of the join of its parts.
    pub joined: u64,
    /// Rows (by value and count) that the join does not give.
    pub lost: u64,
    /// Rows that it gives and were not there.
    pub invented: u64,
}

impl Rejoined {
    /// Whether the join gives what was read, and nothing else.
    pub fn equal(&self) -> bool {
        self.rows == self.joined && self.lost == 0 && self.invented == 0
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Makes the tables in the lab and compares. What the lab cannot do is said in the proof.
pub async fn prove(world: &World, progress: &dyn Progress) -> (Proof, Vec<Rejoined>) {
    match on_a_server(world, progress).await {
        Ok((server, rejoined)) => {
            let rows: u64 = rejoined.iter().map(|one| one.rows).sum();
            let equal = rejoined.iter().all(Rejoined::equal);
            let (verdict, reason) = match equal {
                true => (
                    Verdict::Proven,
                    format!(
                        "{} made with {} and {}, filled, and joined again: the same {} as were read",
                        counted(world.entities.len() as u64, "table", "tables"),
                        if world.entities.len() == 1 { "its key" } else { "their keys" },
                        counted(world.references.len() as u64, "reference", "references"),
                        counted(rows, "row", "rows")
                    ),
                ),
                false => (Verdict::Refuted, "joined again they are not what was read".to_string()),
            };
            let proof = Proof {
                dataset: Some(Dataset { depth: Depth::Full, share: 1.0, rows }),
                server: Some(server),
                results_equal: Some(equal),
                ..Proof::bare(verdict, reason)
            };
            (proof, rejoined)
        }
        Err(error) => {
            let verdict = match error.kind() {
                marula_core::ErrorKind::Server => Verdict::Inconclusive,
                _ => Verdict::NotTried,
            };
            (Proof::bare(verdict, format!("not joined on a server: {error}")), Vec::new())
        }
    }
}

async fn on_a_server(world: &World, progress: &dyn Progress) -> Result<(LabServer, Vec<Rejoined>)> {
    let choice = discover::choose(Engine::Postgres, None)?;
    let server = shared::postgres(choice.install.version.major).await?;
    let spec = server.create_database().await?;
    let session = Session::open(&spec, &SessionOptions::lab()).await?;
    let run = async |sql: String| {
        session.client().batch_execute(&sql).await.map_err(|error| from_server(&error))
    };
    for (at, entity) in world.entities.iter().enumerate() {
        progress.step(&format!("making {}", entity.name));
        let columns: Vec<String> = (0..entity.attributes.len())
            .map(|place| format!("a{place} {}", type_of(world, at, place)))
            .collect();
        run(format!("CREATE TABLE e{at} ({})", columns.join(", "))).await?;
        let rows = (0..entity.rows.len()).map(|member| {
            (0..entity.attributes.len())
                .map(|place| match entity.attributes[place].column {
                    Some(_) => world.value(entity, place, member).map(str::to_string),
                    None => Some((u64::from(entity.rows[member]) + 1).to_string()),
                })
                .collect()
        });
        copy(&session, &format!("e{at}"), rows).await?;
        let key: Vec<String> = entity.key.iter().map(|place| format!("a{place}")).collect();
        if !key.is_empty() {
            run(format!("ALTER TABLE e{at} ADD PRIMARY KEY ({})", key.join(", "))).await?;
        }
    }
    for reference in &world.references {
        let list = |places: &[usize]| {
            places.iter().map(|place| format!("a{place}")).collect::<Vec<_>>().join(", ")
        };
        let to = &world.entities[reference.to];
        run(format!(
            "ALTER TABLE e{} ADD FOREIGN KEY ({}) REFERENCES e{} ({})",
            reference.from,
            list(&reference.attributes),
            reference.to,
            list(&to.key)
        ))
        .await?;
    }
    let mut out = Vec::new();
    for (at, table) in world.tables.iter().enumerate() {
        if table.columns.is_empty() {
            continue;
        }
        progress.step(&format!("joining {} again", table.name));
        let columns: Vec<String> =
            (0..table.columns.len()).map(|column| format!("c{column} text")).collect();
        run(format!("CREATE TABLE t{at} ({})", columns.join(", "))).await?;
        let rows = (0..table.rows).map(|row| {
            table.columns.iter().map(|column| column.text(row).map(str::to_string)).collect()
        });
        copy(&session, &format!("t{at}"), rows).await?;
        run(format!("ANALYZE; CREATE VIEW i{at} AS {}", input(world, at))).await?;
        run(format!("CREATE VIEW j{at} AS {}", joined(world, at))).await?;
        out.push(compare(&session, world, at).await?);
    }
    let server = LabServer { engine: Engine::Postgres, version: session.version() };
    Ok((server, out))
}

/// The table as it was read, with its values as what they are.
fn input(world: &World, at: usize) -> String {
    let columns: Vec<String> = (0..world.tables[at].columns.len())
        .map(|column| {
            let class = world.typed[at][represented(world, at, column)].class;
            format!("c{column}::{} AS v{column}", sql_type(class))
        })
        .collect();
    format!("SELECT {} FROM t{at}", columns.join(", "))
}

/// The column that stands for it.
fn represented(world: &World, at: usize, column: usize) -> usize {
    let same = world.decomposed[at].same.iter().find(|(same, _)| *same == column);
    same.map_or(column, |(_, other)| *other)
}

/// The join of a table's parts.
fn joined(world: &World, at: usize) -> String {
    let parts = &world.decomposed[at].parts;
    let place = |part: usize, column: usize| {
        let entity = &world.entities[world.of_part[at][part]];
        entity.attributes.iter().position(|known| known.column == Some(column))
    };
    let columns: Vec<String> = (0..world.tables[at].columns.len())
        .map(|column| {
            let wanted = represented(world, at, column);
            let found = (0..parts.len()).find_map(|part| Some((part, place(part, wanted)?)));
            match found {
                Some((part, place)) => format!("p{part}.a{place} AS v{column}"),
                None => format!("NULL::text AS v{column}"),
            }
        })
        .collect();
    let mut sql = format!("SELECT {} FROM e{} p0", columns.join(", "), world.of_part[at][0]);
    for (index, part) in parts.iter().enumerate().skip(1) {
        let Some(parent) = part.parent else { continue };
        let on: Vec<String> = part
            .key
            .iter()
            .filter_map(|column| {
                let (here, there) = (place(index, *column)?, place(parent, *column)?);
                Some(format!("p{index}.a{here} = p{parent}.a{there}"))
            })
            .collect();
        let entity = world.of_part[at][index];
        sql.push_str(&format!(" LEFT JOIN e{entity} p{index} ON {}", on.join(" AND ")));
    }
    sql
}

async fn compare(session: &Session, world: &World, at: usize) -> Result<Rejoined> {
    let columns: Vec<String> =
        (0..world.tables[at].columns.len()).map(|column| format!("v{column}")).collect();
    let columns = columns.join(", ");
    let counted = |view: &str| format!("SELECT {columns}, count(*) FROM {view} GROUP BY {columns}");
    let (input, joined) = (counted(&format!("i{at}")), counted(&format!("j{at}")));
    let sql = format!(
        "SET work_mem = '256MB'; SET max_parallel_workers_per_gather = 0;
         CREATE TABLE r{at} AS SELECT (SELECT count(*) FROM i{at}) AS rows,
           (SELECT count(*) FROM j{at}) AS joined,
           (SELECT count(*) FROM ({input} EXCEPT {joined}) lost) AS lost,
           (SELECT count(*) FROM ({joined} EXCEPT {input}) invented) AS invented"
    );
    let failed = |error: tokio_postgres::Error| from_server(&error);
    session.client().batch_execute(&sql).await.map_err(failed)?;
    let asked = format!("SELECT rows, joined, lost, invented FROM r{at}");
    let row = session.client().query_one(&asked, &[]).await.map_err(failed)?;
    let number = |place: usize| -> Result<u64> {
        let number: i64 = row.try_get(place).map_err(failed)?;
        Ok(u64::try_from(number).unwrap_or_default())
    };
    Ok(Rejoined {
        table: world.tables[at].name.clone(),
        rows: number(0)?,
        joined: number(1)?,
        lost: number(2)?,
        invented: number(3)?,
    })
}

fn type_of(world: &World, entity: usize, place: usize) -> &'static str {
    let entity = &world.entities[entity];
    match entity.attributes[place].column {
        Some(column) => sql_type(world.typed[entity.table][column].class),
        None => "bigint",
    }
}

fn sql_type(class: Class) -> &'static str {
    match class {
        Class::Boolean => "boolean",
        Class::Integer => "bigint",
        Class::Decimal | Class::Vast => "numeric",
        Class::Float => "double precision",
        Class::Date => "date",
        Class::Timestamp => "timestamptz",
        Class::Uuid => "uuid",
        Class::Json => "jsonb",
        Class::ObjectId | Class::Binary | Class::Text => "text",
    }
}

/// So much is sent at once, in bytes.
const CHUNK: usize = 1 << 20;

async fn copy(
    session: &Session,
    table: &str,
    rows: impl Iterator<Item = Vec<Option<String>>>,
) -> Result<()> {
    let failed = |error: tokio_postgres::Error| -> Error { from_server(&error) };
    let into = format!("COPY {table} FROM STDIN");
    let sink = session.client().copy_in::<_, Cursor<Vec<u8>>>(&into).await.map_err(failed)?;
    let mut sink = pin!(sink);
    let mut chunk = Vec::with_capacity(CHUNK + 8192);
    for row in rows {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                chunk.push(b'\t');
            }
            match value {
                Some(text) => escaped(text, &mut chunk),
                None => chunk.extend_from_slice(b"\\N"),
            }
        }
        chunk.push(b'\n');
        if chunk.len() >= CHUNK {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK + 8192));
            sink.feed(Cursor::new(full)).await.map_err(failed)?;
        }
    }
    if !chunk.is_empty() {
        sink.feed(Cursor::new(chunk)).await.map_err(failed)?;
    }
    sink.as_mut().finish().await.map_err(failed)?;
    Ok(())
}

fn escaped(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
}
