//! What names say: `customerId` and `customer_id` are the same two words.

/// The words of a name, in lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            lower = false;
            words.push(String::new());
            continue;
        }
        if words.is_empty() || (letter.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = letter.is_lowercase() || letter.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the name's last word, or the one before a unit, is one of `known`.
pub(crate) fn ends_in(name: &str, known: &[&str]) -> bool {
    words(name).last().is_some_and(|last| known.contains(&last.as_str()))
}

/// Whether one of the name's words is one of `known`.
pub(crate) fn has(name: &str, known: &[&str]) -> bool {
    words(name).iter().any(|word| known.contains(&word.as_str()))
}

/// Names of amounts of money.
pub(crate) fn is_money(name: &str) -> bool {
    const MONEY: [&str; 19] = [
        "price", "amount", "total", "subtotal", "balance", "cost", "fee", "salary", "tax",
        "discount", "payment", "revenue", "budget", "debit", "credit", "refund", "wage", "invoice",
        "money",
    ];
    const NOT: [&str; 6] = ["count", "rate", "percent", "percentage", "ratio", "id"];
    has(name, &MONEY) && !has(name, &NOT)
}

/// Names of codes: what looks like a number there is a text all the same.
pub(crate) fn is_code(name: &str) -> bool {
    const CODES: [&str; 14] = [
        "code",
        "zip",
        "postal",
        "postcode",
        "plz",
        "phone",
        "mobile",
        "fax",
        "iban",
        "sku",
        "isbn",
        "ean",
        "number",
        "reference",
    ];
    has(name, &CODES)
}

/// Names that say whom a row belongs to.
pub(crate) fn is_tenant(name: &str) -> bool {
    matches!(
        words(name).join("_").as_str(),
        "tenant_id" | "tenant" | "organization_id" | "organisation_id" | "org_id" | "workspace_id"
    )
}

/// What a name refers to: `customer_id`, `customerId` and `customer_fk` refer to `customer`.
pub(crate) fn refers_to(name: &str) -> Option<String> {
    let words = words(name);
    let (last, rest) = words.split_last()?;
    (["id", "fk", "ref"].contains(&last.as_str()) && !rest.is_empty()).then(|| rest.join("_"))
}

/// Whether `table` is what `thing` names: one of them in the plural, or both the same.
pub(crate) fn names(table: &str, thing: &str) -> bool {
    let table = words(table).join("_");
    table == thing || plural(thing).contains(&table)
}

/// One of what a table's name names: `categories` → `category`.
pub(crate) fn singular(name: &str) -> String {
    const SAME: [&str; 8] =
        ["saas", "news", "series", "status", "address", "business", "access", "bus"];
    let ends = |end: &str| name.ends_with(end);
    if name.len() <= 3 || SAME.iter().any(|same| ends(same)) {
        return name.into();
    }
    if let Some(stem) = name.strip_suffix("people") {
        return format!("{stem}person");
    }
    if let Some(stem) = name.strip_suffix("children") {
        return format!("{stem}child");
    }
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return if ends("movies") || ends("cookies") {
            format!("{stem}ie")
        } else {
            format!("{stem}y")
        };
    }
    for end in ["sses", "shes", "ches", "xes", "zzes", "uses"] {
        if ends(end) && !ends("houses") && !ends("caches") {
            return name[..name.len() - 2].into();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.is_empty() && !stem.ends_with('s') => stem.into(),
        _ => name.into(),
    }
}

/// Several of what a name names: `category` → `categories`. What is in the plural stays.
pub(crate) fn plural_of(name: &str) -> String {
    if name.is_empty() || singular(name) != name {
        return name.into();
    }
    let before = name.chars().rev().nth(1).unwrap_or('a');
    match name.strip_suffix('y') {
        Some(stem) if !"aeiou".contains(before) => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| name.ends_with(end)) => {
            format!("{name}es")
        }
        _ => format!("{name}s"),
    }
}

fn plural(thing: &str) -> Vec<String> {
    let mut forms = vec![format!("{thing}s"), format!("{thing}es")];
    if let Some(stem) = thing.strip_suffix('y') {
        forms.push(format!("{stem}ies"));
    }
    if let Some(stem) = thing.strip_suffix("person") {
        forms.push(format!("{stem}people"));
    }
    forms
}

/// A name without the number or date at its end, and that end: `events_2024` → `events`, `2024`.
pub(crate) fn numbered(name: &str) -> Option<(&str, &str)> {
    let stem = name
        .trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '_' || letter == '-');
    let end = name.get(stem.len()..)?.trim_start_matches(['_', '-']);
    let digits = end.chars().any(|letter| letter.is_ascii_digit());
    (digits && stem.chars().any(char::is_alphabetic)).then_some((stem, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(words("customerId"), ["customer", "id"]);
        assert_eq!(words("CUSTOMER_ID"), ["customer", "id"]);
        assert_eq!(words("order.line-items2"), ["order", "line", "items2"]);
        assert!(words("__").is_empty());
    }

    #[test]
    fn references_name_tables() {
        for (column, table) in
            [("customer_id", "customers"), ("categoryId", "categories"), ("box_fk", "boxes")]
        {
            assert!(names(table, &refers_to(column).unwrap_or_default()), "{column}");
        }
        assert_eq!(refers_to("id"), None);
        assert!(!names("customers", "product"));
    }

    #[test]
    fn money_is_known_by_name() {
        assert!(is_money("unit_price") && is_money("totalAmount"));
        assert!(!is_money("tax_rate") && !is_money("total_count") && !is_money("payment_id"));
    }

    #[test]
    fn numbers_at_the_end_are_told_from_the_stem() {
        assert_eq!(numbered("events_2024_01"), Some(("events", "2024_01")));
        assert_eq!(numbered("phone2"), Some(("phone", "2")));
        assert_eq!(numbered("events"), None);
        assert_eq!(numbered("2024"), None);
    }
}
