//! The rules of all capabilities, for pages and for formats that carry them.

pub use marula_mcp::rules as all;
