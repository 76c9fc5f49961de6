use marula_core::model::Model;

use super::draws::draw;
use crate::search::Work;
use crate::structure::Structure;
use crate::synth::{Value, World};
use crate::work::{Beside, Effect, Time, effects};

/// Something the model's work does again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OperationKind,
    /// How often, per second.
    pub rate: f64,
    /// The time 99 of 100 may take, in milliseconds.
    pub goal_ms: Option<f64>,
}

/// What an operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationKind {
    /// A question, by its index in [`Work::asked`].
    Query(usize),
    /// A write, by its index in the model.
    Write(usize),
    /// Several writes together.
    Transaction {
        /// The transaction's index in the model.
        at: usize,
        /// The writes' indexes.
        writes: Vec<usize>,
    },
}

/// One time of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// A question with its parameters.
    Ask {
        /// The question's index in [`Work::asked`].
        asked: usize,
        /// The parameters.
        values: Vec<Value>,
    },
    /// What is done to the stores, all of it or nothing.
    Do(Vec<Effect>),
}

/// The operations of a model: its queries, its writes that happen by themselves, its transactions.
pub fn operations(model: &Model, work: &Work) -> Vec<Operation> {
    let mut found = Vec::new();
    for (at, asking) in work.asked.iter().enumerate() {
        let query = &model.queries[asking.query];
        found.push(Operation {
            name: query.name.clone(),
            kind: OperationKind::Query(at),
            rate: query.rate.0,
            goal_ms: query.p99_ms,
        });
    }
    for (at, write) in model.writes.iter().enumerate() {
        let only_together = write.rate.0 == 0.0
            && model.transactions.iter().any(|t| t.writes.contains(&write.name));
        if !only_together {
            found.push(Operation {
                name: write.name.clone(),
                kind: OperationKind::Write(at),
                rate: write.rate.0,
                goal_ms: write.p99_ms,
            });
        }
    }
    for (at, transaction) in model.transactions.iter().enumerate() {
        let named = |name: &String| model.writes.iter().position(|write| write.name == *name);
        let writes: Vec<usize> = transaction.writes.iter().filter_map(named).collect();
        let goals = writes.iter().map(|&at| model.writes[at].p99_ms);
        found.push(Operation {
            name: transaction.name.clone(),
            rate: transaction.rate.0,
            goal_ms: goals.sum::<Option<f64>>().filter(|_| !writes.is_empty()),
            kind: OperationKind::Transaction { at, writes },
        });
    }
    found
}

impl Operation {
    /// Its `serial`-th time, for a structure. The same for every structure but for what it touches.
    pub fn job(&self, world: &World<'_>, work: &Work, structure: &Structure, serial: u64) -> Job {
        match &self.kind {
            OperationKind::Query(asked) => {
                let asking = &work.asked[*asked];
                Job::Ask {
                    asked: *asked,
                    values: draw(world, asking.query, &asking.question, serial),
                }
            }
            OperationKind::Write(write) => {
                let time = Time { serial, within: None };
                let write = &world.model.writes[*write];
                let done = effects(world, structure, write, time, &mut Beside::default());
                Job::Do(done.unwrap_or_default())
            }
            OperationKind::Transaction { at, writes } => {
                let time = Time { serial, within: Some(*at) };
                let mut beside = Beside::default();
                let mut one = |write: &usize| {
                    effects(world, structure, &world.model.writes[*write], time, &mut beside)
                };
                // All of it or nothing.
                let done: Option<Vec<_>> = writes.iter().map(&mut one).collect();
                Job::Do(done.unwrap_or_default().concat())
            }
        }
    }

    /// Whether it asks or changes anything at all.
    pub(super) fn does_something(
        &self,
        world: &World<'_>,
        work: &Work,
        structure: &Structure,
    ) -> bool {
        !matches!(self.job(world, work, structure, 0), Job::Do(effects) if effects.is_empty())
    }

    /// `query`, `write` or `transaction`.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            OperationKind::Query(_) => "query",
            OperationKind::Write(_) => "write",
            OperationKind::Transaction { .. } => "transaction",
        }
    }
}
