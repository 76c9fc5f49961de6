//! Reports as the engines give them, for the renderers' tests.

use marula_core::*;

use super::{Look, Paint};
use crate::args::Format;

fn node(op: &str, relation: Option<&str>, ms: [f64; 2], rows: [f64; 2]) -> PlanNode {
    PlanNode {
        op: op.into(),
        relation: relation.map(Into::into),
        total_ms: Some(ms[0]),
        self_ms: Some(ms[1]),
        actual_rows: Some(rows[0]),
        estimated_rows: Some(rows[1]),
        loops: Some(1),
        reads: Some(8_412),
        ..PlanNode::default()
    }
}

fn tree() -> PlanNode {
    let mut items =
        node("Seq Scan", Some("public.order_items"), [8_100.0, 8_100.0], [12.0, 5_000.0]);
    items.alias = Some("i".into());
    items.removed = Some(999_988);
    items.loops = Some(40);
    items.reads = Some(118_400);
    items.details = vec![
        "Filter: ((i.order_id = o.id) AND (i.quantity > 2) AND (i.note ~~ '%a very long pattern \
         that nobody would write by hand but a program does%'::text))"
            .into(),
    ];
    let mut orders = node("Index Scan", Some("public.orders"), [80.0, 80.0], [40.0, 38.0]);
    orders.index = Some("orders_pkey".into());
    orders.alias = Some("o".into());
    orders.details = vec!["Index Cond: (id > 100)".into()];
    let mut join = node("Nested Loop", None, [9_700.0, 1_520.0], [480.0, 190_000.0]);
    join.children = vec![orders, items];
    let mut sort = node("Sort", None, [9_820.0, 120.0], [480.0, 190_000.0]);
    sort.details =
        vec!["Sort Key: (sum(i.price)) DESC".into(), "Sort Method: quicksort  Memory: 62kB".into()];
    sort.children = vec![join];
    let mut limit = node("Limit", None, [9_821.0, 1.0], [20.0, 20.0]);
    limit.children = vec![sort];
    limit
}

fn plan(ms: f64, summary: PlanSummary) -> Plan {
    Plan {
        engine: Engine::Postgres,
        version: Some(Version::new(15, 18, 0)),
        executed: true,
        planning_ms: Some(1.2),
        execution_ms: Some(ms),
        summary,
        tree: tree(),
    }
}

fn side(ms: f64, reads: u64, index: Option<&str>) -> Measurement {
    let summary = PlanSummary {
        indexes: index.map(|name| vec!["orders_pkey".into(), name.into()]).unwrap_or_default(),
        scans: if index.is_some() { vec![] } else { vec!["public.order_items".into()] },
        reads: Some(reads),
        ..PlanSummary::default()
    };
    Measurement {
        ms: Some(ms),
        runs: 5,
        reads: Some(reads),
        cost: None,
        timed_out: false,
        plan: Some(Box::new(plan(ms, summary))),
    }
}

fn proof(verdict: Verdict, after: f64, reason: &str) -> Proof {
    Proof {
        dataset: Some(Dataset { depth: Depth::Full, share: 1.0, rows: 1_338_112 }),
        server: Some(LabServer { engine: Engine::Postgres, version: Version::new(15, 18, 0) }),
        before: Some(side(9_840.0, 120_331, None)),
        after: Some(side(after, 812, Some("order_items_order_id_quantity_idx"))),
        speedup: Some(9_840.0 / after),
        results_equal: Some(true),
        build: Some(Build { ms: 912.0, bytes: 22_439_526 }),
        ..Proof::bare(verdict, reason)
    }
}

fn change(id: &str, kind: ChangeKind, title: &str, up: &str, proof: Proof) -> Change {
    Change {
        id: ChangeId(id.into()),
        kind,
        engine: Engine::Postgres,
        title: title.into(),
        relation: Some("public.order_items".into()),
        up: vec![up.into()],
        down: vec!["DROP INDEX CONCURRENTLY public.order_items_order_id_quantity_idx".into()],
        hazards: vec![],
        conditions: vec![],
        proof,
    }
}

