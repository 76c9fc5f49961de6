use super::support::*;

/// A collection is renamed into another database: everything is copied
pub static RULE: Rule<Context> = rule(
    14,
    "rename-across-databases",
    "A collection is renamed into another database: everything is copied",
    Severity::High,
    None,
    "renameCollection between databases copies every document and every index (4.4 s per \
     100,000 documents) under an exclusive lock, and then drops the old one.\n\nDump and \
     restore, with writes to both meanwhile.",
    &[
        bad(
            "another database",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"renameCollection\": \"shop.users\", \"to\": \"archive.users\"}]",
        ),
        good(
            "the same database",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"renameCollection\": \"shop.users\", \"to\": \"shop.people\"}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some((from, to)) = renamed(context).filter(|(from, to)| database(from) != database(to))
    else {
        return Vec::new();
    };
    let title = format!("{from} is copied to {to}, document by document");
    let mut draft =
        Draft::plain(Severity::High, title, "Dump and restore, with writes to both meanwhile.")
            .on(from)
            .work(Work::Rewrite);
    draft.lock = Some("X");
    draft.blocks = Blocks::Writes;
    vec![draft]
}
