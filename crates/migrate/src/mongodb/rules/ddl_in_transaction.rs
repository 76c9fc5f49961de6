use super::support::*;

/// A change of collections or indexes stands in a transaction
pub static RULE: Rule<Context> = rule(
    11,
    "ddl-in-transaction",
    "A change of collections or indexes stands in a transaction",
    Severity::High,
    None,
    "Inside a transaction createIndexes on a collection with documents, collMod, \
     dropIndexes, drop and renameCollection end with error 263. Making a new collection \
     is allowed.\n\nA step of its own, outside the transaction.",
    &[
        bad(
            "in a transaction",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "{\"options\": {\"transaction\": true}, \"up\": [{\"collMod\": \"users\", \"validationLevel\": \"moderate\", \"maxTimeMS\": 500}]}",
        ),
        good(
            "outside",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"collMod\": \"users\", \"validationLevel\": \"moderate\", \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let changes = [
        "createIndexes",
        "collMod",
        "dropIndexes",
        "drop",
        "renameCollection",
        "convertToCapped",
        "dropDatabase",
    ];
    let fresh = context.is("createIndexes") && context.is_new(context.collection());
    if !context.transaction || fresh || !changes.iter().any(|name| context.is(name)) {
        return Vec::new();
    }
    let title = format!("{} cannot run in a transaction: fails with error 263", context.name());
    vec![
        found(
            context,
            Severity::High,
            title,
            "Put it into a migration of its own, without a transaction.",
        )
        .even_new(),
    ]
}
