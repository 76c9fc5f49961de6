//! The lab's servers, for real.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod discover;
mod left_behind;
mod named;
mod servers;
mod shop;
mod world;
