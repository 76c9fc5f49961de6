use super::support::*;

/// Every document is written anew where it could be done when it is read
pub static RULE: Rule<Context> = rule(
    27,
    "eager-rewrite",
    "Every document is written anew where it could be done when it is read",
    Severity::Info,
    None,
    "A change of form can be lazy: a schemaVersion in each document, the program reads \
     both forms and writes the new one, and a slow fill in the background does the \
     rest.\n\nDo it lazily when the collection is large and the old form can still be \
     read.",
    &[
        bad(
            "all documents computed",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({}, [{$set: {full: {$concat: ['x', 'y']}}}])\"]",
        ),
        good(
            "some of them",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({schemaVersion: 1}, [{$set: {full: {$concat: ['x', 'y']}}}])\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let eager = context.updates().iter().any(|update| {
        update.multi && update.filter.is_empty() && matches!(update.update, Bson::Array(_))
    });
    let title = format!("every document of {} is computed anew", context.collection());
    let why = "It could be done when a document is next written: a schemaVersion, and a slow fill in the background.";
    eager.then(|| found(context, Severity::Info, title, why).work(Work::Scan)).into_iter().collect()
}
