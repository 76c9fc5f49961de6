//! Existing indexes that may be proposed for dropping: duplicates, those whose work a wider one
//! does, and those nobody uses. Never one that backs a constraint, forbids duplicates, is the
//! table's replica identity or a partition's share of a whole.

use std::collections::BTreeSet;

use marula_core::{Change, ChangeId, ChangeKind, Engine, Index, Proof, Relation, Result};
use marula_postgres::sql::quote_ident;
use marula_postgres::{Session, from_server};

use super::super::candidates::Candidate;
use super::read::{Part, Read};
use crate::tuning::{Choice, Drop};

/// Statistics younger than this say nothing of what is never used.
const OLD_DAYS: f64 = 14.0;

/// What the server says beside the catalogue.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Indexes that must stay, as `schema.name`.
    kept: BTreeSet<String>,
    /// For how many days uses were counted.
    days: f64,
}

/// Reads what is needed to judge existing indexes.
pub(super) async fn facts(session: &Session) -> Result<Facts> {
    const KEPT: &str = "SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE i.indisreplident OR i.indisclustered OR c.relkind = 'I'
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid)";
    const DAYS: &str = "SELECT (extract(epoch FROM pg_catalog.now() - coalesce(
        (SELECT stats_reset FROM pg_catalog.pg_stat_database
          WHERE datname = pg_catalog.current_database()),
        pg_catalog.pg_postmaster_start_time())) / 86400)::float8";
    let rows = session.client().query(KEPT, &[]).await.map_err(|error| from_server(&error))?;
    let row = session.client().query_one(DAYS, &[]).await.map_err(|error| from_server(&error))?;
    Ok(Facts { kept: rows.iter().map(|row| row.get(0)).collect(), days: row.get(0) })
}

/// The indexes that may go, with `picked` in place, the biggest first; and what is to be said
/// about those that only look unused.
pub(super) fn drops(
    read: &Read,
    parts: &[&Part],
    picked: &[&Candidate],
    facts: &Facts,
) -> (Vec<Drop>, Option<String>) {
    let mut found: Vec<(u64, Drop)> = Vec::new();
    let mut young = Vec::new();
    for name in read.relations() {
        let Some(relation) = read.catalog.find(&name) else { continue };
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        for index in &relation.indexes {
            let qualified = format!("{}.{}", relation.schema, index.name);
            let stays =
                index.constraint.is_some() || index.unique || facts.kept.contains(&qualified);
            if stays || !index.valid {
                continue;
            }
            let by = relation.indexes.iter().find(|other| {
                other.name != index.name
                    && !gone.contains(other.name.as_str())
                    && does(other, index)
            });
            let new = picked
                .iter()
                .find(|candidate| candidate.relation == name && replaces(candidate, index));
            let (title, condition) = if let Some(by) = by {
                let what = if does(index, by) { "a duplicate" } else { "the beginning" };
                (format!("it is {what} of {}", by.name), format!("{} does its work", by.definition))
            } else if new.is_some() {
                (
                    "a picked index begins with its keys".into(),
                    "the picked index does its work".into(),
                )
            } else if index.scans == 0 && facts.days >= OLD_DAYS {
                (
                    format!("nobody used it in {:.0} days", facts.days),
                    format!("no scan was counted on this server in {:.0} days", facts.days),
                )
            } else {
                if index.scans == 0 {
                    young.push(index.name.clone());
                }
                continue;
            };
            gone.insert(&index.name);
            let drop = drop(relation, index, &title, condition, parts, found.len());
            found.push((index.bytes, drop));
        }
    }
    found.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let note = (!young.is_empty()).then(|| {
        format!(
            "no use was counted of {}, but uses are counted for {:.1} days only: that says little \
             before {OLD_DAYS:.0}",
            young.join(", "),
            facts.days
        )
    });
    (found.into_iter().map(|(_, drop)| drop).collect(), note)
}

/// Whether `wide` does the work of `narrow`, too.
fn does(wide: &Index, narrow: &Index) -> bool {
    let holds = |column: &String| {
        wide.include.contains(column)
            || wide.keys.iter().any(|key| key.column.as_ref() == Some(column))
    };
    let begins = wide.keys.len() >= narrow.keys.len()
        && narrow.keys.iter().zip(&wide.keys).all(|(a, b)| a == b);
    let same_length = wide.keys.len() == narrow.keys.len();
    // A wider key under another operator class would show in the definition only.
    let plain = |index: &Index| !index.definition.contains("_ops");
    wide.valid
        && wide.method == narrow.method
        && wide.predicate == narrow.predicate
        && begins
        && (same_length || wide.method == "btree")
        && narrow.include.iter().all(holds)
        && ((plain(wide) && plain(narrow)) || tail(&wide.definition) == tail(&narrow.definition))
}

/// The definition from its method on: what is behind the name.
fn tail(definition: &str) -> &str {
    definition.split_once(" USING ").map_or(definition, |(_, tail)| tail)
}

fn replaces(candidate: &Candidate, index: &Index) -> bool {
    let columns = index.keys.iter().zip(&candidate.keys).all(|(has, new)| {
        has.column.is_some()
            && has.column == new.column
            && has.descending == new.descending
            && has.nulls_first == new.nulls_first
            && new.opclass.is_none()
    });
    let holds = |column: &String| {
        candidate.include.contains(column)
            || candidate.keys.iter().any(|key| key.column.as_ref() == Some(column))
    };
    candidate.method == "btree"
        && index.method == "btree"
        && candidate.also.is_empty()
        && candidate.predicate.is_none()
        && index.predicate.is_none()
        && candidate.keys.len() >= index.keys.len()
        && columns
        && index.include.iter().all(holds)
        && !index.definition.contains("_ops")
}

fn drop(
    relation: &Relation,
    index: &Index,
    why: &str,
    condition: String,
    parts: &[&Part],
    number: usize,
) -> Drop {
    let name = format!("{}.{}", quote_ident(&relation.schema), quote_ident(&index.name));
    let back = index.definition.replacen("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1);
    let change = Change {
        id: ChangeId(format!("d{number}")),
        kind: ChangeKind::Index,
        engine: Engine::Postgres,
        title: format!("drop {}: {why}", index.name),
        relation: Some(relation.qualified()),
        up: vec![format!("DROP INDEX CONCURRENTLY {name}")],
        down: vec![back],
        hazards: vec![
            "uses are counted per server: look at replicas, and at jobs that run once a month"
                .into(),
        ],
        conditions: vec![
            condition,
            "it backs no constraint, is no replica identity, and no statement of the workload \
             gets slower without it"
                .into(),
        ],
        proof: Proof::not_tried("not tried yet"),
    };
    let concerned = |n: &usize| parts[*n].relations.contains(&relation.qualified());
    let concerns: Vec<usize> = (0..parts.len()).filter(concerned).collect();
    let helps = concerns.clone();
    Drop {
        choice: Choice { change, concerns, helps, bytes: 0, writes_ms: 0.0, replaces: Vec::new() },
        frees: index.bytes,
    }
}
