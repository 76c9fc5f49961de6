use marula_core::{Engine, Evidence, Example, RuleInfo, Severity, numbered};

use super::{ENOUGH, bounds, reads_index};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft};
use crate::{Draft, Rule};

/// The server reads at most so many intervals side by side to keep an order
/// (`internalQueryMaxScansToExplode`).
const MAX_SCANS: usize = 200;

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "in-explode",
        engine: Engine::Mongodb,
        title: "too many values in $in to keep the order of the index",
        severity: Severity::High,
        since: None,
        page: "With up to 200 intervals the server reads one ordered scan per value of an `$in` \
               and merges them (`SORT_MERGE`). With more it gives up, reads everything and \
               sorts.\n\nSplit the list into statements of at most 200 values, or put the sort's \
               field before the list's in an index, so that the order comes from the index and \
               the list is checked on its keys.",
        source: "6.0.27: `maxScansToExplodeReached`; internalQueryMaxScansToExplode is 200",
        examples: &[
            Example {
                name: "260 values and an order",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "user: {$mod: ['$i', 1000]}, at: {$mod: [{$multiply: \
                              ['$i', 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({user: 1, at: 1})"
                ),
                statement: MANY,
                fires: true,
            },
            Example {
                name: "five values",
                setup: concat!(
                    numbered!(
                        "orders",
                        4000,
                        "user: {$mod: ['$i', 1000]}, at: {$mod: [{$multiply: \
                              ['$i', 7919]}, 4001]}"
                    ),
                    "db.orders.createIndex({user: 1, at: 1})"
                ),
                statement: "db.orders.find({user: {$in: [1, 2, 3, 4, 5]}}).sort({at: -1}).limit(20)",
                fires: false,
            },
        ],
    },
    check,
};

const MANY: &str = "db.orders.find({user: {$in: [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, \
    36, 39, 42, 45, 48, 51, 54, 57, 60, 63, 66, 69, 72, 75, 78, 81, 84, 87, 90, 93, 96, 99, 102, \
    105, 108, 111, 114, 117, 120, 123, 126, 129, 132, 135, 138, 141, 144, 147, 150, 153, 156, \
    159, 162, 165, 168, 171, 174, 177, 180, 183, 186, 189, 192, 195, 198, 201, 204, 207, 210, \
    213, 216, 219, 222, 225, 228, 231, 234, 237, 240, 243, 246, 249, 252, 255, 258, 261, 264, \
    267, 270, 273, 276, 279, 282, 285, 288, 291, 294, 297, 300, 303, 306, 309, 312, 315, 318, \
    321, 324, 327, 330, 333, 336, 339, 342, 345, 348, 351, 354, 357, 360, 363, 366, 369, 372, \
    375, 378, 381, 384, 387, 390, 393, 396, 399, 402, 405, 408, 411, 414, 417, 420, 423, 426, \
    429, 432, 435, 438, 441, 444, 447, 450, 453, 456, 459, 462, 465, 468, 471, 474, 477, 480, \
    483, 486, 489, 492, 495, 498, 501, 504, 507, 510, 513, 516, 519, 522, 525, 528, 531, 534, \
    537, 540, 543, 546, 549, 552, 555, 558, 561, 564, 567, 570, 573, 576, 579, 582, 585, 588, \
    591, 594, 597, 600, 603, 606, 609, 612, 615, 618, 621, 624, 627, 630, 633, 636, 639, 642, \
    645, 648, 651, 654, 657, 660, 663, 666, 669, 672, 675, 678, 681, 684, 687, 690, 693, 696, \
    699, 702, 705, 708, 711, 714, 717, 720, 723, 726, 729, 732, 735, 738, 741, 744, 747, 750, \
    753, 756, 759, 762, 765, 768, 771, 774, 777]}}).sort({at: -1}).limit(20)";

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    for (path, node) in context.nodes() {
        if !matches!(node.op.as_str(), "SORT" | "sort") {
            continue;
        }
        let below = node.walk();
        let widest = below
            .iter()
            .filter(|(_, node)| reads_index(node))
            .flat_map(|(_, node)| {
                let index = node.index.clone();
                let wide =
                    bounds(node).into_iter().map(|(path, intervals)| (path, intervals.len()));
                let field = wide.max_by_key(|(_, intervals)| *intervals)?;
                Some((field, index))
            })
            .max_by_key(|((_, intervals), _)| *intervals);
        let Some(((field, intervals), index)) = widest.filter(|((_, n), _)| *n > MAX_SCANS) else {
            continue;
        };
        let input: f64 = node.children.iter().filter_map(|child| child.actual_rows).sum();
        if context.plan.executed && input <= ENOUGH {
            continue;
        }
        let share = context.share(node).max(0.3);
        let mut draft = draft(
            (&path, node),
            share,
            format!(
                "{} intervals on {field} are too many to keep the order",
                count(intervals as f64)
            ),
            vec![
                Evidence::number("intervals", intervals as f64, None),
                Evidence::number("intervals merged at most", MAX_SCANS as f64, None),
                Evidence::number("documents sorted", input, None),
            ],
            "Up to 200 values are read as ordered scans and merged; above that all are read and \
             sorted. Split the list, or lead the index with the sort.",
            context.main_indexes(share),
        );
        draft.place.index = index;
        found.push(draft);
    }
    found
}
