//! A model written down for one engine: statements in an order in which they run, each with why.

mod attributes;
pub(crate) mod condition;
pub(crate) mod deletions;
mod duplicates;
mod references;
mod script;

use marula_core::{Engine, Version};

pub(crate) use attributes::{is_given_out, root, source_attribute, time_attribute};
pub(crate) use deletions::{fate, loses, nullable, nulled};
pub use duplicates::{Duplicate, InStep, duplicates};
pub(crate) use references::{Reference, is_required, leads, references};
pub(crate) use script::one_line;

/// What makes a database for a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The engine whose statements they are.
    pub engine: Engine,
    /// The server it is made for.
    pub version: Version,
    /// What it is for: the model's name and description.
    pub title: String,
    /// The statements, in an order in which they run.
    pub pieces: Vec<Piece>,
    /// What the model asks for and the engine cannot hold, and what was decided beyond one piece.
    pub notes: Vec<String>,
}

/// One object of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it makes: `table orders`.
    pub object: String,
    /// When it runs.
    pub stage: Stage,
    /// The statements, without an end mark.
    pub statements: Vec<String>,
    /// Why it is as it is, where there was a choice.
    pub why: Option<String>,
}

/// When a piece runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before there are rows: types, tables with their keys, collections.
    BeforeLoading,
    /// When the rows are there: indexes, foreign keys, policies. They are built faster then.
    AfterLoading,
}

impl Schema {
    /// The statements of one stage, in order.
    pub fn statements(&self, stage: Stage) -> impl Iterator<Item = &str> {
        let of_stage = self.pieces.iter().filter(move |piece| piece.stage == stage);
        of_stage.flat_map(|piece| piece.statements.iter().map(String::as_str))
    }
}

impl Piece {
    /// What has to be there before rows are.
    pub(crate) fn before(object: impl Into<String>, statements: Vec<String>) -> Self {
        Piece { object: object.into(), stage: Stage::BeforeLoading, statements, why: None }
    }

    /// What is made when the rows are there.
    pub(crate) fn after(object: impl Into<String>, statements: Vec<String>) -> Self {
        Piece { stage: Stage::AfterLoading, ..Piece::before(object, statements) }
    }

    /// Why it is so. Nothing is said of nothing.
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        let why = why.into();
        self.why = (!why.is_empty()).then_some(why);
        self
    }
}
