use super::support::*;

/// A conversion that can fail stops in the middle
pub static RULE: Rule<Context> = rule(
    3,
    "throwing-conversion",
    "A conversion that can fail stops in the middle",
    Severity::High,
    None,
    "$toInt, $toDate, $toObjectId and their kin, and $convert without onError, fail on \
     the first value they cannot convert: one bad value left 77,777 documents converted \
     and 22,213 not.\n\n$convert with onError and onNull, after counting what cannot be \
     converted.",
    &[
        bad(
            "no onError",
            "[{\"insert\": \"users\", \"documents\": [{\"age\": \"7\"}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, [{$set: {age: {$toInt: '$age'}}}])\"]",
        ),
        good(
            "onError",
            "[{\"insert\": \"users\", \"documents\": [{\"age\": \"x\"}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, [{$set: {age: {$convert: {input: '$age', to: 'int', onError: null, onNull: null}}}}])\"]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let throwing = [
        "$toInt",
        "$toLong",
        "$toDouble",
        "$toDecimal",
        "$toDate",
        "$toObjectId",
        "$toBool",
        "$dateFromString",
        "$convert",
    ];
    let mut first = None;
    let mut look = |key: &str, value: &Bson| {
        let guarded = value.as_document().is_some_and(|inner| inner.contains_key("onError"));
        if throwing.contains(&key) && !guarded {
            first.get_or_insert_with(|| key.to_string());
        }
    };
    let updates = context.updates();
    for update in updates.iter().filter(|update| matches!(update.update, Bson::Array(_))) {
        each_key(update.update, &mut look);
    }
    if written(context).is_some()
        && let Some(pipeline) = context.command.get("pipeline")
    {
        each_key(pipeline, &mut look);
    }
    first
        .map(|operator| {
            let title = format!("{operator} fails on the first value it cannot convert");
            found(context, Severity::High, title, "What was converted before it stays converted: use $convert with onError and onNull, and count what does not convert first.").even_new()
        })
        .into_iter()
        .collect()
}
