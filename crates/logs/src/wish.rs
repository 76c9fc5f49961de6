//! Wishes of many statements, merged into few indexes: what both engines' advice shares.

use std::collections::{BTreeMap, BTreeSet};

use bson::Document;

/// Indexes that are known to exist, by what they are on.
pub(crate) type Known = BTreeMap<String, BTreeSet<Vec<(String, i32)>>>;

/// An index in parts that may still be arranged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wish {
    /// `database.collection`, or the relation.
    pub namespace: String,
    /// Fields or keys compared with one value, in any order.
    pub equal: BTreeSet<String>,
    /// The fields behind them, in this order.
    pub then: Vec<(String, i32)>,
    /// What the parts serve: `equality, sort, range`.
    pub order: String,
    /// Another order that may be better: the data decides.
    pub instead: Option<String>,
    /// The statement's collation.
    pub collation: Option<Document>,
    /// Whether the log had cut the statement short.
    pub incomplete: bool,
}

/// An index, with the statements it serves.
#[derive(Debug, Clone)]
pub(crate) struct Proposed {
    pub wish: Wish,
    /// The order in which its equality fields must come so that smaller wishes are prefixes:
    /// growing sets, the last of which is all of them.
    nested: Vec<BTreeSet<String>>,
    /// The statements' numbers.
    pub statements: BTreeSet<usize>,
}

/// Merges wishes: one that is a prefix of another needs no index of its own. What the log shows
/// to exist already is not proposed.
pub(crate) fn merge(mut wishes: Vec<(usize, Wish)>, known: &Known) -> Vec<Proposed> {
    // The widest first: the others may fit into them. Equals in the order of their cost.
    wishes.sort_by_key(|(number, wish)| {
        (std::cmp::Reverse(wish.equal.len() + wish.then.len()), *number)
    });
    let mut found: Vec<Proposed> = Vec::new();
    for (number, wish) in wishes {
        match found.iter_mut().position(|wider| wider.takes(&wish)) {
            Some(place) => {
                let wider = &mut found[place];
                wider.statements.insert(number);
                wider.wish.incomplete &= wish.incomplete;
            }
            None => found.push(Proposed {
                nested: vec![wish.equal.clone()],
                wish,
                statements: BTreeSet::from([number]),
            }),
        }
    }
    found.retain(|one| {
        let keys = one.keys();
        !known
            .get(&one.wish.namespace)
            .is_some_and(|known| known.iter().any(|known| known.starts_with(&keys)))
    });
    // Most valuable first: the lowest number is the statement that costs most.
    found.sort_by_key(|one| one.statements.first().copied());
    found
}

impl Proposed {
    /// Whether an index for `wish` would be a prefix of this one, as it is or newly arranged.
    fn takes(&mut self, wish: &Wish) -> bool {
        let mine = &self.wish;
        if mine.namespace != wish.namespace || mine.collation != wish.collation {
            return false;
        }
        if wish.equal == mine.equal {
            return mine.then.starts_with(&wish.then);
        }
        if !wish.then.is_empty() {
            return false;
        }
        // Equality on some of the equality fields: they come first.
        if wish.equal.is_subset(&mine.equal) {
            let nests = self
                .nested
                .iter()
                .all(|set| set.is_subset(&wish.equal) || wish.equal.is_subset(set));
            if nests && !self.nested.contains(&wish.equal) {
                self.nested.push(wish.equal.clone());
                self.nested.sort_by_key(BTreeSet::len);
            }
            return nests;
        }
        // Equality on all of them and on the first of those behind.
        let behind = wish.equal.difference(&mine.equal).count();
        let first: BTreeSet<&String> =
            mine.then.iter().take(behind).map(|(path, _)| path).collect();
        mine.equal.is_subset(&wish.equal)
            && wish.equal.difference(&mine.equal).collect::<BTreeSet<_>>() == first
    }

    /// The index's keys in their order.
    pub fn keys(&self) -> Vec<(String, i32)> {
        let mut keys: Vec<(String, i32)> = Vec::new();
        for path in self.nested.iter().flatten() {
            if !keys.iter().any(|(known, _)| known == path) {
                keys.push((path.clone(), 1));
            }
        }
        keys.extend(self.wish.then.iter().cloned());
        keys
    }
}
