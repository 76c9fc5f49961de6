//! What is wrong with a model, whatever it was made from.

mod access;
mod entities;
mod expression;
mod queries;
mod relations;
mod writes;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use marula_core::model::{Attribute, Entity, Model};
use marula_core::{Marked, nearest};

use super::mistake::{Mistake, Way, Word};

/// The most mistakes for which near names are looked for.
const MOST_NEAR: usize = 200;

/// Every mistake of a model. Its relationships should be filled up first ([`super::fill`]).
pub fn check(model: &Model) -> Vec<Mistake> {
    let mut checker = Checker {
        model,
        entities: model.entities.iter().rev().map(|e| (e.name.as_str(), e)).collect(),
        mistakes: Vec::new(),
    };
    checker.entities();
    checker.relations();
    checker.queries();
    checker.writes();
    checker.transactions();
    checker.mistakes
}

struct Checker<'a> {
    model: &'a Model,
    entities: HashMap<&'a str, &'a Entity>,
    mistakes: Vec<Mistake>,
}

impl<'a> Checker<'a> {
    fn say(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn entity(&self, name: &str) -> Option<&'a Entity> {
        self.entities.get(name).copied()
    }

    /// That there is no entity of this name.
    fn no_entity(&self, way: Way, name: &str) -> Mistake {
        let mistake = Mistake::new(way, format!("there is no entity {}", quoted(name)));
        self.near(mistake, name, self.model.entities.iter().map(|entity| entity.name.as_str()))
    }

    /// That an entity has no attribute of this name.
    fn no_attribute(&self, way: Way, entity: &Entity, name: &str) -> Mistake {
        let mistake =
            Mistake::new(way, format!("{} has no attribute {}", entity.name, quoted(name)));
        self.near(mistake, name, names(&entity.attributes))
    }

    fn near<'n>(
        &self,
        mistake: Mistake,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Mistake {
        match self.mistakes.len() < MOST_NEAR && name.len() < 100 {
            true => mistake.near(&nearest(name, known)),
            false => mistake,
        }
    }

    /// What is wrong with names that are used as names of tables and columns.
    fn name(&mut self, way: &Way, name: &str, thing: &str) {
        let what = if name.trim().is_empty() {
            format!("this {thing} has an empty name")
        } else if name.contains(|c: char| c == '.' || c == '$' || c.is_control()) {
            format!("{} has a dot, a dollar sign or a control character", quoted(name))
        } else if name.len() > 63 {
            format!("{} is longer than the 63 bytes that PostgreSQL keeps", quoted(name))
        } else {
            return;
        };
        self.say(Mistake::new(way.to("name"), what).hint("write a name such as order_lines"));
    }

    /// Names that are said twice; what comes later is left out.
    fn twice<'n>(&mut self, way: &Way, names: impl Iterator<Item = &'n str>, thing: &str) {
        let mut seen = std::collections::HashSet::new();
        for (at, name) in names.enumerate() {
            if !seen.insert(name) {
                let what =
                    format!("there are two {thing} called {}; the first counts", quoted(name));
                let mut mistake = Mistake::new(way.item(at), what).leave();
                mistake.hint = Some("give one of them another name, or leave it out".into());
                self.say(mistake);
            }
        }
    }
}

fn names(attributes: &[Attribute]) -> impl Iterator<Item = &str> {
    attributes.iter().map(|attribute| attribute.name.as_str())
}

/// A name for a message: short, and without what terminals act on.
fn quoted(name: &str) -> String {
    super::tree::shown(name)
}

/// The marked word of an SQL text, to be found again in the file.
fn word(marked: &Marked) -> Option<Word> {
    let text = marked.text.get(marked.start..marked.end)?;
    let before = marked.text.get(..marked.start)?.matches(text).count();
    (!text.is_empty()).then(|| Word { text: text.into(), before })
}
