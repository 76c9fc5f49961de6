use super::support::*;

/// validate locks the collection and reads all of it
pub static RULE: Rule<Context> = rule(
    8,
    "validate-command",
    "validate locks the collection and reads all of it",
    Severity::High,
    None,
    "validate took 6.7 s where a count of the documents that do not conform took 0.09 s, \
     and it needs the collection exclusively.\n\nCount with {$nor: [{$jsonSchema: …}]}.",
    &[
        bad(
            "validate",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"validate\": \"users\"}]",
        ),
        good(
            "a count",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"count\": \"users\", \"query\": {\"$nor\": [{\"$jsonSchema\": {\"required\": [\"email\"]}}]}}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    if !context.is("validate") || context.command.get_bool("background").unwrap_or(false) {
        return Vec::new();
    }
    let title = format!("validate reads all of {} and keeps everybody out", context.collection());
    let mut draft =
        found(context, Severity::High, title, "Count with {$nor: [{$jsonSchema: …}]} instead.")
            .work(Work::Scan);
    draft.lock = Some("X");
    draft.blocks = Blocks::All;
    vec![draft]
}
