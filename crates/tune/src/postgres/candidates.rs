//! Which indexes could serve a statement: thought of per occurrence of a relation, without those
//! that exist, ranked by what the plan says they could save.

mod existing;
mod generate;
mod name;
mod rank;
mod selectivity;

use marula_core::{ChangeKind, Plan, RelationKind, RelationalCatalog};
use marula_postgres::sql::quote_ident;

use super::Shape;
use crate::Proposal;

/// What an index would be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Finding the rows a condition keeps.
    Filter,
    /// Probing the relation per row of another.
    Join,
    /// Reading in the order asked for.
    Order,
    /// Grouping without hashing or sorting.
    Group,
}

/// One key of a thought-of index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateKey {
    /// As the index definition writes it.
    pub text: String,
    /// The column, when it is a plain one.
    pub column: Option<String>,
    /// Whether it descends.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
    /// An operator class other than the type's own.
    pub opclass: Option<&'static str>,
}

/// An index nobody has made yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The relation, qualified.
    pub relation: String,
    /// The block and the alias of the use it serves.
    pub serves: (usize, String),
    /// What it is good for.
    pub purposes: Vec<Purpose>,
    /// `btree` or `gin`.
    pub method: &'static str,
    /// What it is ordered by.
    pub keys: Vec<CandidateKey>,
    /// Columns carried along so that the heap need not be read.
    pub include: Vec<String>,
    /// The condition of a partial index.
    pub predicate: Option<String>,
    /// The share of the relation's rows it holds: 1 unless it is partial.
    pub share: f64,
    /// What it may save, as a share of the statement's time.
    pub gain: f64,
    /// Its definition as a change.
    pub proposal: Proposal,
}

/// Fewer rows than this are read faster from end to end.
const MIN_ROWS: f64 = 500.0;

/// The most indexes offered for one statement.
const MAX: usize = 6;

/// The indexes worth trying for a statement, best first. The same input always gives the same
/// list.
pub fn candidates(shape: &Shape, plan: &Plan, catalog: &RelationalCatalog) -> Vec<Candidate> {
    let weights = rank::Weights::new(plan, shape);
    let mut found: Vec<Candidate> = Vec::new();
    for (block, used) in shape.uses() {
        let Some(relation) = catalog.find(&used.relation) else { continue };
        let stored = !matches!(relation.kind, RelationKind::View | RelationKind::ForeignTable);
        let rows = relation.rows.unwrap_or(relation.activity.live_rows as f64);
        let seen = weights.rows_seen(block, &used.alias);
        if !stored || rows.max(seen) < MIN_ROWS {
            continue;
        }
        let thought = generate::generate(block, &shape.blocks[block], used, relation);
        for mut candidate in thought {
            if existing::covers(relation, &candidate) {
                continue;
            }
            candidate.gain = weights.gain(used, relation, &candidate);
            match found.iter_mut().find(|known| same_index(known, &candidate)) {
                Some(known) => {
                    known.gain = known.gain.max(candidate.gain);
                    for purpose in candidate.purposes {
                        if !known.purposes.contains(&purpose) {
                            known.purposes.push(purpose);
                        }
                    }
                }
                None => found.push(candidate),
            }
        }
    }
    let mut chosen = rank::choose(found, MAX);
    let mut taken = name::taken(catalog);
    for candidate in &mut chosen {
        if let Some(relation) = catalog.find(&candidate.relation) {
            let name = name::choose(&relation.name, candidate, &mut taken);
            candidate.proposal = proposal(candidate, relation, &name, catalog);
        }
    }
    chosen
}

fn same_index(a: &Candidate, b: &Candidate) -> bool {
    a.relation == b.relation
        && a.method == b.method
        && a.keys == b.keys
        && a.include == b.include
        && a.predicate == b.predicate
}

