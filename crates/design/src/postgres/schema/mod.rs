//! A model as PostgreSQL tables.

mod options;

use marula_core::Engine;
use marula_core::model::Model;

use crate::schema::Schema;
use crate::structure::{Layout, Structure, WantedIndex};

pub use options::SchemaOptions;

/// The statements that make a PostgreSQL database for the model, laid out in this way, with the
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
        engine: Engine::Postgres,
        title: model.name.clone(),
        pieces: Vec::new(),
        notes: Vec::new(),
    }
}
