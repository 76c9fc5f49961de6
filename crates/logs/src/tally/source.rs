use marula_core::Timestamp;

use super::printable;

/// How reading a chunk went.
#[derive(Debug, Clone, Default)]
pub struct SourceTally {
    /// Entries recognised.
    pub entries: u64,
    /// Lines that belong to none.
    pub unread: u64,
    /// The first of them: their place in the source, which [`SourceTally::measure`] makes the
    /// line's number in the chunk, and their beginning.
    pub samples: Vec<(u64, String)>,
    /// Bytes and lines.
    pub bytes: u64,
    pub lines: u64,
    /// Entries cut short by the server.
    pub truncated: u64,
    /// How often the clock went back by more than a second.
    pub jumps: u64,
    /// The first and last entry's moments.
    pub ends: Option<(i64, i64)>,
}

/// Unread lines that are shown.
pub const UNREAD_SAMPLES: usize = 5;

/// Whether the clock went back from one moment to the next.
pub fn jumped(before: i64, after: i64) -> bool {
    before.saturating_sub(after) > 1000
}

impl SourceTally {
    pub(super) fn entry(&mut self, at: Option<Timestamp>) {
        self.entries += 1;
        if let Some(Timestamp(at)) = at {
            match &mut self.ends {
                Some((_, last)) => {
                    self.jumps += u64::from(jumped(*last, at));
                    *last = at;
                }
                None => self.ends = Some((at, at)),
            }
        }
    }

    pub(super) fn unread(&mut self, offset: u64, line: &[u8]) {
        self.unread += 1;
        if self.samples.len() < UNREAD_SAMPLES {
            self.samples.push((offset, printable(line, 120)));
        }
    }

    /// Counts the bytes and lines of the chunk that it is of and that begins at `offset`.
    pub(super) fn measure(&mut self, offset: u64, chunk: &[u8]) {
        let count = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
        for (place, _) in &mut self.samples {
            let before = usize::try_from(place.saturating_sub(offset)).unwrap_or(0);
            *place = count(&chunk[..before.min(chunk.len())]) + 1;
        }
        self.bytes = chunk.len() as u64;
        self.lines = count(chunk) + u64::from(chunk.last().is_some_and(|byte| *byte != b'\n'));
    }

    /// Adds the chunk that follows.
    pub fn merge(&mut self, next: SourceTally) {
        self.entries += next.entries;
        self.unread += next.unread;
        self.truncated += next.truncated;
        self.jumps += next.jumps;
        self.ends = match (self.ends, next.ends) {
            (Some((first, last)), Some((then, end))) => {
                self.jumps += u64::from(jumped(last, then));
                Some((first, end))
            }
            (mine, theirs) => mine.or(theirs),
        };
    }
}
