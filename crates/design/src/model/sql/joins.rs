//! Which relationships the equalities between columns follow.

use std::collections::BTreeSet;

use marula_core::Result;
use marula_core::model::{AccessPath, Entity, Model, Operator, Step};

use super::Reader;
use super::conditions::On;
use super::tables::{Column, Pair};

impl Reader<'_> {
    /// The steps that lead from the first table to each, with dots; the first has none.
    pub(super) fn joins(&mut self, pairs: &[Pair]) -> Result<Vec<String>> {
        let mut prefixes: Vec<Option<String>> = vec![None; self.tables.len()];
        if let Some(first) = prefixes.first_mut() {
            *first = Some(String::new());
        }
        let mut left: Vec<&Pair> = pairs.iter().collect();
        loop {
            // The first equality that leads from a table that is reached to one that is not.
            let reached = |column: &Column| prefixes[column.table].is_some();
            let ends = |pair: &Pair| match reached(&pair.left) {
                true => (pair.left.table, pair.right.table),
                false => (pair.right.table, pair.left.table),
            };
            // What need not be there is reached by what its own join says.
            let leads = |pair: &&&Pair| {
                reached(&pair.left) != reached(&pair.right)
                    && pair
                        .on
                        .is_none_or(|table| table == ends(pair).1 || !self.tables[table].outer)
            };
            let Some(leading) = left.iter().find(leads) else { break };
            let (from, to) = ends(leading);
            let own: Vec<&Pair>;
            (own, left) = left.into_iter().partition(|pair| {
                let ends = (pair.left.table, pair.right.table);
                ends == (from, to) || ends == (to, from)
            });
            let (step, surely) = self.step(from, to, &own)?;
            self.tables[to].outer &= !surely;
            let prefix = prefixes[from].clone().unwrap_or_default();
            let path = if prefix.is_empty() { step } else { format!("{prefix}.{step}") };
            if prefixes.iter().flatten().any(|known| *known == path) {
                let what = format!("following the relationship {path} twice");
                return Err(self.unsaid(&what, self.tables[to].location));
            }
            prefixes[to] = Some(path);
        }
        if let Some(more) = left.first() {
            return Err(self.unsaid("a circle of joins", more.location));
        }
        let all: Option<Vec<String>> = prefixes.iter().cloned().collect();
        match all {
            Some(all) => Ok(all),
            None => {
                let lost = prefixes.iter().position(Option::is_none).unwrap_or(0);
                Err(self.unsaid("a cross join", self.tables[lost].location))
            }
        }
    }

    /// Finds which tables of a LEFT JOIN have to be there all the same: a condition or another join
    /// asks for them, or for what they bring in.
    pub(super) fn settle(&mut self, pairs: &[Pair], conditions: &[On]) {
        let asked = conditions.iter().filter(|on| on.is != Operator::Missing);
        let mut needed: Vec<usize> = asked.map(|on| on.column.table).collect();
        let both = |pair: &Pair| [pair.left.table, pair.right.table];
        needed.extend(pairs.iter().filter(|pair| pair.on.is_none()).flat_map(both));
        while let Some(table) = needed.pop() {
            if std::mem::take(&mut self.tables[table].outer) {
                needed.extend(pairs.iter().filter(|pair| pair.on == Some(table)).flat_map(both));
            }
        }
    }

    /// The steps to what need not be there.
    pub(super) fn optional(&self, prefixes: &[String]) -> Vec<String> {
        let outer = self.tables.iter().zip(prefixes).filter(|(table, _)| table.outer);
        outer.map(|(_, prefix)| prefix.clone()).collect()
    }

    /// The name of the relationship that the equalities between two tables follow, and whether one
    /// is always there.
    fn step(&self, from: usize, to: usize, pairs: &[&Pair]) -> Result<(String, bool)> {
        let at = pairs.first().map_or(0, |pair| pair.location);
        let (here, there) = (self.entity(from)?, self.entity(to)?);
        let said: BTreeSet<(&str, &str)> = pairs
            .iter()
            .map(|pair| {
                let (left, right) = (pair.left.attribute.as_str(), pair.right.attribute.as_str());
                if pair.left.table == from { (left, right) } else { (right, left) }
            })
            .collect();
        let steps = self.model.relations.iter().enumerate().flat_map(|(at, r)| Step::both(at, r));
        let mut between =
            steps.filter(|step| step.from() == here.name && step.to() == there.name).peekable();
        if between.peek().is_none() {
            let what = format!("the model has no relationship of {} and {}", here.name, there.name);
            return Err(self.missing(what, &[], at));
        }
        let mut wider = false;
        for step in between {
            let wanted = equalities(&step, here, there);
            if wanted == said {
                return match name_of(self.model, &step) {
                    Some(name) => Ok((name, self.surely(&step))),
                    None => {
                        let what = format!(
                            "several relationships lead from {} to {}, and this one has no name",
                            here.name, there.name
                        );
                        Err(self.missing(what, &[], at).hint(match step.to_one {
                            true => "give it a name: in the model",
                            false => "give it an inverse: in the model",
                        }))
                    }
                };
            }
            wider |= wanted.is_subset(&said);
        }
        if wider {
            return Err(self.unsaid("a comparison of two attributes", at));
        }
        let said: Vec<String> =
            said.iter().map(|(a, b)| format!("{}.{a} = {}.{b}", here.name, there.name)).collect();
        let what = format!("{} is no relationship of the model", said.join(" AND "));
        Err(self.missing(what, &[], at).hint("join along a relationship, or add it to the model"))
    }

    /// Whether a step always leads to one: a LEFT JOIN is the same as a plain one there.
    fn surely(&self, step: &Step<'_>) -> bool {
        let many = self.model.entity(&step.relation.from);
        let required = |name: &String| {
            let attribute = many.and_then(|many| many.attribute(name));
            attribute.is_some_and(|attribute| attribute.required)
                || many.is_some_and(|many| many.key().contains(&name.as_str()))
        };
        step.to_one && step.relation.attributes.iter().all(required)
    }
}

