use super::support::*;

/// commitQuorum asks for members that may not be there
pub static RULE: Rule<Context> = rule(
    16,
    "commit-quorum",
    "commitQuorum asks for members that may not be there",
    Severity::Low,
    None,
    "More than there are is error 278; with all of them one slow or dead secondary stalls \
     the build.\n\nLeave it out (votingMembers) or give a number below the members that \
     must answer, and look at rs.status() first.",
    &[
        bad(
            "all",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}], \"commitQuorum\": 1, \"maxTimeMS\": 500}]",
        ),
        good(
            "left out",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if !context.is("createIndexes") {
        return Vec::new();
    }
    let Some(quorum) = context.command.get("commitQuorum") else { return Vec::new() };
    if *quorum == Bson::String("majority".into()) {
        return Vec::new();
    }
    let title = format!("the build on {} waits for commitQuorum {quorum}", context.collection());
    vec![found(
        context,
        Severity::Low,
        title,
        "Look at rs.status() first: too many is error 278, and a slow secondary stalls the build.",
    )]
}
