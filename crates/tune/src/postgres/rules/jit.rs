use marula_core::{ChangeKind, Engine, Evidence, Example, Json, RuleInfo, Severity};

use super::super::{Context, cost};
use super::support::{draft, number, part};
use crate::{Draft, Proposal, Rule};

/// Compiling takes longer than it saves.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "jit",
        engine: Engine::Postgres,
        title: "Compiling the expressions takes a good part of the time",
        severity: Severity::Medium,
        since: Some(marula_core::Version::new(11, 0, 0)),
        page: "From jit_above_cost on the server compiles the statement's expressions to machine \
               code. That takes tens of milliseconds to seconds, more with many partitions or \
               columns, and is done anew each time. It pays only for statements that run long.\n\n\
               The threshold is in the planner's units and not in time: one wrong estimate and a \
               quick statement is compiled.\n\n\
               Switch jit off for the role or the database, or raise jit_above_cost.",
        source: "EXPLAIN ANALYZE: JIT timing over 25 % of the execution",
        examples: &[
            Example {
                name: "compiled whatever it costs",
                setup: "CREATE TABLE ticks (id int, v int);
INSERT INTO ticks SELECT i, i % 100 FROM generate_series(1, 30000) i;
ANALYZE ticks;
SET jit = on; SET jit_above_cost = 0; SET jit_optimize_above_cost = 0; SET jit_inline_above_cost = 0;",
                statement: "SELECT v, sum(id), avg(id) FROM ticks WHERE v < 90 GROUP BY v",
                fires: true,
            },
            Example {
                name: "not compiled",
                setup: "CREATE TABLE ticks (id int, v int);
INSERT INTO ticks SELECT i, i % 100 FROM generate_series(1, 30000) i;
ANALYZE ticks;
SET jit = off;",
                statement: "SELECT v, sum(id), avg(id) FROM ticks WHERE v < 90 GROUP BY v",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let Some(at) = context.nodes().next() else { return Vec::new() };
    let Some(jit) = at.node.native.get("JIT") else { return Vec::new() };
    let total = context.plan.execution_ms.or(cost::total_ms(&context.plan)).unwrap_or(0.0);
    let timing = jit.get("Timing");
    let Some(ms) = timing.and_then(|timing| timing.get("Total")).and_then(Json::as_f64) else {
        return Vec::new();
    };
    let share = (ms / total.max(0.001)).min(1.0);
    if ms < 5.0 || share <= 0.25 {
        return Vec::new();
    }
    let title = format!("{ms:.0} of {total:.0} ms go to compiling");
    let mut draft = draft(context, &at, share, title);
    draft.evidence.extend([
        Evidence::number("time compiling", (ms * 10.0).round() / 10.0, Some("ms")),
        part("share of the time", share),
        number("functions", jit.get("Functions").and_then(Json::as_f64).unwrap_or(0.0)),
    ]);
    draft.explanation = "The compiled code does not run long enough to earn back what making it \
                         took."
        .into();
    draft.proposals = vec![Proposal {
        kind: ChangeKind::Setting,
        title: "jit = off for this statement".into(),
        relation: None,
        up: vec!["SET jit = off".into()],
        down: vec!["RESET jit".into()],
        hazards: vec![
            "statements that run for many seconds may become slower: set it for the statement or \
             the role, or raise jit_above_cost"
                .into(),
        ],
        conditions: Vec::new(),
        gain: share * 0.9,
    }];
    vec![draft]
}
