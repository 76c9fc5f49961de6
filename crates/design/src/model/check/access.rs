use std::collections::BTreeSet;

use marula_core::model::{AccessPath, Aggregate, AttributeType, Condition, Operator};
use marula_core::{Json, nearest};

use super::super::mistake::{Mistake, Way};
use super::super::paths::{Followed, find};
use super::super::sql::is_number;
use super::super::types;
use super::{Checker, quoted};
use crate::question::compares;

impl Checker<'_> {
    /// Whether a query's access path holds; otherwise the query is left out.
    pub(super) fn path(&mut self, way: &Way, path: &AccessPath) -> bool {
        let part = way.to("access");
        let before = self.mistakes.len();
        if self.entity(&path.from).is_none() {
            let mistake = self.no_entity(part.to("from"), &path.from);
            self.say(mistake.leave_at(way.clone()));
            return false;
        }
        for (list, name) in [(&path.follow, "follow"), (&path.optional, "optional")] {
            for (at, steps) in list.iter().enumerate() {
                self.steps(part.to(name).item(at), &path.from, steps);
            }
        }
        for (list, name) in [(&path.select, "select"), (&path.group, "group")] {
            for (at, attribute) in list.iter().enumerate() {
                self.attribute_of(part.to(name).item(at), &path.from, attribute);
            }
        }
        for (way, condition) in conditions(&part, path) {
            self.attribute_of(way.to("attribute"), &path.from, &condition.attribute);
        }
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (at, aggregate) in path.aggregates.iter().enumerate() {
            let way = part.to("aggregates").item(at);
            if !names.insert(&aggregate.name) {
                let what = format!("two aggregates are called {}", quoted(&aggregate.name));
                self.say(Mistake::new(way.to("name"), what));
            }
            self.aggregate(&way, path, aggregate);
        }
        self.having(&part, path);
        for (at, key) in path.sort.iter().enumerate() {
            if !names.contains(key.by.as_str()) {
                self.attribute_of(part.to("sort").item(at).to("by"), &path.from, &key.by);
            }
        }
        if !path.group.is_empty() || !path.aggregates.is_empty() {
            let sorted =
                path.sort.iter().map(|key| &key.by).filter(|by| !names.contains(by.as_str()));
            for attribute in path.select.iter().chain(sorted) {
                if !path.group.contains(attribute) {
                    let what = format!("{attribute} is neither a group nor an aggregate");
                    self.say(Mistake::new(part.clone(), what).hint("add it to group"));
                }
            }
        }
        let fine = self.operands(way, path, false);
        let wrong = self.mistakes.len() > before;
        for mistake in &mut self.mistakes[before..] {
            if mistake.cures.is_empty() {
                *mistake = mistake.clone().leave_at(way.clone());
            }
        }
        fine && !wrong
    }

    fn steps(&mut self, way: Way, from: &str, steps: &str) -> bool {
        let mut at = from.to_string();
        for step in steps.split('.') {
            match self.model.step(&at, step) {
                Some(found) => at = found.to().to_string(),
                None => {
                    let mistake = self.no_step(way, &at, step);
                    self.say(mistake);
                    return false;
                }
            }
        }
        true
    }

    fn no_step(&self, way: Way, from: &str, step: &str) -> Mistake {
        let leading: Vec<String> = super::super::paths::steps_of(self.model, from);
        let what = format!("no relation called {} leads from {from}", quoted(step));
        let mistake = Mistake::new(way, what);
        let near = nearest(step, leading.iter().map(String::as_str));
        match (near.is_empty(), leading.is_empty()) {
            (false, _) => mistake.near(&near),
            (true, false) => mistake.hint(format!("there lead {}", leading.join(", "))),
            (true, true) => mistake,
        }
    }

    fn attribute_of(&mut self, way: Way, from: &str, path: &str) {
        let mistake = match find(self.model, from, path) {
            Followed::Attribute { .. } => return,
            Followed::NoStep { entity, step } => self.no_step(way, entity, step),
            Followed::NoAttribute { entity, attribute } => {
                self.no_attribute(way, entity, attribute)
            }
        };
        self.say(mistake);
    }

    fn aggregate(&mut self, way: &Way, path: &AccessPath, aggregate: &Aggregate) {
        use marula_core::model::AggregateFunction as Function;
        let counts = aggregate.function == Function::Count;
        if aggregate.attribute.is_none() && !counts {
            let what = format!("{} does not say of what", quoted(&aggregate.name));
            self.say(Mistake::new(way.clone(), what).hint("write attribute:"));
        }
        for (name, part) in [(&aggregate.attribute, "attribute"), (&aggregate.times, "times")] {
            let Some(name) = name else { continue };
            self.attribute_of(way.to(part), &path.from, name);
            let numbers =
                matches!(aggregate.function, Function::Sum | Function::Average) || part == "times";
            if let Followed::Attribute { attribute, .. } = find(self.model, &path.from, name)
                && numbers
                && !is_number(attribute.kind)
                && attribute.kind != AttributeType::Duration
            {
                let what = format!("{name} is no number");
                self.say(Mistake::new(way.to(part), what));
            }
        }
    }

    /// What is asked of groups: of aggregates that are there, with values.
    fn having(&mut self, part: &Way, path: &AccessPath) {
        for (at, _) in path.any.iter().enumerate().filter(|(_, group)| group.is_empty()) {
            let what = "of no alternatives none can hold".to_string();
            self.say(Mistake::new(part.to("any").item(at), what));
        }
        if !path.having.is_empty() && path.group.is_empty() {
            let what = "having asks something of groups, and there are none".to_string();
            self.say(Mistake::new(part.to("having"), what).hint("say by which attributes: group:"));
        }
        for (at, condition) in path.having.iter().enumerate() {
            let way = part.to("having").item(at);
            let name = &condition.attribute;
            let names = || path.aggregates.iter().map(|aggregate| aggregate.name.as_str());
            let mistake = match condition {
                _ if !names().any(|known| known == name) => {
                    let what = format!("{} is no aggregate of this path", quoted(name));
                    let mistake = Mistake::new(way.to("attribute"), what);
                    match nearest(name, names()).as_slice() {
                        [] => mistake.hint("what must hold of an attribute belongs under where:"),
                        near => mistake.near(near),
                    }
                }
                one if !compares(one.is) => {
                    let what = format!("{name} is compared with =, <>, <, <=, > or >=");
                    Mistake::new(way, what)
                }
                Condition { parameter: None, value: Some(value), .. } if is_single(value) => {
                    continue;
                }
                _ => Mistake::new(way, format!("{name} is compared with no value"))
                    .hint("write value: 5"),
            };
            self.say(mistake);
        }
    }

    /// Whether what attributes are compared with fits them. SQL has no places for conditions.
    pub(super) fn operands(&mut self, way: &Way, path: &AccessPath, sql: bool) -> bool {
        let before = self.mistakes.len();
        let mut parameters: BTreeSet<u32> = BTreeSet::new();
        for (part, condition) in conditions(&way.to("access"), path) {
            let part = if sql { way.to("sql") } else { part };
            parameters.extend(condition.parameter);
            if let Followed::Attribute { attribute, .. } =
                find(self.model, &path.from, &condition.attribute)
                && let Some(what) = unfit(condition, attribute)
            {
                let mistake = Mistake::new(part, what);
                self.say(mistake.leave_at(way.clone()));
            }
        }
        for (at, number) in parameters.iter().enumerate() {
            if *number as usize != at + 1 {
                let what = format!("parameter ${} is not used, but ${number} is", at + 1);
                let hint = "number them from $1 without gaps";
                self.say(Mistake::new(way.clone(), what).hint(hint).leave());
                break;
            }
        }
        self.mistakes.len() == before
    }
}

