use super::support::*;

/// A collection, a database or a field is dropped: there is no way back
pub static RULE: Rule<Context> = rule(
    25,
    "drop-data",
    "A collection, a database or a field is dropped: there is no way back",
    Severity::High,
    None,
    "What is dropped, or replaced by $out, is gone, and programs that still read it get nothing, without an \
     error.\n\nRename it (or copy the field) first, wait, and drop it later.",
    &[
        bad(
            "a collection",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"drop\": \"users\"}]",
        ),
        bad(
            "a field",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.updateMany({_id: {$gt: MinKey()}}, {$unset: {a: ''}})\"]",
        ),
        bad(
            "a collection whose name is taken",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}, {\"insert\": \"new_users\", \"documents\": [{\"a\": 2}]}]",
            "[{\"renameCollection\": \"shop.new_users\", \"to\": \"shop.users\", \"dropTarget\": true}]",
        ),
        bad(
            "a collection that a pipeline replaces",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}, {\"insert\": \"people\", \"documents\": [{\"a\": 2}]}]",
            "[\"db.users.aggregate([{$match: {a: 1}}, {$out: 'people'}])\"]",
        ),
        good(
            "what a pipeline merges into",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[\"db.users.aggregate([{$match: {a: 1}}, {$merge: 'people'}])\"]",
        ),
        good(
            "a collection of the same file",
            "",
            "[{\"create\": \"fresh\"}, {\"drop\": \"fresh\"}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let why = "Rename it first, wait, and drop it later.";
    if context.is("drop") || context.is("dropDatabase") {
        let what = if context.is("drop") { context.collection() } else { "the database" };
        let title = format!("{what} is dropped with all it holds");
        let mut draft = found(context, Severity::High, title, why);
        draft.lock = Some("X");
        draft.blocks = Blocks::All;
        return vec![draft];
    }
    if let Some((from, to)) = renamed(context)
        && context.command.get("dropTarget").is_some_and(|target| *target != Bson::Boolean(false))
    {
        let title = format!("{to} is dropped, with all it holds, when {from} takes its name");
        let why = "Rename what has the name first, wait, and drop it later.";
        let mut draft = Draft::plain(Severity::High, title, why).on(to);
        draft.lock = Some("X");
        draft.blocks = Blocks::All;
        return vec![draft];
    }
    if let Some(("$out", into)) = written(context) {
        // Where the target was looked at, it is known what is not there.
        let collections = &context.schema.collections;
        let absent = collections.values().any(|known| known.size.is_some())
            && !collections.contains_key(&into)
            && !into.contains('.');
        let title = format!("all that {into} holds is replaced by what the pipeline gives");
        let why = "Write into a new collection and rename it, or use $merge, which keeps the rest.";
        let mut draft = Draft::plain(Severity::High, title, why).on(into);
        draft.lock = Some("X");
        draft.blocks = Blocks::All;
        return if absent { Vec::new() } else { vec![draft] };
    }
    let unset = context.updates().iter().any(|update| match update.update {
        Bson::Document(update) => update.contains_key("$unset"),
        Bson::Array(stages) => {
            stages.iter().filter_map(Bson::as_document).any(|stage| stage.contains_key("$unset"))
        }
        _ => false,
    });
    let title = format!("a field of documents of {} is dropped", context.collection());
    unset.then(|| found(context, Severity::Medium, title, why)).into_iter().collect()
}
