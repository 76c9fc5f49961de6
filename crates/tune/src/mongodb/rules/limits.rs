use marula_core::{Engine, Evidence, Example, Json, RuleInfo, Severity, Version, numbered};

use crate::mongodb::Context;
use crate::mongodb::context::draft;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "limits",
        engine: Engine::Mongodb,
        title: "the planner was kept from looking at every plan",
        severity: Severity::Medium,
        since: Some(Version::new(6, 0, 0)),
        page: "The planner did not look at every plan there is. Either an *index filter* \
               (`planCacheSetFilter`) names the indexes it may use for this shape, whatever else \
               was built since; or the filter can be read in so many ways that it stopped at a \
               limit (`maxIndexedOrSolutionsReached`, `maxIndexedAndSolutionsReached`).\n\nLook \
               at index filters with `planCacheListFilters` and clear those nobody remembers the \
               reason of: they live until the server restarts, and not on the next one. At the \
               limits, give the server fewer indexes that each serve a part, and one that serves \
               the whole.",
        source: "explain output of 6.0.27; 4.4.2 and 5.0.4 say `indexFilterSet: false` even where one \
                 applies, and tell no limits",
        examples: &[
            Example {
                name: "an index filter that names another index",
                setup: concat!(
                    numbered!("orders", 3000, "a: {$mod: ['$i', 300]}, b: {$mod: ['$i', 5]}"),
                    "db.orders.createIndex({a: 1})\ndb.orders.createIndex({b: 1})\n",
                    "{\"planCacheSetFilter\": \"orders\", \"query\": {\"a\": 1, \"b\": 1}, \
                     \"indexes\": [{\"b\": 1}]}"
                ),
                statement: "db.orders.find({a: 7, b: 2})",
                fires: true,
            },
            Example {
                name: "no index filter",
                setup: concat!(
                    numbered!("orders", 3000, "a: {$mod: ['$i', 300]}, b: {$mod: ['$i', 5]}"),
                    "db.orders.createIndex({a: 1})\ndb.orders.createIndex({b: 1})"
                ),
                statement: "db.orders.find({a: 7, b: 2})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let Some(planner) = node.native.get("queryPlanner") else { continue };
        let set = |flag: &str| planner.get(flag) == Some(&Json::Bool(true));
        let what = if set("indexFilterSet") {
            (
                "indexFilterSet",
                "an index filter names the indexes the planner may use",
                "Somebody set an index filter for this shape, and other indexes are not looked at. \
                 See planCacheListFilters, and clear it with planCacheClearFilters if it is not \
                 wanted any more; a new index does not help before.",
            )
        } else if set("maxIndexedOrSolutionsReached") {
            (
                "maxIndexedOrSolutionsReached",
                "the branches of the $or can be read in more ways than the planner tries",
                "Each branch has several indexes, and the planner tries only ten of the ways to \
                 combine them. One index for each branch that serves all of it leaves no choice.",
            )
        } else if set("maxIndexedAndSolutionsReached") {
            (
                "maxIndexedAndSolutionsReached",
                "more indexes could serve the filter than the planner tries to combine",
                "Many indexes each serve one condition. One that serves all of the filter is \
                 better than any combination of them.",
            )
        } else {
            continue;
        };
        let (flag, title, explanation) = what;
        let share = context.share(node).max(0.1);
        let proposals = match flag {
            "indexFilterSet" => Vec::new(),
            _ => context.main_indexes(share),
        };
        let evidence = vec![Evidence::text("flag", flag)];
        found.push(draft((&path, node), share, title.into(), evidence, explanation, proposals));
    }
    found
}
