use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{SMALL, draft, grouped, number};
use crate::{Draft, Rule};

/// Every partition is read for rows that lie in few.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "unpruned-append",
        engine: Engine::Postgres,
        title: "Every partition is read, and few have what is asked for",
        severity: Severity::High,
        since: None,
        page: "A condition on the partition key lets the server leave out partitions that cannot \
               match. It must name the bare key: `date_trunc('month', at) = …`, a cast or a \
               function hides it, and all partitions are read.\n\n\
               The work grows with every partition that is added.\n\n\
               Write the condition as a range over the key; add one where only another column is \
               asked for and its rows are known to lie in few partitions.",
        source: "EXPLAIN: Append over all partitions, most of which give nothing",
        examples: &[
            Example {
                name: "a month by date_trunc",
                setup: "CREATE TABLE events (id int, at timestamp NOT NULL, v int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
CREATE TABLE events_4 PARTITION OF events FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
CREATE TABLE events_5 PARTITION OF events FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
INSERT INTO events SELECT i, timestamp '2026-01-01' + i * interval '5 minutes', i FROM generate_series(0, 40000) i;
ANALYZE events;",
                statement: "SELECT sum(v) FROM events WHERE date_trunc('month', at) = '2026-03-01'",
                fires: true,
            },
            Example {
                name: "the month as a range",
                setup: "CREATE TABLE events (id int, at timestamp NOT NULL, v int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
CREATE TABLE events_4 PARTITION OF events FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
CREATE TABLE events_5 PARTITION OF events FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
INSERT INTO events SELECT i, timestamp '2026-01-01' + i * interval '5 minutes', i FROM generate_series(0, 40000) i;
ANALYZE events;",
                statement: "SELECT sum(v) FROM events WHERE at >= '2026-03-01' AND at < '2026-04-01'",
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
    let Some(catalog) = &context.catalog else { return Vec::new() };
    context
        .operations(&["Append", "Merge Append"])
        .filter_map(|at| {
            if cost::number(at.node, "Subplans Removed").unwrap_or(0.0) > 0.0 {
                return None;
            }
            // Each child reads one partition of one table.
            let mut table: Option<&str> = None;
            let (mut read, mut empty, mut rows) = (0, 0, 0.0);
            for child in &at.node.children {
                let scan = super::support::scan_below(child)?;
                let relation = context.relation(scan)?;
                let parent = relation.partition_of.as_deref()?;
                (*table.get_or_insert(parent) == parent).then_some(())?;
                let held = relation.rows.unwrap_or(0.0);
                if child.loops.unwrap_or(0) == 0 || held < 1.0 {
                    continue;
                }
                read += 1;
                rows += held;
                empty += usize::from(child.actual_rows? == 0.0);
            }
            let table = catalog.find(table?)?;
            let key = table.partition_key.as_deref()?;
            let share = context.share_below(at.node);
            if read < 4 || empty * 2 < read || share < SMALL {
                return None;
            }
            let name = &table.name;
            let title =
                format!("{read} partitions of {name} are read, {empty} of them for nothing");
            let mut draft = draft(context, &at, share, title);
            draft.place.relation = Some(table.qualified());
            draft.evidence.extend([
                number("partitions read", read as f64),
                number("without a row", empty as f64),
                Evidence::text("partition key", key),
                Evidence::text("rows in them", grouped(rows)),
            ]);
            draft.explanation = format!(
                "No condition bounds the partition key {key} by itself, so no partition can be \
                 left out. A range over the bare key leaves out those that cannot match."
            );
            draft.proposals = context.rewrites("non-sargable");
            Some(draft)
        })
        .collect()
}
