//! A model as MongoDB collections.

mod advice;
mod checks;
mod collections;
mod expiry;
mod indexes;
mod options;
mod patterns;
mod search;
mod shards;
mod sizes;
mod timeseries;
mod types;
mod uniques;
mod validators;

use bson::Document;
use marula_core::model::Model;
use marula_core::{Engine, Result};
use marula_mongodb::shell;

use crate::schema::{Piece, Reference, Schema, deletions, duplicates, one_line, references};
use crate::structure::{Layout, Structure, WantedIndex};

pub use advice::{Advice, advice};
pub use options::SchemaOptions;
pub use patterns::{Pattern, patterns};
pub use shards::{ShardKey, shard_keys};
pub use sizes::{DOCUMENT_LIMIT, DocumentSize, sizes};
pub use types::{stored_name, value_schema};

/// The commands that make a MongoDB database for the model, laid out in this way, with the
/// indexes the work asks for and those the model itself needs.
///
/// Collections are named as the layout's stores, and fields as its fields, but for
/// [`stored_name`]. What is not there has no field: null is no value of any.
pub fn schema(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    wanted: &[WantedIndex],
    options: &SchemaOptions,
) -> Schema {
    let mut draw = Draw { wanted, ..Draw::new(model, structure, layout, options) };
    let pieces = draw.all();
    duplicates(model, structure).iter().for_each(|twice| draw.note(twice.to_text()));
    let about = model.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
    Schema {
        engine: Engine::Mongodb,
        version: options.version,
        title: one_line(&format!("{}{about}", model.name)),
        pieces,
        notes: draw.notes.iter().map(|note| one_line(note)).collect(),
    }
}

/// A MongoDB schema as the commands a driver sends, in order.
///
/// # Errors
/// None for what [`schema`] gives; what the parser says of other statements.
pub fn commands(schema: &Schema) -> Result<Vec<Document>> {
    let statements = schema.pieces.iter().flat_map(|piece| &piece.statements);
    statements.map(|text| Ok(shell::parse(text)?.to_command())).collect()
}

/// A schema in the making.
struct Draw<'m> {
    model: &'m Model,
    structure: &'m Structure,
    layout: &'m Layout,
    wanted: &'m [WantedIndex],
    options: &'m SchemaOptions,
    references: Vec<Reference<'m>>,
    notes: Vec<String>,
}

impl<'m> Draw<'m> {
    /// One that no work asks indexes of.
    fn new(
        model: &'m Model,
        structure: &'m Structure,
        layout: &'m Layout,
        options: &'m SchemaOptions,
    ) -> Self {
        let references = references(model, structure, layout);
        Draw { model, structure, layout, wanted: &[], options, references, notes: Vec::new() }
    }

    fn all(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut later = Vec::new();
        let layout = self.layout;
        for store in &layout.stores {
            let Some(entity) = self.model.entity(&store.entity) else { continue };
            if !collections::is_possible(&store.entity) {
                self.note(format!("no collection can be called {}: it is left out", store.entity));
                continue;
            }
            let series = timeseries::decide(self, entity, store);
            pieces.push(collections::piece(self, entity, store, series.as_ref()));
            later.extend(indexes::pieces(self, entity, store, series.as_ref()));
        }
        if let Some(tenant) = &self.model.tenant {
            self.note(format!(
                "nothing but the program keeps the {tenant} apart: the server has no rights for \
                 single documents; each query has to name its own of {tenant}"
            ));
        }
        if !self.references.is_empty() {
            self.note(
                "nothing but the writers keeps references whole: deleting what is referred to \
                 leaves them behind, unless it is looked for in the same transaction"
                    .into(),
            );
        }
        let left = deletions::notes(self.model, self.structure, Engine::Mongodb);
        left.into_iter().for_each(|note| self.note(note));
        pieces.append(&mut later);
        pieces
    }

    fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}