/// The index's definition after `ON table`: `(a, b DESC) INCLUDE (c) WHERE …`.
fn definition(candidate: &Candidate) -> String {
    let keys: Vec<String> = candidate.keys.iter().map(key).collect();
    let mut text = match candidate.method {
        "btree" => format!("({})", keys.join(", ")),
        method => format!("USING {method} ({})", keys.join(", ")),
    };
    if !candidate.include.is_empty() {
        let columns: Vec<String> = candidate.include.iter().map(|c| quote_ident(c)).collect();
        text.push_str(&format!(" INCLUDE ({})", columns.join(", ")));
    }
    if let Some(predicate) = &candidate.predicate {
        text.push_str(&format!(" WHERE {predicate}"));
    }
    text
}

fn key(key: &CandidateKey) -> String {
    let mut text = key.text.clone();
    if let Some(opclass) = key.opclass {
        text.push_str(&format!(" {opclass}"));
    }
    if key.descending {
        text.push_str(" DESC");
    }
    if key.nulls_first != key.descending {
        text.push_str(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
    }
    text
}

fn proposal(
    candidate: &Candidate,
    relation: &marula_core::Relation,
    name: &str,
    catalog: &RelationalCatalog,
) -> Proposal {
    let table = format!("{}.{}", quote_ident(&relation.schema), quote_ident(&relation.name));
    // A partitioned table takes no concurrent build.
    let concurrently = match relation.kind {
        RelationKind::PartitionedTable => "",
        _ => "CONCURRENTLY ",
    };
    let definition = definition(candidate);
    let quoted = quote_ident(name);
    let mut up = Vec::new();
    let trigrams = candidate.keys.iter().any(|key| key.opclass == Some("gin_trgm_ops"));
    if trigrams && !catalog.extensions.contains_key("pg_trgm") {
        up.push("CREATE EXTENSION IF NOT EXISTS pg_trgm".into());
    }
    up.push(format!("CREATE INDEX {concurrently}{quoted} ON {table} {definition}"));
    let schema = quote_ident(&relation.schema);
    Proposal {
        kind: ChangeKind::Index,
        title: format!("index {} {definition}", relation.name),
        relation: Some(relation.qualified()),
        up,
        down: vec![format!("DROP INDEX {concurrently}{schema}.{quoted}")],
        hazards: hazards(candidate, relation, catalog),
        conditions: vec!["no existing index begins with these keys".into()],
        gain: candidate.gain,
    }
}

fn hazards(
    candidate: &Candidate,
    relation: &marula_core::Relation,
    catalog: &RelationalCatalog,
) -> Vec<String> {
    let name = &relation.name;
    let mut hazards = vec![match relation.kind {
        RelationKind::PartitionedTable => format!(
            "SHARE lock on {name} and its partitions while it builds: writes wait; build it on \
             each partition CONCURRENTLY and attach instead when that is too long"
        ),
        _ => format!(
            "SHARE UPDATE EXCLUSIVE lock on {name}: reads and writes go on, other DDL and VACUUM \
             wait; not inside a transaction; a build that fails leaves an INVALID index to drop"
        ),
    }];
    hazards.push(format!(
        "about {} on disk, and every INSERT into {name} maintains it",
        bytes(selectivity::index_bytes(candidate, relation))
    ));
    let indexed = |column: &str| {
        relation.indexes.iter().any(|index| {
            index.keys.iter().any(|key| key.column.as_deref() == Some(column))
                || index.include.iter().any(|included| included == column)
        })
    };
    let fresh: Vec<&str> = candidate
        .keys
        .iter()
        .filter_map(|key| key.column.as_deref())
        .chain(candidate.include.iter().map(String::as_str))
        .filter(|column| !indexed(column))
        .collect();
    if !fresh.is_empty() {
        hazards.push(format!("UPDATEs of {} can no longer be HOT", fresh.join(", ")));
    }
    if candidate.keys.iter().any(|key| key.opclass == Some("gin_trgm_ops"))
        && !catalog.extensions.contains_key("pg_trgm")
    {
        hazards.push(
            "CREATE EXTENSION pg_trgm needs the CREATE right on the database, and the contrib \
             package on the server"
                .into(),
        );
    }
    if candidate.method == "gin" {
        hazards.push("GIN gathers new entries in a pending list: bulk inserts get dearer".into());
    }
    hazards
}

fn bytes(bytes: f64) -> String {
    match bytes {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.0} kB", (b / 1e3).max(8.0)),
    }
}

#[cfg(test)]
mod tests;
