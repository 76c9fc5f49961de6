//! The rows themselves: one function per table, of the shop and the row's number.

mod catalogue;
mod customers;
mod events;
mod orders;
mod reviews;

pub(super) use catalogue::{Product, categories, price};
pub(super) use customers::{Address, Customer};
pub(super) use events::{EVENTS_PER_BLOCK, block};
pub(super) use orders::{Head, Order, item_count, items, payment_count, payments};
pub(super) use reviews::Review;

/// Where a row's nested part is written to: JSON or BSON.
pub(super) trait Fields {
    /// A text.
    fn text(&mut self, key: &str, value: &str);
    /// A 32-bit integer.
    fn int(&mut self, key: &str, value: i32);
    /// A 64-bit integer.
    fn long(&mut self, key: &str, value: i64);
    /// An amount of money in cents, written with two decimals.
    fn money(&mut self, key: &str, cents: i64);
    /// True or false.
    fn flag(&mut self, key: &str, value: bool);
    /// A list of texts.
    fn texts(&mut self, key: &str, values: &[&str]);
    /// Begins a nested document.
    fn open(&mut self, key: &str);
    /// Ends the innermost document.
    fn close(&mut self);
}
