use marula_core::{ChangeKind, Engine, Example, Index, Relation, RuleInfo, Severity};
use marula_postgres::sql::quote_ident;

use super::super::{Context, cost};
use super::support::{SMALL, called, draft, grouped, number, quoted};
use crate::{Draft, Proposal, Rule};

const SETUP: &str = "CREATE TABLE mails (id int PRIMARY KEY, box int NOT NULL, size int NOT NULL, body text NOT NULL);
INSERT INTO mails SELECT i, i * 7919 % 100, i % 977, repeat('x', 700) FROM generate_series(1, 30000) i;
CREATE INDEX mails_box_idx ON mails (box);
VACUUM ANALYZE mails;
SET enable_bitmapscan = off; SET enable_seqscan = off;";

/// An index scan that visits wide rows for a column or two.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "wide-heap-reads",
        engine: Engine::Postgres,
        title: "Wide rows are visited for a few small columns",
        severity: Severity::Medium,
        since: Some(marula_core::Version::new(11, 0, 0)),
        page: "The index finds the rows; each is then visited in the table for the columns the \
               index lacks. Rows that lie apart cost a page each.\n\n\
               With the missing columns in the index (INCLUDE), nothing is visited: an index-only \
               scan.\n\n\
               It makes the index larger and updates of those columns dearer; it pays for few, \
               small columns of wide rows that are read often, on a table that is vacuumed.",
        source: "EXPLAIN: an Index Scan that reads a page for nearly each row, of which it needs few bytes",
        examples: &[
            Example {
                name: "sizes of a box of mails",
                setup: SETUP,
                statement: "SELECT sum(size) FROM mails WHERE box = 17",
                fires: true,
            },
            Example {
                name: "the whole rows",
                setup: SETUP,
                statement: "SELECT * FROM mails WHERE box = 17",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if cost::total_ms(&context.plan).is_none_or(|ms| ms < 0.2) {
        return Vec::new();
    }
    let scans = context.operations(&["Index Scan", "Bitmap Heap Scan"]);
    scans
        .filter_map(|at| {
            let relation = context.relation(at.node)?;
            let columns = context.used(at.node)?.columns.as_ref()?;
            let rows = at.node.actual_rows?;
            let reads = at.node.reads? as f64;
            let share = context.share_below(at.node);
            let scan = at.node.index.as_deref().map_or_else(|| index_below(at.node), Some)?;
            let index = relation.indexes.iter().find(|index| index.name == scan)?;
            let missing: Vec<&str> = columns
                .iter()
                .map(String::as_str)
                .filter(|column| {
                    let key = index.keys.iter().any(|key| key.column.as_deref() == Some(column));
                    !key && !index.include.iter().any(|other| other == column)
                })
                .collect();
            let width = width(relation, &missing)?;
            let whole = relation.bytes as f64 / relation.rows?.max(1.0);
            let few = !missing.is_empty() && missing.len() <= 3 && width <= 40.0;
            let wide = whole >= 200.0 && whole >= 8.0 * width;
            // A filter on further columns is another index's affair.
            let filtered = cost::removed(at.node) > rows;
            if rows < 200.0 || reads < rows * 0.5 || !few || !wide || filtered || share < SMALL {
                return None;
            }
            let name = called(at.node);
            let title = format!(
                "{} pages of {name} are read for {} of each of {} rows",
                grouped(reads),
                missing.join(", "),
                grouped(rows)
            );
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                number("pages read", reads),
                number("rows", rows),
                marula_core::Evidence::number("width of a row", whole.round(), Some("bytes")),
                marula_core::Evidence::number("needed of it", width, Some("bytes")),
            ]);
            draft.explanation = format!(
                "{} finds the rows; {} stands in the table only. With it in the index the table \
                 is not visited.",
                index.name,
                missing.join(", ")
            );
            draft.proposals =
                covering(relation, index, &missing, share * 0.6).into_iter().collect();
            Some(draft)
        })
        .collect()
}

fn index_below(node: &marula_core::PlanNode) -> Option<&str> {
    match node.children.as_slice() {
        [one] if one.op == "Bitmap Index Scan" => one.index.as_deref(),
        _ => None,
    }
}

fn width(relation: &Relation, columns: &[&str]) -> Option<f64> {
    columns
        .iter()
        .map(|name| Some(f64::from(relation.column(name)?.statistics.as_ref()?.width)))
        .sum()
}

/// The same index with the columns included.
fn covering(relation: &Relation, index: &Index, missing: &[&str], gain: f64) -> Option<Proposal> {
    if index.method != "btree" {
        return None;
    }
    let name: String =
        format!("{}_{}_covering", index.name, missing.join("_")).chars().take(60).collect();
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let mut text = key.expression.clone();
            if key.column.is_none() {
                text = format!("({text})");
            }
            if key.descending {
                text.push_str(" DESC");
            }
            if key.nulls_first != key.descending {
                text.push_str(if key.nulls_first { " NULLS FIRST" } else { " NULLS LAST" });
            }
            text
        })
        .collect();
    let include: Vec<String> = index
        .include
        .iter()
        .map(String::as_str)
        .chain(missing.iter().copied())
        .map(quote_ident)
        .collect();
    let predicate = index.predicate.as_ref().map(|p| format!(" WHERE {p}")).unwrap_or_default();
    let made = quote_ident(&name);
    Some(Proposal {
        kind: ChangeKind::Index,
        title: format!(
            "index on {} ({}) with {}",
            relation.name,
            keys.join(", "),
            missing.join(", ")
        ),
        relation: Some(relation.qualified()),
        up: vec![format!(
            "CREATE INDEX CONCURRENTLY {made} ON {} ({}) INCLUDE ({}){predicate}",
            quoted(relation),
            keys.join(", "),
            include.join(", ")
        )],
        down: vec![format!("DROP INDEX CONCURRENTLY {}.{made}", quote_ident(&relation.schema))],
        hazards: vec![format!(
            "updates of {} must write the index as well, and can no longer be HOT",
            missing.join(", ")
        )],
        conditions: Vec::new(),
        gain,
    })
}
