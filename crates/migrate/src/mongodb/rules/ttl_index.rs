use super::support::*;

/// A TTL index removes what has expired within a minute
pub static RULE: Rule<Context> = rule(
    13,
    "ttl-index",
    "A TTL index removes what has expired within a minute",
    Severity::High,
    None,
    "Making a TTL index, or turning an index into one, has everything that has expired \
     removed as soon as the monitor runs, every 60 s: a mass delete with its \
     oplog.\n\nCount what has expired; delete it in batches before; begin with a long \
     time and shorten it step by step.",
    &[
        bad(
            "a new one",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"seen\": 1}, \"name\": \"seen_1\", \"expireAfterSeconds\": 3600}], \"maxTimeMS\": 500}]",
        ),
        good(
            "an ordinary index",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"seen\": 1}, \"name\": \"seen_1\"}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let expires = context.indexes().iter().any(|index| index.contains_key("expireAfterSeconds"))
        || context.changed_index().is_some_and(|index| index.contains_key("expireAfterSeconds"));
    let title = format!("what has expired in {} is removed within a minute", context.collection());
    let why =
        "Count what has expired and delete it in batches first; shorten the time step by step.";
    expires.then(|| found(context, Severity::High, title, why)).into_iter().collect()
}