/// The equalities that follow a step: an attribute here and one there.
fn equalities<'a>(
    step: &Step<'a>,
    here: &'a Entity,
    there: &'a Entity,
) -> BTreeSet<(&'a str, &'a str)> {
    let many = step.relation.attributes.iter().map(String::as_str);
    match step.to_one {
        true => many.zip(there.key()).collect(),
        false => here.key().into_iter().zip(many).collect(),
    }
}

/// What a step is called where that is unmistakable.
pub fn name_of(model: &Model, step: &Step<'_>) -> Option<String> {
    let leads = |name: &&str| {
        let found = model.step(step.from(), name);
        found.is_some_and(|found| found.index == step.index && found.to_one == step.to_one)
    };
    [step.name(), Some(step.to())].into_iter().flatten().find(leads).map(Into::into)
}

/// Says which steps are followed that no attribute names.
pub(super) fn follow(path: &mut AccessPath, prefixes: &[String]) {
    let mut named: BTreeSet<&str> = BTreeSet::new();
    let mentioned = path
        .conditions
        .iter()
        .chain(path.any.iter().flatten())
        .map(|condition| &condition.attribute)
        .chain(&path.select)
        .chain(&path.group)
        .chain(path.aggregates.iter().flat_map(|a| a.attribute.iter().chain(&a.times)))
        .chain(path.sort.iter().map(|key| &key.by));
    for attribute in mentioned.chain(prefixes) {
        named.extend(attribute.match_indices('.').map(|(at, _)| &attribute[..at]));
    }
    named.extend(path.optional.iter().map(String::as_str));
    let follow: Vec<String> = prefixes
        .iter()
        .filter(|prefix| !prefix.is_empty() && !named.contains(prefix.as_str()))
        .cloned()
        .collect();
    path.follow = follow;
}
