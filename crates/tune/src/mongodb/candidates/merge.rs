//! One index in place of two.

use marula_core::InferredSchema;

use super::Candidate;
use super::orders::{Keys, MAX_KEYS};
use crate::mongodb::index::{Index, array_in, buildable};

/// An index that begins with all keys of `prefix`, so that it does its work, and goes on so that
/// it does the work of `longer`, too; `None` where there is none, or where `longer` is one.
///
/// What is compared for equality may stand in any order, so most often nothing is lost. Where the
/// keys behind it differ, those of `longer` stand behind those of `prefix`: what that costs is
/// measured.
pub fn merged(
    prefix: &Candidate,
    longer: &Candidate,
    schema: Option<&InferredSchema>,
) -> Option<Candidate> {
    let (short, long) = (&prefix.index, &longer.index);
    let plain = |index: &Index| index.special.is_none() && index.partial.is_none();
    if !plain(short) || !plain(long) || short.collation != long.collation {
        return None;
    }
    let keys = lossless(&short.keys, &long.keys, longer.free)
        .or_else(|| appended(&short.keys, &long.keys, longer.free))?;
    let known = [&short.keys, &long.keys];
    if known.contains(&&keys) || keys.len() > MAX_KEYS || !buildable(&keys, schema) {
        return None;
    }
    let multikey = keys.iter().any(|(path, _)| array_in(path, schema).is_some());
    Some(Candidate {
        index: Index { keys, ..long.clone() },
        order: format!("{}, for several statements", longer.order),
        extends: None,
        multikey,
        promise: longer.promise.min(prefix.promise),
        ..longer.clone()
    })
}

/// `longer` with its first `free` keys in another order, so that it begins with `prefix`.
fn lossless(prefix: &Keys, longer: &Keys, free: usize) -> Option<Keys> {
    let (equal, tail) = longer.split_at_checked(free)?;
    let mut open: Keys = equal.to_vec();
    let mut tail = tail.iter();
    let mut keys: Keys = Vec::new();
    for key in prefix {
        match open.iter().position(|(path, _)| *path == key.0) {
            Some(at) => {
                open.remove(at);
            }
            // Behind the equalities the order and the directions are given.
            None if open.is_empty() && tail.next() == Some(key) => {}
            None => return None,
        }
        keys.push(key.clone());
    }
    keys.extend(open);
    keys.extend(tail.cloned());
    Some(keys)
}

/// `prefix` with what else `longer` has behind it, where `longer`'s equalities all stand in
/// `prefix`.
fn appended(prefix: &Keys, longer: &Keys, free: usize) -> Option<Keys> {
    let (equal, _) = longer.split_at_checked(free)?;
    let holds = |path: &str| prefix.iter().any(|(known, _)| known == path);
    if equal.is_empty() || !equal.iter().all(|(path, _)| holds(path)) {
        return None;
    }
    let mut keys = prefix.clone();
    keys.extend(longer.iter().filter(|(path, _)| !holds(path)).cloned());
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &[(&str, i32)]) -> Keys {
        text.iter().map(|(path, direction)| (path.to_string(), *direction)).collect()
    }

    #[test]
    fn equalities_are_put_into_the_order_of_the_shorter_index() {
        let longer = keys(&[("a", 1), ("b", 1), ("s", -1)]);
        let asked = keys(&[("b", 1)]);
        assert_eq!(lossless(&asked, &longer, 2), Some(keys(&[("b", 1), ("a", 1), ("s", -1)])));
        let sorted = keys(&[("b", 1), ("s", -1)]);
        assert_eq!(lossless(&sorted, &longer, 2), None, "a stands between");
        let whole = keys(&[("b", 1), ("a", 1), ("s", -1), ("x", 1)]);
        assert_eq!(lossless(&whole, &longer, 2), None, "it is longer");
    }

    #[test]
    fn what_differs_behind_the_equalities_is_appended() {
        let longer = keys(&[("a", 1), ("r", 1)]);
        let sorted = keys(&[("a", 1), ("s", 1)]);
        assert_eq!(appended(&sorted, &longer, 1), Some(keys(&[("a", 1), ("s", 1), ("r", 1)])));
        assert_eq!(appended(&keys(&[("b", 1)]), &longer, 1), None);
    }
}
