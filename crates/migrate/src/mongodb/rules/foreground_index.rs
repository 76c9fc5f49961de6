use super::support::*;

/// An index is built in the foreground before 4.2: the database stands still
pub static RULE: Rule<Context> = rule(
    17,
    "foreground-index",
    "An index is built in the foreground before 4.2: the database stands still",
    Severity::High,
    None,
    "Before 4.2 createIndexes without background: true locks the whole database for reads \
     and writes until it is built.\n\nbackground: true, or a rolling build, member by \
     member; or upgrade.",
    &[
        bad(
            "in the foreground, before 4.2",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\"}], \"maxTimeMS\": 500}]",
        ),
        good(
            "background",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\", \"background\": true}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if context.version >= Version::new(4, 2, 0) {
        return Vec::new();
    }
    context
        .indexes()
        .into_iter()
        .filter(|index| !index.get_bool("background").unwrap_or(false))
        .map(|index| {
            let name = index.get_str("name").unwrap_or("the index");
            let title = format!("{name} is built in the foreground: the database stands still");
            let mut draft = found(
                context,
                Severity::High,
                title,
                "Give background: true, or build it member by member.",
            )
            .work(Work::Build);
            draft.lock = Some("X");
            draft.blocks = Blocks::All;
            draft
        })
        .collect()
}
