use std::fmt;

use marula_core::{Json, Severity};
use serde::Serialize;

/// One step of the way to a part of a model: `entities`, then `3`, then `name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Part {
    /// A part by its name.
    Name(String),
    /// An item of a list, from 0.
    Item(usize),
}

/// The way to a part of a model, from its root.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Way(pub Vec<Part>);

/// Something that is wrong with a model, where, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// How much it matters: `High` is what cannot be used as it stands, `Low` is worth a look.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// What was meant, or what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The part of the model it is about.
    pub way: Way,
    /// A word inside that part: the entity that a query names in vain.
    #[serde(skip)]
    pub word: Option<Word>,
    /// The line in the file, from 1; absent where there is no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column in the line, in characters from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The byte in the file, until lines are counted.
    #[serde(skip)]
    pub(super) offset: Option<usize>,
    /// What makes the rest usable: parts that are left out or changed.
    #[serde(skip)]
    pub(super) cures: Vec<(Way, Cure)>,
}

/// What is done to a part of a model so that the rest can be used.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cure {
    /// It is left out.
    Leave,
    /// It becomes this.
    Set(Json),
}

/// A word inside a text of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// How often it stands in the text before that place.
    pub before: usize,
}

impl Mistake {
    /// What cannot be used as it stands.
    pub fn new(way: Way, what: impl Into<String>) -> Self {
        Mistake {
            severity: Severity::High,
            what: what.into(),
            hint: None,
            way,
            word: None,
            line: None,
            column: None,
            offset: None,
            cures: Vec::new(),
        }
    }

    /// What was meant, or what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What is worth a look, but can be used.
    pub fn low(mut self) -> Self {
        self.severity = Severity::Low;
        self
    }

    /// The part is left out.
    pub(super) fn leave(self) -> Self {
        let way = self.way.clone();
        self.leave_at(way)
    }

    /// Another part is left out.
    pub(super) fn leave_at(mut self, way: Way) -> Self {
        self.cures.push((way, Cure::Leave));
        self
    }

    /// The part becomes something else.
    pub(super) fn becomes(self, value: impl Into<Json>) -> Self {
        let way = self.way.clone();
        self.becomes_at(way, value)
    }

    /// Another part becomes something else.
    pub(super) fn becomes_at(mut self, way: Way, value: impl Into<Json>) -> Self {
        self.cures.push((way, Cure::Set(value.into())));
        self
    }

    /// The names that were probably meant.
    pub fn near(self, near: &[&str]) -> Self {
        match near.is_empty() {
            true => self,
            false => self.hint(format!("did you mean {}?", near.join(" or "))),
        }
    }
}

impl Way {
    /// The way to the root.
    pub fn root() -> Self {
        Way::default()
    }

    /// The way on to a part called `name`.
    pub fn to(&self, name: &str) -> Self {
        let mut way = self.clone();
        way.0.push(Part::Name(name.into()));
        way
    }

    /// The way on to item `index`.
    pub fn item(&self, index: usize) -> Self {
        let mut way = self.clone();
        way.0.push(Part::Item(index));
        way
    }

    /// The way to the whole that this is a part of.
    pub fn up(&self) -> Self {
        let mut way = self.clone();
        way.0.pop();
        way
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            match part {
                Part::Name(name) if at == 0 => f.write_str(name)?,
                Part::Name(name) => write!(f, ".{name}")?,
                Part::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
