//! Throw-away servers: starting, cloning, loading, measuring, comparing results.

pub mod bench;
pub mod clone;
pub mod compare;
pub mod prove;
