//! What an operation waited for and wrote to disk, as logs and profiles tell it.

use super::cursor::{Cursor, Syntax, number_of};

/// The part of a lock's statistics that says how long it was waited for.
pub(super) const TIME: &str = "timeAcquiringMicros";

/// How long an operation waited for locks, over all of them and their modes, in microseconds:
/// `{ Global: { acquireCount: { r: 1 }, timeAcquiringMicros: { r: 20 } }, … }`.
pub(super) fn waited<S: Syntax + Copy>(locks: &[u8], syntax: S) -> Option<u64> {
    // Most wait for nothing.
    memchr::memmem::find(locks, TIME.as_bytes())?;
    let mut cursor = Cursor::new(locks, syntax);
    let mut sum = 0u64;
    if !cursor.eat(b'{') {
        return None;
    }
    while cursor.key().is_some() {
        let mut lock = Cursor::new(cursor.skip(), syntax);
        lock.eat(b'{');
        while let Some(part) = lock.key() {
            let modes = lock.skip();
            if part == TIME.as_bytes() {
                let mut modes = Cursor::new(modes, syntax);
                modes.eat(b'{');
                while modes.key().is_some() {
                    sum = sum.saturating_add(number_of(modes.skip()).unwrap_or(0));
                }
            }
        }
    }
    (sum > 0).then_some(sum)
}

/// Whether a field tells the bytes that a stage spilled: `sortSpilledBytes`, `groupSpilledBytes` …
pub(super) fn tells_spilled_bytes(name: &[u8]) -> bool {
    name.ends_with(b"SpilledBytes") || name.ends_with(b"SpillBytes") || name == b"spilledBytes"
}

#[cfg(test)]
mod tests {
    use super::super::cursor::{Json, Text};
    use super::waited;

    #[test]
    fn waits_are_added_up_over_locks_and_modes() {
        let json = br#"{"Global":{"acquireCount":{"r":3},"timeAcquiringMicros":{"r":20,"w":3}},"Collection":{"acquireWaitCount":{"W":1},"timeAcquiringMicros":{"W":{"$numberLong":"100"}}}}"#;
        assert_eq!(waited(json, Json), Some(123));
        let text = b"{ Global: { acquireCount: { r: 1 } }, Database: { acquireWaitCount: { w: 1 }, timeAcquiringMicros: { w: 51234 } } }";
        assert_eq!(waited(text, Text), Some(51_234));
        for broken in ["", "{", "{\"timeAcquiringMicros\":", "{\"a\":{\"timeAcquiringMicros\":{"] {
            assert_eq!(waited(broken.as_bytes(), Json), None);
        }
    }
}
