//! What a structure makes of the model's writes: which stores each of them touches, and with what.

mod effect;
mod effects;
mod held;
mod leaves;
mod record;
mod turns;

pub use effect::Effect;
pub use effects::{Beside, Time, effects};
pub use record::{FieldValue, Record, Tree};
