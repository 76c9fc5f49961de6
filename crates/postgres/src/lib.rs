//! Everything that speaks PostgreSQL: sessions, SQL, catalogue, statistics, plans.
//!
//! A statement goes [`sql::parse`] → [`guard::check`] → [`guard::check_in_catalog`] →
//! [`parameters::fill`] → [`explain::explain`], over a [`Session`] opened from a
//! [`ConnectSpec`]. Saved plans go through [`plan::parse`].

pub mod access;
pub mod catalog;
mod connect;
pub mod counters;
mod error;
pub mod explain;
pub mod guard;
mod names;
pub mod page;
pub mod parameters;
pub mod plan;
pub mod run;
pub mod server_log;
mod session;
pub mod sql;
mod text_value;
mod transaction;

pub use connect::{ConnectSpec, Environment, SslMode};
pub use error::from_server;
pub use session::{Session, SessionOptions};
pub use text_value::TextValue;
