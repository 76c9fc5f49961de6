use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, own_reads, reads_all};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::mongodb::index::profile;
use crate::{Draft, Rule};

/// The rewrite it proposes where the documents are sorted by something else.
const REWRITE: &str = "sort-by-group";

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "distinct-miss",
        engine: Engine::Mongodb,
        title: "every document is read to find a few distinct values",
        severity: Severity::Medium,
        since: None,
        page: "A `distinct`, or a `$group` that asks for nothing but its key (or `$first` of each \
               group), reads every document.\n\nWith an index that begins with the field, the \
               server jumps from one value to the next (`DISTINCT_SCAN`) and reads one key a \
               value. A filter on equal values goes before it in the index. \
               Where the documents are sorted before the `$group`, the sort has to begin with the \
               group's key. A `$group` that sums or \
               counts has to read everything: no index spares it that.",
        source: "100,000 documents on 6.0.27: 57 ms against 3 ms",
        examples: &[
            Example {
                name: "the values of a field",
                setup: numbered!("events", 3000, "type: {$mod: ['$i', 7]}, at: '$i'"),
                statement: "db.events.distinct('type')",
                fires: true,
            },
            Example {
                name: "a group without a sum",
                setup: numbered!("events", 3000, "type: {$mod: ['$i', 7]}, at: '$i'"),
                statement: "db.events.aggregate([{$group: {_id: '$type'}}])",
                fires: true,
            },
            Example {
                name: "the first of each group, sorted by something else",
                setup: numbered!("events", 3000, "type: {$mod: ['$i', 7]}, at: '$i'"),
                statement: "db.events.aggregate([{$sort: {at: 1}}, {$group: {_id: '$type', first: \
                            {$first: '$at'}}}])",
                fires: true,
            },
            Example {
                name: "an index that begins with the field",
                setup: concat!(
                    numbered!("events", 3000, "type: {$mod: ['$i', 7]}, at: '$i'"),
                    "db.events.createIndex({type: 1})"
                ),
                statement: "db.events.distinct('type')",
                fires: false,
            },
            Example {
                name: "a sum needs every document",
                setup: numbered!("events", 3000, "type: {$mod: ['$i', 7]}, at: '$i'"),
                statement: "db.events.aggregate([{$group: {_id: '$type', n: {$sum: 1}}}])",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let resorted = context.rewrites.with(REWRITE).next().is_some();
    let Some(main) = context.main().filter(|main| main.distinct || resorted) else {
        return Vec::new();
    };
    let Some(path) = main.group.first() else { return Vec::new() };
    let nodes = context.nodes();
    let Some((at, node)) = nodes.iter().find(|(_, node)| reads_all(node)) else {
        return Vec::new();
    };
    let collection = context.collection(&main.collection);
    let read = own_reads(node).or(collection.map(|collection| collection.documents as f64));
    if read.is_some_and(|read| read <= ENOUGH) {
        return Vec::new();
    }
    // Where nearly every document has a value of its own there is nothing to jump over.
    let schema = collection.and_then(|collection| collection.schema.as_ref());
    let few = schema.zip(profile(path, schema));
    if few.is_some_and(|(schema, field)| field.distinct * 2 > schema.sampled) {
        return Vec::new();
    }
    let share = context.share(node).max(0.3);
    // A sort by something else has to change first.
    let proposals = match resorted {
        true => context.rewrites(REWRITE, share),
        false => context.main_indexes(share),
    };
    if proposals.is_empty() {
        return Vec::new();
    }
    let mut evidence = Vec::new();
    evidence.extend(read.map(|n| Evidence::number("documents examined", n, None)));
    evidence.extend(
        few.map(|(_, field)| Evidence::number("distinct values seen", field.distinct as f64, None)),
    );
    let all = read.map_or("all".into(), count);
    vec![draft(
        (at, node),
        share,
        format!("{all} documents are read to find the distinct values of {path}"),
        evidence,
        "With an index that begins with the field (behind what the filter compares for equality), \
         the server jumps from one value to the next and reads one key for each.",
        proposals,
    )]
}
