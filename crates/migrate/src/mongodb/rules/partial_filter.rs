use super::support::*;

/// The filter of a partial index has an operator that no server takes there
pub static RULE: Rule<Context> = rule(
    32,
    "partial-filter",
    "The filter of a partial index has an operator that no server takes there",
    Severity::High,
    None,
    "A partialFilterExpression takes equality, $exists: true, $gt, $gte, $lt, $lte, $type and \
     $and; from 6.0 $or, $in and $geoWithin, too. Everything else, above all $ne and \
     $exists: false, is error 67.\n\nSay which documents belong in rather than which do not: \
     {status: {$in: [\"open\", \"paid\"]}}, {deleted: false}, {at: {$gt: …}}, or keep a field that \
     says it.",
    &[
        bad(
            "all but one value",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\", \"partialFilterExpression\": {\"a\": {\"$ne\": 0}}}], \"maxTimeMS\": 500}]",
        ),
        bad(
            "all that lack a field",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\", \"partialFilterExpression\": {\"gone\": {\"$exists\": false}}}], \"maxTimeMS\": 500}]",
        ),
        good(
            "what belongs in",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"createIndexes\": \"users\", \"indexes\": [{\"key\": {\"a\": 1}, \"name\": \"a_1\", \"partialFilterExpression\": {\"a\": {\"$gt\": 0}, \"b\": {\"$in\": [1, 2]}, \"c\": {\"$exists\": true}}}], \"maxTimeMS\": 500}]",
        ),
    ],
    check,
);

/// What is refused on every version.
const REFUSED: [&str; 12] = [
    "$ne",
    "$nin",
    "$not",
    "$nor",
    "$regex",
    "$expr",
    "$where",
    "$text",
    "$elemMatch",
    "$size",
    "$mod",
    "$near",
];
/// What is taken from 6.0 on.
const LATER: [&str; 2] = ["$or", "$in"];

fn check(context: &Context) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for index in context.indexes() {
        let Some(filter) = index.get("partialFilterExpression") else { continue };
        let mut refused = None;
        each_key(filter, &mut |key, value| {
            let later = LATER.contains(&key) && context.version < Version::new(6, 0, 0);
            if key == "$exists" && *value == Bson::Boolean(false) {
                refused = Some("$exists: false".to_string());
            } else if REFUSED.contains(&key) || later {
                refused = Some(key.to_string());
            } else if matches!(value, Bson::RegularExpression(_)) {
                refused = Some("a regular expression".to_string());
            }
        });
        let Some(refused) = refused else { continue };
        let name = index.get_str("name").unwrap_or("the index");
        let title = format!("{name} has {refused} in its filter: fails with error 67");
        let why = "Say which documents belong in, rather than which do not, or keep a field that says it.";
        drafts.push(found(context, Severity::High, title, why).even_new());
    }
    drafts
}
