//! Lock modes.

use marula_core::Blocks;

/// PostgreSQL's table locks, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lock {
    /// SELECT.
    AccessShare,
    /// SELECT FOR UPDATE.
    RowShare,
    /// INSERT, UPDATE, DELETE.
    RowExclusive,
    /// VACUUM, CREATE INDEX CONCURRENTLY, VALIDATE CONSTRAINT.
    ShareUpdateExclusive,
    /// CREATE INDEX.
    Share,
    /// CREATE TRIGGER, ADD FOREIGN KEY.
    ShareRowExclusive,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Most of ALTER TABLE.
    AccessExclusive,
}

impl Lock {
    /// Its name in LOCK TABLE and in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Lock::AccessShare => "ACCESS SHARE",
            Lock::RowShare => "ROW SHARE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::Exclusive => "EXCLUSIVE",
            Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The lock of that name, or of the name pg_locks prints (`AccessExclusiveLock`).
    pub fn from_name(name: &str) -> Option<Lock> {
        let letters = |text: &str| text.replace(' ', "").to_ascii_lowercase();
        let name = letters(name.strip_suffix("Lock").unwrap_or(name));
        ALL.iter().copied().find(|lock| letters(lock.name()) == name)
    }

    /// By the number the server's parser gives it, from 1.
    pub fn from_number(number: i32) -> Option<Lock> {
        ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }

    /// Who waits for it, and whom it makes wait.
    pub const fn blocks(self) -> Blocks {
        match self {
            Lock::AccessShare | Lock::RowShare | Lock::RowExclusive => Blocks::Nothing,
            Lock::ShareUpdateExclusive => Blocks::Nothing,
            Lock::Share | Lock::ShareRowExclusive | Lock::Exclusive => Blocks::Writes,
            Lock::AccessExclusive => Blocks::All,
        }
    }
}

const ALL: [Lock; 8] = [
    Lock::AccessShare,
    Lock::RowShare,
    Lock::RowExclusive,
    Lock::ShareUpdateExclusive,
    Lock::Share,
    Lock::ShareRowExclusive,
    Lock::Exclusive,
    Lock::AccessExclusive,
];
