//! What entities and attributes are called.

use super::column::Table;
use super::decompose::{Decomposed, Part};
use crate::names;

/// The ends of names of keys.
const ENDS: [&str; 12] =
    ["id", "key", "no", "nr", "num", "number", "code", "uuid", "guid", "pk", "fk", "ref"];

/// What people shorten in names of keys.
const SHORT: [(&str, &str); 12] = [
    ("acct", "account"),
    ("cat", "category"),
    ("cust", "customer"),
    ("dept", "department"),
    ("emp", "employee"),
    ("inv", "invoice"),
    ("mfr", "manufacturer"),
    ("org", "organization"),
    ("prod", "product"),
    ("supp", "supplier"),
    ("usr", "user"),
    ("whse", "warehouse"),
];

/// What a key's name says of its thing: `o_orderkey` and `order_id` say `order`.
pub fn stem(name: &str) -> String {
    let mut words = names::words(name);
    if words.len() > 1 && words[0].chars().count() <= 2 {
        words.remove(0);
    }
    if words.len() > 1 && words.last().is_some_and(|last| ENDS.contains(&last.as_str())) {
        words.pop();
    }
    if let Some(last) = words.last_mut() {
        let end = ["number", "key", "code", "uuid", "guid"]
            .into_iter()
            .find(|end| last.len() > end.len() + 1 && last.ends_with(end));
        if let Some(end) = end {
            last.truncate(last.len() - end.len());
        }
    }
    written_out(&words)
}

/// The words without what people shorten: `dept` is a `department`.
pub fn written_out(words: &[String]) -> String {
    let whole = |word: &String| {
        let known = SHORT.iter().find(|(short, _)| short == word);
        known.map_or_else(|| word.clone(), |(_, whole)| (*whole).to_string())
    };
    words.iter().map(whole).collect::<Vec<_>>().join("_")
}

/// A name that a model takes: without dots, dollar signs and control characters.
pub fn clean(name: &str) -> String {
    let letter = |c: char| if c == '.' || c == '$' || c.is_control() { '_' } else { c };
    match name.trim() {
        "" => "unnamed".into(),
        name => name.chars().map(letter).collect(),
    }
}

/// Several of a thing.
pub fn plural(word: &str) -> String {
    let ends = |end: &str| word.ends_with(end);
    match word.strip_suffix('y') {
        Some(rest) if !rest.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{rest}ies"),
        _ if ends("ss") || ends("x") || ends("ch") || ends("sh") => format!("{word}es"),
        _ if ends("s") => word.to_string(),
        _ => format!("{word}s"),
    }
}

/// One of several things.
pub fn singular(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() > 1) {
        return format!("{rest}y");
    }
    for end in ["sses", "xes", "ches", "shes"] {
        if word.ends_with(end) {
            return word[..word.len() - 2].to_string();
        }
    }
    match word.strip_suffix('s') {
        Some(rest) if !rest.ends_with('s') && rest.len() > 1 => rest.to_string(),
        _ => word.to_string(),
    }
}

/// What a part is called, and each of its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The entity's name.
    pub entity: String,
    /// The attributes' names, in the order of the part's columns.
    pub attributes: Vec<String>,
}

