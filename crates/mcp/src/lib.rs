//! The face for agents: the operations as tools, resources and prompts of the Model Context
//! Protocol, over stdio and loopback HTTP.
//!
//! A call flows through the modules in this order: [`Server`] takes it, `tools` finds the
//! operation and reads its arguments, `pool` lends a read-only session on the alias that the
//! [`Host`] resolves, a capability answers with a report, `answer` makes it small and marks what
//! came out of a database. Writing happens in one place, `tools/apply_plan.rs`, and only for a plan
//! of `plans` that a human confirmed through `confirm`.

mod answer;
mod aside;
mod by_hand;
mod confirm;
mod cursor;
mod failure;
mod host;
mod http;
mod instructions;
mod labs;
mod live;
mod migrate;
mod plans;
mod pool;
mod progress;
mod prompts;
mod resources;
mod rules;
mod schema;
mod server;
mod session;
mod state;
mod stdio;
mod text;
mod tools;
mod tree;

pub use host::{Access, Found, Host, Listed};
pub use http::{Bound, bind, token};
pub use prompts::titles as prompt_titles;
pub use rules::{all as rules, page as rule_page};
pub use server::Server;
pub use session::Session;
pub use state::{Limits, State};
pub use stdio::serve as serve_stdio;
pub use tools::{Described, described, names as tool_names};
