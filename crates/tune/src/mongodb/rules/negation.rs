use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, bounds, reads_index};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::mongodb::index::profile;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "negation",
        engine: Engine::Mongodb,
        title: "a negation reads nearly the whole index",
        severity: Severity::Medium,
        since: None,
        page: "`$ne`, `$nin` and `$not` become the intervals around the value: nearly the whole \
               index. They also let documents without the field through.\n\nWhere the field has \
               few values, name the wanted ones with `$in`: exact intervals. Otherwise lead the \
               index with another condition.",
        source: "explain output of 4.2 to 8.0: bounds `[MinKey, x), (x, MaxKey]`",
        examples: &[
            Example {
                name: "all but the most frequent",
                setup: concat!(
                    numbered!(
                        "orders",
                        3000,
                        "status: {$cond: [{$lt: [{$mod: ['$i', 100]}, 30]}, \
                              {$mod: ['$i', 5]}, 9]}"
                    ),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.find({status: {$ne: 9}})",
                fires: true,
            },
            Example {
                name: "the wanted ones by name",
                setup: concat!(
                    numbered!(
                        "orders",
                        3000,
                        "status: {$cond: [{$lt: [{$mod: ['$i', 100]}, 30]}, \
                              {$mod: ['$i', 5]}, 9]}"
                    ),
                    "db.orders.createIndex({status: 1})"
                ),
                statement: "db.orders.find({status: {$in: [0, 1, 2, 3, 4]}})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let bounds = bounds(node);
        let negated = bounds.iter().find(|(_, intervals)| {
            let open =
                |text: Option<&String>, word: &str| text.is_some_and(|text| text.contains(word));
            intervals.len() > 1
                && (open(intervals.first(), "MinKey") && open(intervals.last(), "MaxKey")
                    || open(intervals.first(), "MaxKey") && open(intervals.last(), "MinKey"))
        });
        let Some((field, intervals)) = negated.filter(|_| reads_index(node)) else { continue };
        let keys = node.keys.map(|keys| keys as f64);
        if context.plan.executed && keys.is_none_or(|keys| keys <= ENOUGH) {
            continue;
        }
        let share = context.share(node);
        let main = context.main();
        let schema = main
            .and_then(|main| context.collection(&main.collection))
            .and_then(|collection| collection.schema.as_ref());
        let values = profile(field, schema).filter(|field| field.distinct <= 20);
        let mut evidence = vec![Evidence::text("bounds", intervals.join(", "))];
        evidence.extend(keys.map(|n| Evidence::number("keys examined", n, None)));
        let mut explanation = String::from(
            "The intervals around the value are nearly the whole index, and documents without \
             the field match too. ",
        );
        match values {
            Some(values) => {
                evidence.push(Evidence::number(
                    "distinct values seen",
                    values.distinct as f64,
                    None,
                ));
                explanation.push_str(
                    "The field has few values: name the wanted ones with $in, and null if \
                     documents without it are wanted.",
                );
            }
            None => explanation.push_str("Lead the index with another condition of the filter."),
        }
        let read = keys.map_or("most".into(), count);
        found.push(draft(
            (&path, node),
            share,
            format!("the negation on {field} reads {read} keys of the index"),
            evidence,
            explanation,
            context.main_indexes(share),
        ));
    }
    found
}
