//! Why a MongoDB query is slow, and what to do about it.

use crate::Rule;

/// What the rules of MongoDB look at.
#[derive(Debug)]
pub struct Context {}

/// The rules of MongoDB.
pub fn rules() -> &'static [&'static Rule<Context>] {
    &[]
}
