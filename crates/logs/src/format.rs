use std::any::Any;
use std::sync::Arc;

use marula_core::{Engine, Timestamp};

use crate::{Tally, mongodb, postgres};

/// Where a chunk stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// The source's number, from 0.
    pub source: u32,
    /// The chunk's first byte in the source, after decompression.
    pub offset: u64,
}

/// What a chunk leaves open at its two edges, in a form only its format knows.
pub type Edges = Option<Box<dyn Any + Send>>;

/// One kind of log. Chunks of one source are read by several threads at once; what goes on from
/// one chunk into the next is joined afterwards, in order.
pub trait Format: Send + Sync {
    /// What people call it: `mongodb json`.
    fn name(&self) -> &'static str;

    /// The engine whose log it is.
    fn engine(&self) -> Engine;

    /// PostgreSQL's `log_line_prefix`, where the format has one.
    fn prefix(&self) -> Option<String> {
        None
    }

    /// Where to cut `bytes`, which begin with an entry: everything before is whole entries. 0
    /// when no entry is known to be whole yet; `bytes.len()` at the source's end.
    fn cut(&self, bytes: &[u8]) -> usize {
        memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1)
    }

    /// Reads a chunk of whole entries. Every recognised entry is told with [`Tally::entry`]
    /// *before* the run, failure or happening that is in it.
    fn read(&self, chunk: &[u8], at: Place, into: &mut Tally) -> Edges;

    /// Joins what the chunks so far left open with the edges of the one that follows them; gives
    /// what is still open then.
    fn stitch(&self, open: Edges, next: Edges, into: &mut Tally) -> Edges {
        let (_, _, _) = (open, next, into);
        None
    }

    /// The source has ended: counts what is still open.
    fn finish(&self, open: Edges, into: &mut Tally) {
        let (_, _) = (open, into);
    }
}

/// What is known of a source before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Clue<'a> {
    /// Its first bytes (up to 256 KB), decompressed.
    pub head: &'a [u8],
    /// PostgreSQL's `log_line_prefix`, when the user gave it.
    pub prefix: Option<&'a str>,
    /// When the file was last written: gives the year to formats that leave it out.
    pub written: Option<Timestamp>,
}

/// A format that may be the one.
pub struct Guess {
    /// The format.
    pub format: Arc<dyn Format>,
    /// The share of the head's lines (of its bytes in a binary format) it makes sense of, 0 to 1.
    pub share: f64,
}

/// Formats that make sense of a source's head, the best first.
pub fn detect(clue: &Clue<'_>) -> Vec<Guess> {
    let mut guesses = postgres::detect(clue);
    guesses.extend(mongodb::detect(clue));
    guesses.retain(|guess| guess.share > 0.0);
    guesses.sort_by(|a, b| b.share.total_cmp(&a.share));
    guesses
}
