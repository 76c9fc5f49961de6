use super::support::*;

/// A name that always needs quotes
pub static RULE: Check = rule(
    "quoted-name",
    "A name that always needs quotes",
    Severity::Low,
    "\"userId\" is found only in quotes, since what is not quoted is read in lower case; a reserved \
     word (`order`, `user`) needs them, too. Everybody who writes a query by hand trips over it once. \
     Name things in lower case with underscores.",
    WIKI,
    &[
        bad("capitals", "CREATE TABLE t (id bigint PRIMARY KEY, \"userId\" bigint);"),
        bad("a reserved word", "CREATE TABLE \"order\" (id bigint PRIMARY KEY);"),
        good("lower case", "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);"),
    ],
    check,
);

fn check(catalog: &RelationalCatalog) -> Vec<Draft> {
    let quoted = |name: &str| quote_ident(name).starts_with('"');
    tables(catalog)
        .filter_map(|table| {
            let own = Some(table.name.as_str()).filter(|name| quoted(name));
            let columns = table.columns.iter().map(|column| column.name.as_str());
            let names: Vec<&str> = own.into_iter().chain(columns.filter(|name| quoted(name))).collect();
            (!names.is_empty()).then(|| {
                let title = format!("{} is spelt so that it needs quotes", names.join(", "));
                let why = format!(
                    "Without them the server looks for another name. To rename without a break: marula \
                     migrate rename {}",
                    shown(table)
                );
                Draft::new(Severity::Low, table.qualified(), title, why).at(names.join(", "))
            })
        })
        .collect()
}
