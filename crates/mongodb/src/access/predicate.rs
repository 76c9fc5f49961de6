//! A filter taken apart into predicates on paths.

mod expression;

use bson::{Bson, Document};

/// How deep a filter is followed; servers refuse documents nested deeper than 100 anyway.
const MAX_DEPTH: usize = 100;
/// How many predicates are looked at: no index has more than 32 fields.
const MAX_PREDICATES: usize = 1000;

/// What a predicate asks of its path, as an index sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One value, never null.
    Equality,
    /// `$in` with so many values.
    In(usize),
    /// An interval, or an anchored case-sensitive regular expression, which is one.
    Range,
    /// A regular expression that reads every string of the index.
    Regex,
    /// Null: also matches documents without the path.
    Null,
    /// `$ne`, `$nin`, `$not`: everything but.
    Negation,
    /// `$exists`, `$type`, `$size`, `$mod`, text, geometry: of no use for the order of an index.
    Other,
}

/// One predicate of a filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    /// The path it is on.
    pub path: String,
    /// What it asks.
    pub kind: Kind,
    /// The condition as it stands: `{path: {$gt: 1}}`.
    pub filter: Document,
    /// Whether it stands inside `$elemMatch`.
    pub element: bool,
    /// Whether it comes from `$expr`, whose intervals use an index only from 5.0 on.
    pub expression: bool,
}

/// A filter: all of the predicates, and one branch of each `$or`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// What must all hold.
    pub all: Vec<Predicate>,
    /// Each `$or` with its branches.
    pub any: Vec<Vec<Filter>>,
}

impl Filter {
    /// Takes `filter` apart.
    pub fn parse(filter: &Document) -> Self {
        let mut found = Filter::default();
        read(filter, "", false, 0, &mut found);
        found
    }

    /// Whether it asks nothing.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.any.is_empty()
    }

    /// Every predicate, those in branches too.
    pub fn predicates(&self) -> Vec<&Predicate> {
        let mut found: Vec<&Predicate> = self.all.iter().collect();
        for branch in self.any.iter().flatten() {
            found.extend(branch.predicates());
        }
        found
    }

    /// Takes in what `other` asks as well.
    pub fn and(&mut self, other: Filter) {
        self.all.extend(other.all);
        self.any.extend(other.any);
    }
}

fn read(filter: &Document, prefix: &str, element: bool, depth: usize, found: &mut Filter) {
    if depth > MAX_DEPTH {
        return;
    }
    for (key, value) in filter {
        if found.all.len() >= MAX_PREDICATES || found.any.len() >= MAX_PREDICATES {
            return;
        }
        match key.as_str() {
            "$and" => {
                for part in documents(value) {
                    read(part, prefix, element, depth + 1, found);
                }
            }
            "$or" => {
                let branches: Vec<Filter> = documents(value)
                    .map(|part| {
                        let mut branch = Filter::default();
                        read(part, prefix, element, depth + 1, &mut branch);
                        branch
                    })
                    .collect();
                push_or(branches, found);
            }
            "$nor" => {
                for part in documents(value) {
                    let mut branch = Filter::default();
                    read(part, prefix, element, depth + 1, &mut branch);
                    for predicate in branch.predicates() {
                        found.all.push(Predicate { kind: Kind::Negation, ..predicate.clone() });
                    }
                }
            }
            "$expr" => expression::read_expression(value, depth + 1, found),
            "$comment" => {}
            _ if key.starts_with('$') => {
                found.all.push(predicate("", Kind::Other, key, value, element));
            }
            _ => read_path(&join(prefix, key), value, element, depth + 1, found),
        }
    }
}

/// `$or` over one path with single values is an `$in`.
fn push_or(branches: Vec<Filter>, found: &mut Filter) {
    let mut path: Option<&str> = None;
    let mut values = 0;
    let same = branches.iter().all(|branch| match (&branch.all[..], branch.any.is_empty()) {
        ([one], true) if path.is_none_or(|path| path == one.path) => {
            path = Some(&one.path);
            match one.kind {
                Kind::Equality => values += 1,
                Kind::In(count) => values += count,
                _ => return false,
            }
            true
        }
        _ => false,
    });
    match (same, branches.first().and_then(|branch| branch.all.first())) {
        (true, Some(first)) => found.all.push(Predicate {
            kind: Kind::In(values),
            filter: bson::doc! {"$or": branches.iter().map(|branch| branch.all[0].filter.clone()).collect::<Vec<_>>()},
            ..first.clone()
        }),
        _ => found.any.push(branches),
    }
}

