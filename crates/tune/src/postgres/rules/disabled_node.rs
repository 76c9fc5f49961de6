use marula_core::{ChangeKind, Engine, Evidence, Example, Json, RuleInfo, Severity, Version};

use super::super::{Context, cost};
use super::support::{SMALL, draft};
use crate::{Draft, Proposal, Rule};

/// An operation that was switched off and used all the same.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "disabled-node",
        engine: Engine::Postgres,
        title: "The plan uses an operation that is switched off",
        severity: Severity::Medium,
        since: Some(Version::new(18, 0, 0)),
        page: "`enable_seqscan = off` and its like do not forbid an operation; they make the \
               planner avoid it where it can. Here it could not: there is no index, or no other \
               way to join. Every other choice in the plan was made with that thumb on the scale.\n\n\
               Settings like these are often left over from an experiment, in the role or the \
               database.\n\n\
               Look where the setting comes from (`SELECT * FROM pg_settings`, `\\drds` in psql), \
               take it back, and mend what it was meant to hide: the missing index, the wrong \
               estimate.",
        source: "EXPLAIN of PostgreSQL 18: Disabled: true",
        examples: &[
            Example {
                name: "a scan without an alternative",
                setup: "CREATE TABLE stock (id int, v int);
INSERT INTO stock SELECT i, i % 100 FROM generate_series(1, 40000) i;
ANALYZE stock;
SET enable_seqscan = off;",
                statement: "SELECT sum(id) FROM stock WHERE v = 5",
                fires: true,
            },
            Example {
                name: "nothing is switched off",
                setup: "CREATE TABLE stock (id int, v int);
INSERT INTO stock SELECT i, i % 100 FROM generate_series(1, 40000) i;
ANALYZE stock;",
                statement: "SELECT sum(id) FROM stock WHERE v = 5",
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
        .nodes()
        .filter_map(|at| {
            (at.node.native.get("Disabled").and_then(Json::as_bool)?).then_some(())?;
            let share = context.share_below(at.node);
            if share < SMALL {
                return None;
            }
            let op = cost::operation(at.node).to_owned();
            let title = format!("{op} is switched off, and there was no other way");
            let mut draft = draft(context, &at, share, title);
            let setting = setting(&op);
            draft.explanation = "The planner was told to avoid this operation and found nothing \
                                 else. The rest of the plan was chosen around it."
                .into();
            if let Some(setting) = setting {
                draft.evidence.push(Evidence::text("setting", format!("{setting} = off")));
                draft.proposals = vec![Proposal {
                    kind: ChangeKind::Setting,
                    title: format!("{setting} = on"),
                    relation: None,
                    up: vec![format!("SET {setting} = on")],
                    down: vec![format!("SET {setting} = off")],
                    hazards: Vec::new(),
                    conditions: Vec::new(),
                    gain: share * 0.2,
                }];
            }
            Some(draft)
        })
        .collect()
}

fn setting(op: &str) -> Option<&'static str> {
    Some(match op {
        "Seq Scan" => "enable_seqscan",
        "Index Scan" => "enable_indexscan",
        "Index Only Scan" => "enable_indexonlyscan",
        "Bitmap Heap Scan" => "enable_bitmapscan",
        "Tid Scan" => "enable_tidscan",
        "Sort" => "enable_sort",
        "Incremental Sort" => "enable_incremental_sort",
        "Nested Loop" => "enable_nestloop",
        "Hash Join" => "enable_hashjoin",
        "Merge Join" => "enable_mergejoin",
        "Materialize" => "enable_material",
        "Aggregate" => "enable_hashagg",
        "Gather Merge" => "enable_gathermerge",
        _ => return None,
    })
}
