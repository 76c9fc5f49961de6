//! The same plan in JSON and in text, from the same server, is read to the same tree.

use marula_core::{Json, PlanNode};
use marula_postgres::{Session, plan};

use crate::support::{MAJORS, SHOP, database};

pub const STATEMENTS: &[&str] = &[
    "SELECT 1",
    "SELECT * FROM orders WHERE id = 7",
    "SELECT * FROM orders WHERE status = 'open' AND total > 10",
    "SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id",
    "SELECT * FROM orders o LEFT JOIN customers c ON c.id = o.customer_id AND c.country = 'de'",
    "SELECT * FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
    "SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
    "SELECT * FROM customers c WHERE id NOT IN (SELECT customer_id FROM orders WHERE total > 499)",
    "SELECT c.id, (SELECT max(total) FROM orders o WHERE o.customer_id = c.id) FROM customers c LIMIT 20",
    "SELECT * FROM orders WHERE total > (SELECT avg(total) FROM orders) LIMIT 9",
    "WITH r AS MATERIALIZED (SELECT * FROM orders WHERE at > '2026-01-01') SELECT count(*) FROM r a JOIN r b USING (id)",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 50) SELECT sum(n) FROM t",
    "SELECT status, count(*) FROM orders GROUP BY status",
    "SELECT status, at, count(*) FROM orders GROUP BY GROUPING SETS ((status), (at), ())",
    "SELECT customer_id, at, sum(total) FROM orders GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10",
    "SELECT DISTINCT status FROM orders",
    "SELECT * FROM orders ORDER BY total DESC, id LIMIT 10",
    "SELECT * FROM orders ORDER BY total",
    "SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY at) FROM orders",
    "SELECT id FROM orders WHERE total = 5 UNION SELECT id FROM customers",
    "SELECT id FROM orders INTERSECT SELECT id FROM customers",
    "SELECT id FROM orders EXCEPT ALL SELECT id FROM customers",
    "SELECT * FROM events WHERE at BETWEEN '2025-06-01' AND '2025-06-07'",
    "SELECT count(*) FROM events",
    "SELECT * FROM generate_series(1, 10) AS g(n) WHERE n % 2 = 0",
    "SELECT * FROM (VALUES (1, 'a'), (2, 'b, (c')) AS v(n, t) WHERE t <> E'x\\ny: z'",
    "SELECT * FROM paid p JOIN customers c ON c.id = p.customer_id WHERE c.email LIKE 'c1%'",
    "SELECT * FROM orders WHERE customer_id IN (1, 2, 3) OR at = '2026-02-02'",
    "SELECT * FROM orders a FULL JOIN orders b ON a.id = b.id + 1 WHERE a.total IS NULL",
    "SELECT customer_id FROM orders ORDER BY customer_id, at DESC NULLS LAST LIMIT 5",
    "SELECT max(id), min(id) FROM orders",
    "SELECT unnest(tags), id FROM customers ORDER BY 1, 2 LIMIT 3",
    "SELECT * FROM customers c, LATERAL (SELECT * FROM orders o WHERE o.customer_id = c.id ORDER BY at DESC LIMIT 1) x",
    "SELECT * FROM orders TABLESAMPLE SYSTEM (10) REPEATABLE (1)",
    "SELECT * FROM ROWS FROM (generate_series(1, 3), generate_series(1, 2)) AS x(a, b)",
    "SELECT * FROM orders WHERE ctid = '(0,1)'",
    "SELECT \"o\".\"id\" FROM orders AS \"o\" WHERE false",
    "SELECT count(*) FROM orders a JOIN orders b ON a.total < b.total AND a.customer_id = b.customer_id",
];

async fn explained(session: &Session, options: &str, format: &str, text: &str) -> String {
    let sql = format!("EXPLAIN ({options}, FORMAT {format}) {text}");
    let messages = session.client().simple_query(&sql).await.unwrap();
    let lines: Vec<String> = messages
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_string),
            _ => None,
        })
        .collect();
    lines.join("\n")
}

/// Plans as a server prints them, in JSON and in text.
pub async fn samples() -> Vec<String> {
    let (owner, _) = database(15, SHOP).await;
    let mut found = Vec::new();
    for text in STATEMENTS.iter().step_by(4) {
        for format in ["JSON", "TEXT"] {
            found.push(explained(&owner, "ANALYZE, BUFFERS, VERBOSE", format, text).await);
        }
    }
    found
}

