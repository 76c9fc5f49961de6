//! What a measurement needs of an engine: a copy of the data on a server of our own, on which a
//! statement runs with and without a change.
//!
//! The proving algorithm ([`crate::prove`]) is written once over [`Bench`]; each engine says
//! how its changes are made, switched and taken back.

pub mod mongodb;
pub mod postgres;

use std::future::Future;
use std::time::Duration;

use marula_core::{Build, Change, Dataset, LabServer, Plan, Result, Statement};

use crate::compare::Digest;

/// One run of a statement.
#[derive(Debug, Clone)]
pub struct Run {
    /// From sending the statement to its last row, in milliseconds, without the time the server
    /// was ready to run and had to wait for a processor, where that is known; the limit when it was
    /// cut.
    pub ms: f64,
    /// The same by the clock, whatever else the machine did meanwhile.
    pub clock_ms: f64,
    /// What came back; `None` when it was cut, or when the statement writes and was therefore
    /// only explained.
    pub digest: Option<Digest>,
    /// Whether it was cancelled on the server at the limit.
    pub timed_out: bool,
}

/// A copy of what a statement touches, on a lab server, on which changes can be tried.
///
/// Changes are *applied* once (which builds them), then switched on and off without building
/// them again, and *reverted* when they are no longer wanted.
pub trait Bench: Send + Sized {
    /// The server it runs on.
    fn server(&self) -> LabServer;

    /// The data that was copied.
    fn dataset(&self) -> Dataset;

    /// What the reader should know of the copy: what could not be reproduced.
    fn notes(&self) -> &[String];

    /// Runs `statement` and fetches all of its results; cancelled on the server at `limit`.
    fn run(
        &mut self,
        statement: &Statement,
        limit: Duration,
    ) -> impl Future<Output = Result<Run>> + Send;

    /// The plan of `statement` with actual numbers; the estimated one when it does not finish
    /// within `limit`.
    fn plan(
        &mut self,
        statement: &Statement,
        limit: Duration,
    ) -> impl Future<Output = Result<Plan>> + Send;

    /// Builds `change` and leaves it switched on. `None` when it builds nothing.
    ///
    /// Not for rewrites: a rewrite is another statement to [`Bench::run`].
    fn apply(&mut self, change: &Change) -> impl Future<Output = Result<Option<Build>>> + Send;

    /// Switches an applied change on or off, without building it again where the engine can.
    fn set_active(
        &mut self,
        change: &Change,
        active: bool,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Takes an applied change back for good.
    fn revert(&mut self, change: &Change) -> impl Future<Output = Result<()>> + Send;

    /// Whether `plan` makes use of an applied change; `None` when the plan cannot tell
    /// (statistics, settings).
    fn uses(&self, plan: &Plan, change: &Change) -> Option<bool>;

    /// A second, smaller bench on the same server with about `share` of this one's rows, closed
    /// under the same keys, in its pristine state: for comparing the results of statements that
    /// do not finish on all rows.
    fn shrink(&mut self, share: f64) -> impl Future<Output = Result<Self>> + Send;
}
