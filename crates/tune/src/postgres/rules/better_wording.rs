use marula_core::{Engine, Example, Place, RuleInfo, Severity};

use super::super::Context;
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE log (id int PRIMARY KEY, at int NOT NULL, body text);
INSERT INTO log SELECT i, i / 4, repeat('x', 40) FROM generate_series(1, 60000) i;
CREATE INDEX log_at_idx ON log (at, id);
ANALYZE log;";

/// A wording that means the same and asks less of the server.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "better-wording",
        engine: Engine::Postgres,
        title: "Another wording means the same and lets the server do less",
        severity: Severity::Low,
        since: None,
        page: "The planner mends much of how a statement is written, but not everything. It does \
               not split an OR over two tables, does not see a range in `a > x OR (a = x AND b > \
               y)`, joins a table nothing is taken from, counts all matches to learn whether there \
               is one, and reads a whole table for five distinct values.\n\n\
               Each wording that is offered was checked against the catalogue: keys, NOT NULL, \
               foreign keys, types, collations, the order's last key, volatile functions. What was \
               checked stands beside it.\n\n\
               Whether it is faster depends on the data, so the lab runs both and compares the \
               results; a wording that gains less than a tenth is not offered.",
        source: "measured: a page's start as a row comparison 220 to 260 times faster, OR over \
                 tables as UNION about 2,000, few distinct values by jumps 140 to 340, an unused \
                 join left out 3.6 to 4.6",
        examples: &[
            Example {
                name: "the start of a page as an OR",
                setup: SETUP,
                statement: "SELECT * FROM log WHERE at > 9000 OR (at = 9000 AND id > 36001) ORDER BY at, id",
                fires: true,
            },
            Example {
                name: "the same as a comparison of rows",
                setup: SETUP,
                statement: "SELECT * FROM log WHERE (at, id) > (9000, 36001) ORDER BY at, id",
                fires: false,
            },
            Example {
                name: "a join to a table nothing is taken from",
                setup: "CREATE TABLE shops (id int PRIMARY KEY, name text);
INSERT INTO shops SELECT i, 's' || i FROM generate_series(1, 2000) i;
CREATE TABLE sales (id int PRIMARY KEY, shop_id int NOT NULL REFERENCES shops, amount int);
INSERT INTO sales SELECT i, i % 2000 + 1, i % 90 FROM generate_series(1, 40000) i;
ANALYZE shops; ANALYZE sales;",
                statement: "SELECT sum(s.amount) FROM sales s JOIN shops h ON h.id = s.shop_id",
                fires: true,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    if context.trivial() {
        return Vec::new();
    }
    let proposals = context.rewrites("better-wording");
    let Some(first) = proposals.first() else { return Vec::new() };
    vec![Draft {
        rule: "",
        severity: Severity::Low,
        title: format!("it can be written with {}", first.title),
        place: Place::default(),
        evidence: Vec::new(),
        explanation:
            "The other wording gives the same rows, by what was checked in the catalogue, \
                      and leaves the planner a shorter way."
                .into(),
        share: 0.0,
        proposals,
    }]
}
