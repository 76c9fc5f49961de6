use marula_core::{Engine, Evidence, Example, Json, RuleInfo, Severity, numbered};

use super::asked::operands;
use super::{ENOUGH, bounds, reads_index};
use crate::mongodb::Context;
use crate::mongodb::context::{count, draft, native};
use crate::mongodb::predicate::Kind;
use crate::{Draft, Rule};

macro_rules! bookings {
    ($index:literal) => {
        concat!(
            numbered!("bookings", 4000, "night: ['$i', {$add: ['$i', 3]}], at: '$i'"),
            "db.bookings.createIndex(",
            $index,
            ")"
        )
    };
}

pub(super) static RULE: Rule<Context> = Rule {
    info: RuleInfo {
        id: "multikey-half-bounds",
        engine: Engine::Mongodb,
        title: "an interval on an array is read as half of it",
        severity: Severity::Medium,
        since: None,
        page: "The condition has a lower and an upper end, but the field holds arrays. Such a \
               document also matches when one element is above the lower end and *another* below \
               the upper end, so the server can look for only one of the ends in the index and \
               reads everything on that side of it.\n\nIf one and the same element is meant to \
               lie between the ends, say so with `$elemMatch`: then the interval is read from both \
               ends. That asks for less than the condition as it stands, so it is for you to \
               decide. If the field never should hold an array, correct those documents and build \
               the index again: it stays multikey otherwise.",
        source: "6.0.27: 73,000 keys for 25,000 documents with one end, as many keys as documents \
                 with $elemMatch",
        examples: &[
            Example {
                name: "nights between two dates, in an array",
                setup: bookings!("{night: 1}"),
                statement: "db.bookings.find({night: {$gte: 1000, $lte: 1020}})",
                fires: true,
            },
            Example {
                name: "the same element above and below",
                setup: bookings!("{night: 1}"),
                statement: "db.bookings.find({night: {$elemMatch: {$gte: 1000, $lte: 1020}}})",
                fires: false,
            },
            Example {
                name: "no array",
                setup: bookings!("{at: 1}"),
                statement: "db.bookings.find({at: {$gte: 1000, $lte: 1020}})",
                fires: false,
            },
        ],
    },
    check,
};

fn check(context: &Context) -> Vec<Draft> {
    let mut found = Vec::new();
    let Some(main) = context.main() else { return found };
    for (path, node) in context.nodes() {
        let multikey = native(node, "isMultiKey").and_then(Json::as_bool).unwrap_or(false);
        if !reads_index(node) || !multikey {
            continue;
        }
        let (Some(keys), Some(kept)) = (node.keys.map(|keys| keys as f64), node.actual_rows) else {
            continue;
        };
        // What the whole plan gives: the other end is checked on the documents.
        let given = context.plan.summary.returned.map_or(kept, |given| (given as f64).min(kept));
        if keys - given <= ENOUGH {
            continue;
        }
        let half = bounds(node).into_iter().find(|(field, intervals)| {
            let ends: Vec<_> = main
                .all(|kind| *kind == Kind::Range)
                .filter(|predicate| predicate.path == *field && !predicate.element)
                .flat_map(operands)
                .map(|(operator, _)| operator)
                .collect();
            let asks = |ends_of: [&str; 2]| ends.iter().any(|end| ends_of.contains(&end.as_str()));
            asks(["$gt", "$gte"])
                && asks(["$lt", "$lte"])
                && matches!(&intervals[..], [one] if is_half(one))
        });
        let Some((field, intervals)) = half else { continue };
        let share = context.share(node).max(0.1);
        found.push(draft(
            (&path, node),
            share,
            format!("only one end of the interval on {field} is looked for: it holds arrays"),
            vec![
                Evidence::number("keys examined", keys, None),
                Evidence::number("documents wanted", given, None),
                Evidence::text("bounds", intervals.join(", ")),
            ],
            format!(
                "One element may lie above the lower end and another below the upper, so {} keys \
                 on one side are read. If the same element is meant, ask with {field}: \
                 {{ $elemMatch: {{ … }} }}, which reads between the ends.",
                count(keys)
            ),
            Vec::new(),
        ));
    }
    found
}

/// Whether an interval ends only on one side: `[2000, inf.0]`, `[-inf.0, 2100]`,
/// `["a", {})`, `[new Date(5), new Date(9223372036854775807)]`.
fn is_half(interval: &str) -> bool {
    let inner = interval.trim_matches(['[', ']', '(', ')']);
    let Some((low, high)) = split(inner) else { return false };
    let open_low =
        matches!(low, "MinKey" | "-inf.0" | "-inf" | "-Infinity" | "\"\"" | "true" | "false")
            || low.contains("-9223372036854775808");
    let open_high = matches!(high, "MaxKey" | "inf.0" | "inf" | "Infinity" | "{}" | "true")
        || high.contains("9223372036854775807");
    // An ObjectId's own ends.
    let zeros = low.contains("000000000000000000000000");
    let most = high.contains("ffffffffffffffffffffffff");
    (open_low || zeros) != (open_high || most)
}

/// The two ends, at the comma outside of quotes and brackets.
fn split(inner: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut depth = 0_i32;
    for (at, character) in inner.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' | '{' | '[' if !quoted => depth += 1,
            ')' | '}' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                return Some((inner[..at].trim(), inner[at + 1..].trim()));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_with_one_end_is_told_from_one_with_two() {
        for half in [
            "[2000, inf.0]",
            "[-inf.0, 2100]",
            "[\"a, b\", {})",
            "(new Date(1), new Date(9223372036854775807)]",
            "[MinKey, 5]",
        ] {
            assert!(is_half(half), "{half}");
        }
        for whole in ["[1, 5]", "[MinKey, MaxKey]", "[\"a\", \"b\"]", "[-inf.0, inf.0]", "x"] {
            assert!(!is_half(whole), "{whole}");
        }
    }
}
