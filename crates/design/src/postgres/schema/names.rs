use std::collections::BTreeSet;

/// The server cuts longer names, and two may become one.
const LONGEST: usize = 63;

/// The names of a schema's relations and constraints: each once, none too long.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// Keeps a table's name free of others.
    pub(super) fn take(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// A name from the words it is about: `orders_customer_id_fkey`.
    pub(super) fn of(&mut self, words: &[&str], suffix: &str) -> String {
        let stem = words.join("_");
        let mut number = 1;
        loop {
            let end = match number {
                1 => format!("_{suffix}"),
                n => format!("_{suffix}{n}"),
            };
            let name = format!("{}{end}", cut(&stem, LONGEST - end.len()));
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }
}

/// As much of the text as that many bytes hold.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_differ() {
        let mut names = Names::default();
        let long = "ä".repeat(60);
        let first = names.of(&[&long, "a"], "idx");
        let second = names.of(&[&long, "b"], "idx");
        assert!(first.len() <= LONGEST && second.len() <= LONGEST);
        assert_ne!(first, second);
        assert_eq!(names.of(&["orders", "id"], "key"), "orders_id_key");
        names.take("t_idx");
        assert_eq!(names.of(&["t"], "idx"), "t_idx2");
    }
}
