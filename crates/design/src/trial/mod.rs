//! Structures built, filled and put to work on a real server.
//!
//! Every candidate gets the same members, the same questions with the same parameters and the same
//! writes in the same order. Its answers are compared with the first candidate's before and after
//! the writes; then each operation is timed alone, candidate after candidate in turns, and at last
//! the whole workload runs against each at the model's rates. What a server refuses is set aside by
//! its name, and the rest goes on.

mod alone;
mod canonical;
mod draws;
mod entrants;
mod failing;
mod figures;
mod jobs;
mod mongodb;
mod open;
mod postgres;
mod run;
mod subject;
mod verdict;

pub use self::mongodb::Mongodb;
pub use canonical::{Answer, same};
pub use entrants::Built;
pub use jobs::{Job, Operation, OperationKind, operations};
pub use run::{TrialOptions, Tried, mongodb, postgres};
pub use subject::Subject;
