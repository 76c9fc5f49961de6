use super::support::*;

/// prepareUnique rejects new duplicates at once
pub static RULE: Rule<Context> = rule(
    6,
    "prepare-unique",
    "prepareUnique rejects new duplicates at once",
    Severity::Medium,
    Some(Version::new(6, 0, 0)),
    "From the moment of collMod prepareUnique on, inserts and updates that would make a \
     duplicate fail, though the index is not unique yet.\n\nClean the data and the \
     programs first.",
    &[
        bad(
            "prepared",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"email\": 1}, \"name\": \"email_1\"}]}]",
            "[{\"collMod\": \"users\", \"index\": {\"name\": \"email_1\", \"prepareUnique\": true}, \"maxTimeMS\": 500}]",
        ),
        good(
            "hidden, for another end",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"email\": 1}, \"name\": \"email_1\"}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let prepares = context
        .changed_index()
        .is_some_and(|index| index.get_bool("prepareUnique").unwrap_or(false));
    let title = format!("new duplicates in {} fail from now on", context.collection());
    let why = "Clean the data and the programs that make duplicates first.";
    prepares.then(|| found(context, Severity::Medium, title, why)).into_iter().collect()
}
