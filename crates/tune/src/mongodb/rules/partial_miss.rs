use bson::{Bson, Document};
use marula_core::{DocumentIndex, Engine, Evidence, Example, Json, RuleInfo, Severity, numbered};

use super::asked::{self, compares_alike, considered, looked_for, wasted};
use super::{ENOUGH, filter};
use crate::mongodb::Context;
use crate::mongodb::context::draft;
use crate::mongodb::implies::unimplied;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "partial-miss",
        engine: Engine::Mongodb,
        title: "a partial index is not used, because the filter does not ask for its part",
        severity: Severity::High,
        since: None,
        page: "An index has the wanted field first but holds only a part of the documents \
               (`partialFilterExpression`). The server uses it only when the statement's own filter \
               makes sure that no other document is wanted, which it does by comparing the \
               conditions, not the data.\n\nAdd the index's condition to the filter, if the other \
               documents are not wanted anyway; that is for you to know. Otherwise an index over \
               all documents is needed. The condition has to be as narrow: `{total: {$gt: 50}}` \
               is implied by `{total: {$gt: 60}}`, not by `{total: {$gt: 40}}`.",
        source: "6.0.27: a partial index on the wanted field is left alone without its condition",
        examples: &[
            Example {
                name: "the index holds open orders only",
                setup: concat!(
                    numbered!(
                        "orders",
                        3000,
                        "customer: {$mod: ['$i', 300]}, open: {$eq: [{$mod: ['$i', 7]}, 0]}"
                    ),
                    "db.orders.createIndex({customer: 1}, {partialFilterExpression: {open: true}})"
                ),
                statement: "db.orders.find({customer: 7})",
                fires: true,
            },
            Example {
                name: "the filter asks for open orders",
                setup: concat!(
                    numbered!(
                        "orders",
                        3000,
                        "customer: {$mod: ['$i', 300]}, open: {$eq: [{$mod: ['$i', 7]}, 0]}"
                    ),
                    "db.orders.createIndex({customer: 1}, {partialFilterExpression: {open: true}})"
                ),
                statement: "db.orders.find({customer: 7, open: true})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let Some((main, collection)) = asked::main(context) else { return Vec::new() };
    if wasted(context) <= ENOUGH {
        return Vec::new();
    }
    let mut found = Vec::new();
    for index in &collection.indexes {
        let Some((path, _)) = index.keys.first() else { continue };
        let wanted = looked_for(main, path).next().is_some();
        if index.hidden
            || !wanted
            || !compares_alike(context, collection, index)
            || considered(context, index)
        {
            continue;
        }
        let Some(part) = part(index) else { continue };
        let missing = unimplied(&part, &main.filter);
        if missing.is_empty() {
            continue;
        }
        let nodes = context.nodes();
        let Some((at, node)) = nodes.iter().find(|(_, node)| filter(node).is_some()) else {
            continue;
        };
        let share = context.share(node).max(0.4);
        let missing: Document = missing.into_iter().flatten().collect();
        let missing = marula_mongodb::command::print_document(&missing);
        let mut drafted = draft(
            (at, node),
            share,
            format!("the partial index {} is not used: the filter lacks {missing}", index.name),
            vec![
                Evidence::text("the index holds", marula_mongodb::command::print_document(&part)),
                Evidence::text("the filter does not imply", missing.clone()),
                Evidence::number("read for nothing", wasted(context), None),
            ],
            format!(
                "Documents outside of the index may be wanted, as far as the filter tells. Add \
                 {missing} to the filter if they are not; or make an index over all documents."
            ),
            context.main_indexes(share),
        );
        drafted.place.index = Some(index.name.clone());
        found.push(drafted);
    }
    found
}

/// What a partial index holds.
fn part(index: &DocumentIndex) -> Option<Document> {
    let json: Json = index.partial.clone()?;
    match Bson::try_from(json).ok()? {
        Bson::Document(part) if !part.is_empty() => Some(part),
        _ => None,
    }
}
