use super::support::*;

/// Many documents are changed by one command
pub static RULE: Rule<Context> = rule(
    2,
    "unbatched-update-many",
    "Many documents are changed by one command",
    Severity::Medium,
    None,
    "updateMany and deleteMany write one entry of the oplog a document (160 bytes and \
     more), hold no snapshot, and stop half-way when something fails; secondaries fall \
     behind meanwhile.\n\nGo by ranges of _id with writeConcern majority, and look at the \
     lag between batches: for updates a declared backfill does that.",
    &[
        bad(
            "all at once",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({}, {$set: {status: 'active'}})\"]",
        ),
        bad(
            "all that lack it",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({status: {$exists: false}}, {$set: {status: 'active'}})\"]",
        ),
        good(
            "a backfill",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"backfill\": {\"collection\": \"users\", \"filter\": {\"status\": {\"$exists\": false}}, \"update\": {\"$set\": {\"status\": \"active\"}}, \"batch\": 500, \"pace\": \"50ms\"}}]",
        ),
        good(
            "one document",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateOne({_id: 1}, {$set: {status: 'active'}})\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if context.backfill.is_some() {
        return Vec::new();
    }
    let updates = context.updates();
    let wide = updates.iter().any(|update| update.multi && !is_narrow(update.filter));
    let gone = context.deletes().iter().any(|filter| !is_narrow(filter));
    if !wide && !gone {
        return Vec::new();
    }
    let (word, why) = match wide {
        true => (
            "changed",
            "Declare a backfill, which goes by _id in batches, watches the lag and can be resumed.",
        ),
        // A backfill only updates.
        false => (
            "removed",
            "Remove them by ranges of _id, one deleteMany after the other, and look at the lag \
             between them; what is old goes by itself with a TTL index.",
        ),
    };
    let title = format!("documents of {} are {word} by one command", context.collection());
    vec![found(context, Severity::Medium, title, why).work(Work::Scan)]
}
