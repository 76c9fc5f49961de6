//! The program as its users meet it: the real binary, real servers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod applied;
mod arrows;
mod died;
mod json_schema;
mod kills;
mod lab;
mod large;
mod lifecycle;
mod live;
mod logs;
mod mcp;
mod mcp_python;
mod page;
mod pipes;
mod program;
mod scenarios;
mod schema;
mod setup;
mod tune;
