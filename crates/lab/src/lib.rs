//! Throw-away servers: starting, cloning, loading, measuring, comparing results.

pub mod bench;
pub mod clone;
pub mod compare;
pub mod discover;
mod home;
pub mod named;
pub mod prove;
mod room;
pub mod servers;
pub mod shared;
pub mod shop;

pub use home::home;
pub use servers::{Listen, MongoServer, PostgresServer, StartOptions};
