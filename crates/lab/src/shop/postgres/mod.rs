//! `shop` for PostgreSQL: binary COPY.

mod encode;
mod load;
mod schema;
mod writer;

pub(super) use encode::TABLES;
pub use load::load_postgres;
