use super::support::*;

/// null in a filter also means missing
pub static RULE: Rule<Context> = rule(
    26,
    "missing-or-null",
    "null in a filter also means missing",
    Severity::Low,
    None,
    "{field: null} matches documents without the field and documents in which it is null; \
     {$exists: false} only the former; an empty array is neither. A backfill that takes \
     one for the other converts too much or too little.\n\nSay which is meant: {$exists: \
     false}, {$type: \"null\"}, {$size: 0}.",
    &[
        bad(
            "null",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateOne({status: null}, {$set: {status: 'active'}})\"]",
        ),
        good(
            "missing",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateOne({status: {$exists: false}}, {$set: {status: 'active'}})\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let updates = context.updates();
    let filters = updates.iter().map(|update| update.filter).chain(context.deletes());
    let field = filters
        .flat_map(|filter| filter.iter())
        .find(|(_, value)| {
            **value == Bson::Null
                || value.as_document().is_some_and(|inner| inner.get("$eq") == Some(&Bson::Null))
        })
        .map(|(key, _)| key.clone());
    field
        .map(|field| {
            let title = format!("{field}: null matches documents without {field}, too");
            found(
                context,
                Severity::Low,
                title,
                "Say which is meant: {$exists: false}, or {$type: \"null\"}.",
            )
            .even_new()
        })
        .into_iter()
        .collect()
}
