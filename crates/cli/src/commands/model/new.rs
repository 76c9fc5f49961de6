//! `marula model new`.

use marula_core::Result;
use marula_design::model::blueprint;

use crate::app::{App, Outcome};
use crate::args::ModelNew;

/// Writes a model from one sentence.
pub fn run(app: &App, args: &ModelNew) -> Result<Outcome> {
    let text = match &args.sentence {
        Some(sentence) if !args.list => {
            let made = blueprint::from_sentence(sentence)?;
            made.notes.iter().for_each(|note| app.warn(note));
            made.written()
        }
        _ => blueprint::list(),
    };
    Ok(Outcome::Text(text))
}
