//! What speaks MongoDB, tried on real servers of three versions.
#![recursion_limit = "512"]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../../../postgres/tests/it/certificates.rs"]
mod certificates;
#[path = "../../../postgres/tests/it/mangle.rs"]
mod mangle;

mod attack;
mod attack_set;
mod catalog;
mod connect;
mod explain;
mod mangled;
mod plans;
mod regex;
mod session;
mod shell;
mod support;
