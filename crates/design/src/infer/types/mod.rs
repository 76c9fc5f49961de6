//! What type the values of a column have, also where they were written as text.

mod classify;

use marula_core::model::{Attribute, AttributeType, Count, Span};

use super::column::{Column, Kind};
use crate::looks;
use crate::names;
use classify::classify;

/// What one value could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `true`, `no`, `Y`.
    Boolean,
    /// A whole number that fits 64 bits.
    Integer,
    /// A number with a point.
    Decimal,
    /// A number with an exponent.
    Float,
    /// A number that no double holds: `1e400`.
    Vast,
    /// `2026-01-31`.
    Date,
    /// `2026-01-31T10:00:00Z`.
    Timestamp,
    /// `550e8400-e29b-41d4-a716-446655440000`.
    Uuid,
    /// MongoDB's own name of a document.
    ObjectId,
    /// Bytes in hexadecimal.
    Binary,
    /// An object or array that was not taken apart.
    Json,
    /// Anything else.
    Text,
}

impl Class {
    fn word(self) -> &'static str {
        match self {
            Class::Boolean => "boolean",
            Class::Integer | Class::Decimal | Class::Float | Class::Vast => "number",
            Class::Date => "date",
            Class::Timestamp => "timestamp",
            Class::Uuid => "uuid",
            Class::ObjectId => "ObjectId",
            Class::Binary => "binary",
            Class::Json => "object",
            Class::Text => "text",
        }
    }
}

/// What was found of a column's values.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The attribute, without its name.
    pub attribute: Attribute,
    /// How the values are to be read.
    pub class: Class,
    /// Why that type, where it is no matter of course: `numbers written as text`.
    pub why: Option<String>,
    /// Where values of several types stand in one place: in words, and the first row of the few.
    pub mixed: Option<(String, usize)>,
    /// Numbers that no double holds: in words, and the first row.
    pub vast: Option<(String, usize)>,
}

/// More than so many different values are no enumeration.
const FEW: usize = 24;
/// An enumeration's values come again at least so often on average.
const AGAIN: u64 = 20;

