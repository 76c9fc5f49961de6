//! `shop` for MongoDB: raw BSON in bulk inserts.

mod encode;
mod load;
mod writer;

pub(super) use encode::COLLECTIONS;
pub use load::load_mongodb;
