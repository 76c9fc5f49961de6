use super::support::*;

/// An index of that name or with those keys is there, with other options
pub static RULE: Rule<Context> = rule(
    10,
    "index-conflict",
    "An index of that name or with those keys is there, with other options",
    Severity::High,
    None,
    "The same name with other keys is error 86, the same keys with other options error \
     85.\n\nCompare with the indexes that are there; give another name, or drop the old \
     one.",
    &[
        bad(
            "the same name",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"x\"}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"b\": 1}, \"name\": \"x\"}], \"maxTimeMS\": 500}]",
        ),
        good(
            "another name",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"x\"}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"b\": 1}, \"name\": \"y\"}], \"maxTimeMS\": 500}]",
        ),
        good(
            "the same again",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"x\"}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"x\"}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(known) = context.schema.collections.get(context.collection()) else {
        return Vec::new();
    };
    let mut drafts = Vec::new();
    for index in context.indexes() {
        let (name, keys) =
            (index.get_str("name").unwrap_or_default(), index.get_document("key").ok());
        let options = options_of(index);
        let clash = known.indexes.iter().find_map(|(old, old_keys, old_options)| {
            let same = keys.is_some_and(|keys| same_keys(keys, old_keys));
            if old == name && !same {
                Some(format!("an index {name} with other keys is there: fails with error 86"))
            } else if same && (old != name || !same_options(old_options, &options)) {
                Some(format!("the index {old} has the same keys: {name} fails with error 85 or 86"))
            } else {
                None
            }
        });
        drafts.extend(clash.map(|title| {
            found(
                context,
                Severity::High,
                title,
                "Give it another name, or drop the old one first.",
            )
            .even_new()
        }));
    }
    drafts
}
