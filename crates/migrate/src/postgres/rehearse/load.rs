//! What clients do while a migration runs, made up from the catalogue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use marula_core::{
    ConstraintKind, LoadOperation, Relation, RelationKind, RelationalCatalog, Result,
};
use marula_postgres::Session;
use marula_postgres::sql::{quote_ident, quote_literal, quote_qualified};

use super::{failed, touched};

/// Keys that clients go through.
const KEYS: usize = 400;

/// One sort of operation.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    /// What it is called.
    pub about: LoadOperation,
    /// The types of its parameters, when they must be said.
    pub types: Vec<String>,
    /// Lists of values, as EXECUTE takes them.
    pub values: Arc<Vec<Vec<String>>>,
    /// A number that was never used before, as the last parameter.
    pub fresh: Option<Arc<AtomicI64>>,
    /// Whether it is taken back at once, since nobody knows what it writes.
    pub undone: bool,
    /// Of an insert: how the new row's key is written, to be taken out again at the end.
    pub key: Option<String>,
    /// How many clients in ten do it.
    pub weight: u32,
}

impl Kind {
    /// `PREPARE name(types) AS …`.
    pub(super) fn prepare(&self, name: &str) -> String {
        let types = match self.types.as_slice() {
            [] => String::new(),
            all => format!("({})", all.join(", ")),
        };
        format!("PREPARE {name}{types} AS {}", self.about.statement)
    }

    /// `EXECUTE name(values)`, with the values of this turn.
    pub(super) fn execute(&self, name: &str, turn: usize) -> String {
        let mut values: Vec<String> = match self.values.len() {
            0 => Vec::new(),
            count => self.values[turn % count].clone(),
        };
        if let Some(fresh) = &self.fresh {
            values.push(fresh.fetch_add(1, Ordering::Relaxed).to_string());
        }
        match values.as_slice() {
            [] => format!("EXECUTE {name}"),
            all => format!("EXECUTE {name}({})", all.join(", ")),
        }
    }
}

/// The whole load.
#[derive(Debug, Clone, Default)]
pub(super) struct Load {
    /// What clients do.
    pub kinds: Vec<Kind>,
    /// What the long reader reads, to be in the way.
    pub reads: Vec<String>,
    /// What the idle writer writes.
    pub writes: Vec<String>,
    /// What cannot be done, and why.
    pub notes: Vec<String>,
}

/// Reads by key, updates and inserts on each of `touched` that holds rows. Columns that the migration
/// names in its `text` are written only if there is no other. What stands in its way takes the tables
/// in the order in which the migration names them: in another, the two would lock each other out.
pub(super) async fn mix(
    session: &Session,
    catalog: &RelationalCatalog,
    touched: &[String],
    text: &str,
) -> Result<Load> {
    let mut load = Load::default();
    let words = &touched::words_of(text);
    let all = catalog.relations.iter().filter(|r| touched.contains(&r.qualified()));
    let mut relations: Vec<&Relation> = all.collect();
    relations.sort_by_key(|relation| touched::place_of(text, &relation.name));
    for relation in relations {
        let whole = matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable);
        let read_only = matches!(relation.kind, RelationKind::MaterializedView);
        if !whole && !read_only {
            continue;
        }
        let table = quote_qualified(&relation.schema, &relation.name);
        load.reads.push(format!("SELECT 1 FROM {table} LIMIT 1"));
        let of = Of { relation, table, key: key_of(relation) };
        let keys = of.keys(session).await?;
        let mut kinds = vec![of.read(&keys)];
        if whole && let Some(update) = of.update(&keys, words) {
            // The first key is the idle writer's alone: nobody queues behind it by design.
            if let Some(first) = keys.first() {
                load.writes.push(of.written(&update, first));
            }
            kinds.push(update);
        }
        if whole {
            match of.insert(session, &keys).await? {
                Ok(insert) => kinds.push(insert),
                Err(why) => load.notes.push(format!("no client inserts into {}: {why}", of.table)),
            }
        }
        for kind in kinds {
            match trial(session, &kind).await {
                Ok(()) => load.kinds.push(kind),
                Err(why) => load.notes.push(format!(
                    "no client does the {} on {}: {why}",
                    kind.about.name, kind.about.object
                )),
            }
        }
    }
    Ok(load)
}

/// Runs it once and takes it back.
pub(super) async fn trial(session: &Session, kind: &Kind) -> Result<()> {
    let client = session.client();
    let run = async {
        client.batch_execute("BEGIN").await?;
        client.batch_execute(&kind.prepare("marula_trial")).await?;
        client.batch_execute(&kind.execute("marula_trial", 0)).await
    };
    let ran = run.await.map_err(failed);
    client.batch_execute("ROLLBACK; DEALLOCATE ALL").await.map_err(failed)?;
    ran
}

