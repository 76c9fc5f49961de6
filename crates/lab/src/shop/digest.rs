//! Generation without a server: to measure it, and to show that it is deterministic.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use marula_core::Engine;

use super::counts::Scale;
use super::world::Shop;
use super::{mongodb, postgres};

/// What was generated of one table or collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The table or collection.
    pub name: &'static str,
    /// Its rows or documents.
    pub rows: u64,
    /// The bytes that would be sent to the server.
    pub bytes: u64,
    /// A digest of these bytes, in the order of the ids.
    pub digest: u64,
}

/// Generates all rows in that many threads and throws them away.
pub fn generate(engine: Engine, scale: Scale, seed: u64, threads: usize) -> Vec<Generated> {
    let shop = Shop::new(scale, seed);
    match engine {
        Engine::Postgres => postgres::TABLES
            .iter()
            .map(|table| {
                let make = |units: Range<u64>, out: &mut Vec<u8>| (table.encode)(&shop, units, out);
                generated(table.name, (table.units)(&shop), table.part, threads, &make)
            })
            .collect(),
        Engine::Mongodb => mongodb::COLLECTIONS
            .iter()
            .map(|collection| {
                let make = |units: Range<u64>, out: &mut Vec<u8>| {
                    let (bytes, rows) = collection.insert(&shop, units);
                    *out = bytes;
                    rows
                };
                let units = (collection.units)(&shop);
                generated(collection.name, units, collection.part, threads, &make)
            })
            .collect(),
    }
}

fn generated(
    name: &'static str,
    units: u64,
    part: u64,
    threads: usize,
    make: &(dyn Fn(Range<u64>, &mut Vec<u8>) -> u64 + Sync),
) -> Generated {
    let next = AtomicU64::new(0);
    let work = || {
        let mut parts = Vec::new();
        let mut out = Vec::with_capacity(1 << 20);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let start = number * part;
            if start >= units {
                return parts;
            }
            out.clear();
            let rows = make(start..(start + part).min(units), &mut out);
            parts.push((number, rows, out.len() as u64, fnv(&out)));
        }
    };
    let mut parts: Vec<(u64, u64, u64, u64)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    parts.sort_unstable();
    let digests: Vec<u8> = parts.iter().flat_map(|part| part.3.to_le_bytes()).collect();
    Generated {
        name,
        rows: parts.iter().map(|part| part.1).sum(),
        bytes: parts.iter().map(|part| part.2).sum(),
        digest: fnv(&digests),
    }
}

/// FNV-1a over words of eight bytes: fast, and the same everywhere.
fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64 ^ bytes.len() as u64;
    for word in bytes.chunks(8) {
        let mut padded = [0u8; 8];
        padded[..word.len()].copy_from_slice(word);
        hash = (hash ^ u64::from_le_bytes(padded)).wrapping_mul(0x0000_0100_0000_01b3);
        hash ^= hash >> 32;
    }
    hash
}
