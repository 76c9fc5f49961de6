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
    let word = if hides { "hidden" } else { "dropped" };
    let title =
        format!("an index of {} is {word}: statements that hint it fail", context.collection());
    vec![found(
        context,
        Severity::Medium,
        title,
        "Search for hints and look at $indexStats first; hide it for some days before it is dropped.",
    )]
}
