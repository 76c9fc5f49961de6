use marula_core::{ChangeKind, Relation};

use super::super::shape::{Block, Key, Operator, Predicate, SortKey, Use, Value};
use super::{Candidate, CandidateKey, Purpose, selectivity};
use crate::Proposal;

/// A partial index pays when it holds at most this share of the rows.
const PARTIAL_SHARE: f64 = 0.25;
/// The most columns an index carries along, and how wide they may be together, in bytes.
const INCLUDE_COLUMNS: usize = 4;
const INCLUDE_BYTES: f64 = 64.0;

/// What is asked of one relation, sorted into what an index can do with it.
struct Asked<'a> {
    block: usize,
    used: &'a Use,
    relation: &'a Relation,
    /// Equalities with constants and outer columns, the most selective first.
    equal: Vec<(&'a Predicate, f64)>,
    /// `IN`, after the equalities: an index on it does not keep the order of what follows.
    among: Vec<(&'a Predicate, f64)>,
    /// The most selective range.
    range: Option<&'a Predicate>,
    /// Keys that join to other relations of the block.
    joins: Vec<&'a Key>,
}

/// Every index that could serve this use of a relation.
pub(super) fn generate(
    number: usize,
    block: &Block,
    used: &Use,
    relation: &Relation,
) -> Vec<Candidate> {
    let asked = Asked::read(number, used, relation);
    let mut found = Vec::new();
    let sort = asked.sort();
    asked.filters(&mut found, &sort);
    if !sort.is_empty() && (block.limited || !block.aggregates) {
        asked.order(&mut found, &sort);
    }
    asked.joins(&mut found);
    if block.aggregates || block.distinct {
        asked.group(&mut found);
    }
    asked.inverted(&mut found);
    asked.partial(&mut found, &sort);
    asked.covering(&mut found);
    found
}

impl<'a> Asked<'a> {
    fn read(block: usize, used: &'a Use, relation: &'a Relation) -> Self {
        let (mut equal, mut among) = (Vec::new(), Vec::new());
        let mut joins: Vec<&Key> = Vec::new();
        let mut between: Vec<&Key> = Vec::new();
        let mut range: Option<&Predicate> = None;
        for predicate in used.predicates.iter().filter(|p| indexable(&p.key, relation)) {
            let outer =
                matches!(predicate.value, Value::Column { block: other, .. } if other != block);
            let share = selectivity::share(relation, predicate);
            match predicate.operator {
                Operator::Equal | Operator::IsNull if predicate.is_filter() || outer => {
                    let known = |(known, _): &(&Predicate, f64)| known.key == predicate.key;
                    let new = !equal.iter().any(known);
                    equal.extend(new.then_some((predicate, share)));
                }
                Operator::In if predicate.is_filter() => among.push((predicate, share)),
                Operator::Equal if !joins.contains(&&predicate.key) => joins.push(&predicate.key),
                Operator::Range if !predicate.is_filter() => between.push(&predicate.key),
                Operator::Range | Operator::Prefix if predicate.is_filter() => {
                    // A prefix narrows more than an open range does.
                    let narrower = |known: &&Predicate| {
                        known.operator != Operator::Range || predicate.operator != Operator::Prefix
                    };
                    range = range.filter(narrower).or(Some(predicate));
                }
                _ => {}
            }
        }
        // A join by a range alone can still be looked up.
        if joins.is_empty() {
            between.dedup();
            joins = between;
        }
        equal.sort_by(|a, b| a.1.total_cmp(&b.1));
        Asked { block, used, relation, equal, among, range, joins }
    }

    /// The ORDER BY without what equalities make constant.
    fn sort(&self) -> Vec<CandidateKey> {
        let constant = |key: &SortKey| self.equal.iter().any(|(known, _)| known.key == key.key);
        let keys = self.used.sort.iter().filter(|key| !constant(key));
        if self.used.sort.iter().any(|key| !indexable(&key.key, self.relation)) {
            return Vec::new();
        }
        keys.map(|sort| CandidateKey {
            descending: sort.descending,
            nulls_first: sort.nulls_first,
            ..plain_key(&sort.key)
        })
        .collect()
    }

    fn equalities(&self) -> Vec<CandidateKey> {
        self.equal.iter().map(|(predicate, _)| plain_key(&predicate.key)).collect()
    }

    fn range_key(&self) -> Option<CandidateKey> {
        self.range.map(|predicate| {
            let mut key = plain_key(&predicate.key);
            let collated = key.column.as_deref().and_then(|name| self.relation.column(name));
            let byte_order = collated.and_then(|column| column.collation.as_deref()) == Some("C");
            if predicate.operator == Operator::Prefix && !byte_order {
                key.opclass = Some("text_pattern_ops");
            }
            key
        })
    }

    fn filters(&self, found: &mut Vec<Candidate>, sort: &[CandidateKey]) {
        let mut keys = self.equalities();
        let among = self.among.iter().map(|(predicate, _)| plain_key(&predicate.key));
        for key in among.chain(self.range_key()) {
            if !keys.iter().any(|known| known.text == key.text) {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            return;
        }
        // A condition that keeps nearly everything is no reason for an index.
        if self.equal.iter().chain(&self.among).all(|(_, share)| *share > 0.5)
            && self.range.is_none()
        {
            return;
        }
        let in_order = !sort.is_empty()
            && keys.iter().skip(self.equal.len()).map(|k| &k.text).eq(sort.iter().map(|k| &k.text));
        if in_order {
            return;
        }
        self.push(found, vec![Purpose::Filter], keys, None);
    }

    fn order(&self, found: &mut Vec<Candidate>, sort: &[CandidateKey]) {
        let mut keys = self.equalities();
        keys.extend(sort.iter().cloned());
        let mut purposes = vec![Purpose::Order];
        let filters = !self.equal.is_empty()
            || self.range.is_some_and(|range| {
                sort.first().is_some_and(|key| key.column == range.key.column)
            });
        if filters {
            purposes.push(Purpose::Filter);
        }
        self.push(found, purposes, keys, None);
    }

    fn joins(&self, found: &mut Vec<Candidate>) {
        for key in &self.joins {
            let mut keys = vec![plain_key(key)];
            keys.extend(self.equalities());
            if !self.equal.is_empty() {
                self.push(found, vec![Purpose::Join], vec![plain_key(key)], None);
            }
            self.push(found, vec![Purpose::Join], keys, None);
        }
        if self.joins.len() > 1 && self.joins.len() <= 3 {
            let keys = self.joins.iter().map(|key| plain_key(key)).collect();
            self.push(found, vec![Purpose::Join], keys, None);
        }
    }

    fn group(&self, found: &mut Vec<Candidate>) {
        let indexable = self.used.group.iter().all(|name| self.relation.column(name).is_some());
        if self.used.group.is_empty() || !indexable {
            return;
        }
        let mut keys = self.equalities();
        for column in &self.used.group {
            if !keys.iter().any(|key| key.column.as_ref() == Some(column)) {
                keys.push(plain_key(&Key::column(column)));
            }
        }
        let needed = self.used.columns.iter().flatten();
        let rest: Vec<String> = needed
            .filter(|column| !keys.iter().any(|key| key.column.as_ref() == Some(column)))
            .cloned()
            .collect();
        let include = if self.fits(&rest) { rest } else { Vec::new() };
        self.push(found, vec![Purpose::Group], keys, None);
        if let Some(last) = found.last_mut() {
            last.include = include;
        }
    }

    /// GIN over trigrams, jsonb and arrays.
    fn inverted(&self, found: &mut Vec<Candidate>) {
        for predicate in self.used.predicates.iter().filter(|p| p.is_filter()) {
            let opclass = match predicate.operator {
                Operator::Pattern if has_trigram(&predicate.value) => Some("gin_trgm_ops"),
                Operator::JsonContains
                    if !predicate.text.contains('?') || predicate.text.contains("@?") =>
                {
                    Some("jsonb_path_ops")
                }
                Operator::JsonContains | Operator::ArrayContains => None,
                _ => continue,
            };
            if !indexable(&predicate.key, self.relation) {
                continue;
            }
            let key = CandidateKey { opclass, ..plain_key(&predicate.key) };
            self.push(found, vec![Purpose::Filter], vec![key], None);
            if let Some(last) = found.last_mut() {
                last.method = "gin";
            }
        }
    }

    /// Indexes over the few rows a constant condition keeps.
    fn partial(&self, found: &mut Vec<Candidate>, sort: &[CandidateKey]) {
        let constant = |predicate: &Predicate| matches!(&predicate.value, Value::Constant(text) if !text.contains('$'));
        let pool = self.equal.iter().filter(|(predicate, share)| {
            constant(predicate) && *share > 0.0 && *share <= PARTIAL_SHARE
        });
        // A column with few values: a status, a flag, a deletion mark. A condition on a customer
        // number would need an index per customer.
        let few = |predicate: &Predicate| {
            let column =
                predicate.key.column.as_deref().and_then(|name| self.relation.column(name));
            let stats = column.and_then(|column| column.statistics.as_ref());
            predicate.operator == Operator::IsNull
                || stats.is_some_and(|stats| stats.distinct > 0.0 && stats.distinct <= 50.0)
        };
        for (predicate, share) in pool.filter(|(predicate, _)| few(predicate)).take(1) {
            let Some(bare) = &predicate.bare else { continue };
            let mut keys: Vec<CandidateKey> = self
                .equal
                .iter()
                .filter(|(other, _)| other.key != predicate.key)
                .map(|(other, _)| plain_key(&other.key))
                .collect();
            let mut purposes = vec![Purpose::Filter];
            match (self.range_key(), sort) {
                (_, sort) if !sort.is_empty() => {
                    keys.extend(sort.iter().cloned());
                    purposes.push(Purpose::Order);
                }
                (Some(range), _) => keys.push(range),
                _ => {}
            }
            if keys.is_empty() {
                keys.extend(self.joins.first().map(|key| plain_key(key)));
                purposes.extend((!keys.is_empty()).then_some(Purpose::Join));
            }
            if keys.is_empty() {
                let key = self.relation.primary_key().first().cloned();
                keys.extend(key.map(|column| plain_key(&Key::column(&column))));
            }
            if keys.is_empty() {
                continue;
            }
            self.push(found, purposes, keys, Some(bare.clone()));
            if let Some(last) = found.last_mut() {
                last.share = *share;
            }
        }
    }

    /// The same indexes with the few other columns that are needed.
    fn covering(&self, found: &mut Vec<Candidate>) {
        let Some(needed) = &self.used.columns else { return };
        let mut wider = Vec::new();
        for candidate in found.iter().filter(|c| c.method == "btree" && c.include.is_empty()) {
            let has = |column: &&String| {
                candidate.keys.iter().any(|key| key.column.as_ref() == Some(*column))
            };
            let rest: Vec<String> = needed.iter().filter(|column| !has(column)).cloned().collect();
            let expression = candidate.keys.iter().any(|key| key.column.is_none());
            if !rest.is_empty() && !expression && self.fits(&rest) {
                wider.push(Candidate { include: rest, ..candidate.clone() });
            }
        }
        found.append(&mut wider);
    }

    fn fits(&self, columns: &[String]) -> bool {
        let width: f64 = columns.iter().map(|c| selectivity::width(self.relation, c)).sum();
        let system = columns.iter().any(|name| self.relation.column(name).is_none());
        columns.len() <= INCLUDE_COLUMNS && width <= INCLUDE_BYTES && !system
    }

    fn push(
        &self,
        found: &mut Vec<Candidate>,
        purposes: Vec<Purpose>,
        keys: Vec<CandidateKey>,
        predicate: Option<String>,
    ) {
        // A key twice, or more keys than an index takes, helps nobody.
        let mut unique: Vec<CandidateKey> = Vec::new();
        for key in keys {
            if !unique.iter().any(|known| known.text == key.text) {
                unique.push(key);
            }
        }
        unique.truncate(6);
        found.push(Candidate {
            relation: self.relation.qualified(),
            serves: (self.block, self.used.alias.clone()),
            purposes,
            method: "btree",
            keys: unique,
            include: Vec::new(),
            predicate,
            share: 1.0,
            gain: 0.0,
            proposal: Proposal {
                kind: ChangeKind::Index,
                title: String::new(),
                relation: None,
                up: Vec::new(),
                down: Vec::new(),
                hazards: Vec::new(),
                conditions: Vec::new(),
                gain: 0.0,
            },
        });
    }
}

fn plain_key(key: &Key) -> CandidateKey {
    CandidateKey {
        text: key.in_index(),
        column: key.column.clone(),
        descending: false,
        nulls_first: false,
        opclass: None,
    }
}

/// Whether an index can be over the key: its columns exist, and the expression means the same
/// in every session. Casting and cutting times depends on the session's time zone or style.
fn indexable(key: &Key, relation: &Relation) -> bool {
    let types: Option<Vec<&str>> = key
        .columns
        .iter()
        .map(|name| relation.column(name).map(|column| column.type_name.as_str()))
        .collect();
    let Some(types) = types else { return false };
    let timed =
        |kind: &&str| kind.starts_with("time") || **kind == *"date" || **kind == *"interval";
    let zoned = types.iter().any(|kind| kind.contains("with time zone"));
    match key.column {
        Some(_) => true,
        None if !key.immutable || zoned => false,
        None => {
            let has = |part: &str| key.text.contains(part);
            let prints = types.iter().any(timed) && has("::text");
            // A text becomes a time by the session's DateStyle; date_trunc() of a date is that
            // of midnight in the session's zone.
            let reads = !types.iter().all(timed)
                && ["::date", "::time", "::interval"].iter().any(|cast| has(cast));
            let midnight = types.contains(&"date") && has("date_trunc");
            !prints && !reads && !midnight && !has("with time zone")
        }
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
