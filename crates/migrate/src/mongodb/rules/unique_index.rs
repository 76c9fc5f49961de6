use super::support::*;

/// A unique index fails on duplicates, after the whole build
pub static RULE: Rule<Context> = rule(
    5,
    "unique-index",
    "A unique index fails on duplicates, after the whole build",
    Severity::High,
    None,
    "The index is built over all documents, and then the command ends with error 11000 if \
     two agree.\n\nFind duplicates first ($group, $match count > 1). From 6.0: an \
     ordinary index, collMod prepareUnique, collMod unique with dryRun, then unique.",
    &[
        bad(
            "at once",
            "[{\"insert\": \"users\", \"documents\": [{\"email\": \"a\"}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"email\": 1}, \"name\": \"email_1\", \"unique\": true}], \"maxTimeMS\": 500}]",
        ),
        good(
            "an ordinary index",
            "[{\"insert\": \"users\", \"documents\": [{\"email\": \"a\"}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"email\": 1}, \"name\": \"email_1\"}], \"maxTimeMS\": 500}]",
        ),
        good(
            "a collection of the same file",
            "",
            "[{\"create\": \"fresh\"}, {\"createIndexes\": \"fresh\", \"indexes\": [{\"key\": {\"email\": 1}, \"name\": \"email_1\", \"unique\": true}]}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    context
        .indexes()
        .into_iter()
        .filter(|index| index.get_bool("unique").unwrap_or(false))
        .map(|index| {
            let name = index.get_str("name").unwrap_or("the index");
            let title = format!("{name} is unique: two documents that agree end the build with error 11000");
            found(context, Severity::High, title, "Find duplicates first; from 6.0 make an ordinary index, then collMod prepareUnique, a dryRun, and unique.").work(Work::Build)
        })
        .collect()
}