/// What must be equal: all neutral fields but times (each run has its own).
fn shape(node: &PlanNode) -> Vec<String> {
    node.walk()
        .into_iter()
        .map(|(path, n)| {
            format!(
                "{path:?} {} {} rel={:?} alias={:?} index={:?} {:?} est={:?} rows={:?} loops={:?} removed={:?} role={:?} reads={}",
                n.op, plan::label(n), n.relation, n.alias, n.index,
                n.details.iter().filter(|d| !d.contains("kB") && !d.starts_with("Workers Launched")).collect::<Vec<_>>(),
                n.estimated_rows, n.actual_rows, n.loops, n.removed, n.role, n.reads.is_some_and(|reads| reads > 0),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn text_plans_read_as_json_plans_do() {
    let mut wrong = Vec::new();
    for major in MAJORS {
        let (owner, _) = database(major, SHOP).await;
        let modes = [
            ("", "COSTS"),
            ("", "ANALYZE, BUFFERS, TIMING OFF"),
            ("", "ANALYZE, BUFFERS, VERBOSE, SETTINGS"),
            ("SET work_mem = '64kB'; SET max_parallel_workers_per_gather = 0", "ANALYZE, BUFFERS"),
            (
                "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0;
                 SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off",
                "COSTS, VERBOSE",
            ),
        ];
        for (settings, options) in modes {
            owner.client().batch_execute(&format!("RESET ALL; {settings}")).await.unwrap();
            for text in STATEMENTS {
                // Once to warm the buffers, so that both runs read the same.
                explained(&owner, options, "TEXT", text).await;
                let json = explained(&owner, options, "JSON", text).await;
                let plain = explained(&owner, options, "TEXT", text).await;
                let from_json = plan::parse(&json).unwrap().plan;
                let from_text = plan::parse(&plain).unwrap_or_else(|e| panic!("{e}\n{plain}")).plan;
                let (left, right) = (shape(&from_json.tree), shape(&from_text.tree));
                let differ: Vec<_> = left.iter().zip(&right).filter(|(a, b)| a != b).collect();
                if left.len() != right.len() || !differ.is_empty() {
                    wrong.push(format!("{major} {options}\n{text}\n{plain}\n{differ:#?}"));
                    continue;
                }
                assert_eq!(from_json.executed, from_text.executed);
                assert_eq!(from_json.summary.indexes, from_text.summary.indexes);
                assert_eq!(from_json.summary.scans, from_text.summary.scans);
                assert_eq!(from_json.summary.spilled, from_text.summary.spilled, "{plain}\n{json}");
                assert_eq!(from_json.summary.returned, from_text.summary.returned);
                assert_eq!(from_json.planning_ms.is_some(), from_text.planning_ms.is_some());
                // Each cut of a text is a plan or an error, never a panic.
                for cut in (0..plain.len()).step_by(97).filter(|at| plain.is_char_boundary(*at)) {
                    let _ = plan::parse(&plain[..cut]);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// psql's own table, with and without a border, and its CSV.
#[tokio::test(flavor = "multi_thread")]
async fn plans_are_read_out_of_what_psql_prints() {
    let (owner, _) = database(15, SHOP).await;
    let (folder, port) = owner.spec().hosts()[0];
    let text = "EXPLAIN (ANALYZE, FORMAT {}) SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = 'open' ORDER BY o.total LIMIT 3";
    for format in ["JSON", "TEXT"] {
        for arguments in [
            &["-P", "border=1"][..],
            &["-P", "border=2"],
            &["-P", "border=0"],
            &["--csv"],
            &["-At"],
            &["-P", "border=2", "-P", "linestyle=unicode"],
        ] {
            let output = std::process::Command::new("/usr/lib/postgresql/15/bin/psql")
                .args(["-X", "-h", folder, "-p", &port.to_string(), "-U", owner.spec().user()])
                .args(["-d", owner.database()])
                .args(arguments)
                .args(["-c", &text.replace("{}", format)])
                .output()
                .unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            let read =
                plan::parse(&printed).unwrap_or_else(|e| panic!("{arguments:?} {e:?}\n{printed}"));
            assert_eq!(read.plan.tree.op, "Limit", "{printed}");
            assert_eq!(read.plan.summary.returned, Some(3));
            assert!(read.plan.tree.walk().len() > 5, "{printed}");
            assert_eq!(read.plan.summary.scans, ["customers"]);
        }
    }
}

#[test]
fn other_tools_and_broken_plans_are_named() {
    for (text, part) in [
        ("", "empty"),
        ("[{\"Plan\": {\"Node Type\": \"Seq Scan\"", "cut off"),
        ("Seq Scan on t  (cost=0.00..1.0", "cut off"),
        ("{\"queryPlanner\": {}}", "MongoDB"),
        ("{\"query_block\": {}}", "MySQL"),
        ("<explain xmlns=\"http://www.postgresql.org/2009/explain\">", "XML"),
        ("- Plan: \n    Node Type: \"Seq Scan\"", "YAML"),
        ("-> Limit: 10 row(s)  (cost=1.0 rows=10)", "MySQL"),
        ("QUERY PLAN\n|--SCAN t", "SQLite"),
        ("Plan hash value: 123", "Oracle"),
        ("hello", "no plan"),
        ("SELECT * FROM orders", "no plan"),
    ] {
        let error = plan::parse(text).unwrap_err();
        assert!(error.message().contains(part), "{text}: {error}");
        assert!(!error.hints().is_empty());
    }
    let deep = "[".repeat(200_000);
    assert!(plan::parse(&deep).unwrap_err().message().contains("nests deeper"));
}

#[test]
fn a_thousand_nodes_are_quick_and_fifty_megabytes_no_trouble() {
    let leaf = serde_json::json!({
        "Node Type": "Seq Scan", "Relation Name": "t", "Alias": "t", "Plan Rows": 10, "Actual Rows": 10,
        "Actual Loops": 1, "Actual Total Time": 0.5, "Filter": "(a > 1)", "Shared Hit Blocks": 3,
    });
    let plan_of = |count: usize, filter: &str| {
        let mut leaf = leaf.clone();
        leaf["Filter"] = Json::from(filter);
        let plans: Vec<Json> = vec![leaf; count];
        serde_json::json!([{ "Plan": { "Node Type": "Append", "Actual Rows": 1, "Actual Loops": 1,
            "Actual Total Time": 600.0, "Plans": plans }, "Execution Time": 1.0 }])
        .to_string()
    };
    let thousand = plan_of(1000, "(a > 1)");
    let read = plan::parse(&thousand).unwrap();
    assert_eq!(read.plan.tree.walk().len(), 1001);
    assert!((read.plan.tree.self_ms.unwrap() - 100.0).abs() < 1e-6);
    let big = plan_of(10_000, &"x".repeat(5000));
    assert_eq!(plan::parse(&big).unwrap().plan.tree.walk().len(), 10_001);
}
