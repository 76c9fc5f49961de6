use std::collections::HashMap;
use std::collections::hash_map::Entry;

use marula_core::{Engine, Example, RuleInfo, Severity};

use super::super::{At, Context, Purpose, cost};
use super::support::{SMALL, called, draft, grouped, number, part};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE orders (id int PRIMARY KEY, customer_id int, status text, note text);
INSERT INTO orders SELECT i, i % 4000, CASE WHEN i % 200 = 0 THEN 'refunded' ELSE 'shipped' END, repeat('x', 60) FROM generate_series(1, 40000) i;
ANALYZE orders;";

/// A sequential scan that throws nearly everything away.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "selective-seq-scan",
        engine: Engine::Postgres,
        title: "A table is read from end to end for a few of its rows",
        severity: Severity::High,
        since: None,
        page: "The server reads every page of the table and throws away more than nine rows in \
               ten, because no index leads to the rows the condition keeps.\n\n\
               The time grows with the table, not with the result; and the pages read push others \
               out of memory.\n\n\
               Make an index that begins with the columns compared by `=`, then one compared by a \
               range or asked for in the ORDER BY. Where the constant is always the same and rare \
               (`status = 'refunded'`), a partial index is smaller; where the condition is over an \
               expression, index the expression; `LIKE '%x%'` needs trigrams, containment in jsonb \
               or an array needs GIN.",
        source: "pev2, pganalyze and pgMustard name the same trigger: more than 90 % of the rows \
                 removed by the filter",
        examples: &[
            Example {
                name: "an equality without an index",
                setup: SETUP,
                statement: "SELECT * FROM orders WHERE customer_id = 42",
                fires: true,
            },
            Example {
                name: "a rare status",
                setup: SETUP,
                statement: "SELECT id, note FROM orders WHERE status = 'refunded'",
                fires: true,
            },
            Example {
                name: "most rows are wanted",
                setup: SETUP,
                statement: "SELECT count(*) FROM orders WHERE status = 'shipped'",
                fires: false,
            },
            Example {
                name: "the primary key finds the row",
                setup: SETUP,
                statement: "SELECT * FROM orders WHERE id = 42",
                fires: false,
            },
            Example {
                name: "a table of a hundred rows",
                setup: "CREATE TABLE small AS SELECT i AS id, i % 7 AS kind FROM generate_series(1, 100) i;
ANALYZE small;",
                statement: "SELECT * FROM small WHERE id = 42",
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
    let mut wholes: Vec<Whole<'_>> = Vec::new();
    let mut parents = HashMap::new();
    for at in context.operations(&["Seq Scan"]) {
        let Some(scan) = Whole::of(context, at) else { continue };
        // The partitions of one table are one scan, however many there are.
        let parent = scan.place.filter(|_| scan.name != called(scan.at.node));
        match parent.map(|parent| parents.entry(parent)) {
            Some(Entry::Occupied(known)) => {
                let known: &mut Whole<'_> = &mut wholes[*known.get()];
                known.read += scan.read;
                known.kept += scan.kept;
                known.share += scan.share;
                known.parts += 1;
                continue;
            }
            Some(Entry::Vacant(new)) => {
                new.insert(wholes.len());
            }
            None => {}
        }
        wholes.push(scan);
    }
    wholes.into_iter().filter_map(|whole| whole.draft(context)).collect()
}

/// A table that is read from end to end, or the partitions of one that are.
struct Whole<'a> {
    at: At<'a>,
    filter: &'a str,
    name: &'a str,
    /// The block and the name it is read under.
    place: Option<(usize, &'a str)>,
    read: f64,
    kept: f64,
    share: f64,
    parts: usize,
}

impl<'a> Whole<'a> {
    fn of(context: &'a Context, at: At<'a>) -> Option<Self> {
        let filter = at.node.native.get("Filter")?.as_str()?;
        let (read, kept) = match at.node.actual_rows {
            Some(kept) => (kept + cost::removed(at.node), kept),
            None => {
                let relation = context.relation(at.node)?;
                (relation.rows?, at.node.estimated_rows.unwrap_or(0.0))
            }
        };
        let used = context.shape.of_scan(at.node);
        let relation = used.map(|(_, used)| used.relation.as_str());
        let own = called(at.node);
        let name = relation.map_or(own, |name| name.rsplit('.').next().unwrap_or(name));
        let place = used.map(|(block, used)| (block, used.alias.as_str()));
        let share = context.share(at.node);
        Some(Whole { at, filter, name, place, read, kept, share, parts: 1 })
    }

    fn draft(self, context: &Context) -> Option<Draft> {
        let Whole { at, filter, name, read, kept, share, parts, .. } = self;
        if read < 1000.0 || kept > read * 0.1 || share < SMALL {
            return None;
        }
        let (of, some) = (grouped(read), grouped(kept));
        let title = match parts {
            1 => format!("{} is read whole for {some} of {of} rows", called(at.node)),
            _ => format!("{parts} partitions of {name} are read whole for {some} of {of} rows"),
        };
        let mut draft = draft(context, &at, share.min(1.0), title);
        draft.evidence.extend([
            number("rows read", read),
            number("rows kept", kept),
            part("share of the rows removed", 1.0 - kept / read),
        ]);
        draft.explanation = format!(
            "No index leads to the rows that {filter} keeps, so every page of {name} is read and \
             {} rows are thrown away. An index whose first keys are the compared columns reads \
             only what is kept.",
            grouped(read - kept)
        );
        draft.proposals = context.indexes(at.node, &[Purpose::Filter]);
        draft.proposals.extend(context.indexes(at.node, &[Purpose::Join]));
        Some(draft)
    }
}
