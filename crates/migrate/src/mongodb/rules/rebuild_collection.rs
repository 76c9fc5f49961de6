use super::support::*;

/// A collection is copied or its indexes are rebuilt while everybody is kept out
pub static RULE: Rule<Context> = rule(
    28,
    "rebuild-collection",
    "A collection is copied or its indexes are rebuilt while everybody is kept out",
    Severity::High,
    None,
    "convertToCapped and cloneCollectionAsCapped copy the collection with the whole database \
     locked, keep the newest documents that fit the size, and leave the indexes out (all but the \
     one on _id); convertToCapped puts the copy in the place of the collection. reIndex drops all \
     indexes and builds them again with the collection locked; from 5.0 a member of a replica set \
     refuses it.\n\nMake the capped collection under a new name (create with capped and size, and \
     its indexes), copy into it in batches, and let the program write to it; from 6.0 collMod \
     changes the size of a capped collection in a moment. Instead of reIndex build an index anew \
     with createIndexes under another name, then drop the old one.",
    &[
        bad(
            "capped in place",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"convertToCapped\": \"users\", \"size\": 100000}]",
        ),
        bad(
            "a capped copy",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"cloneCollectionAsCapped\": \"users\", \"toCollection\": \"last\", \"size\": 100000}]",
        ),
        good("made capped", "", "[{\"create\": \"last\", \"capped\": true, \"size\": 100000}]"),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let name = context.collection();
    let (title, why, work) = if context.is("convertToCapped") {
        (
            format!("{name} is copied into a capped collection while the database is locked"),
            "Documents that do not fit and all indexes but the one on _id are gone. Make a capped \
             collection under a new name and copy in batches.",
            Work::Rewrite,
        )
    } else if context.is("cloneCollectionAsCapped") {
        (
            format!("{name} is copied while the database is locked"),
            "Nobody reads or writes the database till the copy is done, and the copy has no \
             indexes. Make a capped collection and copy in batches.",
            Work::Rewrite,
        )
    } else if context.is("reIndex") {
        (
            format!("all indexes of {name} are dropped and built again while nobody can use it"),
            "Build an index under another name and drop the old one. From 5.0 a replica set \
             refuses reIndex.",
            Work::Build,
        )
    } else {
        return Vec::new();
    };
    let mut draft = found(context, Severity::High, title, why).work(work);
    draft.lock = Some("X");
    draft.blocks = Blocks::All;
    vec![draft]
}
