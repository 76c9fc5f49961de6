use marula_core::{Engine, Evidence, Example, Json, RuleInfo, Severity, numbered};

use super::asked::{self, compares_alike, considered, looked_for, operands, wasted};
use super::{ENOUGH, filter};
use crate::mongodb::Context;
use crate::mongodb::context::draft;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "collation",
        engine: Engine::Mongodb,
        title: "the index compares strings by another collation than the statement",
        severity: Severity::High,
        since: None,
        page: "An index has the field first, but it was made with one collation and the statement \
               compares with another (or with none). Keys in another order are of no use for \
               strings, so the server reads on as if the index were not there.\n\nGive the \
               statement the index's collation if that is how the strings should compare, or make \
               an index with the statement's. A collection created with a collation hands it to \
               its indexes and statements; so do nothing by half.",
        source: "6.0.27: an equality on a string with another strength is a COLLSCAN",
        examples: &[
            Example {
                name: "an index that ignores case, a statement that does not",
                setup: concat!(
                    numbered!(
                        "people",
                        3000,
                        "name: {$concat: ['N', {$toString: {$mod: ['$i', 500]}}]}"
                    ),
                    "db.people.createIndex({name: 1}, {collation: {locale: 'en', strength: 2}})"
                ),
                statement: "db.people.find({name: 'N7'})",
                fires: true,
            },
            Example {
                name: "the same collation",
                setup: concat!(
                    numbered!(
                        "people",
                        3000,
                        "name: {$concat: ['N', {$toString: {$mod: ['$i', 500]}}]}"
                    ),
                    "db.people.createIndex({name: 1}, {collation: {locale: 'en', strength: 2}})"
                ),
                statement: "db.people.find({name: 'n7'}).collation({locale: 'en', strength: 2})",
                fires: false,
            },
            Example {
                name: "numbers compare alike in every collation",
                setup: concat!(
                    numbered!("people", 3000, "age: {$mod: ['$i', 500]}"),
                    "db.people.createIndex({age: 1}, {collation: {locale: 'en', strength: 2}})"
                ),
                statement: "db.people.find({age: 7})",
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
        let Some((path, direction)) = index.keys.first() else { continue };
        let text = looked_for(main, path).flat_map(operands).any(|(_, value)| match value {
            bson::Bson::String(_) => true,
            bson::Bson::Array(values) => values.iter().any(|value| value.as_str().is_some()),
            _ => false,
        });
        if index.hidden
            || !direction.is_number()
            || !text
            || compares_alike(context, collection, index)
            || considered(context, index)
        {
            continue;
        }
        let nodes = context.nodes();
        let Some((at, node)) = nodes.iter().find(|(_, node)| filter(node).is_some()) else {
            continue;
        };
        let name = |collation: Option<&Json>| match collation {
            Some(collation) => marula_mongodb::plan::short(&brief(collation)),
            None => "none".to_string(),
        };
        let ours = asked::collation(context, collection)
            .map(|ours| bson::Bson::Document(ours).into_relaxed_extjson());
        let share = context.share(node).max(0.4);
        let mut drafted = draft(
            (at, node),
            share,
            format!("the index {} has another collation than the statement", index.name),
            vec![
                Evidence::text("the index's collation", name(index.collation.as_ref())),
                Evidence::text("the statement's collation", name(ours.as_ref())),
                Evidence::number("read for nothing", wasted(context), None),
            ],
            "Strings stand in the index in another order than the statement asks for, so it is not \
             used. Give the statement the index's collation, if that is how they should compare; \
             or make an index with the statement's.",
            context.main_indexes(share),
        );
        drafted.place.index = Some(index.name.clone());
        found.push(drafted);
    }
    found
}

/// The parts of a collation that people write.
fn brief(collation: &Json) -> Json {
    let kept = ["locale", "strength", "caseLevel", "numericOrdering"];
    let fields = collation.as_object().into_iter().flatten();
    let fields =
        fields.filter(|(key, value)| kept.contains(&key.as_str()) && **value != Json::Bool(false));
    Json::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
}
