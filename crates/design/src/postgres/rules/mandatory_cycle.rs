use super::support::*;

/// Tables that cannot get their first row
pub static RULE: Check = rule(
    "mandatory-cycle",
    "Tables that need each other's rows before their own",
    Severity::High,
    "Foreign keys over NOT NULL columns that lead in a circle, none of them deferrable: the first row \
     of each table needs a row of the other.\n\nMake one of the keys DEFERRABLE INITIALLY DEFERRED, \
     or one of the columns nullable.",
    "PostgreSQL manual, SET CONSTRAINTS",
    &[
        bad(
            "two tables",
            "CREATE TABLE teams (id bigint PRIMARY KEY, lead_id bigint NOT NULL);
CREATE TABLE people (id bigint PRIMARY KEY, team_id bigint NOT NULL REFERENCES teams);
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people;",
        ),
        good(
            "one is deferred",
            "CREATE TABLE teams (id bigint PRIMARY KEY, lead_id bigint NOT NULL);
CREATE TABLE people (id bigint PRIMARY KEY, team_id bigint NOT NULL REFERENCES teams);
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people DEFERRABLE INITIALLY DEFERRED;",
        ),
        good(
            "one may be missing",
            "CREATE TABLE teams (id bigint PRIMARY KEY, lead_id bigint);
CREATE TABLE people (id bigint PRIMARY KEY, team_id bigint NOT NULL REFERENCES teams);
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people;",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut found: Vec<Draft> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for table in tables(catalog) {
        let Some(circle) = circle(catalog, table) else { continue };
        let mut members = circle.clone();
        members.sort();
        let members = members.join(" ");
        if seen.contains(&members) {
            continue;
        }
        seen.push(members);
        let Some((last, key)) = closing(catalog, &circle) else { continue };
        let title = format!("{} need each other's rows", circle.join(" → "));
        let why = "The first row of any of them is refused: each asks for a row of the next.";
        let way = |words: &str| {
            format!("ALTER TABLE {} ALTER CONSTRAINT {} {words}", full(last), quote_ident(&key))
        };
        let fix = Fix::ddl(
            format!("check {key} at the end of the transaction"),
            vec![way("DEFERRABLE INITIALLY DEFERRED")],
            vec![way("NOT DEFERRABLE")],
        )
        .mind("takes an ACCESS EXCLUSIVE lock for a moment: set a lock_timeout");
        found.push(Draft::new(Severity::High, table.qualified(), title, why).fix(fix));
    }
    found
}

/// The mandatory keys of a table: where to, and their names.
fn needs(table: &Relation) -> impl Iterator<Item = (&str, &str)> {
    let mandatory = |column: &String| table.column(column).is_some_and(|known| known.not_null);
    table.constraints.iter().filter_map(move |key| {
        let binding = key.kind == ConstraintKind::ForeignKey
            && key.columns.iter().all(mandatory)
            && !key.definition.contains(" DEFERRABLE");
        binding.then(|| Some((key.references.as_deref()?, key.name.as_str()))).flatten()
    })
}

/// The shortest way along mandatory keys from a table back to it, through another one.
fn circle(catalog: &RelationalCatalog, start: &Relation) -> Option<Vec<String>> {
    let home = start.qualified();
    let mut ways = std::collections::VecDeque::from([vec![home.clone()]]);
    let mut seen = vec![home.clone()];
    while let Some(way) = ways.pop_front() {
        let here = catalog.find(way.last()?)?;
        for (next, _) in needs(here) {
            if next == home && way.len() > 1 {
                return Some(way);
            }
            if !seen.iter().any(|known| known == next) {
                seen.push(next.to_owned());
                let mut on = way.clone();
                on.push(next.to_owned());
                ways.push_back(on);
            }
        }
    }
    None
}

/// The key that closes a circle.
fn closing<'c>(
    catalog: &'c RelationalCatalog,
    circle: &[String],
) -> Option<(&'c Relation, String)> {
    let last = catalog.find(circle.last()?)?;
    let home = circle.first()?;
    let key = needs(last).find(|(to, _)| to == home)?.1.to_owned();
    Some((last, key))
}
