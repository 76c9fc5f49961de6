pub mod cases;
mod corpus;
mod examples;
mod fixes;
pub mod probe;
mod rehearse;
