//! Logs read as a user would have them read: whole files, against the truth about them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod changing;
mod mongodb_generated;
mod mongodb_live;
mod mongodb_robust;
mod mongodb_servers;
mod postgres_generated;
mod postgres_live;
mod postgres_other;
mod postgres_real;
mod postgres_robust;
