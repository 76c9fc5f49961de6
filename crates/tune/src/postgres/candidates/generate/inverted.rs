use super::super::super::shape::{Key, Operator, Value};
use super::super::{Candidate, CandidateKey, Purpose};
use super::indexable::indexable;
use super::{Asked, plain_key};

impl Asked<'_> {
    /// GIN over trigrams, jsonb, arrays and documents; GiST over ranges, addresses and shapes.
    pub(super) fn inverted(&self, found: &mut Vec<Candidate>) {
        for predicate in self.used.predicates.iter().filter(|p| p.is_filter()) {
            let mut method = "gin";
            let opclass = match predicate.operator {
                Operator::Pattern if has_trigram(&predicate.value) => Some("gin_trgm_ops"),
                Operator::JsonContains
                    if !predicate.text.contains('?') || predicate.text.contains("@?") =>
                {
                    Some("jsonb_path_ops")
                }
                Operator::JsonContains | Operator::ArrayContains | Operator::Matches => None,
                Operator::Overlaps => {
                    method = "gist";
                    // The one type whose GiST class is not the default of its type.
                    self.is_address(&predicate.key).then_some("inet_ops")
                }
                _ => continue,
            };
            if !indexable(&predicate.key, self.relation) {
                continue;
            }
            let key = CandidateKey { opclass, ..plain_key(&predicate.key) };
            self.push(found, vec![Purpose::Filter], vec![key], None);
            if let Some(last) = found.last_mut() {
                last.method = method;
            }
        }
    }

    fn is_address(&self, key: &Key) -> bool {
        let column = key.column.as_deref().and_then(|name| self.relation.column(name));
        column.is_some_and(|column| matches!(column.type_name.as_str(), "inet" | "cidr"))
    }
}

/// Three letters or digits in a row, without which a trigram index has nothing to look for.
fn has_trigram(value: &Value) -> bool {
    let Value::Constant(text) = value else { return false };
    if text.contains('$') {
        return true;
    }
    let mut run = 0;
    text.chars().any(|c| {
        run = if c.is_alphanumeric() { run + 1 } else { 0 };
        run >= 3
    })
}