struct Of<'a> {
    relation: &'a Relation,
    table: String,
    /// The columns of its key, with their types; empty when it has none.
    key: Vec<(String, String)>,
}

/// The primary key, or else a unique key without NULLs.
fn key_of(relation: &Relation) -> Vec<(String, String)> {
    let filled = |name: &str| relation.column(name).is_some_and(|column| column.not_null);
    let unique = relation.indexes.iter().find_map(|index| {
        let columns: Option<Vec<String>> =
            index.keys.iter().map(|key| key.column.clone()).collect();
        let columns = columns.filter(|_| index.unique && index.valid && index.predicate.is_none());
        columns.filter(|columns| columns.iter().all(|column| filled(column)))
    });
    let columns = match relation.primary_key() {
        [] => unique.unwrap_or_default(),
        columns => columns.to_vec(),
    };
    let typed = columns.into_iter().filter_map(|name| {
        let of = relation.column(&name)?.type_name.clone();
        Some((name, of))
    });
    typed.collect()
}

impl Of<'_> {
    /// Some keys, each as a list of literals.
    async fn keys(&self, session: &Session) -> Result<Vec<Vec<String>>> {
        if self.key.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<String> =
            self.key.iter().map(|(name, _)| format!("{}::text", quote_ident(name))).collect();
        let sql = format!("SELECT {} FROM {} LIMIT {KEYS}", names.join(", "), self.table);
        let rows = session.client().query(&sql, &[]).await.map_err(failed)?;
        let literal = |value: Option<String>| value.map_or("NULL".into(), |v| quote_literal(&v));
        let key =
            |row: &tokio_postgres::Row| (0..row.len()).map(|at| literal(row.get(at))).collect();
        Ok(rows.iter().map(key).collect())
    }

    fn kind(&self, name: &str, statement: String, values: Vec<Vec<String>>, weight: u32) -> Kind {
        Kind {
            about: LoadOperation { name: name.into(), object: self.shown(), statement },
            types: Vec::new(),
            values: Arc::new(values),
            fresh: None,
            undone: false,
            key: None,
            weight,
        }
    }

    fn shown(&self) -> String {
        match self.relation.schema.as_str() {
            "public" => self.relation.name.clone(),
            _ => self.relation.qualified(),
        }
    }

    fn by_key(&self) -> String {
        let parts = self.key.iter().enumerate();
        let parts = parts.map(|(at, (name, _))| format!("{} = ${}", quote_ident(name), at + 1));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    fn types(&self) -> Vec<String> {
        self.key.iter().map(|(_, of)| of.clone()).collect()
    }

    fn others(keys: &[Vec<String>]) -> Vec<Vec<String>> {
        if keys.len() > 1 { keys[1..].to_vec() } else { keys.to_vec() }
    }

    fn read(&self, keys: &[Vec<String>]) -> Kind {
        let columns: Vec<String> =
            self.relation.columns.iter().map(|column| quote_ident(&column.name)).collect();
        let columns = if columns.is_empty() { "1".into() } else { columns.join(", ") };
        if self.key.is_empty() || keys.is_empty() {
            let sql = format!("SELECT {columns} FROM {} LIMIT 1", self.table);
            return self.kind("read", sql, Vec::new(), 5);
        }
        let sql = format!("SELECT {columns} FROM {} WHERE {}", self.table, self.by_key());
        Kind { types: self.types(), ..self.kind("read", sql, Self::others(keys), 5) }
    }

    fn update(&self, keys: &[Vec<String>], words: &BTreeSet<String>) -> Option<Kind> {
        if self.key.is_empty() || keys.is_empty() {
            return None;
        }
        let indexed = |name: &str| {
            let keys = self.relation.indexes.iter().flat_map(|index| &index.keys);
            keys.into_iter().any(|key| key.column.as_deref() == Some(name))
        };
        let plain = self.relation.columns.iter().filter(|column| {
            column.generated.is_none() && !self.key.iter().any(|(name, _)| *name == column.name)
        });
        let column = plain.min_by_key(|c| (words.contains(&c.name), indexed(&c.name)))?;
        let name = quote_ident(&column.name);
        let sql = format!("UPDATE {} SET {name} = {name} WHERE {}", self.table, self.by_key());
        Some(Kind { types: self.types(), ..self.kind("update", sql, Self::others(keys), 3) })
    }

    /// The update with values written in.
    fn written(&self, update: &Kind, key: &[String]) -> String {
        let mut sql = update.about.statement.clone();
        for (at, value) in key.iter().enumerate().rev() {
            sql = sql.replace(&format!("${}", at + 1), value);
        }
        sql
    }

    /// A new row that is like one that is there, but for what must differ.
    async fn insert(
        &self,
        session: &Session,
        keys: &[Vec<String>],
    ) -> Result<std::result::Result<Kind, String>> {
        if self.key.is_empty() || keys.is_empty() {
            return Ok(Err("it has no key, or no row to go by".into()));
        }
        let relation = self.relation;
        let foreign = |name: &str| {
            let mut keys = relation.constraints.iter();
            keys.any(|c| {
                c.kind == ConstraintKind::ForeignKey && c.columns.iter().any(|c| c == name)
            })
        };
        let mut fresh: BTreeSet<String> = BTreeSet::new();
        let mut left_out: BTreeSet<String> = BTreeSet::new();
        for index in relation.indexes.iter().filter(|index| index.unique) {
            let columns: Vec<&marula_core::Column> = index
                .keys
                .iter()
                .filter_map(|key| relation.column(key.column.as_deref()?))
                .collect();
            let made = columns.iter().find(|c| makes_itself(c));
            if let Some(column) = made {
                left_out.insert(column.name.clone());
                continue;
            }
            let known = columns.iter().any(|column| fresh.contains(&column.name));
            let free = columns.iter().find(|c| !foreign(&c.name) && other(c).is_some());
            match free {
                _ if known => {}
                Some(column) => {
                    fresh.insert(column.name.clone());
                }
                None => return Ok(Err(format!("nothing new can be made for {}", index.name))),
            }
        }
        let (mut names, mut values) = (Vec::new(), Vec::new());
        let number = self.key.len() + 1;
        for column in relation.columns.iter().filter(|c| !left_out.contains(&c.name)) {
            if column.generated.as_deref().is_some_and(|kind| kind != "d") {
                continue;
            }
            let name = quote_ident(&column.name);
            values.push(match other(column).filter(|_| fresh.contains(&column.name)) {
                Some(make) => make.replace("{c}", &name).replace("{n}", &format!("${number}")),
                None => name.clone(),
            });
            names.push(name);
        }
        let row: Vec<String> = self.key.iter().map(|(name, _)| quote_ident(name)).collect();
        let key = format!("ROW({})::text", row.join(", "));
        let into = match names.as_slice() {
            [] => return Ok(Err("all its columns make themselves".into())),
            all => all.join(", "),
        };
        let sql = format!(
            "INSERT INTO {table} ({into}) SELECT {} FROM {table} WHERE {} RETURNING {key}",
            values.join(", "),
            self.by_key(),
            table = self.table
        );
        let mut types = self.types();
        let mut counter = None;
        if !fresh.is_empty() {
            types.push("bigint".into());
            counter = Some(Arc::new(AtomicI64::new(self.highest(session, &fresh).await? + 1)));
        }
        Ok(Ok(Kind {
            types,
            fresh: counter,
            key: Some(key),
            ..self.kind("insert", sql, Self::others(keys), 2)
        }))
    }

    /// The highest number in columns that are to be numbered on.
    async fn highest(&self, session: &Session, columns: &BTreeSet<String>) -> Result<i64> {
        let mut highest = 1_000_000;
        for column in columns {
            let about = self.relation.column(column);
            if about.is_some_and(|column| is_number(&column.type_name)) {
                let name = quote_ident(column);
                let sql = format!("SELECT max({name})::bigint FROM {}", self.table);
                let row = session.client().query_one(&sql, &[]).await.map_err(failed)?;
                highest = highest.max(row.get::<_, Option<i64>>(0).unwrap_or(0));
            }
        }
        Ok(highest)
    }
}

