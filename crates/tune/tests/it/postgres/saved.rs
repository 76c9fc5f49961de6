//! Plans somebody saved, told about without a server.

use marula_core::{Engine, Severity, Target, TargetKind};
use marula_postgres::plan;
use marula_tune::ExplainOptions;
use marula_tune::postgres::diagnose_saved;

fn target() -> Target {
    Target {
        name: "plan.json".into(),
        kind: TargetKind::PlanFile,
        engine: Engine::Postgres,
        database: None,
        version: None,
    }
}

const JSON: &str = r#"[{"Plan": {"Node Type": "Seq Scan", "Parallel Aware": false, "Relation Name": "orders", "Alias": "orders",
  "Startup Cost": 0.00, "Total Cost": 2985.00, "Plan Rows": 50, "Plan Width": 90, "Actual Startup Time": 0.2,
  "Actual Total Time": 21.5, "Actual Rows": 48, "Actual Loops": 1, "Filter": "(customer_id = 42)",
  "Rows Removed by Filter": 119952}, "Planning Time": 0.1, "Execution Time": 21.6}]"#;

const TEXT: &str = " Seq Scan on orders  (cost=0.00..2985.00 rows=50 width=90) (actual time=0.200..21.500 rows=48 loops=1)
   Filter: (customer_id = 42)
   Rows Removed by Filter: 119952
 Planning Time: 0.100 ms
 Execution Time: 21.600 ms
";

#[test]
fn json_and_text_say_the_same() {
    for text in [JSON, TEXT] {
        let saved = plan::parse(text).unwrap();
        let report = diagnose_saved(saved.plan, None, &target(), &ExplainOptions::default());
        assert_eq!(report.findings[0].rule, "selective-seq-scan", "{text}");
        assert_eq!(report.findings[0].severity, Severity::High);
        assert!(report.notes.iter().any(|note| note.contains("no server")), "{:?}", report.notes);
    }
}

#[test]
fn a_statement_that_is_known_is_read_and_one_that_does_not_parse_does_no_harm() {
    for sql in ["SELECT * FROM orders WHERE customer_id = 42", "SELEC nonsense"] {
        let saved = plan::parse(JSON).unwrap();
        let report = diagnose_saved(saved.plan, Some(sql), &target(), &ExplainOptions::default());
        assert_eq!(report.findings[0].rule, "selective-seq-scan");
        assert_eq!(report.statement.unwrap().text, sql);
    }
}
