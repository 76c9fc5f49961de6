use marula_core::{Engine, Evidence, Example, Json, RuleInfo, Severity, Version, numbered};

use crate::mongodb::Context;
use crate::mongodb::context::{draft, native, native_number};
use crate::{Draft, Rule};

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "spill",
        engine: Engine::Mongodb,
        title: "a stage outgrows its memory and writes to disk",
        severity: Severity::High,
        since: Some(Version::new(4, 4, 0)),
        page: "A `$sort`, `$group` or the like needs more than its 100 MB and goes on in temporary \
               files (`usedDisk`; `spills` since 6.0).\n\nDisk is orders of magnitude slower than \
               memory, and the files compete with the database's own.\n\nFilter and project \
               earlier, so that less goes in; sort from an index; group by fewer or shorter keys. \
               Raising the limit only moves the cliff.",
        source: "explain output of 5.0.4 (`usedDisk`) and 6.0.27 (`spills`)",
        examples: &[
            Example {
                name: "sorting 130 MB",
                setup: numbered!(
                    "notes",
                    1300,
                    "at: {$mod: [{$multiply: [\"$i\", 7919]}, 1301]}, \
                       text: {$reduce: {input: {$range: [0, 1000]}, initialValue: '', in: {$concat: \
                       ['$$value', 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl\
                       mnopqrstuvwxyzabcdefghijklmnopqrstuvw']}}}"
                ),
                statement: "db.notes.aggregate([{$sort: {at: 1}}], {allowDiskUse: true})",
                fires: true,
            },
            Example {
                name: "sorting little",
                setup: numbered!("notes", 1300, "at: {$mod: [{$multiply: [\"$i\", 7919]}, 1301]}"),
                statement: "db.notes.aggregate([{$sort: {at: 1}}], {allowDiskUse: true})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        let spills = native_number(node, "spills").unwrap_or(0.0);
        let used = native(node, "usedDisk").and_then(Json::as_bool).unwrap_or(false);
        if spills <= 0.0 && !used {
            continue;
        }
        let share = context.share(node).max(0.3);
        let mut evidence = vec![Evidence::text("used disk", "true")];
        if spills > 0.0 {
            evidence.push(Evidence::number("spills", spills, None));
        }
        for (key, name) in [
            ("totalDataSizeSorted", "data sorted"),
            ("totalDataSizeSortedBytesEstimate", "data sorted"),
            ("spilledDataStorageSize", "written to disk"),
        ] {
            evidence
                .extend(native_number(node, key).map(|n| Evidence::number(name, n, Some("bytes"))));
        }
        found.push(draft(
            (&path, node),
            share,
            format!("{} does not fit in memory and writes to disk", node.op),
            evidence,
            "What does not fit in the stage's memory is written to temporary files and read \
             again. Let less reach it, or read the order from an index.",
            context.main_indexes(share),
        ));
    }
    found
}
