//! Names for what stands beside what is there, and the names a column has before and after.

use std::cell::RefCell;
use std::collections::HashSet;

use super::Place;

/// The most bytes the server keeps of a name.
pub(super) const LONGEST: usize = 63;

/// The names of the old and the new column, before the new one takes the old one's place and after.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub old: String,
    pub new: String,
    pub after_old: String,
    pub after_new: String,
}

impl Turn {
    /// The new one gets the old one's name.
    pub fn swapped(names: &Names<'_>, column: &str) -> Turn {
        Turn {
            old: column.into(),
            new: names.column(column, "_new"),
            after_old: names.column(column, "_old"),
            after_new: column.into(),
        }
    }

    /// Each keeps its own.
    pub fn kept(old: &str, new: &str) -> Turn {
        let (old, new) = (old.to_string(), new.to_string());
        Turn { after_old: old.clone(), after_new: new.clone(), old, new }
    }

    /// What a column of the table as it was is called instead: `Turn::new` and the like.
    pub fn to<'a>(&'a self, name: &'a str) -> impl Fn(&str) -> Option<String> + 'a {
        move |column| (column == self.old).then(|| name.to_string())
    }
}

/// Names that are taken on the target or were given here.
pub(super) struct Names<'a> {
    place: &'a Place<'a>,
    given: RefCell<HashSet<String>>,
}

impl<'a> Names<'a> {
    pub fn new(place: &'a Place<'a>) -> Names<'a> {
        Names { place, given: RefCell::default() }
    }

    /// A name for a column of the table.
    pub fn column(&self, base: &str, suffix: &str) -> String {
        let table = self.place.catalog.and_then(|catalog| catalog.find(self.place.table));
        free(base, suffix, &|name| table.is_some_and(|table| table.column(name).is_some()))
    }

    /// A name for an index, a constraint or the like: no other of the target is called so.
    pub fn object(&self, base: &str, suffix: &str) -> String {
        let all = self.place.catalog.into_iter().flat_map(|catalog| &catalog.relations);
        let taken: HashSet<&str> = all
            .flat_map(|relation| {
                let constraints = relation.constraints.iter().map(|one| one.name.as_str());
                let indexes = relation.indexes.iter().map(|one| one.name.as_str());
                constraints.chain(indexes).chain(std::iter::once(relation.name.as_str()))
            })
            .collect();
        let name =
            free(base, suffix, &|name| taken.contains(name) || self.given.borrow().contains(name));
        self.given.borrow_mut().insert(name.clone());
        name
    }
}

/// `base` with `suffix` behind it, of a length the server keeps, and numbered where it is taken.
pub(super) fn free(base: &str, suffix: &str, taken: &dyn Fn(&str) -> bool) -> String {
    let numbered = |n: u32| {
        let tail = if n == 0 { suffix.to_string() } else { format!("{suffix}{n}") };
        let mut head = base.to_string();
        while head.len() + tail.len() > LONGEST && head.pop().is_some() {}
        head + &tail
    };
    (0..1000).map(numbered).find(|name| !taken(name)).unwrap_or_else(|| numbered(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_or_too_long_gives_another() {
        assert_eq!(free("v", "_new", &|_| false), "v_new");
        assert_eq!(free("v", "_new", &|name| name == "v_new"), "v_new1");
        let long = "ä".repeat(31) + "x";
        let found = free(&long, "_new", &|_| false);
        assert!(found.len() <= 63 && found.ends_with("ä_new"), "{found}");
    }
}
