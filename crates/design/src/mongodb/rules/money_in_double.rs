use super::support::*;

/// Money in a binary fraction
pub static RULE: Check = rule(
    "money-in-double",
    "Money in a binary fraction",
    Severity::Medium,
    "A double cannot hold 0.10: sums drift by cents. Use NumberDecimal, or whole cents in a long.",
    "0.1 + 0.2 is not 0.3 in binary fractions",
    &[
        bad("a price", "db.items.insertMany([{_id: 1, price: 9.99}, {_id: 2, price: 0.1}])"),
        good("decimals", "db.items.insertMany([{_id: 1, price: NumberDecimal('9.99')}])"),
        good("a rate", "db.items.insertMany([{_id: 1, tax_rate: 0.19}])"),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    fields(catalog)
        .filter(|(_, path, profile)| {
            names::is_money(last(path)) && profile.types.contains_key("double")
        })
        .map(|(collection, path, profile)| {
            convert(
                Severity::Medium,
                collection,
                path,
                "decimal",
                "holds money in binary fractions",
                "Sums of it drift by cents.",
            )
            .word("types", counted(profile))
        })
        .collect()
}
