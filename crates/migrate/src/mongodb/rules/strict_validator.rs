use super::support::*;

/// A strict validator rejects updates of old documents
pub static RULE: Rule<Context> = rule(
    7,
    "strict-validator",
    "A strict validator rejects updates of old documents",
    Severity::High,
    None,
    "With validationLevel strict and validationAction error, which are the defaults, \
     every update of a document that does not conform fails (error 121), whatever it \
     changes.\n\nvalidationLevel moderate and validationAction warn first; count the \
     others with {$nor: [{$jsonSchema: …}]}, mend them, then error.",
    &[
        bad(
            "the defaults",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"collMod\": \"users\", \"validator\": {\"email\": {\"$type\": \"string\"}}, \"maxTimeMS\": 500}]",
        ),
        good(
            "moderate and warn",
            "[{\"insert\": \"users\", \"documents\": [{\"a\": 1}]}]",
            "[{\"collMod\": \"users\", \"validator\": {\"email\": {\"$type\": \"string\"}}, \"validationLevel\": \"moderate\", \"validationAction\": \"warn\", \"maxTimeMS\": 500}]",
        ),
        good(
            "a new collection",
            "",
            "[{\"create\": \"fresh\", \"validator\": {\"email\": {\"$type\": \"string\"}}}]",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let command = &context.command;
    let validator = command.get_document("validator").is_ok_and(|all| !all.is_empty());
    let gentle = command.get_str("validationLevel").is_ok_and(|level| level != "strict")
        || command.get_str("validationAction").is_ok_and(|action| action == "warn");
    if !context.is("collMod") || !validator || gentle {
        return Vec::new();
    }
    let title =
        format!("updates of documents of {} that do not conform fail", context.collection());
    vec![found(
        context,
        Severity::High,
        title,
        "Begin with validationLevel moderate and validationAction warn; count and mend the others; then error.",
    )]
}
