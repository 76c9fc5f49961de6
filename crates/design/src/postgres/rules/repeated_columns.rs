use super::support::*;

/// A list spread over columns
pub static RULE: Check = rule(
    "repeated-columns",
    "A list spread over columns",
    Severity::Medium,
    "`phone1`, `phone2`, `phone3` are a list of at most three: each question asks three columns, and \
     the fourth is a migration. A table with a row for each says it; an array where nothing refers to \
     them.",
    "first normal form",
    &[
        bad(
            "phones",
            "CREATE TABLE people (id bigint PRIMARY KEY, phone1 text, phone2 text, phone3 text);",
        ),
        good(
            "two lines of an address",
            "CREATE TABLE people (id bigint PRIMARY KEY, line1 text, line2 text);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found = Vec::new();
    for table in tables(catalog) {
        let mut groups: Vec<(&str, Vec<&Column>)> = Vec::new();
        for column in &table.columns {
            let Some((stem, _)) = names::numbered(&column.name) else { continue };
            match groups.iter_mut().find(|(known, _)| *known == stem) {
                Some((_, members)) => members.push(column),
                None => groups.push((stem, vec![column])),
            }
        }
        for (stem, members) in groups {
            let alike = members.windows(2).all(|pair| pair[0].type_name == pair[1].type_name);
            if members.len() < 3 || !alike {
                continue;
            }
            let list: Vec<&str> = members.iter().map(|column| column.name.as_str()).collect();
            let title =
                format!("{} spreads a list of {stem} over {} columns", shown(table), list.len());
            let why = "Each question asks all of them, and one more is a migration. Give them a table of \
                       their own, with a row each.";
            found.push(
                Draft::new(Severity::Medium, table.qualified(), title, why).at(list.join(", ")),
            );
        }
    }
    found
}
