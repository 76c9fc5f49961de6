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
     large collection give it the time the build needs. Behind the build a limit helps \
     nobody: while the build waits for its last lock, writes go on waiting though the \
     command failed, and the index is there in the end (seen on 4.4, 5.0 and 6.0).\n\n\
     marula migrate apply ends its own command when that has waited for its lock as long \
     as --lock-timeout says, and tries again: migrations that it runs need no limit.",
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
    if !waits || context.limited || context.command.contains_key("maxTimeMS") {
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
