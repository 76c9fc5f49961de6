use super::support::*;

/// A moment without a time zone
pub static RULE: Check = rule(
    "timestamp-without-zone",
    "A moment without a time zone",
    Severity::Medium,
    "`timestamp` is a picture of a clock: nobody knows whose. Clients in other zones read another \
     moment, and the hour that comes twice in autumn is one hour. `timestamptz` takes the same 8 \
     bytes and means a moment.\n\nA plan that is meant in local time (opening hours) is well kept \
     without a zone.",
    WIKI,
    &[
        bad(
            "when it was made",
            "CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamp);",
        ),
        good("timestamptz", "CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamptz);"),
        good(
            "local on purpose",
            "CREATE TABLE shops (id bigint PRIMARY KEY, opens_local timestamp);",
        ),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    tables(catalog).filter_map(draft).collect()
}

fn draft(table: &Relation) -> Option<Draft> {
    let moment = |column: &&Column| {
        base(column) == "timestamp without time zone"
            && !names::has(&column.name, &["local", "wall"])
    };
    let found: Vec<&Column> = table.columns.iter().filter(moment).collect();
    let names: Vec<&str> = found.iter().map(|column| column.name.as_str()).collect();
    let names = names.join(", ");
    let title = match found.len() {
        1 => format!("{}.{names} is a moment without a time zone", shown(table)),
        many => format!("{} holds {many} moments without a time zone: {names}", shown(table)),
    };
    let why = format!(
        "Clients in other zones read another moment. Existing rows change with it, so it is a \
         migration: {}",
        change_type(table, found.first()?, "timestamptz")
    );
    Some(Draft::new(Severity::Medium, table.qualified(), title, why).at(names))
}
