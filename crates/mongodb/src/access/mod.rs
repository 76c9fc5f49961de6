//! What a command asks of the collections it reads: neutral knowledge of filters and pipelines,
//! for whoever looks for indexes or rewrites.

pub mod pipeline;
pub mod predicate;
pub mod shape;
