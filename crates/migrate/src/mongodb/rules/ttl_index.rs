use super::support::*;

/// A TTL index removes what has expired within a minute
pub static RULE: Rule<Context> = rule(
    13,
    "ttl-index",
    "A TTL index removes what has expired within a minute",
    Severity::High,
    None,
    "Making a TTL index, turning an index into one, or giving a time series a time to expire, has everything that has expired \
     removed as soon as the monitor runs, every 60 s: a mass delete with its \
     oplog. An index of several fields cannot expire.\n\nCount what has expired; delete it in batches before; begin with a long \
     time and shorten it step by step.",
    &[
        bad(
            "a new one",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"seen\": 1}, \"name\": \"seen_1\", \"expireAfterSeconds\": 3600}], \"maxTimeMS\": 500}]",
        ),
        bad(
            "a time series",
            "[{\"create\": \"seen\", \"timeseries\": {\"timeField\": \"at\"}}]",
            "[{\"collMod\": \"seen\", \"expireAfterSeconds\": 3600, \"maxTimeMS\": 500}]",
        ),
        bad(
            "of several fields",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"seen\": 1, \"a\": 1}, \"name\": \"seen_1\", \"expireAfterSeconds\": 3600}], \"maxTimeMS\": 500}]",
        ),
        good(
            "kept for ever",
            "[{\"create\": \"seen\", \"timeseries\": {\"timeField\": \"at\"}, \"expireAfterSeconds\": 60}]",
            "[{\"collMod\": \"seen\", \"expireAfterSeconds\": \"off\", \"maxTimeMS\": 500}]",
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
    let (mut drafts, mut expires) = (Vec::new(), false);
    for index in context.indexes() {
        if !index.contains_key("expireAfterSeconds") {
            continue;
        }
        if index.get_document("key").is_ok_and(|keys| keys.len() > 1) {
            let name = index.get_str("name").unwrap_or("the index");
            let title = format!("{name} expires and has several fields: fails with error 67");
            let why = "An index that expires has one field: make one on the date alone.";
            drafts.push(found(context, Severity::High, title, why).even_new());
        } else {
            expires = true;
        }
    }
    expires |=
        context.changed_index().is_some_and(|index| index.contains_key("expireAfterSeconds"));
    // Of a time series or a clustered collection as a whole.
    expires |= context.is("collMod")
        && context
            .command
            .get("expireAfterSeconds")
            .is_some_and(|time| time.as_str() != Some("off"));
    let title = format!("what has expired in {} is removed within a minute", context.collection());
    let why =
        "Count what has expired and delete it in batches first; shorten the time step by step.";
    if expires {
        drafts.push(found(context, Severity::High, title, why));
    }
    drafts
}
