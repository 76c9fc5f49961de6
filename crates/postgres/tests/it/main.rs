//! PostgreSQL on real servers, 15 and 18.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;
mod texts;

mod attack_set;
mod attacks;
mod basics;
mod certificates;
mod connect;
mod mangle;
mod mangled;
mod plans;
