use super::support::*;

/// A change of indexes or options waits behind open transactions without a limit
pub static RULE: Rule<Context> = rule(
    1,
    "index-without-limit",
    "A change of indexes or options waits behind open transactions without a limit",
    Severity::Low,
    None,
    "createIndexes, collMod and dropIndexes need the collection exclusively for a moment. \
     Behind an open transaction that has touched it they wait, and all writes wait behind \
     them: 4.0 s for a transaction of 4 s; finds go on.\n\nLook for open transactions \
     before it; for a change that is done in a moment give maxTimeMS (500 kept the stall \
     at 0.5 s) and try again. An index build counts against the limit as a whole: on a \
     large collection give it the time the build needs.",
    &[
        bad(
            "no limit",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}]}]",
        ),
        good(
            "with maxTimeMS",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}], \"maxTimeMS\": 500}]",
        ),
        good(
            "a collection of the same file",
            "",
            "[{\"create\": \"fresh\"}, {\"createIndexes\": \"fresh\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}]}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let waits = ["createIndexes", "collMod", "dropIndexes"].iter().any(|name| context.is(name));
    if !waits || context.command.contains_key("maxTimeMS") {
        return Vec::new();
    }
    let title = format!("{} on {} has no maxTimeMS", context.name(), context.collection());
    let mut draft = found(
        context,
        Severity::Low,
        title,
        "Writes wait behind it for as long as the longest open transaction: give maxTimeMS and try again. An index build counts against it as a whole.",
    );
    draft.lock = Some("X");
    draft.blocks = Blocks::Writes;
    vec![draft]
}
