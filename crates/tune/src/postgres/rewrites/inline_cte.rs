//! `WITH c AS MATERIALIZED (…)` → `WITH c AS NOT MATERIALIZED (…)`.

use pg_query::protobuf::CteMaterialize;
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::names::each_select;
use super::{Input, Rewrite, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "inline-cte",
    title: "the CTE merged into its surroundings (NOT MATERIALIZED)",
    clears: &["cte-filter"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    if input.catalog.version.major < 12 {
        return conditions;
    }
    each_select(statement, &mut |select, _| {
        let Some(with) = select.with_clause.as_mut().filter(|with| !with.recursive) else { return };
        for cte in &mut with.ctes {
            let Some(NodeEnum::CommonTableExpr(cte)) = &mut cte.node else { continue };
            let query = cte.ctequery.as_deref().and_then(ast::as_select);
            if cte.ctematerialized != CteMaterialize::Never as i32
                && query.is_some_and(safe::is_stable)
            {
                cte.ctematerialized = CteMaterialize::Never as i32;
                conditions.push(format!(
                    "{} is a plain SELECT without volatile functions, not recursive",
                    cte.ctename
                ));
            }
        }
    });
    conditions
}
