use super::support::*;

/// Many indexes are built at once
pub static RULE: Rule<Context> = rule(
    18,
    "many-index-builds",
    "Many indexes are built at once",
    Severity::Low,
    None,
    "At most three builds run at a time, and together they get 200 MB of memory; more \
     than that spills to disk, and each build slows every write down.\n\nOne \
     createIndexes after the other.",
    &[
        bad(
            "four at once",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a\"}, {\"key\": {\"b\": 1}, \"name\": \"b\"}, {\"key\": {\"c\": 1}, \"name\": \"c\"}, {\"key\": {\"d\": 1}, \"name\": \"d\"}], \"maxTimeMS\": 500}]",
        ),
        good(
            "one",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a\"}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let count = context.indexes().len();
    let title = format!("{count} indexes of {} are built at once", context.collection());
    let why = "They share 200 MB of memory and slow every write down: one after the other.";
    (count > 3)
        .then(|| found(context, Severity::Low, title, why).work(Work::Build))
        .into_iter()
        .collect()
}
