use super::support::*;

/// A whole collection is changed in one transaction
pub static RULE: Rule<Context> = rule(
    12,
    "collection-transaction",
    "A whole collection is changed in one transaction",
    Severity::High,
    None,
    "A transaction lives for 60 s at most, keeps all it changed in the cache, and is \
     undone as a whole.\n\nBatches, each idempotent, without a transaction.",
    &[
        bad(
            "all documents",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "{\"options\": {\"transaction\": true}, \"up\": [\"db.users.updateMany({}, {$set: {b: 1}})\"]}",
        ),
        good(
            "one document",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "{\"options\": {\"transaction\": true}, \"up\": [\"db.users.updateOne({_id: 1}, {$set: {b: 1}})\"]}",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let wide = context.updates().iter().any(|update| update.multi && !is_narrow(update.filter))
        || context.deletes().iter().any(|filter| !is_narrow(filter));
    if !context.transaction || !wide {
        return Vec::new();
    }
    let title = format!(
        "all of {} is changed in one transaction, which lives for 60 s",
        context.collection()
    );
    vec![
        found(
            context,
            Severity::High,
            title,
            "Go in batches without a transaction, so that each can be tried again.",
        )
        .work(Work::Scan),
    ]
}