/// A slow join on PostgreSQL, mended by an index and proven.
pub fn join() -> Report {
    let mut index = change(
        "c1",
        ChangeKind::Index,
        "Index public.order_items by order_id, then quantity",
        "CREATE INDEX CONCURRENTLY order_items_order_id_quantity_idx ON public.order_items \
         (order_id, quantity) INCLUDE (price, product_id)",
        proof(Verdict::Proven, 410.0, "every run of it was faster than every run without"),
    );
    index.hazards = vec!["every INSERT into order_items writes one index more".into()];
    let mut rewrite = change(
        "c2",
        ChangeKind::Rewrite,
        "NOT IN written as NOT EXISTS",
        "SELECT c.name, sum(i.price) FROM public.customers c JOIN public.orders o ON o.customer_id = \
         c.id JOIN public.order_items i ON i.order_id = o.id WHERE NOT EXISTS (SELECT 1 FROM \
         public.reviews r WHERE r.customer_id = c.id) GROUP BY c.name ORDER BY sum(i.price) DESC LIMIT 20",
        Proof { build: None, ..proof(Verdict::Proven, 1_200.0, "results are equal") },
    );
    rewrite.conditions =
        vec!["reviews.customer_id is NOT NULL, so both forms mean the same".into()];
    let report = Report::new("explain");
    Report {
        target: Some(Target {
            name: "lab/demo/postgres".into(),
            kind: TargetKind::Lab,
            engine: Engine::Postgres,
            database: Some("shop".into()),
            version: Some(Version::new(15, 18, 0)),
        }),
        statement: Some(Statement::new(Engine::Postgres, "SELECT 1")),
        measured: Some(side(9_840.0, 120_331, None)),
        findings: vec![
            Finding {
                rule: "unindexed-inner".into(),
                severity: Severity::High,
                title: "Every one of 40 orders reads all of public.order_items to find its 12 items".into(),
                place: Place { node: Some(vec![0, 0, 1]), ..Place::default() },
                evidence: vec![
                    Evidence::number("loops", 40.0, None),
                    Evidence::number("rows removed", 999_988.0, None),
                    Evidence::number("time", 8_100.0, Some("ms")),
                    Evidence::number("share", 82.0, Some("%")),
                    Evidence::text("condition", "i.order_id = o.id"),
                ],
                explanation: "No index of order_items begins with order_id, so the inner side of the \
                              join is read from end to end for each outer row. An index on it finds \
                              the items of one order in a few pages."
                    .into(),
                changes: vec![ChangeId("c1".into())],
                hazard: None,
            },
            Finding {
                rule: "misestimate".into(),
                severity: Severity::Low,
                title: "The join gives 480 rows where 190,000 were expected".into(),
                place: Place::default(),
                evidence: vec![],
                explanation: String::new(),
                changes: vec![],
                hazard: None,
            },
        ],
        changes: vec![
            index,
            rewrite,
            change(
                "c3",
                ChangeKind::Statistics,
                "ANALYZE public.order_items",
                "ANALYZE public.order_items",
                Proof::not_tried("the statistics are fresh in the lab's copy anyway"),
            ),
            change(
                "c4",
                ChangeKind::Index,
                "Index public.orders by status",
                "CREATE INDEX CONCURRENTLY orders_status_idx ON public.orders (status)",
                Proof { results_equal: Some(true), ..proof(Verdict::Refuted, 9_900.0, "the planner does not use it") },
            ),
        ],
        best: Some(Combination {
            changes: vec![ChangeId("c1".into()), ChangeId("c2".into())],
            statement: None,
            proof: Proof {
                build: None,
                ..proof(Verdict::Proven, 41.0, "The 20 rows are the same, in the same order")
            },
        }),
        goal: Some(Goal { ms: 100.0, met: Some(true) }),
        plan: Some(plan(9_840.0, PlanSummary::default())),
        notes: vec!["$1 was not given; 42 is its column's most common value".into()],
        ..report
    }
}

/// A plan that never ran, with nothing found.
pub fn estimate() -> Report {
    let mut plan = plan(0.0, PlanSummary::default());
    plan.executed = false;
    plan.execution_ms = None;
    let mut tree = node("Index Scan", Some("public.orders"), [0.0, 0.0], [0.0, 1.0]);
    tree.index = Some("orders_pkey".into());
    (tree.total_ms, tree.self_ms, tree.actual_rows, tree.loops) = (None, None, None, None);
    plan.tree = tree;
    Report { plan: Some(plan), ..Report::new("explain") }
}

