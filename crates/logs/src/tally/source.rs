use marula_core::Timestamp;

use super::printable;

/// How reading a chunk went.
#[derive(Debug, Clone, Default)]
pub struct SourceTally {
    /// Entries recognised.
    pub entries: u64,
    /// Lines that belong to none.
    pub unread: u64,
    /// The first of them: their place in the source and their beginning.
    pub samples: Vec<(u64, String)>,
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
