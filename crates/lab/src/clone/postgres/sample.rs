//! A sample in which every key still finds its row.
//!
//! Small tables come whole. Of the big ones one is the anchor: a deterministic hash of its key
//! picks its rows. From there rows are drawn along the keys: a child's rows are those whose
//! parents were drawn, and a further parent's rows are those its drawn children point to (and
//! a hash of the rest). All of it is one SELECT for each table: the source is only read.

use std::collections::BTreeMap;

/// A table, or a partitioned one as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Quoted and qualified.
    pub quoted: String,
    /// Heap in bytes.
    pub bytes: u64,
    /// Quoted columns of its primary key, when it has one.
    pub key: Vec<String>,
}

/// A declared key, or an equality of the statement: rows of `child` find theirs in `parent`.
/// Columns are quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    pub child: usize,
    pub child_columns: Vec<String>,
    pub parent: usize,
    pub parent_columns: Vec<String>,
}

/// How finely a share can be told.
const BUCKETS: u64 = 100_000;
/// A table with less than this share of the limit comes whole.
const SMALL: f64 = 0.02;

/// What is copied of each table: `None` is all of it.
#[derive(Debug)]
pub(crate) struct Sample {
    pub conditions: Vec<Option<String>>,
    /// Keys that could not be kept: they close a circle.
    pub dropped: Vec<Edge>,
}

/// Draws a sample of about `limit` bytes; everything when the tables are no bigger.
pub(crate) fn draw(nodes: &[Node], edges: &[Edge], limit: u64) -> Sample {
    let total: u64 = nodes.iter().map(|node| node.bytes).sum();
    if total <= limit {
        return Sample { conditions: vec![None; nodes.len()], dropped: Vec::new() };
    }
    let small = |node: &Node| (node.bytes as f64) <= limit as f64 * SMALL;
    let small_bytes: u64 = nodes.iter().filter(|n| small(n)).map(|n| n.bytes).sum();
    let big_bytes = (total - small_bytes).max(1);
    let share = (limit.saturating_sub(small_bytes) as f64 / big_bytes as f64).clamp(0.0, 1.0);
    by_share(nodes, edges, share, small)
}

/// Draws about this share of every table that is not `small`.
pub(crate) fn by_share(
    nodes: &[Node],
    edges: &[Edge],
    share: f64,
    small: impl Fn(&Node) -> bool,
) -> Sample {
    let kept = ((share * BUCKETS as f64) as u64).clamp(1, BUCKETS);
    let big: Vec<bool> = nodes.iter().map(|node| !small(node)).collect();
    let between: Vec<&Edge> = edges
        .iter()
        .filter(|e| {
            big.get(e.child) == Some(&true)
                && big.get(e.parent) == Some(&true)
                && e.child != e.parent
                && !e.child_columns.is_empty()
        })
        .collect();
    let selves: Vec<&Edge> = edges
        .iter()
        .filter(|e| e.child == e.parent && big.get(e.child) == Some(&true))
        .filter(|e| !e.child_columns.is_empty())
        .collect();
    let mut draw =
        Drawing { nodes, selves, kept, conditions: BTreeMap::new(), dropped: Vec::new() };
    while let Some(anchor) = anchor(nodes, &big, &between, &draw.conditions) {
        draw.anchor(anchor, &between);
        draw.spread(&between);
    }
    let conditions = (0..nodes.len()).map(|n| draw.conditions.get(&n).cloned()).collect();
    Sample { conditions, dropped: draw.dropped }
}

/// The next table to start from: not drawn yet, with no big parent if there is such a one, and
/// with the most bytes below it.
fn anchor(
    nodes: &[Node],
    big: &[bool],
    edges: &[&Edge],
    drawn: &BTreeMap<usize, String>,
) -> Option<usize> {
    let below = |n: usize| -> u64 {
        edges
            .iter()
            .filter(|e| e.parent == n)
            .filter_map(|e| nodes.get(e.child))
            .map(|c| c.bytes)
            .sum()
    };
    (0..nodes.len()).filter(|n| big.get(*n) == Some(&true) && !drawn.contains_key(n)).max_by_key(
        |n| {
            let root = !edges.iter().any(|e| e.child == *n && !drawn.contains_key(&e.parent));
            (root, below(*n), nodes.get(*n).map_or(0, |node| node.bytes), usize::MAX - n)
        },
    )
}

struct Drawing<'a> {
    nodes: &'a [Node],
    /// Keys of tables that point to themselves.
    selves: Vec<&'a Edge>,
    kept: u64,
    conditions: BTreeMap<usize, String>,
    dropped: Vec<Edge>,
}