/// What type a column has.
pub fn of(column: &Column) -> Typed {
    let counts = column.counts();
    let rows = column.codes.len() as u64;
    let there: u64 = counts.iter().skip(1).sum();
    let mut by_class: Vec<(Class, u64)> = Vec::new();
    let (mut shape, mut characters) = (Shape::default(), 0_u64);
    for (at, (kind, text)) in column.dictionary.values().enumerate() {
        let count = counts.get(at + 1).copied().unwrap_or(0);
        if count == 0 {
            continue;
        }
        let class = classify(kind, text);
        match by_class.iter_mut().find(|(known, _)| *known == class) {
            Some((_, rows)) => *rows += count,
            None => by_class.push((class, count)),
        }
        let length = text.chars().count() as u64;
        characters += length * count;
        shape.add(text, length);
    }
    let written_as_text =
        column.dictionary.values().next().is_some_and(|(kind, _)| kind == Kind::Text);
    let (mut class, mut mixed) = unify(&by_class, there);
    if class == Class::Boolean && written_as_text && !two_words(column) {
        class = Class::Text;
    }
    if class == Class::Integer
        && (names::is_code(&column.name) || shape.longest_digits > 18)
        && written_as_text
    {
        class = if names::is_code(&column.name) { Class::Text } else { Class::Decimal };
    }
    let mixed = mixed.take().map(|few| {
        let rows =
            |wanted: Class| by_class.iter().find(|(c, _)| *c == wanted).map_or(0, |(_, n)| *n);
        let words = of_each(&by_class);
        let row = (0..column.codes.len())
            .find(|row| {
                let value = column.dictionary.get(column.codes[*row]);
                value.is_some_and(|(kind, text)| classify(kind, text) == few)
            })
            .unwrap_or(0);
        let shown: String = column.text(row).unwrap_or_default().chars().take(40).collect();
        (format!("{words}; '{shown}' is the first of {} that are {}", rows(few), few.word()), row)
    });
    let vast = by_class.iter().find(|(known, _)| *known == Class::Vast && class == Class::Decimal);
    let vast = vast.and_then(|(_, many)| {
        let row = (0..column.codes.len()).find(|row| {
            let value = column.dictionary.get(column.codes[*row]);
            value.is_some_and(|(kind, text)| classify(kind, text) == Class::Vast)
        })?;
        let shown: String = column.text(row)?.chars().take(40).collect();
        Some((format!("{shown} is the first of {many} that no double holds"), row))
    });
    let distinct = counts.iter().skip(1).filter(|count| **count > 0).count();
    let mut attribute = Attribute {
        required: there == rows && rows > 0,
        missing: (there < rows).then(|| share(rows - there, rows)),
        distinct: Some(Count(distinct as u64)),
        guess: true,
        ..Attribute::default()
    };
    let mut why = None;
    let short = shape.longest <= 40;
    attribute.kind = match class {
        Class::Boolean => AttributeType::Boolean,
        Class::Integer => AttributeType::Integer,
        Class::Decimal | Class::Vast if vast.is_some() => AttributeType::Decimal,
        Class::Decimal | Class::Vast => {
            attribute.scale = Some(shape.scale as u32);
            let money = names::is_money(&column.name) || money_by_part(&column.name);
            // What stays below one is a rate.
            let rate = shape.most.is_none_or(|most| most <= 1.0);
            if money && !rate && shape.scale <= 4 {
                AttributeType::Money
            } else {
                AttributeType::Decimal
            }
        }
        Class::Float => AttributeType::Float,
        Class::Date => AttributeType::Date,
        Class::Timestamp => AttributeType::Timestamp,
        Class::Uuid if shape.seventh => AttributeType::UuidV7,
        Class::Uuid => AttributeType::Uuid,
        Class::Binary => AttributeType::Binary,
        Class::Json => AttributeType::Json,
        Class::ObjectId => {
            attribute.max_length = Some(24);
            why = Some("ObjectId of MongoDB".into());
            AttributeType::Text
        }
        Class::Text
            if distinct > 1 && distinct <= FEW && there >= AGAIN * distinct as u64 && short =>
        {
            let mut values: Vec<(u64, &str)> = column
                .dictionary
                .values()
                .enumerate()
                .map(|(at, (_, text))| (counts.get(at + 1).copied().unwrap_or(0), text))
                .filter(|(count, _)| *count > 0)
                .collect();
            values.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            attribute.values = values.into_iter().map(|(_, text)| text.to_string()).collect();
            why = Some(format!("{distinct} values in {there} rows"));
            AttributeType::Enumeration
        }
        Class::Text => AttributeType::Text,
    };
    if matches!(
        attribute.kind,
        AttributeType::Integer | AttributeType::Decimal | AttributeType::Money
    ) {
        // What was seen is no rule for what is to come.
        let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
        let (least, most) = (finite(shape.least), finite(shape.most));
        // Nothing below zero is zero.
        attribute.usual = least.zip(most).map(|(min, max)| Span { min: min + 0.0, max: max + 0.0 });
    }
    if matches!(attribute.kind, AttributeType::Text | AttributeType::Json | AttributeType::Binary) {
        attribute.average_length = characters.checked_div(there).map(|mean| mean as u32);
    }
    let from_text = written_as_text && !matches!(class, Class::Text | Class::ObjectId);
    if from_text && why.is_none() && !column.path.is_empty() {
        why = Some("written as text".into());
    }
    let kinds: std::collections::BTreeSet<Kind> =
        column.dictionary.values().map(|(kind, _)| kind).collect();
    if kinds.len() > 1 && mixed.is_none() {
        let kinds: Vec<&str> = kinds.into_iter().map(Kind::word).collect();
        why = Some(format!("written as {}", kinds.join(" and as ")));
    }
    if there == 0 {
        why = Some("no values: the type is not known".into());
    }
    if let Some((words, _)) = &vast {
        why = Some(words.clone());
    }
    Typed { attribute, class, why, mixed, vast }
}

/// What the numbers and texts of a column have in common.
#[derive(Default)]
struct Shape {
    longest: u64,
    longest_digits: usize,
    whole: usize,
    scale: usize,
    least: Option<f64>,
    most: Option<f64>,
    /// Whether all uuids are of version 7.
    seventh: bool,
    any: bool,
}

impl Shape {
    fn add(&mut self, text: &str, length: u64) {
        self.longest = self.longest.max(length);
        let seventh = text.len() == 36 && text.as_bytes().get(14) == Some(&b'7');
        self.seventh = seventh && (self.seventh || !self.any);
        self.any = true;
        let digits = text.trim_start_matches('-');
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return;
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        self.whole = self.whole.max(whole.len());
        self.scale = self.scale.max(fraction.len());
        self.longest_digits = self.longest_digits.max(whole.len());
        if let Ok(number) = text.parse::<f64>() {
            self.least = Some(self.least.map_or(number, |least| least.min(number)));
            self.most = Some(self.most.map_or(number, |most| most.max(number)));
        }
    }
}

fn share(part: u64, of: u64) -> f64 {
    (part as f64 / of.max(1) as f64 * 1e4).ceil() / 1e4
}

fn money_by_part(name: &str) -> bool {
    let name = name.to_lowercase();
    ["price", "amount", "balance", "acctbal", "cost"].iter().any(|part| name.contains(part))
}

