//! Models out of one sentence: its nouns pick and join parts of blueprints.

mod catalogue;
mod join;
mod sentence;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use marula_core::{Error, ErrorKind, Result};

pub use catalogue::{ALL, Blueprint, models};

use super::Made;

/// Makes a model from a sentence such as `e-commerce platform with products and reviews`.
///
/// # Errors
/// `Usage` when the sentence names nothing that could be kept.
pub fn from_sentence(sentence: &str) -> Result<Made> {
    let named = sentence::read(sentence);
    if named.wholes.is_empty() && named.parts.is_empty() && named.unknown.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the sentence names nothing that is kept")
            .hint("write what there is: 'online shop with products, users, orders and reviews'")
            .hint("marula model new --list prints the blueprints"));
    }
    Ok(join::join(sentence, &named))
}

/// The blueprints with what is in them, for people.
pub fn list() -> String {
    let mut out = String::new();
    for (blueprint, model) in ALL.iter().zip(models()) {
        let entities: Vec<&str> = model.entities.iter().map(|e| e.name.as_str()).collect();
        let description = model.description.clone().unwrap_or_default();
        let _ = writeln!(out, "{}\n  {description}\n  {}\n", blueprint.name, entities.join(", "));
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}