/// A what-if: costs, and no times.
pub fn what_if() -> Report {
    let side = |cost: f64| Measurement {
        ms: None,
        runs: 0,
        reads: None,
        cost: Some(cost),
        timed_out: false,
        plan: None,
    };
    let mut report = join();
    report.measured = None;
    report.goal = Some(Goal { ms: 100.0, met: None });
    report.changes.truncate(1);
    report.findings.truncate(1);
    let proof = Proof {
        dataset: Some(Dataset { depth: Depth::WhatIf, share: 1.0, rows: 0 }),
        before: Some(side(183_340.12)),
        after: Some(side(812.5)),
        speedup: Some(225.6),
        ..Proof::bare(
            Verdict::Inconclusive,
            "hypothetical indexes change the plan; times were not measured",
        )
    };
    report.changes[0].proof = proof.clone();
    report.best =
        Some(Combination { changes: vec![ChangeId("c1".into())], statement: None, proof });
    report.plan = estimate().plan;
    report.notes.clear();
    report
}

fn look(width: usize) -> Look {
    Look { width, paint: Paint(false), verbose: false, file: Some("slow join.sql".into()) }
}

fn shown(report: &Report, format: Format, width: usize) -> String {
    match super::report(report, format, &look(width)) {
        Ok(text) => text,
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_proven_join_at_80_columns() {
    snapbox::assert_data_eq!(
        shown(&join(), Format::Human, 80),
        snapbox::file!["../../tests/snapshots/join-80.txt"]
    );
}

#[test]
fn a_proven_join_at_200_columns() {
    snapbox::assert_data_eq!(
        shown(&join(), Format::Human, 200),
        snapbox::file!["../../tests/snapshots/join-200.txt"]
    );
}

#[test]
fn a_what_if_says_that_these_are_costs() {
    snapbox::assert_data_eq!(
        shown(&what_if(), Format::Human, 80),
        snapbox::file!["../../tests/snapshots/what-if-80.txt"]
    );
}

#[test]
fn an_estimate_says_that_it_is_one() {
    snapbox::assert_data_eq!(
        shown(&estimate(), Format::Human, 80),
        snapbox::file!["../../tests/snapshots/estimate-80.txt"]
    );
}

#[test]
fn the_other_formats() {
    // Pages of real rules change; SARIF carries them along.
    let mut sarif = join();
    for finding in &mut sarif.findings {
        finding.rule.insert_str(0, "sample-");
    }

    snapbox::assert_data_eq!(
        shown(&join(), Format::Markdown, 80),
        snapbox::file!["../../tests/snapshots/join.md"]
    );
    snapbox::assert_data_eq!(
        shown(&join(), Format::Github, 80),
        snapbox::file!["../../tests/snapshots/join.github.txt"]
    );
    snapbox::assert_data_eq!(
        shown(&sarif, Format::Sarif, 80),
        snapbox::file!["../../tests/snapshots/join.sarif.json": Text]
    );
}

#[test]
fn no_line_is_wider_than_the_screen_but_for_what_is_to_be_copied() {
    for report in [join(), what_if(), estimate()] {
        for width in [60, 80, 120, 200] {
            for line in shown(&report, Format::Human, width).lines() {
                let columns = super::text::width(line);
                assert!(columns <= width || line.trim().split(' ').count() == 1, "{width}: {line}");
            }
        }
    }
}

#[test]
fn deep_and_wide_plans_are_shown_in_little_time() {
    let mut report = join();
    let mut deep = PlanNode { op: "Seq Scan".into(), ..PlanNode::default() };
    for _ in 0..2_000 {
        deep = PlanNode { op: "Result".into(), children: vec![deep], ..PlanNode::default() };
    }
    let wide =
        PlanNode { op: "Append".into(), children: vec![tree(); 5_000], ..PlanNode::default() };
    for tree in [deep, wide] {
        if let Some(plan) = &mut report.plan {
            plan.tree = tree;
        }
        let start = std::time::Instant::now();
        let text = shown(&report, Format::Human, 80);
        assert!(text.lines().count() < 600, "{}", text.lines().count());
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}
