pub mod cases;
mod corpus;
mod diff;
mod edits;
mod examples;
mod fixes;
mod long;
pub mod probe;
mod rehearse;