fn is_number(of: &str) -> bool {
    matches!(of, "smallint" | "integer" | "bigint") || of.starts_with("numeric")
}

/// Whether its default gives every row another value.
fn makes_itself(column: &marula_core::Column) -> bool {
    let default = column.default.as_deref().unwrap_or_default();
    let identity = column.generated.as_deref().is_some_and(|kind| kind == "a" || kind == "d");
    identity || default.contains("nextval(") || default.contains("uuid")
}

/// How a value that is not there yet is made of an old one `{c}` and a new number `{n}`.
fn other(column: &marula_core::Column) -> Option<String> {
    let of = column.type_name.as_str();
    let short =
        of.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')?.parse::<i32>().ok());
    Some(match of {
        _ if is_number(of) && of != "smallint" => format!("{{n}}::{of}"),
        "text" | "citext" => "{c} || '~' || {n}".into(),
        _ if of.starts_with("character varying") => match short {
            Some(length) => format!("left({{c}}, greatest({length} - 12, 0)) || '~' || {{n}}"),
            None => "{c} || '~' || {n}".into(),
        },
        "uuid" => "md5({n}::text || random()::text)::uuid".into(),
        "date" => "({c} + {n}::integer % 100000)".into(),
        _ if of.starts_with("timestamp") => "({c} + {n} * interval '1 second')".into(),
        _ => return None,
    })
}
