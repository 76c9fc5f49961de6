use super::support::*;

/// On a sharded cluster a document may be changed never or twice
pub static RULE: Rule<Context> = rule(
    21,
    "update-while-balancing",
    "On a sharded cluster a document may be changed never or twice",
    Severity::Info,
    None,
    "While chunks move, an updateMany may reach a document on both shards or on neither: \
     0, 1 or 2 times.\n\nMake the change idempotent and run it until nothing matches, or \
     set pauseMigrationsDuringMultiUpdates (7.0.6 and later).",
    &[
        bad(
            "counted up",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, {$inc: {a: 1}})\"]",
        ),
        good(
            "set",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, {$set: {a: 1}})\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let title = format!(
        "on a sharded cluster some documents of {} may be changed never or twice",
        context.collection()
    );
    let why = "Make the change idempotent, or set pauseMigrationsDuringMultiUpdates while it runs.";
    adds_up(context).then(|| found(context, Severity::Info, title, why)).into_iter().collect()
}
