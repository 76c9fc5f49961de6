//! Models from files and other sources: read, checked, filled up, shown, written.
//!
//! [`read`] takes YAML or JSON. What is wrong is told with its place, all of it, and what can still
//! be used makes the [`Read::model`].

pub mod blueprint;
mod check;
mod fill;
pub mod from;
mod include;
mod json;
mod made;
mod mistake;
pub mod paths;
mod read;
mod shape;
pub mod show;
pub mod sql;
#[cfg(test)]
mod tests;
mod tree;
pub mod types;
mod write;
mod yaml;

pub use check::check;
pub use fill::fill;
pub use made::Made;
pub use mistake::{Mistake, Part, Way, Word};
pub use read::{Read, read, read_beside};
pub use shape::schema;
pub use write::{Comments, write};
