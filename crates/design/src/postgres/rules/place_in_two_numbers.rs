use super::support::*;

/// A place in two columns
pub static RULE: Check = rule(
    "place-in-two-numbers",
    "A place in two columns",
    Severity::Info,
    "\"What is near\" over a latitude and a longitude reads a rectangle and computes the rest by hand; \
     no index orders by distance. PostGIS's `geography(Point)` with a GiST index does; without PostGIS \
     `point` and `<->` on a plane.",
    "PostGIS manual, ST_DWithin",
    &[
        bad(
            "two numbers",
            "CREATE TABLE shops (id bigint PRIMARY KEY, latitude double precision, longitude double precision);",
        ),
        good("a point", "CREATE TABLE shops (id bigint PRIMARY KEY, place point);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    const NORTH: [&str; 2] = ["lat", "latitude"];
    const EAST: [&str; 4] = ["lon", "lng", "long", "longitude"];
    let called = |table: &Relation, known: &[&str]| {
        table
            .columns
            .iter()
            .find(|column| names::ends_in(&column.name, known))
            .map(|c| c.name.clone())
    };
    tables(catalog)
        .filter_map(|table| {
            let (north, east) = (called(table, &NORTH)?, called(table, &EAST)?);
            let title = format!("{} keeps places in two columns", shown(table));
            let why = "No index finds what is near. PostGIS's geography(Point) does.";
            Some(
                Draft::new(Severity::Info, table.qualified(), title, why)
                    .at(format!("{north}, {east}")),
            )
        })
        .collect()
}
