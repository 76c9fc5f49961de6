//! The marula program.
fn main() {}
