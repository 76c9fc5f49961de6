//! What speaks MongoDB, tried on real servers of three versions.
#![recursion_limit = "512"]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod attack;
mod catalog;
mod explain;
mod plans;
mod session;
mod shell;
mod support;
