use super::support::*;

/// An index is made unique without prepareUnique before it
pub static RULE: Rule<Context> = rule(
    30,
    "convert-to-unique",
    "An index is made unique without prepareUnique before it",
    Severity::High,
    None,
    "From 6.0 collMod makes an index unique, but only one on which prepareUnique was set before; \
     without it the server refuses, and so it does with duplicates, which it looks for in the \
     whole index. Before 6.0 collMod knows neither.\n\ncollMod prepareUnique: true first (from \
     then on new duplicates fail), then collMod unique: true with dryRun, mend what it names, and \
     then unique: true.",
    &[
        bad(
            "at once",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"email\": 1}, \"name\": \"email_1\"}]}]",
            "[{\"collMod\": \"users\", \"index\": {\"name\": \"email_1\", \"unique\": true}, \"maxTimeMS\": 500}]",
        ),
        good(
            "prepared",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"email\": 1}, \"name\": \"email_1\"}]}, \
             {\"collMod\": \"users\", \"index\": {\"name\": \"email_1\", \"prepareUnique\": true}}]",
            "[{\"collMod\": \"users\", \"index\": {\"name\": \"email_1\", \"unique\": true}, \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(index) = context.changed_index() else { return Vec::new() };
    let dry = context.command.get_bool("dryRun").unwrap_or(false);
    if !index.get_bool("unique").unwrap_or(false) || dry {
        return Vec::new();
    }
    let which = index.get_str("name").unwrap_or("the index").to_string();
    let known = context.schema.collections.get(context.collection());
    if context.version < Version::new(6, 0, 0) {
        let title =
            format!("{which} is made unique by collMod: before 6.0 the server refuses that");
        let why = "Build a unique index under another name, and drop this one.";
        return vec![found(context, Severity::High, title, why)];
    }
    if known.is_some_and(|known| known.is_prepared(index)) {
        return Vec::new();
    }
    let why = "collMod prepareUnique: true goes before it; then a dryRun names the duplicates.";
    // Of an index that no file here made, it may have been said before.
    let seen = known.is_some_and(|known| known.indexes.iter().any(|(name, ..)| *name == which));
    let (severity, title) = match seen {
        true => {
            (Severity::High, format!("{which} is not prepared: collMod unique fails with error 72"))
        }
        false => (
            Severity::Medium,
            format!("{which} becomes unique, and no prepareUnique is seen before it"),
        ),
    };
    vec![found(context, severity, title, why)]
}
