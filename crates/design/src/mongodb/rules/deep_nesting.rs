use super::support::*;

/// Documents nested deeply
pub static RULE: Check = rule(
    "deep-nesting",
    "Documents nested deeply",
    Severity::Low,
    "More than six levels: paths get long, updates of an inner array need a filter for each level, and \
     100 levels are the limit. Flatten what is one thing, and give inner lists a collection of their \
     own.",
    GUIDANCE,
    &[
        bad(
            "eight levels",
            "db.trees.insertMany([{_id: 1, a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}])",
        ),
        good("two levels", "db.trees.insertMany([{_id: 1, a: {b: 1}}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    let depth = |path: &str| path.matches('.').count() + path.matches("[]").count() + 1;
    collections(catalog)
        .filter_map(|collection| {
            let schema = collection.schema.as_ref()?;
            let deepest = schema.fields.keys().max_by_key(|path| depth(path))?;
            (depth(deepest) > 6).then(|| {
                let name = &collection.name;
                let title =
                    format!("documents of {name} are nested {} levels deep", depth(deepest));
                let why = "Flatten what is one thing; give inner lists a collection of their own.";
                Draft::new(Severity::Low, name.clone(), title, why).at(plain(deepest))
            })
        })
        .collect()
}
