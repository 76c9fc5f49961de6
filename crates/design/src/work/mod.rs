//! What a structure makes of the model's writes: which stores each of them touches, and with what.

mod effect;
mod effects;
mod held;
mod record;

pub use effect::Effect;
pub use effects::effects;
pub use record::{FieldValue, Record, Tree};
