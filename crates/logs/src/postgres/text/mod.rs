//! A statement's shape: a fast hash of its text modulo values, and on a new hash the parser.

mod lexer;
mod lists;
mod normal;
mod shape;
mod words;

pub(crate) use shape::{key, not_logged, shape};
