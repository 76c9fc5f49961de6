use super::support::*;

/// So much is written at once that secondaries may fall out of the oplog
pub static RULE: Rule<Context> = rule(
    24,
    "oplog-window",
    "So much is written at once that secondaries may fall out of the oplog",
    Severity::Low,
    None,
    "A secondary that is further behind than the oplog reaches back must copy everything \
     anew. A pipeline that writes its result, or a backfill without a pause, writes as \
     fast as the primary can.\n\nGive the backfill a pace, and watch \
     rs.printSecondaryReplicationInfo().",
    &[
        bad(
            "no pause",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"backfill\": {\"collection\": \"users\", \"filter\": {\"b\": {\"$exists\": false}}, \"update\": {\"$set\": {\"b\": 1}}}}]",
        ),
        bad(
            "written by a pipeline",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.aggregate([{$merge: 'people'}])\"]",
        ),
        good(
            "with a pause",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"backfill\": {\"collection\": \"users\", \"filter\": {\"b\": {\"$exists\": false}}, \"update\": {\"$set\": {\"b\": 1}}, \"pace\": \"20ms\"}}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let unpaced = context.backfill.as_ref().is_some_and(|backfill| backfill.pace.is_zero());
    let (title, why) = match written(context) {
        Some((_, into)) => (
            format!("what the pipeline gives is written to {into} as fast as the primary can"),
            "Give it a range of _id at a time, and watch how far the secondaries are behind.",
        ),
        None if unpaced => (
            format!("all of {} is written as fast as the primary can", context.collection()),
            "Give it a pace, and watch how far the secondaries are behind.",
        ),
        None => return Vec::new(),
    };
    vec![found(context, Severity::Low, title, why).work(Work::Scan)]
}
