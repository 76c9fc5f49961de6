//! Rules on designs, on real servers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod infer;
mod model;
mod mongodb;
mod postgres;
mod questions;
mod schema;
mod trials;
mod worlds;
