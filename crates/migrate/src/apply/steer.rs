//! An end in good order, asked for from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use marula_core::{Error, ErrorKind, Result};

/// Asks a run to end after the step or batch it is at. Clones ask together.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error when somebody asked.
    pub(crate) fn check(&self) -> Result<()> {
        if self.asked() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted between two steps"));
        }
        Ok(())
    }
}
