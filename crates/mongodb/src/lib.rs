//! Everything that speaks MongoDB: sessions, shell syntax, catalogue, inference, plans.
//!
//! A question flows through the modules in this order: [`shell::parse`] turns what a person
//! writes into a [`Command`], [`guard`] says whether it may be sent to a target, [`explain`]
//! asks the server for its [`plan`], and [`catalog`] reads what the command touches.

pub mod access;
pub mod catalog;
pub mod command;
pub mod connect;
mod error;
pub mod explain;
pub mod guard;
pub mod infer;
pub mod plan;
pub mod run;
pub mod session;
pub mod shell;

pub use command::{
    Aggregate, CollMod, Command, Count, CountKind, CreateCollection, CreateIndexes, Delete,
    Distinct, DropIndex, Find, FindAndModify, Insert, Operation, Update,
};
pub use connect::ConnectSpec;
pub use session::{Session, SessionOptions};
