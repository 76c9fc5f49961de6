use std::collections::HashSet;

use marula_core::{ChangeKind, Relation, RelationKind, RelationalCatalog};
use marula_postgres::access::ast;
use marula_postgres::sql::quote_ident;

use super::{Candidate, CandidateKey, name, selectivity};
use crate::Proposal;

/// The most partitions that get their statements written out one by one.
const PARTS: usize = 16;

/// The candidate as statements: made without keeping anybody from writing, where that can be.
pub(super) fn proposal(
    candidate: &Candidate,
    relation: &Relation,
    catalog: &RelationalCatalog,
    taken: &mut HashSet<String>,
) -> Proposal {
    let parts = parts(relation, catalog);
    let (mut up, mut down, mut titles) = (Vec::new(), Vec::new(), Vec::new());
    let trigrams = candidate.keys.iter().any(|key| key.opclass == Some("gin_trgm_ops"));
    if trigrams && !catalog.extensions.contains_key("pg_trgm") {
        up.push("CREATE EXTENSION IF NOT EXISTS pg_trgm".into());
    }
    for keys in std::iter::once(&candidate.keys).chain(&candidate.also) {
        let definition = definition(candidate, keys);
        let mut name = |relation: &Relation| name::choose(relation, candidate, keys, taken);
        let (own, schema) = (name(relation), quote_ident(&relation.schema));
        let table = table(relation);
        if relation.kind == RelationKind::PartitionedTable {
            // Not to be had CONCURRENTLY for a partitioned table as a whole.
            let only = if parts.is_empty() { "" } else { "ONLY " };
            up.push(format!("CREATE INDEX {own} ON {only}{table} {definition}"));
            for part in &parts {
                let (its, place) = (name(part), quote_ident(&part.schema));
                let of = self::table(part);
                up.push(format!("CREATE INDEX CONCURRENTLY {its} ON {of} {definition}"));
                up.push(format!("ALTER INDEX {schema}.{own} ATTACH PARTITION {place}.{its}"));
            }
            down.push(format!("DROP INDEX {schema}.{own}"));
        } else {
            let first = (own, table, schema);
            let heirs = parts.iter().map(|p| (name(p), self::table(p), quote_ident(&p.schema)));
            for (index, table, schema) in std::iter::once(first).chain(heirs) {
                up.push(format!("CREATE INDEX CONCURRENTLY {index} ON {table} {definition}"));
                down.push(format!("DROP INDEX CONCURRENTLY {schema}.{index}"));
            }
        }
        titles.push(definition);
    }
    Proposal {
        kind: ChangeKind::Index,
        title: match titles.len() {
            1 => format!("index {} {}", relation.name, titles.concat()),
            _ => {
                format!("indexes {} {}, for the sides of the OR", relation.name, titles.join(", "))
            }
        },
        relation: Some(relation.qualified()),
        up,
        down,
        hazards: hazards(candidate, relation, &parts, catalog),
        conditions: vec!["no existing index begins with these keys".into()],
        gain: candidate.gain,
    }
}

/// The partitions that are to get their own statements, or the tables that inherit from a plain
/// one: an index of their parent does not hold their rows. Empty when there are none, too many,
/// or partitions of partitions.
fn parts<'c>(relation: &Relation, catalog: &'c RelationalCatalog) -> Vec<&'c Relation> {
    let whole = relation.qualified();
    let mut parts = Vec::new();
    for part in &catalog.relations {
        if part.partition_of.as_ref() == Some(&whole) {
            parts.push(part);
        }
    }
    let stored =
        |part: &&Relation| matches!(part.kind, RelationKind::Table | RelationKind::Partition);
    let plain = relation.kind != RelationKind::PartitionedTable;
    if plain {
        parts.retain(stored);
    }
    if parts.len() <= PARTS && parts.iter().all(stored) { parts } else { Vec::new() }
}

fn table(relation: &Relation) -> String {
    format!("{}.{}", quote_ident(&relation.schema), quote_ident(&relation.name))
}

/// The index's definition after `ON table`: `(a, b DESC) INCLUDE (c) WHERE …`.
fn definition(candidate: &Candidate, keys: &[CandidateKey]) -> String {
    let keys: Vec<String> = keys.iter().map(key).collect();
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

/// Whether the index reads `column`: as a key, in an expression, in its condition, or carried along.
pub(in crate::postgres) fn holds(candidate: &Candidate, column: &str) -> bool {
    let keys = candidate.keys.iter().chain(candidate.also.iter().flatten());
    let texts = keys.map(|key| key.text.as_str()).chain(candidate.predicate.as_deref());
    candidate.include.iter().any(|included| included == column)
        || ast::parse_conditions(&texts.collect::<Vec<_>>()).is_some_and(|parsed| {
            let nodes = parsed.iter().flat_map(ast::all);
            nodes.filter_map(ast::column).any(|(_, name)| name == column)
        })
}

fn hazards(
    candidate: &Candidate,
    relation: &Relation,
    parts: &[&Relation],
    catalog: &RelationalCatalog,
) -> Vec<String> {
    let name = &relation.name;
    let mut hazards = vec![match (relation.kind, parts.is_empty()) {
        (RelationKind::PartitionedTable, true) => format!(
            "SHARE lock on {name} and its partitions while it builds: writes wait; build it on \
             each partition CONCURRENTLY and attach instead when that is too long"
        ),
        (RelationKind::PartitionedTable, false) => format!(
            "SHARE UPDATE EXCLUSIVE lock on each partition of {name} while its index builds: \
             reads and writes go on; SHARE lock on {name} alone, and ACCESS EXCLUSIVE on an \
             index while it is attached, for a moment; not inside a transaction"
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
    let fresh: Vec<&str> = relation
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|column| holds(candidate, column) && !indexed(column))
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
    if candidate.method == "brin" {
        hazards.push(
            "it is of use as long as rows are added in the column's order; new pages are \
             summarised by VACUUM"
                .into(),
        );
    }
    if candidate.method == "gist" {
        hazards.push("GiST is slower to build and to keep up than a B-tree".into());
    }
    let read = |key: &&CandidateKey| key.column.is_none() && key.text.contains("::");
    if let Some(key) = candidate.keys.iter().find(read) {
        hazards.push(format!(
            "{} is computed for every row: one row it fails on stops the build, and later the \
             INSERT",
            key.text
        ));
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