/// The conditions of a path, alternatives too, and where each is said.
fn conditions<'p>(part: &Way, path: &'p AccessPath) -> Vec<(Way, &'p Condition)> {
    let all = path.conditions.iter().enumerate();
    let mut found: Vec<(Way, &Condition)> =
        all.map(|(at, condition)| (part.to("where").item(at), condition)).collect();
    for (group, conditions) in path.any.iter().enumerate() {
        let way = part.to("any").item(group);
        let all = conditions.iter().enumerate();
        found.extend(all.map(|(at, condition)| (way.item(at), condition)));
    }
    found
}

fn is_single(value: &Json) -> bool {
    !value.is_null() && !value.is_array() && !value.is_object()
}

/// What is wrong with a condition on an attribute.
fn unfit(condition: &Condition, attribute: &marula_core::model::Attribute) -> Option<String> {
    let name = &condition.attribute;
    let bare = matches!(condition.is, Operator::Missing | Operator::Present);
    match (bare, condition.parameter, &condition.value) {
        (true, None, None) => return None,
        (true, ..) => return Some(format!("{name} is only looked whether it is there")),
        (false, None, None) => {
            return Some(format!("{name} is compared with nothing"));
        }
        (false, Some(_), Some(_)) => {
            return Some(format!("{name} is compared with a parameter and a value"));
        }
        (false, Some(0), None) => return Some("parameters count from 1".into()),
        _ => {}
    }
    let list = attribute.kind == AttributeType::List;
    if list != (condition.is == Operator::Contains) {
        return Some(match list {
            true => format!("{name} is a list: only contains, missing and present are asked of it"),
            false => format!("{name} is no list, so that it contains nothing"),
        });
    }
    let textual = matches!(condition.is, Operator::StartsWith | Operator::Matches);
    if textual && attribute.kind != AttributeType::Text {
        return Some(format!("{name} is no text"));
    }
    let value = condition.value.as_ref()?;
    let values: Vec<&Json> = match (condition.is, value) {
        (Operator::In, Json::Array(values)) => values.iter().collect(),
        (Operator::In, _) => return Some(format!("{name} in takes a list of values")),
        (_, one) => vec![one],
    };
    let kind = attribute.element();
    for value in values {
        let fits = match value {
            Json::Number(_) => is_number(kind),
            Json::Bool(_) => kind == AttributeType::Boolean,
            Json::String(text) if kind == AttributeType::Enumeration => {
                if !attribute.values.is_empty() && !attribute.values.contains(text) {
                    let near = nearest(text, attribute.values.iter().map(String::as_str));
                    let near = match near.first() {
                        Some(near) => format!("; did you mean {near}?"),
                        None => format!("; it is one of {}", attribute.values.join(", ")),
                    };
                    return Some(format!("{name} is never {}{near}", quoted(text)));
                }
                true
            }
            Json::String(_) => !is_number(kind) && kind != AttributeType::Boolean,
            _ => false,
        };
        if !fits {
            let kind = types::name(kind);
            let value = quoted(&value.to_string());
            return Some(format!("{name} is {kind}, and is compared with {value}"));
        }
    }
    None
}
