//! From what was named to chunks of whole entries, and from chunks to the sum.

mod chunks;
mod compression;
mod intake;
mod pipeline;
mod sources;
mod utf16;

pub(crate) use chunks::CHUNK;
pub(crate) use pipeline::run;
pub(crate) use sources::expand;
