use super::support::*;

/// A validator that only warns
pub static RULE: Check = rule(
    "validator-only-warns",
    "A validator that only warns",
    Severity::Low,
    "`validationAction: \"warn\"` writes a line into the log and the document into the collection. It is \
     for the time in which old programs are mended; then it should refuse.",
    "MongoDB manual, schema validation",
    &[
        bad(
            "warn",
            "db.createCollection('users', {validator: {name: {$type: 'string'}}, validationAction: 'warn'})",
        ),
        good("error", "db.createCollection('users', {validator: {name: {$type: 'string'}}})"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    collections(catalog)
        .filter(|collection| {
            collection.options.get("validationAction").and_then(Json::as_str) == Some("warn")
        })
        .map(|collection| {
            let name = &collection.name;
            let title = format!("the validator of {name} only warns");
            let why = "What breaks it is stored all the same.";
            let set = |action: &str| {
                let name = Json::from(name.as_str());
                vec![format!("db.runCommand({{collMod: {name}, validationAction: \"{action}\"}})")]
            };
            let fix = Fix::ddl(
                format!("let the validator of {name} refuse"),
                set("error"),
                set("warn"),
            )
            .mind("writes that break it fail from then on: look for its warnings in the log first");
            Draft::new(Severity::Low, name.clone(), title, why).fix(fix)
        })
        .collect()
}
