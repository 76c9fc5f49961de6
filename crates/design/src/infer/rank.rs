//! How much columns look like a key: short, on the left, with the name of one (after Papenbrock and
//! Naumann, "Data-driven Schema Normalization", EDBT 2017).

use super::types::{Class, Typed};
use crate::names;

/// What speaks against a column as a part of a key; less is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost(pub f64);

/// A single column that costs more is no key, whatever the rows say.
pub const MOST: f64 = 4.6;
/// What each further column of a key costs.
pub const FURTHER: f64 = 0.6;

/// What a column at a place of so many costs.
pub fn cost(name: &str, typed: &Typed, place: usize, of: usize) -> Cost {
    let length = f64::from(typed.attribute.average_length.unwrap_or(8));
    let like_id = is_like_id(name);
    let base = match typed.class {
        Class::Uuid | Class::ObjectId => 0.5,
        Class::Integer if like_id => 0.3,
        Class::Integer if is_measure(name) => 7.0,
        Class::Integer => 2.5,
        Class::Text if like_id && length <= 40.0 => 0.3 + length / 40.0,
        Class::Text => 2.0 + length / 10.0,
        Class::Date | Class::Timestamp => 6.0,
        Class::Decimal | Class::Float | Class::Vast => 7.0,
        Class::Boolean => 9.0,
        Class::Binary | Class::Json => 20.0,
    };
    Cost(base + 0.5 * place as f64 / of.max(1) as f64)
}

/// What a key of several columns costs.
pub fn of_key(costs: impl IntoIterator<Item = Cost>) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u32);
    for cost in costs {
        sum += cost.0;
        count += 1;
    }
    sum + FURTHER * f64::from(count.saturating_sub(1))
}

/// Whether a key of these columns is one that somebody would choose. A day or a moment tells
/// members apart only together with something else: a rate of a currency on a day.
pub fn acceptable(columns: &[(Cost, Class)]) -> bool {
    let moment = |class: Class| matches!(class, Class::Date | Class::Timestamp);
    let named = columns.iter().filter(|(cost, _)| cost.0 <= MOST).count();
    let moments = columns.iter().filter(|(_, class)| moment(*class)).count();
    named + moments == columns.len() && named > 0
}

/// `id`, `order_key`, `custkey`, `sku`, `isoCode`, `email`.
pub fn is_like_id(name: &str) -> bool {
    const WORDS: [&str; 26] = [
        "id", "key", "no", "nr", "num", "number", "code", "uuid", "guid", "sku", "isbn", "ean",
        "gtin", "iban", "email", "slug", "username", "login", "symbol", "iso", "vin", "ssn", "pk",
        "fk", "ref", "zip",
    ];
    const ENDS: [&str; 5] = ["key", "number", "code", "uuid", "guid"];
    let words = names::words(name);
    let Some(last) = words.last() else { return false };
    WORDS.contains(&last.as_str())
        || ENDS.iter().any(|end| last.ends_with(end))
        || (last.ends_with("id") && name.ends_with("ID"))
}

/// `line`, `position`: what counts within something else.
pub fn is_position(name: &str) -> bool {
    const WORDS: [&str; 9] =
        ["line", "lineno", "position", "pos", "seq", "sequence", "ordinal", "idx", "index"];
    names::words(name).last().is_some_and(|last| WORDS.contains(&last.as_str()))
}

/// What a position costs in a key of several columns.
pub const POSITION: f64 = 0.3;

/// `quantity`, `size`: what is measured or counted, and no name of anything.
fn is_measure(name: &str) -> bool {
    const MEASURES: [&str; 20] = [
        "quantity", "qty", "availqty", "count", "size", "length", "width", "height", "weight",
        "age", "amount", "price", "total", "score", "rating", "points", "stock", "duration",
        "percent", "rank",
    ];
    let words = names::words(name);
    words.iter().any(|word| MEASURES.contains(&word.as_str()) || word.ends_with("price"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_are_known() {
        for name in
            ["id", "o_orderkey", "customerId", "l_linenumber", "SKU", "zip_code", "_id", "userID"]
        {
            assert!(is_like_id(name), "{name}");
        }
        for name in ["paid", "c_comment", "name", "p_size", "keyboard"] {
            assert!(!is_like_id(name), "{name}");
        }
    }
}
