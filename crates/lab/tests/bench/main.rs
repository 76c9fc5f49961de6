//! Copies on real servers, and what is proved on them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod mongodb_clone;
mod mongodb_prove;
mod postgres_clone;
mod postgres_prove;
mod postgres_sample;
mod support;
