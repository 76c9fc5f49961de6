//! Whether two runs gave the same results, told from a digest of each.
//!
//! A digest is made while rows stream by, so a result of any size compares in constant memory.
//! Floating-point values are kept out of the exact hash: their last digits depend on the order
//! of summation. They are compared to twelve significant digits.

/// How the results of two runs are to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The same rows, however often each, in any order.
    Multiset,
    /// The same rows in the same order: the statement has a total order.
    Sequence,
    /// They cannot be compared, and why: `LIMIT without a total order`.
    Incomparable(String),
}

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The results are equal.
    Equal,
    /// They are not, and what tells them apart.
    Different(String),
    /// It cannot be told, and why.
    Unknown(String),
}

/// Floating-point values kept for the exact comparison; above it the rounded hashes decide.
const FLOATS_KEPT: usize = 2_000_000;

/// The result of a run, small enough to keep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Digest {
    /// Rows or documents.
    pub rows: u64,
    /// A hash of the columns' names and types; zero for documents.
    pub columns: u128,
    /// The sum of the row hashes, floats rounded: equal for equal multisets.
    multiset: u128,
    /// The chained row hashes, floats rounded: equal for equal sequences.
    sequence: u128,
    /// The same two without any float in them.
    exact_multiset: u128,
    exact_sequence: u128,
    /// Whether a float was seen at all.
    has_floats: bool,
    /// Each row's exact hash and its floats, in order, while they are few enough.
    floats: Option<Vec<(u128, Vec<f64>)>>,
    floats_seen: usize,
}

impl Digest {
    /// An empty result whose columns have this hash.
    pub fn new(columns: u128) -> Self {
        Digest { columns, floats: Some(Vec::new()), ..Digest::default() }
    }

    /// Adds the next row, or document.
    pub fn push(&mut self, row: RowHash) {
        self.rows += 1;
        let exact = row.exact.finish();
        let rounded = if row.floats.is_empty() { exact } else { row.rounded() };
        self.multiset = self.multiset.wrapping_add(rounded);
        self.sequence = chain(self.sequence, rounded);
        self.exact_multiset = self.exact_multiset.wrapping_add(exact);
        self.exact_sequence = chain(self.exact_sequence, exact);
        self.has_floats |= !row.floats.is_empty();
        self.floats_seen += row.floats.len();
        if self.floats_seen > FLOATS_KEPT {
            self.floats = None;
        }
        // Rows without floats need no second look: the exact hashes speak for them.
        if let (Some(kept), false) = (&mut self.floats, row.floats.is_empty()) {
            kept.push((exact, row.floats));
        }
    }

    /// Compares this result with `other` in the given way.
    pub fn compare(&self, other: &Digest, how: &Comparison) -> Outcome {
        if let Comparison::Incomparable(reason) = how {
            return Outcome::Unknown(reason.clone());
        }
        if self.rows != other.rows {
            return Outcome::Different(format!("{} rows against {}", self.rows, other.rows));
        }
        if self.columns != other.columns {
            return Outcome::Different("the columns have other names or types".into());
        }
        let ordered = *how == Comparison::Sequence;
        let (rounded, exact) = if ordered {
            (self.sequence == other.sequence, self.exact_sequence == other.exact_sequence)
        } else {
            (self.multiset == other.multiset, self.exact_multiset == other.exact_multiset)
        };
        if rounded {
            return Outcome::Equal;
        }
        if !(exact && self.has_floats && other.has_floats) {
            let same_rows = ordered && self.multiset == other.multiset;
            return Outcome::Different(if same_rows {
                "the same rows in another order".into()
            } else {
                "other values in the rows".into()
            });
        }
        // Two floats that differ in the fifteenth digit may still round to different twelfth
        // ones: only the values themselves decide.
        match (&self.floats, &other.floats) {
            (Some(a), Some(b)) => floats_agree(a, b, ordered),
            _ => Outcome::Unknown(
                "floating-point values differ, in too many rows to look at each".into(),
            ),
        }
    }
}

