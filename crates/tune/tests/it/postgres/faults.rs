//! Fault injection: each rule on plans of servers on which its fault was made, and on near misses
//! without it, over several tables, sizes and wordings. Precision and recall are computed.

use std::collections::BTreeMap;

use marula_postgres::plan;
use marula_tune::ProveMode;
use marula_tune::postgres::diagnose_saved;

use super::{explained, fresh, ops, options, rules_of, set_up, target};

/// One rule's scene, as `faults.txt` has it.
#[derive(Debug, Default)]
struct Scene<'a> {
    rule: &'a str,
    major: u16,
    setup: String,
    /// What is done first, the statement, whether the fault is in it.
    cases: Vec<(&'a str, &'a str, bool)>,
}

fn scenes(text: &str) -> Vec<Scene<'_>> {
    let mut scenes: Vec<Scene<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
        if let Some(head) = line.strip_prefix("# ") {
            let (rule, major) = head.split_once(' ').unwrap_or((head, "15"));
            scenes.push(Scene { rule, major: major.parse().unwrap(), ..Scene::default() });
            continue;
        }
        let scene = scenes.last_mut().unwrap();
        match line.split_at(2) {
            (mark @ ("+ " | "- "), rest) => {
                let (first, statement) = rest.split_once(" ==> ").unwrap_or(("", rest));
                scene.cases.push((first, statement, mark == "+ "));
            }
            _ => {
                scene.setup.push_str(line);
                scene.setup.push('\n');
            }
        }
    }
    scenes
}

/// Tables, a suffix for other names, and how many rows.
const VARIANTS: [[&str; 4]; 3] = [
    ["alpha", "beta", "1", "40000"],
    ["\"Sales 2026\"", "\"Größen\"", "2", "50000"],
    ["m17", "k2", "3", "60000"],
];

fn filled(text: &str, [t, u, v, n]: &[&str; 4]) -> String {
    text.replace("{t}", t).replace("{u}", u).replace("{v}", v).replace("{n}", n)
}

/// Right and wrong verdicts.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    found: usize,
    missed: usize,
    quiet: usize,
    false_alarms: usize,
}

impl Tally {
    fn precision(self) -> f64 {
        self.found as f64 / (self.found + self.false_alarms).max(1) as f64
    }

    fn recall(self) -> f64 {
        self.found as f64 / (self.found + self.missed).max(1) as f64
    }

    fn add(&mut self, other: Tally) {
        self.found += other.found;
        self.missed += other.missed;
        self.quiet += other.quiet;
        self.false_alarms += other.false_alarms;
    }
}

/// The findings on a statement, by its own way where it reads, and by its saved plan where it
/// writes or is prepared; with the plan, for messages.
pub(super) async fn found(session: &marula_postgres::Session, sql: &str) -> (Vec<String>, String) {
    if marula_postgres::guard::check(sql).is_ok() {
        let report = explained(session, sql, ProveMode::Off).await;
        let rules = rules_of(&report).into_iter().map(String::from).collect();
        return (rules, ops(&report));
    }
    let client = session.client();
    client.batch_execute("BEGIN").await.unwrap();
    let asked = format!("EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, FORMAT JSON) {sql}");
    let row = client.query_one(&asked, &[]).await;
    let row = row.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let document: marula_core::Json = row.get(0);
    client.batch_execute("ROLLBACK").await.unwrap();
    let saved = plan::parse(&document.to_string()).unwrap();
    let report = diagnose_saved(saved.plan, None, &target(session), &options(ProveMode::Off));
    (rules_of(&report).into_iter().map(String::from).collect(), ops(&report))
}

async fn played(
    session: &marula_postgres::Session,
    scene: &Scene<'_>,
    complaints: &mut Vec<String>,
) -> Tally {
    let mut tally = Tally::default();
    for variant in &VARIANTS {
        let clean = "DROP EXTENSION IF EXISTS postgres_fdw CASCADE; DEALLOCATE ALL; RESET ALL; \
                     DROP SCHEMA public CASCADE; CREATE SCHEMA public";
        session.client().batch_execute(clean).await.unwrap();
        set_up(session, &filled(&scene.setup, variant)).await;
        for (first, statement, fault) in &scene.cases {
            // A node that is switched off costs so much that JIT would begin.
            session.client().batch_execute("RESET ALL; SET jit = off").await.unwrap();
            set_up(session, &filled(first, variant)).await;
            let sql = filled(statement, variant);
            let (rules, ops) = found(session, &sql).await;
            let fired = rules.iter().any(|rule| rule == scene.rule);
            match (fault, fired) {
                (true, true) => tally.found += 1,
                (true, false) => tally.missed += 1,
                (false, false) => tally.quiet += 1,
                (false, true) => tally.false_alarms += 1,
            }
            if *fault != fired {
                complaints.push(format!(
                    "{}: {sql}\n  fired {fired}; found {rules:?}\n{ops}",
                    scene.rule
                ));
            }
        }
    }
    tally
}

/// Rules that go by times the machine decides: they count in the sum, and need not each reach it.
const CLOCKS: [&str; 6] =
    ["jit", "missing-workers", "no-parallel", "planning-time", "slow-io", "trigger-time"];

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_found_and_nothing_else() {
    let only = std::env::var("MARULA_FAULTS").unwrap_or_default();
    let scenes = scenes(include_str!("faults.txt"));
    let (on_15, on_18) = (fresh(15).await, fresh(18).await);
    let mut complaints = Vec::new();
    let mut by_rule: BTreeMap<&str, Tally> = BTreeMap::new();
    for scene in scenes.iter().filter(|scene| scene.rule.contains(only.as_str())) {
        let session = if scene.major == 15 { &on_15 } else { &on_18 };
        let started = std::time::Instant::now();
        let tally = played(session, scene, &mut complaints).await;
        println!("{} took {} ms", scene.rule, started.elapsed().as_millis());
        by_rule.entry(scene.rule).or_default().add(tally);
    }
    let mut all = Tally::default();
    println!("{:24} plans  found  missed  false  precision  recall", "rule");
    for (rule, tally) in &by_rule {
        all.add(*tally);
        line(rule, *tally);
    }
    line("all", all);
    let poor: Vec<&&str> = by_rule
        .iter()
        .filter(|(_, tally)| tally.precision() < 0.95 || tally.recall() < 0.95)
        .map(|(rule, _)| rule)
        .filter(|rule| !CLOCKS.contains(rule))
        .collect();
    assert!(all.precision() >= 0.95 && all.recall() >= 0.95, "{}", complaints.join("\n\n"));
    assert!(poor.is_empty(), "{poor:?}\n{}", complaints.join("\n\n"));
    if only.is_empty() {
        for rule in marula_tune::postgres::rules() {
            let tally = by_rule.get(rule.info.id).unwrap_or_else(|| panic!("{}", rule.info.id));
            assert!(tally.found >= 3 && tally.quiet >= 3, "{}: {tally:?}", rule.info.id);
        }
    }
}

fn line(rule: &str, tally: Tally) {
    let plans = tally.found + tally.missed + tally.quiet + tally.false_alarms;
    println!(
        "{rule:24} {plans:5}  {:5}  {:6}  {:5}  {:8.1} %  {:4.1} %",
        tally.found,
        tally.missed,
        tally.false_alarms,
        tally.precision() * 100.0,
        tally.recall() * 100.0
    );
}
