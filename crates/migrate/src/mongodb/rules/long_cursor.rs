use super::support::*;

/// A cursor without a timeout outlives its session
pub static RULE: Rule<Context> = rule(
    23,
    "long-cursor",
    "A cursor without a timeout outlives its session",
    Severity::Low,
    None,
    "A session ends after 30 minutes without a refresh, and its cursors with it, whatever \
     noCursorTimeout says.\n\nGo by ranges of _id, and resume from the last one.",
    &[
        bad(
            "no timeout",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"find\": \"users\", \"filter\": {}, \"noCursorTimeout\": true}]",
        ),
        good(
            "by ranges",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"find\": \"users\", \"filter\": {\"_id\": {\"$gt\": 1}}, \"sort\": {\"_id\": 1}, \"limit\": 1000}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let forever = context.command.get_bool("noCursorTimeout").unwrap_or(false);
    let title = format!("a cursor on {} is to outlive its session", context.collection());
    let why = "Go by ranges of _id, and resume from the last one.";
    forever.then(|| found(context, Severity::Low, title, why)).into_iter().collect()
}
