/// How long work tells a face what it is doing. Libraries never print.
pub trait Progress: Send + Sync {
    /// A new step began: "cloning orders".
    fn step(&self, what: &str);
    /// The current step has done `done` of `total` (rows, bytes, runs).
    fn advance(&self, done: u64, total: u64);
}

/// Says nothing: for tests and for faces without a terminal.
pub struct Quiet;

impl Progress for Quiet {
    fn step(&self, _: &str) {}
    fn advance(&self, _: u64, _: u64) {}
}
