use super::support::*;

/// Documents grow: one over 16 MB stops the batch
pub static RULE: Rule<Context> = rule(
    19,
    "growing-document",
    "Documents grow: one over 16 MB stops the batch",
    Severity::Medium,
    None,
    "$push and $addToSet on many documents make arrays longer; a document over 16 MB is \
     an error in the middle of the batch.\n\nLook for the largest first ($bsonSize), \
     bound the array with $slice, or put the elements into a collection of their own.",
    &[
        bad(
            "pushed to all",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, {$push: {log: 1}})\"]",
        ),
        good(
            "bounded",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, {$push: {log: {$each: [1], $slice: -100}}})\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let grows = context.updates().iter().filter(|update| update.multi).any(|update| {
        let Some(update) = update.update.as_document() else { return false };
        ["$push", "$addToSet"].iter().any(|operator| {
            update.get_document(operator).is_ok_and(|fields| {
                fields.values().any(|value| {
                    !value.as_document().is_some_and(|inner| inner.contains_key("$slice"))
                })
            })
        })
    });
    let title = format!("arrays in documents of {} grow without a bound", context.collection());
    let why = "Look for the largest documents first ($bsonSize), and bound the array with $slice.";
    grows.then(|| found(context, Severity::Medium, title, why)).into_iter().collect()
}
