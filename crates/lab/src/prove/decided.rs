//! Comparing results that the statement itself leaves open.
//!
//! `ORDER BY amount LIMIT 10` may give any of the rows that tie for the tenth place, so two right
//! answers can differ. An engine can say how a statement reads with its ties broken; then both
//! wordings are run once more that way, beside what was timed, and must agree.

use std::fmt;

use marula_core::{Result, Statement};

use super::Prover;
use crate::bench::Bench;
use crate::compare::{Comparison, Digest};

/// A statement with nothing left open.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// Its text.
    pub text: String,
    /// How its results are compared.
    pub comparison: Comparison,
    /// What decides, as words that follow "with": `ties broken by _id`. Two statements that are
    /// decided by different things are not compared.
    pub by: String,
}

/// How a statement's text reads with nothing left open; `None` when there is no such way.
pub type Decide<'a> = Box<dyn Fn(&str) -> Option<Decided> + Send + Sync + 'a>;

/// How the results of a statement and of its rewrites are compared.
pub struct Comparing<'a> {
    /// As they come.
    pub comparison: Comparison,
    /// The way out where they cannot be compared as they come.
    pub decide: Option<Decide<'a>>,
}

impl From<Comparison> for Comparing<'_> {
    fn from(comparison: Comparison) -> Self {
        Comparing { comparison, decide: None }
    }
}

impl fmt::Debug for Comparing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decide = self.decide.is_some();
        f.debug_struct("Comparing")
            .field("as_they_come", &self.comparison)
            .field("decide", &decide)
            .finish()
    }
}

/// What the statement as it stands gives when nothing is left open.
pub(super) struct Settled {
    pub digest: Digest,
    /// How long that took; it may be far longer than the statement itself, whose order an index
    /// may give.
    pub ms: f64,
}

impl<B: Bench> Prover<'_, B> {
    /// `statement` with nothing left open, and what it is decided by.
    pub(super) fn decided(&self, statement: &Statement) -> Option<(Statement, Decided)> {
        if !matches!(self.comparing.comparison, Comparison::Incomparable(_)) {
            return None;
        }
        let decided = (self.comparing.decide.as_ref()?)(&statement.text)?;
        if matches!(decided.comparison, Comparison::Incomparable(_)) {
            return None;
        }
        let text = decided.text.clone();
        Some((Statement { text, fingerprint: None, ..statement.clone() }, decided))
    }

    /// Runs the statement as it stands with nothing left open, where that is needed to compare
    /// anything.
    pub(super) async fn settle(&mut self) -> Result<Option<Settled>> {
        let Some((statement, _)) = self.decided(self.statement) else { return Ok(None) };
        let run = match self.bench.run(&statement, self.options.limit).await {
            Ok(run) => run,
            Err(error) if super::fatal(error.kind()) => return Err(error),
            // It cannot be run this way (a type without an order, say): then nothing compares.
            Err(_) => return Ok(None),
        };
        Ok(run.digest.map(|digest| Settled { digest, ms: run.ms }))
    }
}
