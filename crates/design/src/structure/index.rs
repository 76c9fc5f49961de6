/// In which direction a key of an index is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum KeyOrder {
    /// It does not matter: the key is compared with a value or a range.
    #[default]
    Any,
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
    /// It does not matter: the key is compared with the beginning of a text.
    Beginning,
}

impl KeyOrder {
    /// Of a key that an answer is sorted by.
    pub fn sorted(descending: bool) -> Self {
        if descending { KeyOrder::Descending } else { KeyOrder::Ascending }
    }

    /// Whether the key is built with the greatest first.
    pub fn is_descending(self) -> bool {
        self == KeyOrder::Descending
    }

    /// Whether the key is for the beginnings of texts: in most collations its own order is none for
    /// anything else.
    pub fn is_beginning(self) -> bool {
        self == KeyOrder::Beginning
    }

    /// Whether an index built in the order of `theirs` is read, forwards or backwards, in the order
    /// of `own`, where that matters.
    pub fn read_by(pairs: impl Iterator<Item = (KeyOrder, KeyOrder)> + Clone) -> bool {
        let matter = || {
            let sorted = |own| matches!(own, KeyOrder::Ascending | KeyOrder::Descending);
            pairs.clone().filter(move |(own, _)| sorted(*own))
        };
        let same =
            |(own, theirs): (KeyOrder, KeyOrder)| own.is_descending() == theirs.is_descending();
        matter().all(same) || !matter().any(same)
    }
}

/// An index that the work asks for, before an engine has a say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct WantedIndex {
    /// The entity whose store it is on.
    pub store: String,
    /// The fields in order, by their [`super::Field::name`] (dotted where they are within an
    /// embedded one: `lines.product_id`), each with the direction in which it is read.
    pub keys: Vec<(String, KeyOrder)>,
    /// Whether no two members share the values.
    pub unique: bool,
    /// Whether all that asks for it looks for given values of every key: then an index of those that
    /// have values does.
    pub given: bool,
    /// What asks for it: the query's or write's name, and how.
    pub why: String,
}

impl WantedIndex {
    /// Whether `other` does for what asks for this one, too. One that may leave out what lacks a key
    /// does not, where that is looked for.
    pub fn is_served_by(&self, other: &WantedIndex) -> bool {
        let pairs = self.keys.iter().zip(&other.keys);
        self.store == other.store
            && !self.unique
            && (self.given || !other.given)
            && self.keys.len() <= other.keys.len()
            && pairs.clone().all(|(own, theirs)| {
                own.0 == theirs.0 && own.1.is_beginning() == theirs.1.is_beginning()
            })
            && KeyOrder::read_by(pairs.map(|(own, theirs)| (own.1, theirs.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::KeyOrder::{Any, Ascending, Descending};
    use super::*;

    fn index(keys: &[(&str, KeyOrder)]) -> WantedIndex {
        let keys = keys.iter().map(|(name, order)| ((*name).to_owned(), *order)).collect();
        WantedIndex { store: "events".into(), keys, given: true, ..WantedIndex::default() }
    }

    #[test]
    fn a_range_is_read_in_any_direction_and_an_order_forwards_or_backwards() {
        let newest = index(&[("site", Any), ("at", Descending), ("id", Descending)]);
        assert!(index(&[("site", Any), ("at", Any)]).is_served_by(&newest));
        assert!(index(&[("site", Any), ("at", Ascending)]).is_served_by(&newest));
        assert!(!index(&[("site", Ascending), ("at", Ascending)]).is_served_by(&newest));
        assert!(!index(&[("at", Any)]).is_served_by(&newest));
        assert!(!newest.is_served_by(&index(&[("site", Any), ("at", Any)])));
    }
}
