use marula_core::{Engine, Evidence, Example, RuleInfo, Severity};
use pg_query::NodeEnum;

use super::super::{Context, ast, cost};
use super::support::{called, draft, number};
use crate::{Draft, Rule};

/// A large scan that one process does alone because of a function.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "no-parallel",
        engine: Engine::Postgres,
        title: "A function keeps a large scan from being done in parallel",
        severity: Severity::Medium,
        since: None,
        page: "A function is PARALLEL UNSAFE until it is declared otherwise. One such function, \
               anywhere in the statement, and the whole statement is run by one process.\n\n\
               A large scan then takes as many times longer as there are cores idle.\n\n\
               Where the function writes nothing and uses no state of the session (temporary \
               tables, sequences, settings), declare it: `ALTER FUNCTION name(types) PARALLEL SAFE`.",
        source: "PostgreSQL, parallel safety; EXPLAIN: a large Seq Scan without Gather",
        examples: &[
            Example {
                name: "a function nobody declared",
                setup: "CREATE TABLE notes (id int, v int, w text);
INSERT INTO notes SELECT i, i % 1000, repeat('x', 200) FROM generate_series(1, 60000) i;
ANALYZE notes;
CREATE FUNCTION weight(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN FOR i IN 1..60 LOOP END LOOP; RETURN $1 * 2; END';
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET max_parallel_workers_per_gather = 2;",
                statement: "SELECT count(*) FROM notes WHERE weight(v) = 10",
                fires: true,
            },
            Example {
                name: "a function of the server",
                setup: "CREATE TABLE notes (id int, v int, w text);
INSERT INTO notes SELECT i, i % 1000, repeat('x', 200) FROM generate_series(1, 60000) i;
ANALYZE notes;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET max_parallel_workers_per_gather = 2;",
                statement: "SELECT count(*) FROM notes WHERE abs(v) = 10",
                fires: false,
            },
        ],
    },
    check,
};

/// Below this nobody waits.
const LONG_MS: f64 = 20.0;

fn check(context: &Context) -> Vec<Draft> {
    let Some(total) = cost::total_ms(&context.plan).filter(|ms| *ms >= LONG_MS) else {
        return Vec::new();
    };
    let setting = |name: &str| {
        context.catalog.as_ref().and_then(|catalog| catalog.settings.get(name)).map(String::as_str)
    };
    if context.operations(&["Gather", "Gather Merge"]).next().is_some()
        || setting("max_parallel_workers_per_gather") == Some("0")
        || setting("max_parallel_workers") == Some("0")
    {
        return Vec::new();
    }
    let own = functions(context);
    if own.is_empty() {
        return Vec::new();
    }
    let least = setting("min_parallel_table_scan_size").and_then(bytes).unwrap_or(8 << 20);
    let scan = context
        .operations(&["Seq Scan"])
        .filter(|at| context.relation(at.node).is_some_and(|relation| relation.bytes >= least))
        .max_by(|a, b| context.share(a.node).total_cmp(&context.share(b.node)));
    // The function may be computed by the scan, or by what stands above it.
    let with_above = |at: &super::super::At<'_>| {
        let above = at.parent.map_or(0.0, |parent| context.share(parent));
        (context.share(at.node) + above).min(1.0)
    };
    let Some(at) = scan.filter(|at| with_above(at) >= 0.4) else { return Vec::new() };
    let share = with_above(&at);
    let name = called(at.node);
    let title =
        format!("{name} is read by one process: {} may not be PARALLEL SAFE", own.join(", "));
    let mut draft = draft(context, &at, share, title);
    draft.evidence.extend([
        Evidence::text("functions", own.join(", ")),
        Evidence::number("time", total.round(), Some("ms")),
        number("rows read", at.node.actual_rows.unwrap_or(0.0) + cost::removed(at.node)),
    ]);
    draft.explanation = format!(
        "A function is unsafe for parallel use until it is declared safe, and one keeps the whole \
         statement to one process. If {} only compute from what they are given, ALTER FUNCTION … \
         PARALLEL SAFE lets workers help.",
        own.join(" and ")
    );
    vec![draft]
}

/// The functions of the statement that are not known to be the server's own.
fn functions(context: &Context) -> Vec<String> {
    let Some(statement) = &context.statement else { return Vec::new() };
    let mut found: Vec<String> = ast::all(statement)
        .into_iter()
        .filter_map(|node| match &node.node {
            Some(NodeEnum::FuncCall(call)) => {
                let schema = (call.funcname.len() > 1)
                    .then(|| call.funcname.first().and_then(ast::string))
                    .flatten();
                let name = ast::function(call);
                (schema != Some("pg_catalog") && !super::super::is_known_function(name))
                    .then(|| name.to_owned())
            }
            _ => None,
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// `8MB`, `512kB`, `0`: in bytes.
fn bytes(setting: &str) -> Option<u64> {
    let digits = setting.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    Some(match &setting[digits.len()..] {
        "kB" => number << 10,
        "MB" => number << 20,
        "GB" => number << 30,
        _ => number * 8192,
    })
}
