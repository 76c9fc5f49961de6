//! The server as agents meet it: a real client of the official SDK, both transports, real databases.
#![recursion_limit = "512"]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "../../../mongodb/tests/it/attack_set.rs"]
mod attacks_on_mongodb;
#[path = "../../../postgres/tests/it/attack_set.rs"]
mod attacks_on_postgres;
#[path = "../../../cli/tests/it/json_schema.rs"]
mod json_schema;
#[allow(dead_code)]
#[path = "../../../mongodb/tests/it/support.rs"]
mod mongodb;
#[allow(dead_code)]
#[path = "../../../postgres/tests/it/support.rs"]
mod postgres;
mod support;

mod apply;
mod attacks;
mod door;
mod evaluation;
mod life;
mod listing;
mod paging;
mod tools;
