use std::future::Future;

use marula_core::Result;

use super::canonical::Answer;
use super::jobs::Job;
use crate::synth::Value;

/// A structure in a database of its own, ready for work.
pub trait Subject: Send + Sync {
    /// What does one thing after the other.
    type Connection: Send;
    /// A job as it is sent.
    type Prepared: Send + Sync;

    /// Opens another connection.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection>> + Send;

    /// Makes a job ready to be sent, so that nothing but the server's work is timed.
    ///
    /// # Errors
    /// `Unsupported` for what cannot be asked of this engine.
    fn prepare(&self, job: &Job) -> Result<Self::Prepared>;

    /// A prepared job as a person reads it.
    fn text(&self, prepared: &Self::Prepared) -> String;

    /// Does a job and takes all of its answer.
    fn perform(
        &self,
        connection: &mut Self::Connection,
        prepared: &Self::Prepared,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The answer to a question, in a form that is the same for every engine and structure.
    fn answer(
        &self,
        connection: &mut Self::Connection,
        asked: usize,
        values: &[Value],
    ) -> impl Future<Output = Result<Answer>> + Send;

    /// Data and indexes on disk, in bytes.
    fn bytes(&self) -> impl Future<Output = Result<u64>> + Send;
}