impl Drawing<'_> {
    /// A hash of the columns' text: the same on both sides of a key, whatever their types.
    fn hash(&self, columns: &[String]) -> String {
        let values: Vec<String> =
            columns.iter().map(|column| format!("t.{column}::text")).collect();
        format!(
            "(pg_catalog.hashtextextended(concat_ws('|', {}), 7) & 2147483647) % {BUCKETS} < {}",
            values.join(", "),
            self.kept
        )
    }

    fn own_hash(&self, table: usize, edges: &[&Edge]) -> String {
        let node = self.nodes.get(table);
        // By the columns that others point to: then children are drawn by the same hash.
        let pointed = edges.iter().find(|e| e.parent == table).map(|e| &e.parent_columns);
        match (pointed, node) {
            (Some(columns), _) => self.hash(columns),
            (None, Some(node)) if !node.key.is_empty() => self.hash(&node.key),
            _ => self.hash(&["ctid".to_owned()]),
        }
    }

    fn anchor(&mut self, table: usize, edges: &[&Edge]) {
        let condition = self.own_hash(table, edges);
        self.put(table, condition);
    }

    /// Draws all tables that hang together with drawn ones.
    fn spread(&mut self, edges: &[&Edge]) {
        loop {
            // Children first: a parent must know all of its drawn children.
            let child = edges
                .iter()
                .filter(|e| self.conditions.contains_key(&e.parent))
                .map(|e| e.child)
                .find(|child| !self.conditions.contains_key(child));
            if let Some(child) = child {
                self.draw_child(child, edges);
                continue;
            }
            let parent = edges
                .iter()
                .filter(|e| self.conditions.contains_key(&e.child))
                .map(|e| e.parent)
                .find(|parent| !self.conditions.contains_key(parent));
            let Some(parent) = parent else { break };
            self.draw_parent(parent, edges);
        }
    }

    fn draw_child(&mut self, child: usize, edges: &[&Edge]) {
        let mut parts = Vec::new();
        for edge in edges.iter().filter(|e| e.child == child) {
            let Some(parent) = self.conditions.get(&edge.parent).cloned() else { continue };
            // A parent drawn by a hash of these very columns needs no look-up.
            let found = if parent == self.hash(&edge.parent_columns) {
                self.hash(&edge.child_columns)
            } else {
                self.among(&edge.child_columns, edge.parent, &edge.parent_columns, &parent)
            };
            let nulls: Vec<String> =
                edge.child_columns.iter().map(|c| format!("t.{c} IS NULL")).collect();
            let own = self.nodes.get(child).map(|node| node.key.clone()).unwrap_or_default();
            let own = if own.is_empty() { vec!["ctid".to_owned()] } else { own };
            parts.push(format!(
                "CASE WHEN {} THEN {} ELSE {found} END",
                nulls.join(" OR "),
                self.hash(&own)
            ));
        }
        // Rows above the drawn ones may have other parents, which are drawn already.
        if self.selves.iter().any(|e| e.child == child) {
            let open = edges.iter().filter(|e| e.child == child);
            let open = open.filter(|e| self.conditions.contains_key(&e.parent));
            let open: Vec<Edge> = open.map(|e| (*e).clone()).collect();
            self.dropped.extend(open);
        }
        self.put(child, parts.join(" AND "));
    }

    fn draw_parent(&mut self, parent: usize, edges: &[&Edge]) {
        let mut parts = vec![self.own_hash(parent, edges)];
        for edge in edges.iter().filter(|e| e.parent == parent) {
            if let Some(child) = self.conditions.get(&edge.child) {
                parts.push(self.among(
                    &edge.parent_columns,
                    edge.child,
                    &edge.child_columns,
                    child,
                ));
            }
        }
        self.put(parent, format!("({})", parts.join(" OR ")));
    }

    fn among(
        &self,
        columns: &[String],
        other: usize,
        other_columns: &[String],
        condition: &str,
    ) -> String {
        let quoted = self.nodes.get(other).map(|node| node.quoted.as_str()).unwrap_or_default();
        let list = |columns: &[String]| {
            columns.iter().map(|column| format!("t.{column}")).collect::<Vec<_>>().join(", ")
        };
        format!(
            "({}) IN (SELECT {} FROM {quoted} t WHERE {condition})",
            list(columns),
            list(other_columns)
        )
    }

    /// Notes a table's condition. One that points to itself (an employee's manager) takes the
    /// rows above its drawn ones, too.
    fn put(&mut self, table: usize, condition: String) {
        let node = self.nodes.get(table);
        let closed = self
            .selves
            .iter()
            .filter(|e| e.child == table)
            .zip(node)
            .fold(condition, |condition, (edge, node)| upwards(node, edge, &condition));
        self.conditions.insert(table, closed);
    }
}

/// `condition`, or above a row of it along the table's key to itself.
fn upwards(node: &Node, edge: &Edge, condition: &str) -> String {
    let list = |columns: &[String]| {
        columns.iter().map(|column| format!("t.{column}")).collect::<Vec<_>>().join(", ")
    };
    let names = |prefix: &str| {
        let each = (0..edge.child_columns.len()).map(|i| format!("{prefix}{i}"));
        each.collect::<Vec<_>>().join(", ")
    };
    format!(
        "({condition} OR ({keys}) IN (WITH RECURSIVE up({k}, {p}) AS (SELECT {keys}, {parents} \
         FROM {table} t WHERE {condition} UNION SELECT {keys}, {parents} FROM up JOIN {table} t \
         ON ({keys}) = ({up_p})) SELECT {k} FROM up))",
        keys = list(&edge.parent_columns),
        parents = list(&edge.child_columns),
        k = names("k"),
        p = names("p"),
        up_p = names("up.p"),
        table = node.quoted,
    )
}