/// The type of all, and the class of a few that do not fit.
fn unify(by_class: &[(Class, u64)], there: u64) -> (Class, Option<Class>) {
    use Class::{Boolean, Date, Decimal, Float, Integer, Text, Timestamp, Vast};
    let any = |class: Class| by_class.iter().any(|(known, _)| *known == class);
    let only = |classes: &[Class]| by_class.iter().all(|(known, _)| classes.contains(known));
    match by_class {
        [] => return (Text, None),
        _ if any(Vast) && only(&[Integer, Decimal, Float, Vast]) => return (Decimal, None),
        [(class, _)] => return (*class, None),
        _ => {}
    }
    if only(&[Integer, Decimal]) {
        return (Decimal, None);
    }
    if only(&[Integer, Decimal, Float]) {
        return (Float, None);
    }
    if only(&[Date, Timestamp]) {
        return (Timestamp, None);
    }
    // Free text now and then looks like something else.
    let texts = by_class.iter().find(|(known, _)| *known == Text).map_or(0, |(_, rows)| *rows);
    if texts * 2 > there {
        return (Text, None);
    }
    let alike = |class: Class| -> u64 {
        let same = by_class.iter().filter(|(known, _)| known.word() == class.word());
        same.map(|(_, rows)| *rows).sum()
    };
    let fewest = by_class
        .iter()
        .filter(|(c, _)| *c != Boolean || !any(Text))
        .min_by_key(|(class, rows)| (alike(*class), *rows));
    (Text, fewest.map(|(class, _)| *class))
}

fn of_each(by_class: &[(Class, u64)]) -> String {
    let mut words: Vec<(&str, u64)> = Vec::new();
    for (class, rows) in by_class {
        match words.iter_mut().find(|(word, _)| *word == class.word()) {
            Some((_, all)) => *all += rows,
            None => words.push((class.word(), *rows)),
        }
    }
    words.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let words: Vec<String> = words.iter().map(|(word, rows)| format!("{word} in {rows}")).collect();
    words.join(", ")
}

/// Whether a column of words says yes and no in one way: `Y` and `N`, and not `T` alone.
fn two_words(column: &Column) -> bool {
    let words: Vec<String> =
        column.dictionary.values().map(|(_, text)| text.to_ascii_lowercase()).collect();
    looks::is_boolean(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::infer::column::Dictionary;

    fn column(name: &str, kind: Kind, values: &[&str]) -> Column {
        let mut dictionary = Dictionary::default();
        let codes = values.iter().map(|value| dictionary.code(kind, value)).collect();
        Column {
            name: name.into(),
            path: vec![name.into()],
            codes,
            dictionary: Arc::new(dictionary),
            nulls: 0,
            missing: 0,
        }
    }

    #[test]
    fn types_are_known_by_all_values() {
        use AttributeType as T;
        for (name, values, expected) in [
            ("n", &["1", "-2", "0"][..], T::Integer),
            ("n", &["1", "2.50"], T::Decimal),
            ("unit_price", &["1.00", "2.50"], T::Money),
            ("zip", &["12345", "23456"], T::Text),
            ("n", &["007", "1"], T::Text),
            ("d", &["2026-01-31", "2024-02-29"], T::Date),
            ("d", &["2026-02-30", "2024-02-29"], T::Text),
            ("d", &["2026-01-31T10:00:00Z", "2026-01-31 10:00:00.123+02"], T::Timestamp),
            ("b", &["Y", "N", "Y"], T::Boolean),
            ("b", &["Y", "T"], T::Text),
            ("u", &["550e8400-e29b-41d4-a716-446655440000"], T::Uuid),
            ("u", &["01890a5d-ac96-774b-bcce-b302099a8057"], T::UuidV7),
            ("n", &["99999999999999999999"], T::Decimal),
            ("n", &["1.5e10", "2"], T::Float),
            ("n", &["0.123456789", "2"], T::Float),
            ("t", &["a", "b"], T::Text),
            ("t", &[], T::Text),
        ] {
            let found = of(&column(name, Kind::Text, values));
            assert_eq!(found.attribute.kind, expected, "{name} {values:?}");
        }
    }

    #[test]
    fn few_values_that_come_again_are_an_enumeration() {
        let mut values = vec!["open"; 50];
        values.extend(["paid"; 30]);
        let found = of(&column("status", Kind::Text, &values));
        assert_eq!(found.attribute.values, ["open", "paid"]);
        assert_eq!(found.attribute.kind, AttributeType::Enumeration);
    }

    #[test]
    fn values_of_several_types_are_told_with_the_first_row_of_the_few() {
        let mut values = vec!["1", "2", "3", "4"];
        values.push("N/A");
        let found = of(&column("amount", Kind::Text, &values));
        assert_eq!(found.attribute.kind, AttributeType::Text);
        let (words, row) = found.mixed.unwrap_or_default();
        assert_eq!(row, 4);
        assert!(words.contains("number in 4, text in 1") && words.contains("'N/A'"), "{words}");
    }
}
