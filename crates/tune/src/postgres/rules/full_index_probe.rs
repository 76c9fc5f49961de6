use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, Purpose};
use super::support::{SMALL, called, draft, grouped, number, words};
use crate::{Draft, Rule};

/// An index probed without its leading key, again and again.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "full-index-probe",
        engine: Engine::Postgres,
        title: "A join reads a whole index each time, because its first key is not given",
        severity: Severity::High,
        since: None,
        page: "The inner side of a nested loop looks into an index by a column that is not the \
               index's first. Such a look-up reads the index from end to end.\n\n\
               It looks harmless in the plan (`Index Scan`, `Index Cond`), and costs as much as a \
               sequential scan, once per outer row.\n\n\
               Make an index that begins with the joined column, or reorder the keys. Since 18 the \
               server can skip over a leading key with few values.",
        source: "pganalyze and our own: Index Cond lacks the leading key, over 1,000 loops",
        examples: &[
            Example {
                name: "the joined column is the second key",
                setup: "CREATE TABLE lines (region int NOT NULL, product int NOT NULL, n int);
INSERT INTO lines SELECT i, i % 3000, i FROM generate_series(1, 3000) i;
CREATE INDEX lines_region_product_idx ON lines (region, product);
CREATE TABLE products (id int PRIMARY KEY);
INSERT INTO products SELECT generate_series(1, 1200);
ANALYZE lines; ANALYZE products;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_material = off; SET enable_memoize = off; SET enable_bitmapscan = off;",
                statement: "SELECT count(l.n) FROM products p LEFT JOIN lines l ON l.product = p.id",
                fires: true,
            },
            Example {
                name: "the joined column leads",
                setup: "CREATE TABLE lines (region int NOT NULL, product int NOT NULL, n int);
INSERT INTO lines SELECT i, i % 3000, i FROM generate_series(1, 3000) i;
CREATE INDEX lines_product_region_idx ON lines (product, region);
CREATE TABLE products (id int PRIMARY KEY);
INSERT INTO products SELECT generate_series(1, 1200);
ANALYZE lines; ANALYZE products;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off;",
                statement: "SELECT count(l.n) FROM products p LEFT JOIN lines l ON l.product = p.id",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if context.trivial() {
        return Vec::new();
    }
    let scans = context.operations(&["Index Scan", "Index Only Scan", "Bitmap Index Scan"]);
    scans
        .filter_map(|at| {
            let loops = at.node.loops? as f64;
            let share = context.share_below(at.node);
            let condition = words(at.node, "Index Cond")?;
            if loops < 1000.0 || share < SMALL {
                return None;
            }
            let name = at.node.index.as_deref()?;
            let catalog = context.catalog.as_ref()?;
            let (relation, index) = catalog.relations.iter().find_map(|relation| {
                Some((relation, relation.indexes.iter().find(|index| index.name == name)?))
            })?;
            let leading = index.keys.first().filter(|_| index.method == "btree")?;
            let column = leading.column.as_deref()?;
            if index.keys.len() < 2 || mentions(&condition, column) {
                return None;
            }
            let title = format!(
                "{name} is read whole {} times: its first key {column} is not given",
                grouped(loops)
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.relation = Some(relation.qualified());
            draft.evidence.extend([number("times", loops), Evidence::text("condition", condition)]);
            draft.explanation = format!(
                "An index is sorted by its first key. Without a value for {column} the matching \
                 entries of {} lie anywhere in it, and each probe reads all of it.",
                called(at.node)
            );
            let scan = if at.node.relation.is_some() { Some(at.node) } else { at.parent };
            draft.proposals =
                scan.map_or_else(Vec::new, |scan| context.indexes(scan, &[Purpose::Join]));
            Some(draft)
        })
        .collect()
}

/// Whether `column` stands as a word in `text`.
fn mentions(text: &str, column: &str) -> bool {
    text.match_indices(column).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        !text[..at].ends_with(word) && !text[at + column.len()..].starts_with(word)
    })
}
