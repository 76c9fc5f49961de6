//! Slow-query logs and profiles of both engines, digested at the speed of the disk.
//!
//! Bytes go through here in this order: `read` opens and decompresses what was named and cuts it
//! into chunks of whole entries, a format of `postgres` or `mongodb` turns a chunk into events,
//! and `tally` adds events up into a [`marula_core::Digest`]. Chunks are read by several threads,
//! each with its own tally; the tallies are merged in the end.

mod event;
mod request;

pub use event::*;
pub use request::*;
