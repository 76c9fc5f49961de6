//! One file per command, nothing but glue: resolve, call the library, hand back its report.

pub mod choose;
pub mod completions;
pub mod design;
pub mod explain;
pub mod inspect;
pub mod lab;
pub mod logs;
pub mod man;
pub mod mcp;
pub mod migrate;
pub mod model;
pub mod rule;
pub mod schema;
pub mod skill;
pub mod tune;
