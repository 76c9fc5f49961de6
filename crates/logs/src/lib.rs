//! Slow-query logs and profiles of both engines, digested at the speed of the disk.
//!
//! Bytes go through here in this order: `read` opens and decompresses what was named and cuts it
//! into chunks of whole entries, a format of `postgres` or `mongodb` turns a chunk into events,
//! and `tally` adds the chunk's events up. Chunks are read by several threads; `sum` adds their
//! tallies up in source order and tells the [`marula_core::Digest`].

mod collector;
mod compare;
mod event;
mod follow;
mod format;
pub mod generate;
mod live;
pub mod mongodb;
mod objects;
pub mod postgres;
mod read;
mod request;
mod sum;
mod tally;
mod wish;
mod workload;

use std::sync::Arc;

use marula_core::{Digest, Error, ErrorKind, Progress, Result};

pub use collector::Collector;
pub use compare::compare;
pub use event::*;
pub use follow::Follow;
pub use format::*;
pub use live::LiveLog;
pub use request::*;
pub use tally::Tally;
pub use workload::workload;

/// The hash a statement is known by, before it has a fingerprint: for the benchmark.
#[doc(hidden)]
pub fn sql_key(text: &[u8]) -> u64 {
    postgres::key(text)
}

/// Reads logs and tells what is in them.
///
/// What is wrong with a source (unknown format, damaged archive, a file that vanished) is told
/// in its [`marula_core::SourceRead`]; the others are read all the same.
///
/// # Errors
/// `Usage` without inputs or with a `--prefix` that is none; `NotFound` or `Io` when an input
/// cannot be opened at all.
pub fn digest(request: &Request, progress: &dyn Progress) -> Result<Digest> {
    digest_in_chunks(request, read::CHUNK, progress)
}

/// [`digest`] with chunks of this many bytes: for tests of what stands on a seam.
///
/// # Errors
/// As [`digest`].
#[doc(hidden)]
pub fn digest_in_chunks(
    request: &Request,
    chunk: usize,
    progress: &dyn Progress,
) -> Result<Digest> {
    if request.inputs.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "there is nothing to read")
            .hint("name log files, folders, or - for standard input"));
    }
    if let Some(prefix) = &request.prefix {
        postgres::check_prefix(prefix)?;
    }
    let files = read::expand(&request.inputs)?;
    let scope = Arc::new(tally::Scope::new(&request.filter));
    let threads = match request.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let sum = read::run(&files, request.prefix.as_deref(), &scope, threads, chunk, progress);
    Ok(sum.tell(request.sort, request.top))
}
