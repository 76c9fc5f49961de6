//! Rules, proposals and proofs on real servers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod mongodb;
mod postgres;
