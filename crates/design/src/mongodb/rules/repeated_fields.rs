use super::support::*;

/// A list spread over fields
pub static RULE: Check = rule(
    "repeated-fields",
    "A list spread over fields",
    Severity::Low,
    "`phone1`, `phone2`, `phone3` are an array: each question asks three fields, and each wants an index. \
     An array has one path and one multikey index.",
    GUIDANCE,
    &[
        bad("phones", "db.people.insertMany([{_id: 1, phone1: '1', phone2: '2', phone3: '3'}])"),
        good("an array", "db.people.insertMany([{_id: 1, phones: ['1', '2', '3']}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for collection in collections(catalog) {
        let Some(schema) = &collection.schema else { continue };
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for path in schema.fields.keys().filter(|path| !path.ends_with("[]")) {
            let Some((stem, _)) = names::numbered(path) else { continue };
            // What has data for names is another rule's.
            if last(stem).is_empty() {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| *known == stem) {
                Some((_, members)) => members.push(path),
                None => groups.push((stem, vec![path])),
            }
        }
        for (stem, members) in groups.into_iter().filter(|(_, m)| (3..=40).contains(&m.len())) {
            let name = &collection.name;
            let title = format!("{name} spreads a list of {stem} over {} fields", members.len());
            let why = "Each question asks all of them. Make them an array, with one index.";
            found.push(Draft::new(Severity::Low, name.clone(), title, why).at(members.join(", ")));
        }
    }
    found
}
