use super::support::*;

/// A command that is not read here
pub static RULE: Rule<Context> = rule(
    31,
    "unknown-command",
    "A command that is not read here",
    Severity::Low,
    None,
    "No rule knows what this command locks, how long it works, or whether it may run twice: that \
     nothing else is said of it means nothing. It may also be misspelled: names of commands are \
     told apart by upper and lower case.\n\nLook it up for the server's version, try it on a copy \
     (marula migrate rehearse).",
    &[
        bad("a setting of the database", "", "[{\"profile\": 0}]"),
        good("one that is read", "", "[{\"create\": \"users\"}]"),
    ],
    check,
);

/// What the rules read, and what changes and locks nothing that a rule would have to name.
const KNOWN: [&str; 68] = [
    "abortReshardCollection",
    "addShardToZone",
    "aggregate",
    "balancerStart",
    "balancerStatus",
    "balancerStop",
    "buildInfo",
    "cloneCollectionAsCapped",
    "collMod",
    "collStats",
    "commitReshardCollection",
    "compact",
    "connectionStatus",
    "convertToCapped",
    "count",
    "create",
    "createIndexes",
    "createRole",
    "createUser",
    "currentOp",
    "dataSize",
    "dbStats",
    "delete",
    "distinct",
    "drop",
    "dropAllRolesFromDatabase",
    "dropAllUsersFromDatabase",
    "dropDatabase",
    "dropIndexes",
    "dropRole",
    "dropUser",
    "enableSharding",
    "explain",
    "find",
    "findAndModify",
    "findandmodify",
    "getParameter",
    "grantPrivilegesToRole",
    "grantRolesToRole",
    "grantRolesToUser",
    "hello",
    "insert",
    "isMaster",
    "killOp",
    "listCollections",
    "listDatabases",
    "listIndexes",
    "movePrimary",
    "ping",
    "planCacheClear",
    "planCacheClearFilters",
    "planCacheSetFilter",
    "reIndex",
    "refineCollectionShardKey",
    "removeShardFromZone",
    "renameCollection",
    "reshardCollection",
    "revokePrivilegesFromRole",
    "revokeRolesFromRole",
    "revokeRolesFromUser",
    "serverStatus",
    "setDefaultRWConcern",
    "setFeatureCompatibilityVersion",
    "setParameter",
    "shardCollection",
    "update",
    "updateUser",
    "validate",
];
/// What is told apart only by being unread: they change who may do what, or where data lies.
const QUIET: [&str; 4] = ["updateRole", "updateZoneKeyRange", "split", "moveChunk"];

fn check(context: &Context) -> Vec<Draft> {
    let name = context.name();
    if KNOWN.contains(&name) || QUIET.contains(&name) {
        return Vec::new();
    }
    let known = KNOWN.iter().chain(&QUIET).copied();
    let near = marula_core::nearest(name, known);
    let why = match near.first() {
        Some(near) => format!(
            "Did you mean {near}? Else look up what it locks and how long, and try it on a copy."
        ),
        None => "Look up what it locks and how long, and try it on a copy.".to_string(),
    };
    let title = format!("{name} is not known here: what it does to others is not said");
    vec![Draft::plain(Severity::Low, title, why)]
}
