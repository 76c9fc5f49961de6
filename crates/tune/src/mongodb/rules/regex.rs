use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, bounds, own_reads, reads_all, reads_index};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::mongodb::predicate::Kind;
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "regex",
        engine: Engine::Mongodb,
        title: "a regular expression is tried on every string",
        severity: Severity::High,
        since: None,
        page: "A regular expression that is not anchored (`/late/`), or ignores case (`/^late/i`), \
               gives no bounds: every string of the index, or every document, is tried.\n\nAnchor \
               it (`/^late/`) where that is what is meant: it becomes an interval. For equality \
               without case make an index with a collation of strength 2 and compare with that \
               collation. For words make a text or search index. Where none of these is possible, \
               an index on the field still reads short keys in place of whole documents.",
        source: "explain output of 4.2 to 8.0: bounds `[\"\", {})`",
        examples: &[
            Example {
                name: "a word in the middle",
                setup: concat!(
                    numbered!(
                        "notes",
                        3000,
                        "text: {$concat: ['note ', {$toString: '$i'}, ' end']}"
                    ),
                    "db.notes.createIndex({text: 1})"
                ),
                statement: "db.notes.find({text: /77 end/})",
                fires: true,
            },
            Example {
                name: "a beginning",
                setup: concat!(
                    numbered!(
                        "notes",
                        3000,
                        "text: {$concat: ['note ', {$toString: '$i'}, ' end']}"
                    ),
                    "db.notes.createIndex({text: 1})"
                ),
                statement: "db.notes.find({text: /^note 77/})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    let asked =
        context.main().map(|main| main.paths(|kind| *kind == Kind::Regex)).unwrap_or_default();
    for (path, node) in context.nodes() {
        let bounds = bounds(node);
        let wide = bounds.iter().find(|(_, intervals)| {
            intervals.iter().any(|interval| interval.starts_with("[\"\", {}"))
        });
        let scanned = reads_all(node).then_some(asked.first()).flatten();
        let field = match (wide.filter(|_| reads_index(node)), scanned) {
            (Some((field, _)), _) => field,
            (None, Some(field)) => field,
            _ => continue,
        };
        let read =
            if reads_all(node) { own_reads(node) } else { node.keys.map(|keys| keys as f64) };
        let kept = node.actual_rows.unwrap_or(0.0);
        if context.plan.executed && read.is_none_or(|read| read - kept <= ENOUGH) {
            continue;
        }
        let share = context.share(node).max(0.3);
        let mut evidence = vec![Evidence::text("field", field.clone())];
        evidence.extend(read.map(|n| Evidence::number("strings tried", n, None)));
        evidence.extend(node.actual_rows.map(|n| Evidence::number("strings that match", n, None)));
        let tried = read.map_or("every".into(), count);
        found.push(draft(
            (&path, node),
            share,
            format!("the regular expression on {field} is tried on {tried} strings"),
            evidence,
            "It is not anchored, or ignores case, so it gives no interval of the index. Anchor it \
             and keep the case, compare with a collation of strength 2, or use a text index.",
            context.main_indexes(share),
        ));
    }
    found
}
