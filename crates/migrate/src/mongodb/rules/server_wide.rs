use super::support::*;

/// A command changes what holds for everybody on the server
pub static RULE: Rule<Context> = rule(
    33,
    "server-wide",
    "A command changes what holds for everybody on the server",
    Severity::High,
    None,
    "setFeatureCompatibilityVersion says for the whole deployment what may be used: down, it is \
     refused while something newer is there; up, the programs of the release before cannot open \
     the data any more. setParameter is for all databases of the one member that is asked, and is \
     forgotten at its next start; notablescan makes every query without an index fail. \
     setDefaultRWConcern changes what programs wait for that say nothing themselves. A user or a \
     right that is taken away is refused at once, in connections that are open as well.\n\nKeep \
     these out of migrations: set parameters in each member's configuration, change the feature \
     version by itself when every member runs the release, and take a user away when \
     db.currentOp() and the log have shown nobody signed in as it for a while.",
    &[
        bad("all users are dropped", "", "[{\"dropAllUsersFromDatabase\": 1}]"),
        bad("a parameter of the server", "", "[{\"setParameter\": 1, \"logLevel\": 0}]"),
        good("a collection of the database", "", "[{\"create\": \"users\"}]"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let on = context.collection();
    let rights =
        "Look first whether nobody is signed in as it: db.currentOp() and the server's log.";
    let (severity, title, why) = match context.name() {
        "setFeatureCompatibilityVersion" => (
            Severity::High,
            format!("the feature version of the whole deployment becomes {on}"),
            "Do it by itself, when every member runs the release; there may be no way back.",
        ),
        "setParameter" => {
            let off = [None, Some(&Bson::Boolean(false)), Some(&Bson::Int32(0))];
            if off.contains(&context.command.get("notablescan")) {
                let names: Vec<&str> = context.command.keys().skip(1).map(String::as_str).collect();
                (
                    Severity::Medium,
                    format!("{} is set for all databases of one member", names.join(", ")),
                    "It is forgotten at the next start: write it into each member's configuration.",
                )
            } else {
                (
                    Severity::High,
                    "every query without an index fails, in all databases of the member".into(),
                    "notablescan is for tests: find such queries in the log or the profiler instead.",
                )
            }
        }
        "setDefaultRWConcern" => (
            Severity::Medium,
            "what programs wait for that name no read or write concern changes".into(),
            "Try it with one program first, which names the concern itself.",
        ),
        "dropUser" => (
            Severity::Medium,
            format!("the user {on} is dropped: what is signed in as it is refused at once"),
            rights,
        ),
        "dropAllUsersFromDatabase" => (
            Severity::High,
            "all users of the database are dropped: what is signed in is refused at once".into(),
            rights,
        ),
        "dropRole"
        | "dropAllRolesFromDatabase"
        | "revokeRolesFromUser"
        | "revokeRolesFromRole"
        | "revokePrivilegesFromRole" => (
            Severity::Medium,
            format!(
                "{} takes rights away: what still needs them is refused at once",
                context.name()
            ),
            rights,
        ),
        _ => return Vec::new(),
    };
    vec![Draft::plain(severity, title, why)]
}