fn read_path(path: &str, value: &Bson, element: bool, depth: usize, found: &mut Filter) {
    let Some(operators) = value.as_document().filter(|d| {
        d.keys().next().is_some_and(|key| key.starts_with('$') && key != "$ref" && key != "$id")
    }) else {
        let kind = match value {
            Bson::Null => Kind::Null,
            Bson::RegularExpression(regex) => {
                regex_kind(regex.pattern.as_str(), regex.options.as_str())
            }
            _ => Kind::Equality,
        };
        found.all.push(whole(path, kind, value, element));
        return;
    };
    for (operator, value) in operators {
        let kind = match operator.as_str() {
            "$eq" if value == &Bson::Null => Kind::Null,
            "$eq" => Kind::Equality,
            "$in" => in_kind(value),
            "$gt" | "$gte" | "$lt" | "$lte" => Kind::Range,
            "$ne" | "$nin" | "$not" => Kind::Negation,
            // Null stands in the index for what is missing.
            "$exists" if is_false(value) => Kind::Null,
            "$regex" => {
                let options = operators.get_str("$options").unwrap_or_default();
                match value {
                    Bson::String(pattern) => regex_kind(pattern, options),
                    Bson::RegularExpression(regex) => {
                        regex_kind(regex.pattern.as_str(), regex.options.as_str())
                    }
                    _ => Kind::Regex,
                }
            }
            "$options" => continue,
            "$all" => Kind::Equality,
            "$elemMatch" => {
                if let Some(inner) = value.as_document() {
                    if inner.keys().next().is_some_and(|key| key.starts_with('$')) {
                        read_path(path, value, true, depth + 1, found);
                    } else if depth < MAX_DEPTH {
                        read(inner, path, true, depth + 1, found);
                    }
                }
                continue;
            }
            _ => Kind::Other,
        };
        let mut predicate = predicate(path, kind, operator, value, element);
        if operator == "$regex"
            && let Some(options) = operators.get("$options")
            && let Ok(inner) = predicate.filter.get_document_mut(path)
        {
            inner.insert("$options", options.clone());
        }
        found.all.push(predicate);
    }
}

fn is_false(value: &Bson) -> bool {
    matches!(value, Bson::Boolean(false)) || crate::access::shape::number(Some(value)) == Some(0)
}

fn in_kind(value: &Bson) -> Kind {
    match value.as_array() {
        Some(values) if values.iter().any(|v| matches!(v, Bson::RegularExpression(_))) => {
            Kind::Regex
        }
        Some(values) if values.len() == 1 && values[0] != Bson::Null => Kind::Equality,
        Some(values) => Kind::In(values.len()),
        None => Kind::Other,
    }
}

/// An anchored, case-sensitive expression that begins with plain text is an interval of an index.
pub fn regex_kind(pattern: &str, options: &str) -> Kind {
    if begins_with_text(pattern, options) { Kind::Range } else { Kind::Regex }
}

/// As the server reads it: `IndexBoundsBuilder::simpleRegex` of its source.
fn begins_with_text(pattern: &str, options: &str) -> bool {
    let (rest, by_line) = match (pattern.strip_prefix('^'), pattern.strip_prefix("\\A")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return false,
    };
    let readable = options.chars().all(|option| match option {
        'm' => !by_line,
        's' | 'x' => true,
        _ => false,
    });
    // With a `|` the beginning may not be all of it.
    if !readable || pattern.contains('|') {
        return false;
    }
    // Extended expressions may hold white space and comments.
    let extended = options.contains('x');
    let blank = |letter: char| extended && letter.is_ascii_whitespace();
    let mut letters = rest.trim_start_matches(blank).chars();
    let text = match letters.next() {
        Some('\\') => match letters.next() {
            Some('Q') => letters.clone().next().is_some() && !letters.as_str().starts_with("\\E"),
            Some(letter) => !letter.is_ascii_alphanumeric() && letter != '\0',
            None => false,
        },
        Some('#') if extended => false,
        Some(letter) => !"^$.[()+{*?".contains(letter),
        None => false,
    };
    // What may be left out is no beginning.
    text && !letters.as_str().starts_with(['*', '?'])
}

/// The path of `"$a.b"`; nothing for variables and other expressions.
pub fn field_path(expression: &Bson) -> Option<&str> {
    let path = expression.as_str()?.strip_prefix('$')?;
    (!path.starts_with('$') && !path.is_empty()).then_some(path)
}

fn documents(value: &Bson) -> impl Iterator<Item = &Document> {
    value.as_array().into_iter().flatten().filter_map(Bson::as_document)
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") }
}

fn whole(path: &str, kind: Kind, value: &Bson, element: bool) -> Predicate {
    Predicate {
        path: path.to_string(),
        kind,
        filter: bson::doc! {path: value.clone()},
        element,
        expression: false,
    }
}

fn predicate(path: &str, kind: Kind, operator: &str, value: &Bson, element: bool) -> Predicate {
    let inner = bson::doc! {operator: value.clone()};
    let filter = if path.is_empty() {
        inner
    } else {
        bson::doc! {path: inner}
    };
    Predicate { path: path.to_string(), kind, filter, element, expression: false }
}

#[cfg(test)]
mod tests;
