use std::collections::BTreeSet;

use marula_core::{Engine, Evidence, Example, PlanNode, RuleInfo, Severity};
use pg_query::NodeEnum;
use pg_query::protobuf::BoolExprType;

use super::super::{Context, ast};
use super::support::{SMALL, draft, grouped, number, words};
use crate::{Draft, Rule};

const SETUP: &str = "CREATE TABLE clients (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO clients SELECT i, 'c' || i FROM generate_series(1, 20000) i;
CREATE TABLE bills (id int PRIMARY KEY, client_id int NOT NULL, code text NOT NULL);
INSERT INTO bills SELECT i, i % 20000 + 1, 'b' || i FROM generate_series(1, 20000) i;
CREATE INDEX clients_name_idx ON clients (name);
CREATE INDEX bills_code_idx ON bills (code);
CREATE INDEX bills_client_id_idx ON bills (client_id);
ANALYZE clients; ANALYZE bills;";

/// An OR between conditions on two tables.
pub static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "or-join-filter",
        engine: Engine::Postgres,
        title: "An OR over two tables is checked after the join",
        severity: Severity::High,
        since: None,
        page: "`WHERE a.name = 'x' OR b.code = 'y'` can be decided only when the rows of both \
               tables are together. So all rows are joined first, whatever indexes there are.\n\n\
               The work is the whole join for a handful of rows.\n\n\
               Ask twice and put the answers together: one branch with each side of the OR, the \
               second without what the first gave (`AND (a.name = 'x') IS NOT TRUE`), joined by \
               UNION ALL. Each branch starts at its own index.",
        source: "measured: OR across tables as a union about 2,000 times faster",
        examples: &[
            Example {
                name: "a name or a code",
                setup: SETUP,
                statement: "SELECT c.id, b.id FROM clients c JOIN bills b ON b.client_id = c.id WHERE c.name = 'c77' OR b.code = 'b99'",
                fires: true,
            },
            Example {
                name: "a name or an id of the same table",
                setup: SETUP,
                statement: "SELECT c.id, b.id FROM clients c JOIN bills b ON b.client_id = c.id WHERE c.name = 'c77' OR c.id = 99",
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
        .operations(&["Nested Loop", "Hash Join", "Merge Join"])
        .filter_map(|at| {
            let filter = words(at.node, "Join Filter")?;
            let tables = either(&filter)?;
            let removed = at.node.removed? as f64;
            let kept = at.node.actual_rows?;
            let share = context.share_below(at.node);
            if removed < 1000.0 || removed < 5.0 * kept || share < SMALL {
                return None;
            }
            let title = format!(
                "{} rows are joined to keep {}, by an OR over {}",
                grouped(removed + kept),
                grouped(kept),
                tables.join(" and ")
            );
            let mut draft = draft(context, &at, share, title);
            draft.place.expression = Some(filter.clone());
            draft.evidence.extend([
                number("rows joined", removed + kept),
                number("rows kept", kept),
                Evidence::text("join filter", filter),
            ]);
            draft.explanation = "No index can serve an OR whose sides lie in different tables: \
                 everything is joined, then checked. A UNION ALL of the sides lets each start \
                 where its own condition is."
                .into();
            draft.proposals = context.rewrites("or-join-filter");
            draft.proposals.extend(indexes(context, at.node));
            Some(draft)
        })
        .collect()
}

fn indexes(context: &Context, node: &PlanNode) -> Vec<crate::Proposal> {
    context.indexes_below(node, &[super::super::Purpose::Filter, super::super::Purpose::Join])
}

/// The tables of an OR in the filter, when its sides are not all about the same ones.
fn either(filter: &str) -> Option<Vec<String>> {
    let parsed = ast::parse_conditions(&[filter])?.pop()?;
    ast::conjuncts(&parsed).into_iter().find_map(|part| {
        let Some(NodeEnum::BoolExpr(e)) = &part.node else { return None };
        (e.boolop == BoolExprType::OrExpr as i32).then_some(())?;
        let sides: Vec<BTreeSet<String>> = e
            .args
            .iter()
            .map(|side| {
                let columns = ast::all(side).into_iter().filter_map(ast::column);
                columns.filter_map(|(table, _)| table.map(str::to_owned)).collect()
            })
            .collect();
        let all: BTreeSet<String> = sides.iter().flatten().cloned().collect();
        (all.len() > 1).then(|| all.into_iter().collect())
    })
}
