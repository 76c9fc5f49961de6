//! The log: on stderr, of marula's own crates, and only when asked for.

use tracing_subscriber::EnvFilter;

use crate::args::Global;

const CRATES: [&str; 6] =
    ["marula", "marula_core", "marula_postgres", "marula_mongodb", "marula_lab", "marula_tune"];

/// Starts it at the level of `-v` and `-q`. Drivers stay silent: they log what they send.
pub fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => return,
        (false, 0) => "error",
        (false, 1) => "warn",
        (false, 2) => "info",
        (false, 3) => "debug",
        (false, _) => "trace",
    };
    let filter = CRATES.map(|name| format!("{name}={level}")).join(",");
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .try_init();
}
