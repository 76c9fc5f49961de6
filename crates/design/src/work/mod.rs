//! What a structure makes of the model's writes: which stores each of them touches, and with what.

mod effects;
mod record;

pub use effects::{Effect, effects};
pub use record::{FieldValue, Record, Tree};
