use marula_core::model::Model;

use super::write::{Comments, write};

/// A model that was made, and where its parts came from.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// The model.
    pub model: Model,
    /// Where parts came from, and what was guessed.
    pub comments: Comments,
    /// What whoever asked should know.
    pub notes: Vec<String>,
}

impl Made {
    /// The model as a file, with the comments.
    pub fn written(&self) -> String {
        write(&self.model, &self.comments)
    }
}
