//! Migrations: every tool's files, and what they do to real servers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod context;
mod files;
mod mangled;
mod mongodb;
mod postgres;
