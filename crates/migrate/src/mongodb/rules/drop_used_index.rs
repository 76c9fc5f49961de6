use super::support::*;

/// An index is dropped or hidden: statements that hint it fail
pub static RULE: Rule<Context> = rule(
    9,
    "drop-used-index",
    "An index is dropped or hidden: statements that hint it fail",
    Severity::Medium,
    None,
    "A hint of an index that is not there, or is hidden, is error 2. Statements that used \
     it unhinted read everything from then on.\n\nSearch the programs for hints, look at \
     $indexStats for some days, hide it first, drop it later.",
    &[
        bad(
            "dropped",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}]}]",
            "[{\"dropIndexes\": \"users\", \"index\": \"a_1\", \"maxTimeMS\": 500}]",
        ),
        bad(
            "all of them",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}]}]",
            "[{\"dropIndexes\": \"users\", \"index\": \"*\", \"maxTimeMS\": 500}]",
        ),
        bad(
            "hidden",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}]}]",
            "[{\"collMod\": \"users\", \"index\": {\"name\": \"a_1\", \"hidden\": true}, \"maxTimeMS\": 500}]",
        ),
        good(
            "shown again",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}]}]",
            "[{\"collMod\": \"users\", \"index\": {\"name\": \"a_1\", \"hidden\": false}, \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let hides =
        context.changed_index().is_some_and(|index| index.get_bool("hidden").unwrap_or(false));
    if !context.is("dropIndexes") && !hides {
        return Vec::new();
    }
    let on = context.collection();
    let title = match context.command.get("index") {
        _ if hides => format!("an index of {on} is hidden: statements that hint it fail"),
        Some(Bson::String(all)) if all == "*" => format!(
            "all indexes of {on} but the one on _id are dropped: statements that hint one fail"
        ),
        Some(Bson::Array(several)) => {
            format!("{} indexes of {on} are dropped: statements that hint one fail", several.len())
        }
        _ => format!("an index of {on} is dropped: statements that hint it fail"),
    };
    vec![found(
        context,
        Severity::Medium,
        title,
        "Search for hints and look at $indexStats first; hide it for some days before it is dropped.",
    )]
}
