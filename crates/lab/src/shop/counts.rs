use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use marula_core::{Error, ErrorKind, Result};
use serde::Serialize;

/// The tables of `shop`, in the order in which one is usually thought of.
pub const TABLES: [&str; 9] = [
    "customers",
    "addresses",
    "categories",
    "products",
    "orders",
    "order_items",
    "payments",
    "reviews",
    "events",
];

/// How much data: 1 is about a million order items and two million events.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scale(f64);

impl Scale {
    /// The smallest scale: about a thousand order items.
    pub const MIN: f64 = 0.001;
    /// The largest scale: about ten million order items.
    pub const MAX: f64 = 10.0;

    /// A scale from [`Scale::MIN`] to [`Scale::MAX`]; any other number is a usage error.
    pub fn new(scale: f64) -> Result<Self> {
        if (Self::MIN..=Self::MAX).contains(&scale) {
            return Ok(Scale(scale));
        }
        Err(Error::new(ErrorKind::Usage, format!("the scale {scale} is out of range"))
            .hint(format!("give a scale from {} to {}", Self::MIN, Self::MAX)))
    }

    /// The number itself.
    pub fn get(self) -> f64 {
        self.0
    }

    /// `count` rows at scale 1 are this many at this scale, at least one.
    pub(super) fn of(self, count: u32) -> u32 {
        ((f64::from(count) * self.0).round() as u32).max(1)
    }
}

impl Default for Scale {
    fn default() -> Self {
        Scale(1.0)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Scale {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = text.trim().parse::<f64>().map_err(|_| {
            Error::new(ErrorKind::Usage, format!("'{text}' is not a scale")).hint(format!(
                "give a number from {} to {}",
                Self::MIN,
                Self::MAX
            ))
        })?;
        Scale::new(number)
    }
}

/// Rows (or, in MongoDB, documents) by table (or collection).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    /// The rows of one table; 0 for one that does not exist.
    pub fn get(&self, table: &str) -> u64 {
        self.0.get(table).copied().unwrap_or(0)
    }

    /// The rows of all tables.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Every table with its rows, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().map(|(table, rows)| (*table, *rows))
    }

    pub(super) fn add(&mut self, table: &'static str, rows: u64) {
        *self.0.entry(table).or_default() += rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_read_or_refused() {
        assert_eq!("0.01".parse::<Scale>().map(Scale::get).ok(), Some(0.01));
        for wrong in ["", "x", "0", "-1", "11", "NaN", "inf"] {
            let kind = wrong.parse::<Scale>().map_err(|error| error.kind());
            assert_eq!(kind, Err(ErrorKind::Usage), "{wrong}");
        }
    }

    #[test]
    fn a_table_never_becomes_empty() {
        assert_eq!(Scale(0.001).of(56), 1);
        assert_eq!(Scale(10.0).of(400_000), 4_000_000);
    }
}
