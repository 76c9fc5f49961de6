use super::support::*;

/// A change of many documents that adds up cannot be tried again
pub static RULE: Rule<Context> = rule(
    22,
    "not-retryable",
    "A change of many documents that adds up cannot be tried again",
    Severity::Medium,
    None,
    "Retryable writes leave updateMany out. One that counts up or pushes does so twice \
     for what it reached before the connection broke.\n\nMake it idempotent: a filter \
     that no longer matches once a document is done, and $set instead of $inc.",
    &[
        bad(
            "counted up",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, {$inc: {a: 1}})\"]",
        ),
        good(
            "marked as done",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}, done: {$ne: true}}, {$inc: {a: 1}, $set: {done: true}})\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let title = format!("tried again, documents of {} are changed twice", context.collection());
    let why = "Add a mark that the filter leaves out, in the same update.";
    adds_up(context).then(|| found(context, Severity::Medium, title, why)).into_iter().collect()
}