fn floats_agree(a: &[(u128, Vec<f64>)], b: &[(u128, Vec<f64>)], ordered: bool) -> Outcome {
    let sorted = |rows: &[(u128, Vec<f64>)]| {
        let mut rows: Vec<_> = rows.to_vec();
        if !ordered {
            rows.sort_by(|x, y| {
                x.0.cmp(&y.0).then_with(|| {
                    x.1.iter()
                        .zip(&y.1)
                        .map(|(p, q)| p.total_cmp(q))
                        .find(|order| order.is_ne())
                        .unwrap_or_else(|| x.1.len().cmp(&y.1.len()))
                })
            });
        }
        rows
    };
    let (a, b) = (sorted(a), sorted(b));
    let agree = a.len() == b.len()
        && a.iter().zip(&b).all(|(x, y)| {
            x.0 == y.0 && x.1.len() == y.1.len() && x.1.iter().zip(&y.1).all(|(p, q)| near(*p, *q))
        });
    if agree {
        Outcome::Equal
    } else {
        Outcome::Different("floating-point values differ beyond the twelfth digit".into())
    }
}

/// Whether two floats agree to twelve significant digits.
fn near(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

/// The hash of one row while its values are fed in.
#[derive(Debug, Clone, Default)]
pub struct RowHash {
    exact: Hash128,
    floats: Vec<f64>,
}

impl RowHash {
    /// A row without values.
    pub fn new() -> Self {
        RowHash::default()
    }

    /// A value's bytes; its length is part of it, so that neighbours cannot run together.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.exact.word(1 + bytes.len() as u64);
        self.exact.bytes(bytes);
    }

    /// NULL, which is not the empty text.
    pub fn null(&mut self) {
        self.exact.word(0);
    }

    /// A mark: the type of what follows, the end of a list.
    pub fn mark(&mut self, mark: u64) {
        self.exact.word(mark);
    }

    /// A floating-point value: compared to twelve significant digits. −0 is 0; all NaN are one.
    pub fn float(&mut self, value: f64) {
        self.exact.word(2);
        self.floats.push(if value == 0.0 { 0.0 } else { value });
    }

    /// Adds the fields of a document in any order: each is hashed on its own.
    pub fn unordered(&mut self, fields: impl Iterator<Item = RowHash>) {
        let mut fields: Vec<(u128, Vec<f64>)> =
            fields.map(|field| (field.exact.finish(), field.floats)).collect();
        fields.sort_by_key(|(exact, _)| *exact);
        for (exact, floats) in fields {
            self.exact.word(exact as u64);
            self.exact.word((exact >> 64) as u64);
            self.floats.extend(floats);
        }
    }

    fn rounded(&self) -> u128 {
        let mut hash = self.exact;
        for float in &self.floats {
            // Twelve significant digits; the text form rounds to decimal digits as people do.
            let bits = if float.is_finite() {
                format!("{float:.11e}").parse::<f64>().map_or(0, f64::to_bits)
            } else if float.is_nan() {
                1
            } else {
                float.to_bits()
            };
            hash.word(bits);
        }
        hash.finish()
    }
}

/// The hash of a list of column names and types.
pub fn columns_hash<'a>(columns: impl Iterator<Item = (&'a str, u64)>) -> u128 {
    let mut hash = Hash128::default();
    for (name, type_id) in columns {
        hash.word(1 + name.len() as u64);
        hash.bytes(name.as_bytes());
        hash.word(type_id);
    }
    hash.finish()
}

fn chain(before: u128, row: u128) -> u128 {
    let mut hash = Hash128::default();
    for part in [before, row] {
        hash.word(part as u64);
        hash.word((part >> 64) as u64);
    }
    hash.finish()
}

/// Two lanes of folded multiplication: fast, well mixed, not for secrets.
#[derive(Debug, Clone, Copy)]
struct Hash128 {
    a: u64,
    b: u64,
}

impl Default for Hash128 {
    fn default() -> Self {
        Hash128 { a: 0x243f_6a88_85a3_08d3, b: 0x1319_8a2e_0370_7344 }
    }
}

impl Hash128 {
    fn word(&mut self, word: u64) {
        self.a = fold(self.a ^ word, 0x9e37_79b9_7f4a_7c15).wrapping_add(self.b);
        self.b = fold(self.b ^ word.rotate_left(29), 0xd6e8_feb8_6659_fd93) ^ self.a;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0u8; 8];
            for (slot, byte) in last.iter_mut().zip(rest) {
                *slot = *byte;
            }
            self.word(u64::from_le_bytes(last));
        }
    }

    fn finish(mut self) -> u128 {
        self.word(0x5851_f42d_4c95_7f2d);
        self.word(0x1405_7b7e_f767_814f);
        (u128::from(self.a) << 64) | u128::from(self.b)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests;
