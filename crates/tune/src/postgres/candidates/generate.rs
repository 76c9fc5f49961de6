mod either;
mod fixed;
mod indexable;
mod inverted;
mod partial;
mod summary;

use marula_core::{ChangeKind, Relation};

use super::super::Shape;
use super::super::shape::{Key, Operator, Predicate, SortKey, Use, Value};
use super::{Candidate, CandidateKey, Purpose, selectivity};
use crate::Proposal;
use indexable::indexable;

/// The most columns an index carries along, and how wide they may be together, in bytes.
const INCLUDE: (usize, f64) = (4, 64.0);

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
    /// Whether an equality is with a column of a block around this one.
    correlated: bool,
}

/// Every index that could serve this use of a relation.
pub(super) fn generate(
    shape: &Shape,
    number: usize,
    used: &Use,
    relation: &Relation,
) -> Vec<Candidate> {
    let Some(block) = shape.blocks.get(number) else { return Vec::new() };
    let asked = Asked::read(shape, number, used, relation);
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
    asked.either(&mut found);
    asked.partial(&mut found, &sort);
    asked.covering(&mut found);
    asked.fixed(&mut found);
    asked.summary(&mut found);
    found
}

impl<'a> Asked<'a> {
    fn read(shape: &Shape, block: usize, used: &'a Use, relation: &'a Relation) -> Self {
        let (mut equal, mut among) = (Vec::new(), Vec::new());
        let mut joins: Vec<&Key> = Vec::new();
        let mut between: Vec<&Key> = Vec::new();
        let mut range: Option<&Predicate> = None;
        for predicate in used.predicates.iter().filter(|p| indexable(&p.key, relation)) {
            let outer = is_outer(shape, block, predicate);
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
        let correlated = equal.iter().any(|(predicate, _)| !predicate.is_filter());
        Asked { block, used, relation, equal, among, range, joins, correlated }
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
        self.range.map(|predicate| range_key(self.relation, predicate))
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
        // Asked again and again for another row, it is looked up as a join is.
        let mut purposes = vec![Purpose::Filter];
        purposes.extend(self.correlated.then_some(Purpose::Join));
        self.push(found, purposes, keys, None);
        for (predicate, _) in self.equal.iter().filter(|(p, _)| !p.is_filter()) {
            self.push(found, vec![Purpose::Join], vec![plain_key(&predicate.key)], None);
        }
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

    /// The same indexes with the few other columns that are needed.
    fn covering(&self, found: &mut Vec<Candidate>) {
        let Some(needed) = &self.used.columns else { return };
        let mut wider = Vec::new();
        for candidate in found.iter().filter(|c| c.method == "btree" && c.is_plain()) {
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
        columns.len() <= INCLUDE.0 && width <= INCLUDE.1 && !system
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
            also: Vec::new(),
            kept: None,
            predicate,
            share: 1.0,
            gain: 0.0,
            names: Vec::new(),
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

/// The key of a range or a prefix. A prefix needs an order by bytes.
fn range_key(relation: &Relation, predicate: &Predicate) -> CandidateKey {
    let mut key = plain_key(&predicate.key);
    let collated = key.column.as_deref().and_then(|name| relation.column(name));
    let byte_order = collated.and_then(|column| column.collation.as_deref()) == Some("C");
    if predicate.operator == Operator::Prefix && !byte_order {
        key.opclass = Some("text_pattern_ops");
    }
    key
}

/// Whether a condition compares with a block around the predicate's own.
fn is_outer(shape: &Shape, block: usize, predicate: &Predicate) -> bool {
    match predicate.value {
        Value::Column { block: other, .. } => shape.is_inside(block, other),
        _ => false,
    }
}
