use super::support::*;

/// A collection is renamed: cursors and change streams end
pub static RULE: Rule<Context> = rule(
    15,
    "rename-collection",
    "A collection is renamed: cursors and change streams end",
    Severity::Medium,
    None,
    "Open cursors and change streams on the collection end, and who uses the old name \
     finds nothing, or makes a new collection by writing to it.\n\nA view under the old \
     name, or a release that knows both; then cut over.",
    &[
        bad(
            "renamed",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"renameCollection\": \"shop.users\", \"to\": \"shop.people\"}]",
        ),
        good(
            "a view beside it",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"create\": \"people\", \"viewOn\": \"users\", \"pipeline\": []}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some((from, to)) = renamed(context).filter(|(from, to)| database(from) == database(to))
    else {
        return Vec::new();
    };
    let title = format!("{from} becomes {to}: cursors and change streams end");
    let mut draft = Draft::plain(
        Severity::Medium,
        title,
        "Let a view or a release know both names first, then cut over.",
    )
    .on(from);
    draft.lock = Some("X");
    draft.blocks = Blocks::All;
    vec![draft]
}
