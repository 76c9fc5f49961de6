//! Prints the digest of log files as JSON: `digest_logs FILE…`.
#![allow(clippy::print_stdout, missing_docs)]

use marula_core::{Quiet, Result};
use marula_logs::{Request, digest};

fn main() -> Result<()> {
    let inputs = std::env::args_os().skip(1).map(Into::into).collect();
    let digest = digest(&Request { inputs, top: 1000, ..Request::default() }, &Quiet)?;
    println!("{}", serde_json::to_string_pretty(&digest).unwrap_or_default());
    Ok(())
}
