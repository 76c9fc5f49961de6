use marula_core::{Engine, Example, RuleInfo, Severity, Version};

use super::super::{Context, cost};
use super::support::{SMALL, draft, grouped, number, work_mem};
use crate::{Draft, Rule};

/// A cache of inner results that forgets too soon.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "memoize-overflow",
        engine: Engine::Postgres,
        title: "Memoize throws results away before they are asked for again",
        severity: Severity::Medium,
        since: Some(Version::new(14, 0, 0)),
        page: "Memoize keeps what a nested loop's inner side gave for a key, so that the next row \
               with the same key need not ask again. Its memory is work_mem × \
               hash_mem_multiplier. When it is full, the keys used longest ago are evicted; a \
               result too large to be kept at all overflows.\n\n\
               An evicted key is looked up anew.\n\n\
               Give the statement more work_mem or a higher hash_mem_multiplier.",
        source: "EXPLAIN ANALYZE: Cache Evictions and Cache Overflows (PostgreSQL 14)",
        examples: &[
            Example {
                name: "64 kB for five thousand keys",
                setup: "CREATE TABLE items (id int PRIMARY KEY, label text);
INSERT INTO items SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i;
CREATE TABLE picks (id int PRIMARY KEY, item_id int NOT NULL);
INSERT INTO picks SELECT i, i * 7 % 5000 + 1 FROM generate_series(1, 20000) i;
ALTER TABLE picks ALTER item_id SET (n_distinct = 50);
ANALYZE items; ANALYZE picks;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET hash_mem_multiplier = 1;
SET work_mem = '64kB';",
                statement: "SELECT count(i.label) FROM picks p JOIN items i ON i.id = p.item_id",
                fires: true,
            },
            Example {
                name: "room for all of them",
                setup: "CREATE TABLE items (id int PRIMARY KEY, label text);
INSERT INTO items SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i;
CREATE TABLE picks (id int PRIMARY KEY, item_id int NOT NULL);
INSERT INTO picks SELECT i, i * 7 % 5000 + 1 FROM generate_series(1, 20000) i;
ALTER TABLE picks ALTER item_id SET (n_distinct = 50);
ANALYZE items; ANALYZE picks;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET hash_mem_multiplier = 1;
SET work_mem = '64MB';",
                statement: "SELECT count(i.label) FROM picks p JOIN items i ON i.id = p.item_id",
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
    context
        .operations(&["Memoize"])
        .filter_map(|at| {
            let count = |key: &str| cost::number(at.node, key).unwrap_or(0.0);
            let (evicted, overflowed) = (count("Cache Evictions"), count("Cache Overflows"));
            let misses = count("Cache Misses");
            let share = context.share_below(at.node);
            let often = evicted >= 100.0 && evicted >= misses * 0.1;
            if !(often || overflowed >= 1.0) || share < SMALL {
                return None;
            }
            let title = match overflowed {
                0.0 => {
                    format!("{} of {} kept results were evicted", grouped(evicted), grouped(misses))
                }
                _ => format!("{} results were too large to be kept", grouped(overflowed)),
            };
            let used = count("Peak Memory Usage");
            let mut draft = draft(context, &at, share, title);
            draft.evidence.extend([
                number("evictions", evicted),
                number("overflows", overflowed),
                number("misses", misses),
                number("hits", count("Cache Hits")),
                marula_core::Evidence::number("memory used", used, Some("kB")),
            ]);
            draft.explanation = "The memory holds fewer keys than come back. With room for all of \
                 them each key is looked up once."
                .into();
            let all = used * (misses / (misses - evicted).max(1.0)).max(2.0);
            draft.proposals = vec![work_mem(all, share * 0.4)];
            Some(draft)
        })
        .collect()
}
