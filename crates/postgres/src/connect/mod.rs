//! Where to connect and as whom: what libpq understands, in libpq's order of precedence.

mod conninfo;
mod environment;
mod hosts;
mod keywords;
mod open;
mod passfile;
mod service;
mod spec;
mod ssl_mode;
mod tls;
mod url;
mod verify;

pub use environment::Environment;
pub use spec::ConnectSpec;
pub use ssl_mode::SslMode;

pub(crate) use open::open;
