//! Input far larger than anybody writes by hand: no crash, no quadratic time.

use std::time::{Duration, Instant};

use super::lab::Home;

fn timed(home: &Home, args: &[&str], limit: Duration) -> (i32, String) {
    let start = Instant::now();
    let output = home.run(args);
    assert!(start.elapsed() < limit, "{args:?} took {:?}", start.elapsed());
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), said.into_owned())
}

#[test]
fn ten_thousand_lines_of_sql() {
    let home = Home::new();
    home.expect(0, &["lab", "up", "big", "--engine", "postgres"]);
    let mut sql = String::from("SELECT *\nFROM pg_class c\nWHERE c.relname IN (\n");
    for line in 0..10_000 {
        sql.push_str(&format!("  'table_{line}',\n"));
    }
    sql.push_str("  'end')\n");
    std::fs::write(home.path().join("big.sql"), &sql).unwrap();
    let args = ["explain", "lab/big/postgres", "-f", "big.sql", "--prove", "off"];
    let (code, said) = timed(&home, &args, Duration::from_secs(60));
    assert!(matches!(code, 0 | 1), "{code}: {said}");

    // The mistake is on the last line, and that line is shown.
    std::fs::write(home.path().join("bad.sql"), sql.replace("'end')", "'end'))")).unwrap();
    let args = ["explain", "lab/big/postgres", "-f", "bad.sql"];
    let (code, said) = timed(&home, &args, Duration::from_secs(20));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("'end'))") && said.lines().count() < 20, "{said}");
}

#[test]
fn a_plan_of_fifty_megabytes() {
    let home = Home::new();
    let scan = r#"{"Node Type":"Seq Scan","Parallel Aware":false,"Relation Name":"part","Schema":"public","Alias":"part","Startup Cost":0.00,"Total Cost":35.50,"Plan Rows":2550,"Plan Width":4,"Actual Startup Time":0.010,"Actual Total Time":0.200,"Actual Rows":2550,"Actual Loops":1,"Filter":"((status = 'open'::text) AND (at > '2026-01-01'::date))","Rows Removed by Filter":17}"#;
    let count = 50 * 1024 * 1024 / scan.len() + 1;
    let mut plan = String::from(
        r#"[{"Plan":{"Node Type":"Append","Startup Cost":0,"Total Cost":9,"Plan Rows":9,"Plan Width":4,"Actual Startup Time":0.0,"Actual Total Time":90.0,"Actual Rows":9,"Actual Loops":1,"Plans":["#,
    );
    plan.push_str(&vec![scan; count].join(","));
    plan.push_str(r#"]},"Planning Time":1.0,"Execution Time":100.0}]"#);
    assert!(plan.len() > 50 * 1024 * 1024);
    std::fs::write(home.path().join("plan.json"), plan).unwrap();
    let (code, said) = timed(&home, &["explain", "--plan", "plan.json"], Duration::from_secs(120));
    assert!(matches!(code, 0 | 1), "{code}: {}", said.chars().take(2_000).collect::<String>());
    assert!(said.contains("more nodes where little time goes"), "{}", said.len());
}

#[test]
fn a_plan_nested_deeper_than_any_stack() {
    let home = Home::new();
    let depth = 20_000;
    let open = r#"{"Node Type":"Result","Startup Cost":0,"Total Cost":1,"Plan Rows":1,"Plan Width":4,"Plans":["#;
    let leaf =
        r#"{"Node Type":"Result","Startup Cost":0,"Total Cost":1,"Plan Rows":1,"Plan Width":4}"#;
    let plan = format!("[{{\"Plan\":{}{leaf}{}}}]", open.repeat(depth), "]}".repeat(depth));
    std::fs::write(home.path().join("deep.json"), plan).unwrap();
    for format in ["human", "json"] {
        let args = ["explain", "--plan", "deep.json", "--format", format];
        let (code, said) = timed(&home, &args, Duration::from_secs(60));
        assert!(matches!(code, 0..=2), "{code}: {}", said.chars().take(500).collect::<String>());
    }
}

#[test]
fn an_explain_of_mongodb_of_fifty_megabytes() {
    let home = Home::new();
    let scan = r#"{"stage":"IXSCAN","nReturned":7,"executionTimeMillisEstimate":0,"works":8,"advanced":7,"needTime":0,"needYield":0,"saveState":0,"restoreState":0,"isEOF":1,"keyPattern":{"status":1,"created_at":-1},"indexName":"status_1_created_at_-1","isMultiKey":false,"direction":"forward","indexBounds":{"status":["[\"open\", \"open\"]"],"created_at":["[MaxKey, MinKey]"]},"keysExamined":7,"seeks":1,"dupsTested":0,"dupsDropped":0}"#;
    let count = 25 * 1024 * 1024 / scan.len() + 1;
    let scans = vec![scan; count].join(",");
    let plan = format!(
        r#"{{"queryPlanner":{{"namespace":"shop.orders","winningPlan":{{"stage":"OR","inputStages":[{scans}]}},"rejectedPlans":[]}},"executionStats":{{"executionSuccess":true,"nReturned":7,"executionTimeMillis":90,"totalKeysExamined":{},"totalDocsExamined":0,"executionStages":{{"stage":"OR","nReturned":7,"executionTimeMillisEstimate":80,"works":9,"inputStages":[{scans}]}}}},"serverInfo":{{"version":"6.0.27"}},"ok":1}}"#,
        7 * count
    );
    assert!(plan.len() > 50 * 1024 * 1024);
    std::fs::write(home.path().join("plan.json"), plan).unwrap();
    let (code, said) = timed(&home, &["explain", "--plan", "plan.json"], Duration::from_secs(120));
    assert!(matches!(code, 0 | 1), "{code}: {}", said.chars().take(2_000).collect::<String>());
    assert!(said.contains("IXSCAN") && said.len() < 1 << 20, "{}", said.len());
}

#[test]
fn ten_thousand_lines_of_a_pipeline() {
    let home = Home::new();
    let lines: Vec<String> =
        (0..10_000).map(|n| format!("  {{ $match: {{ field_{n}: {{ $gt: {n} }} }} }},")).collect();
    let text = format!("db.orders.aggregate([\n{}\n])", lines.join("\n"));
    std::fs::write(home.path().join("long.js"), &text).unwrap();
    std::fs::write(home.path().join("bad.js"), text.replace("{ $gt: 9999 }", "{ $gt: }")).unwrap();
    let bad = ["explain", "mongodb://127.0.0.1:1/shop", "-f", "bad.js"];
    let (code, said) = timed(&home, &bad, Duration::from_secs(20));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("field_9999") && said.lines().count() < 20, "{said}");
    // What is sound goes on to the server, and finds none.
    let long =
        ["explain", "mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=500", "-f", "long.js"];
    let (code, said) = timed(&home, &long, Duration::from_secs(30));
    assert_eq!(code, 3, "{said}");
}
