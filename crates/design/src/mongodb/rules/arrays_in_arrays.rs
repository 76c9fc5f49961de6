use super::support::*;

/// Arrays of arrays
pub static RULE: Check = rule(
    "arrays-in-arrays",
    "Arrays directly in arrays",
    Severity::Low,
    "No path reaches an element of an inner array, and a multikey index on the outer one holds inner \
     arrays whole. An object between them (`rows: [{cells: [1, 2]}]`) gives each a name. GeoJSON \
     coordinates are meant so, and left alone.",
    "multikey indexes unwind one level of a path",
    &[
        bad("a grid", "db.grids.insertMany([{_id: 1, cells: [[1, 2], [3, 4]]}])"),
        good("named rows", "db.grids.insertMany([{_id: 1, rows: [{cells: [1, 2]}]}])"),
        good(
            "GeoJSON",
            "db.areas.insertMany([{_id: 1, shape: {type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}])",
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter(|(_, path, profile)| {
            path.ends_with("[]")
                && profile.types.contains_key("array")
                && last(path) != "coordinates"
        })
        .map(|(collection, path, _)| {
            let (name, path) = (&collection.name, plain(path));
            let title = format!("{name}.{path} holds arrays directly in an array");
            let why = "No path and no index reaches their elements. Put an object between.";
            Draft::new(Severity::Low, name.clone(), title, why).at(path)
        })
        .collect()
}
