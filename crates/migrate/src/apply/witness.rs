//! Who looks on while steps run: a rehearsal, which measures what they do.

use std::pin::Pin;

use marula_core::Error;

/// Looking takes time, and may ask the session that works.
pub(crate) type Looking<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Is told of every step as it runs. `S` is the engine's session, which does the work.
pub(crate) trait Witness<S>: Send + Sync {
    /// A step is about to run, perhaps not for the first time; `open`: in a transaction that has
    /// begun before it.
    fn before<'a>(&'a self, session: &'a S, step: usize, open: bool) -> Looking<'a>;
    /// It has run; `open`: its transaction goes on.
    fn after<'a>(&'a self, session: &'a S, step: usize, open: bool) -> Looking<'a>;
    /// Its transaction has ended.
    fn ended(&self, step: usize) -> Looking<'_>;
    /// What was run last failed for good.
    fn failed<'a>(&'a self, error: &'a Error) -> Looking<'a>;
}
