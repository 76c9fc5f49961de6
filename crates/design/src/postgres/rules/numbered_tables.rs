use super::support::*;

/// One table for each month or customer
pub static RULE: Check = rule(
    "numbered-tables",
    "One table for each month or customer",
    Severity::Medium,
    "`events_2024`, `events_2025`, `events_2026`: the same table again and again. Questions over all \
     of them are a UNION that somebody keeps up, keys do not reach across, and each change is made in \
     each. Declarative partitioning keeps them apart on disk and one for everybody who asks; attaching \
     existing tables is cheap when a CHECK says what they hold.",
    "PostgreSQL manual, table partitioning",
    &[
        bad(
            "a table a year",
            "CREATE TABLE events_2024 (id bigint PRIMARY KEY, at date);
CREATE TABLE events_2025 (id bigint PRIMARY KEY, at date);
CREATE TABLE events_2026 (id bigint PRIMARY KEY, at date);",
        ),
        good(
            "partitions",
            "CREATE TABLE events (id bigint, at date) PARTITION BY RANGE (at);
ALTER TABLE events ADD PRIMARY KEY (id, at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let mut groups: Vec<(String, Vec<&Relation>)> = Vec::new();
    for table in tables(catalog) {
        let Some((stem, _)) = names::numbered(&table.name) else { continue };
        let columns: Vec<String> =
            table.columns.iter().map(|c| format!("{} {}", c.name, c.type_name)).collect();
        let key = format!("{}.{stem}({})", table.schema, columns.join(", "));
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(table),
            None => groups.push((key, vec![table])),
        }
    }
    groups
        .into_iter()
        .filter(|(_, members)| members.len() >= 3)
        .filter_map(|(_, members)| {
            let first = members.first()?;
            let (stem, _) = names::numbered(&first.name)?;
            let title = format!("{} tables {stem}… have the same columns", members.len());
            let why = "Questions over all of them are a UNION somebody keeps up, and keys do not reach \
                       across. Make them partitions of one table: CREATE TABLE … PARTITION BY, then \
                       ATTACH PARTITION each.";
            let list: Vec<&str> = members.iter().map(|table| table.name.as_str()).collect();
            Some(
                Draft::new(Severity::Medium, first.qualified(), title, why)
                    .word("tables", list.join(", ")),
            )
        })
        .collect()
}
