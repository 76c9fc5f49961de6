use std::collections::BTreeSet;
use std::future::Future;

use marula_core::{Change, ChangeKind, Result, Statement};
use marula_lab::bench::Bench;
use marula_lab::compare::Comparison;

/// Numbers of choices, in order.
pub type Set = BTreeSet<usize>;

/// One statement that takes part.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The statement, with values for its parameters.
    pub statement: Statement,
    /// How often it runs in the observed time.
    pub calls: u64,
    /// The time one run may take, in milliseconds.
    pub goal_ms: Option<f64>,
    /// How two of its results are compared.
    pub comparison: Comparison,
}

/// A change that may be picked.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The change; its id is its own among all choices.
    pub change: Change,
    /// The statements it may change, by number, in order: all that touch its relation.
    pub concerns: Vec<usize>,
    /// Those among them it may help: the search looks at no others.
    pub helps: Vec<usize>,
    /// What it takes on disk: a guess until it is built.
    pub bytes: u64,
    /// What keeping it up is expected to cost the workload's writes, in milliseconds.
    pub writes_ms: f64,
    /// Choices whose work this one does as well, by number: it comes in their place.
    pub replaces: Vec<usize>,
}

impl Choice {
    /// Whether it is another wording of a statement.
    pub fn is_rewrite(&self) -> bool {
        self.change.kind == ChangeKind::Rewrite
    }

    /// `statement` as it reads with this choice.
    pub fn wording(&self, statement: &Statement) -> Statement {
        match self.change.up.first() {
            Some(text) if self.is_rewrite() => {
                Statement { text: text.clone(), fingerprint: None, ..statement.clone() }
            }
            _ => statement.clone(),
        }
    }
}

/// What a statement is expected to cost with some changes in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// In the planner's units, or whatever grows with the work.
    pub cost: f64,
    /// Which of the changes its plan uses.
    pub uses: Set,
}

/// What the search needs of an engine: a bench to build and run on, and a way to ask what a set
/// of changes promises.
pub trait Arena: Send {
    /// The bench of the engine.
    type Bench: Bench;

    /// Where changes are built and statements run.
    fn bench(&mut self) -> &mut Self::Bench;

    /// What `statement` is expected to cost with exactly the changes of `set` in place. They come
    /// with their numbers; rewrites are not among them.
    fn estimate(
        &mut self,
        statement: &Statement,
        set: &[(usize, &Change)],
    ) -> impl Future<Output = Result<Estimate>> + Send;

    /// Forgets what was only there to be asked about: from now on plans are of what is built.
    fn forget(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}
