mod corpus;
mod examples;
mod fixes;
pub mod probe;
