use super::support::*;

/// A serial column
pub static RULE: Check = rule(
    "serial-column",
    "A serial column",
    Severity::Info,
    "`serial` is a default that calls a sequence: whoever may insert needs a right on the sequence, \
     too, a value given by hand collides later, and dropping the default leaves the sequence. An \
     identity column is the standard's way to say the same.",
    WIKI,
    &[
        bad("serial", "CREATE TABLE t (id bigserial PRIMARY KEY);"),
        good("identity", "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let serial = |column: &Column| {
        column.generated.is_none()
            && column.not_null
            && column.default.as_deref().is_some_and(|default| default.starts_with("nextval("))
    };
    columns(catalog)
        .filter(|(_, column)| serial(column))
        .map(|(table, column)| {
            let title = format!("{}.{} is a serial, not an identity column", shown(table), column.name);
            let why = "Rights, dumps and values given by hand are simpler with GENERATED … AS IDENTITY. \
                       New tables deserve one; an old one may stay.";
            Draft::new(Severity::Info, table.qualified(), title, why)
                .at(column.name.clone())
                .word("default", column.default.clone().unwrap_or_default())
        })
        .collect()
}
