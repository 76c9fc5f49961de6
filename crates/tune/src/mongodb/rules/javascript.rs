use marula_core::{Engine, Evidence, Example, Json, RuleInfo, Severity, numbered};

use super::filter;
use crate::mongodb::Context;
use crate::mongodb::context::draft;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "javascript",
        engine: Engine::Mongodb,
        title: "JavaScript runs for every document",
        severity: Severity::High,
        since: None,
        page: "The filter or a stage holds JavaScript (`$where`, `$function`, `$accumulator`). The \
               server turns each document into a JavaScript object and runs the code on it; no \
               index can help, and it is dozens of times slower than an operator.\n\nWrite it with \
               query operators where that is possible, or else with `$expr` and aggregation \
               operators. `$where` and `$function` also cannot be used where server-side scripting \
               is switched off, and are going away: 8.0 warns of them. marula does not send \
               JavaScript to a server; this rule reads saved explains.",
        source: "6.0.27: 5,000 documents, 287 ms with $where against 2 ms with $expr",
        examples: &[
            Example {
                name: "a comparison in $where",
                setup: numbered!("orders", 3000, "a: '$i', b: {$mod: ['$i', 70]}"),
                statement: "db.orders.find({$where: 'this.a == this.b'})",
                fires: true,
            },
            Example {
                name: "the same with $expr",
                setup: numbered!("orders", 3000, "a: '$i', b: {$mod: ['$i', 70]}"),
                statement: "db.orders.find({$expr: {$eq: ['$a', '$b']}})",
                fires: false,
            },
        ],
    },
    check,
};

const OPERATORS: [&str; 3] = ["$where", "$function", "$accumulator"];

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let own = node.native.get("filter").or_else(|| node.native.get(&node.op));
        let Some(operator) = own.and_then(code) else { continue };
        let share = context.share(node).max(0.3);
        let mut evidence = vec![Evidence::text("operator", operator)];
        evidence.extend(filter(node).map(|text| Evidence::text("filter", text)));
        evidence.extend(
            node.reads.map(|read| Evidence::number("documents it ran for", read as f64, None)),
        );
        found.push(draft(
            (&path, node),
            share,
            format!("{operator} runs JavaScript for every document"),
            evidence,
            "Each document becomes a JavaScript object first, and no index is used. Write it with \
             query operators, or with $expr and aggregation operators.",
            Vec::new(),
        ));
    }
    found
}

/// The first operator in `value` that runs JavaScript.
fn code(value: &Json) -> Option<&'static str> {
    let mut open = vec![value];
    while let Some(part) = open.pop() {
        match part {
            Json::Object(fields) => {
                for (key, inner) in fields {
                    if let Some(operator) = OPERATORS.iter().find(|operator| *operator == key) {
                        return Some(operator);
                    }
                    open.push(inner);
                }
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    None
}
