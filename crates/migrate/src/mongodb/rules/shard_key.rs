use super::support::*;

/// The shard key is set or changed
pub static RULE: Rule<Context> = rule(
    20,
    "shard-key",
    "The shard key is set or changed",
    Severity::High,
    None,
    "Refining (4.4) is a change of metadata and needs an index; resharding (5.0) copies \
     the collection and needs room and oplog for it; before, there is no way.\n\nCheck \
     the room and the oplog window, and that an index supports the new key.",
    &[
        bad("resharded", "", "[{\"reshardCollection\": \"shop.users\", \"key\": {\"a\": 1}}]"),
        good(
            "an index first",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a\"}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let (work, what) = match context.name() {
        "reshardCollection" => (Work::Rewrite, "is copied to a new shard key"),
        "refineCollectionShardKey" => (Work::None, "gets a longer shard key"),
        "shardCollection" => (Work::None, "is sharded"),
        _ => return Vec::new(),
    };
    let title = format!("{} {what}", context.collection());
    vec![
        found(
            context,
            Severity::High,
            title,
            "Check the room, the oplog window, and the index that supports the key.",
        )
        .work(work),
    ]
}
