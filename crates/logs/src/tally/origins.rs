use marula_core::OriginKind;
use rustc_hash::FxHashMap;

use super::names;
use crate::Origin;

/// The four kinds of origin, in the order their names are kept in.
pub const KINDS: [OriginKind; 4] =
    [OriginKind::Database, OriginKind::User, OriginKind::Application, OriginKind::Host];

/// The origins of a chunk: each combination of database, user, application and host once.
#[derive(Default)]
pub struct Origins {
    index: FxHashMap<Box<[u8]>, u32>,
    last: Option<u32>,
    joined: Vec<u8>,
    /// What came from each.
    pub seen: Vec<OriginTally>,
}

/// What came from one combination.
pub struct OriginTally {
    /// The four names, joined by zero bytes.
    pub joined: Box<[u8]>,
    /// Runs.
    pub calls: u64,
    /// Their time, in microseconds.
    pub micros: u128,
}

impl OriginTally {
    /// The four names.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.joined.split(|byte| *byte == 0)
    }
}

impl Origins {
    /// Counts a run; gives its origin's number in this chunk.
    pub fn run(&mut self, origin: &Origin<'_>, micros: u64) -> u32 {
        let slot = self.slot(origin);
        if let Some(seen) = self.seen.get_mut(slot as usize) {
            seen.calls += 1;
            seen.micros += u128::from(micros);
        }
        slot
    }

    fn slot(&mut self, origin: &Origin<'_>) -> u32 {
        self.joined.clear();
        for (place, name) in names(origin).into_iter().enumerate() {
            if place > 0 {
                self.joined.push(0);
            }
            if memchr::memchr(0, name).is_none() {
                self.joined.extend_from_slice(&name[..name.len().min(256)]);
            }
        }
        if let Some(last) = self.last
            && self.seen.get(last as usize).is_some_and(|seen| *seen.joined == *self.joined)
        {
            return last;
        }
        let slot = match self.index.get(self.joined.as_slice()) {
            Some(slot) => *slot,
            None => {
                let slot = self.seen.len() as u32;
                self.index.insert(self.joined.as_slice().into(), slot);
                let joined = self.joined.as_slice().into();
                self.seen.push(OriginTally { joined, calls: 0, micros: 0 });
                slot
            }
        };
        self.last = Some(slot);
        slot
    }
}