/// Names a part. `own`: the columns that are no reference to another part.
pub fn name(table: &Table, all: &Decomposed, index: usize, own: &[usize]) -> Named {
    let part = &all.parts[index];
    let mut attributes: Vec<String> = match prefix(table, part) {
        Some(prefix) => {
            part.columns.iter().map(|at| alternative(table, all, *at, &prefix)).collect()
        }
        None => part.columns.iter().map(|at| table.columns[*at].name.clone()).collect(),
    };
    if index == 0 {
        return Named { entity: table.name.clone(), attributes: distinct(attributes) };
    }
    let nested = common_path(table, own);
    let entity = match (nested.last(), part.key.as_slice()) {
        (Some(step), _) => names::words(step).join("_"),
        (None, key) => {
            let stems: Vec<String> = key
                .iter()
                .filter_map(|at| part.columns.iter().position(|column| column == at))
                .map(|at| stem(&attributes[at]))
                .collect();
            stems.join("_")
        }
    };
    let entity = if entity.is_empty() { format!("{}_part", table.name) } else { entity };
    if !nested.is_empty() {
        for (attribute, at) in attributes.iter_mut().zip(&part.columns) {
            let path = &table.columns[*at].path;
            if own.contains(at) && path.len() > nested.len() {
                *attribute = clean(&path[nested.len()..].join("_"));
            }
        }
    } else {
        // `customer_id`, `customer_name`: the entity's name says the first word already.
        let words: Vec<Vec<String>> =
            attributes.iter().map(|attribute| names::words(attribute)).collect();
        let first = names::words(&entity);
        let told = |at: &usize| {
            let place = part.columns.iter().position(|column| column == at);
            place.is_some_and(|place| {
                words[place].starts_with(&first) && words[place].len() > first.len()
            })
        };
        if !first.is_empty() && own.iter().all(told) {
            for (place, at) in part.columns.iter().enumerate() {
                if own.contains(at) {
                    attributes[place] = words[place][first.len()..].join("_");
                }
            }
        }
    }
    Named { entity: plural(&entity), attributes: distinct(attributes) }
}

fn distinct(names: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let mut name = if name.is_empty() { "value".to_string() } else { name };
        while out.contains(&name) {
            name.push_str("_2");
        }
        out.push(name);
    }
    out
}

/// The short word most names of a part begin with: `o` of `o_orderkey`.
fn prefix(table: &Table, part: &Part) -> Option<String> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for at in &part.columns {
        let words = names::words(&table.columns[*at].name);
        let Some(first) = words.first().filter(|word| words.len() > 1 && word.len() <= 3) else {
            continue;
        };
        match counts.iter_mut().find(|(known, _)| known == first) {
            Some((_, count)) => *count += 1,
            None => counts.push((first.clone(), 1)),
        }
    }
    let (best, count) = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    (count >= 2 && count * 3 > part.columns.len()).then_some(best)
}

/// The name of a column that says the same and begins as the others of its part do.
fn alternative(table: &Table, all: &Decomposed, at: usize, prefix: &str) -> String {
    let begins = |at: usize| {
        names::words(&table.columns[at].name).first().is_some_and(|first| first == prefix)
    };
    let same = all.same.iter().filter(|(_, other)| *other == at).map(|(same, _)| *same);
    let chosen = std::iter::once(at).chain(same).find(|at| begins(*at)).unwrap_or(at);
    table.columns[chosen].name.clone()
}

/// The steps all paths have in common, the last one aside.
fn common_path(table: &Table, own: &[usize]) -> Vec<String> {
    let mut paths = own.iter().map(|at| table.columns[*at].path.as_slice());
    let Some(first) = paths.next() else { return Vec::new() };
    let mut common = first.get(..first.len().saturating_sub(1)).unwrap_or_default().to_vec();
    for path in paths {
        let above = path.get(..path.len().saturating_sub(1)).unwrap_or_default();
        let same = common.iter().zip(above).take_while(|(a, b)| a == b).count();
        common.truncate(same);
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_things() {
        for (key, thing) in [
            ("o_orderkey", "order"),
            ("order_id", "order"),
            ("customerId", "customer"),
            ("sku", "sku"),
            ("product_sku", "product_sku"),
            ("p_brand", "brand"),
            ("c_custkey", "customer"),
            ("billing_customer_id", "billing_customer"),
            ("id", "id"),
        ] {
            assert_eq!(stem(key), thing);
        }
    }

    #[test]
    fn one_and_several() {
        for (one, several) in [
            ("order", "orders"),
            ("city", "cities"),
            ("day", "days"),
            ("box", "boxes"),
            ("address", "addresses"),
        ] {
            assert_eq!(plural(one), several);
            assert_eq!(singular(several), one);
        }
        assert_eq!(singular("address"), "address");
    }
}
