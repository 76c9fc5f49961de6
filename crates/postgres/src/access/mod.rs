//! What a statement asks of the relations it reads: neutral knowledge of parse trees, for whoever
//! looks for indexes or rewrites.

pub mod ast;
pub mod naming;
pub mod shape;
