//! A model as PostgreSQL tables.

mod checks;
mod columns;
mod element_checks;
mod elements;
mod indexes;
mod keys;
mod lookup;
mod names;
mod options;
mod partitions;
mod references;
mod search;
mod tables;
mod tenants;
mod types;

use marula_core::Engine;
use marula_core::model::Model;
use marula_postgres::sql::quote_ident;

use crate::schema::{
    Piece, Reference, Schema, deletions, duplicates, one_line, references as between,
};
use crate::structure::{Layout, Structure, WantedIndex};
use lookup::Lookups;
use names::Names;
use partitions::Partitioning;

pub use options::SchemaOptions;
pub use search::{WORDS, words_of};
pub use tenants::SETTING as TENANT_SETTING;
pub use types::column_type;

/// The statements that make a PostgreSQL database for the model, laid out in this way, with the
/// indexes the work asks for and those the model itself needs.
///
/// Tables and columns are named as the layout's stores and fields; what is embedded is one `jsonb`
/// column, an array of objects with the fields' names. Nothing a model's names and texts hold ends
/// a statement.
pub fn schema(
    model: &Model,
    structure: &Structure,
    layout: &Layout,
    wanted: &[WantedIndex],
    options: &SchemaOptions,
) -> Schema {
    let mut names = Names::default();
    model.entities.iter().for_each(|entity| names.take(&entity.name));
    let lookups = Lookups::new(model, &mut names);
    let references = between(model, structure, layout);
    let mut draw = Draw {
        model,
        structure,
        layout,
        wanted,
        options,
        names,
        lookups,
        references,
        partitioned: Vec::new(),
        notes: Vec::new(),
    };
    let pieces = draw.all();
    let left = deletions::notes(model, structure, Engine::Postgres);
    left.into_iter().for_each(|note| draw.note(note));
    duplicates(model, structure).iter().for_each(|twice| draw.note(twice.to_text()));
    let about = model.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
    Schema {
        engine: Engine::Postgres,
        version: options.version,
        title: one_line(&format!("{}{about}", model.name)),
        pieces,
        notes: draw.notes.iter().map(|note| one_line(note)).collect(),
    }
}

/// A schema in the making.
struct Draw<'m> {
    model: &'m Model,
    structure: &'m Structure,
    layout: &'m Layout,
    wanted: &'m [WantedIndex],
    options: &'m SchemaOptions,
    names: Names,
    lookups: Lookups,
    references: Vec<Reference<'m>>,
    partitioned: Vec<(String, Partitioning)>,
    notes: Vec<String>,
}

impl<'m> Draw<'m> {
    fn all(&mut self) -> Vec<Piece> {
        let stores: Vec<_> = self
            .layout
            .stores
            .iter()
            .filter_map(|store| Some((self.model.entity(&store.entity)?, store)))
            .collect();
        for (entity, store) in &stores {
            if let Some(found) = partitions::decide(self, entity, store) {
                self.partitioned.push((entity.name.clone(), found));
            }
        }
        let mut pieces: Vec<Piece> = self.lookups.pieces().collect();
        let mut later = Vec::new();
        for (entity, store) in &stores {
            self.long_names(store);
            pieces.extend(tables::pieces(self, entity, store));
            let (keys, kept) = keys::pieces(self, entity, store);
            later.extend(keys);
            later.extend(indexes::pieces(self, entity, store, kept));
        }
        let extensions = self.extensions(&later);
        later.extend(references::pieces(self));
        later.extend(tenants::pieces(self));
        let mut all = extensions;
        all.append(&mut pieces);
        all.append(&mut later);
        all
    }

    fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    fn partitioning(&self, entity: &str) -> Option<&Partitioning> {
        self.partitioned.iter().find(|(name, _)| name == entity).map(|(_, found)| found)
    }

    /// The extensions that types and indexes come from.
    fn extensions(&self, later: &[Piece]) -> Vec<Piece> {
        let needs = |mark: &str| later.iter().flat_map(|p| &p.statements).any(|s| s.contains(mark));
        let places = self.layout.stores.iter().any(|store| {
            self.model.entity(&store.entity).is_some_and(|entity| {
                entity.attributes.iter().any(|a| column_type(a, self.options).starts_with("geog"))
            })
        });
        [
            ("postgis", places, "places on the earth, distances in metres"),
            ("pg_trgm", needs(search::TRIGRAMS), "finds any part of a text"),
            ("btree_gist", needs(keys::EXCLUDES), "equal values beside ranges in one constraint"),
        ]
        .into_iter()
        .filter(|(name, needed, _)| *needed && self.options.offers(name))
        .map(|(name, _, why)| {
            Piece::before(
                format!("extension {name}"),
                vec![format!("CREATE EXTENSION IF NOT EXISTS {name}")],
            )
            .because(why)
        })
        .collect()
    }

    fn long_names(&mut self, store: &crate::structure::Store) {
        let fields = store.fields.iter().map(|field| field.name.as_str());
        let long: Vec<String> = fields
            .chain([store.entity.as_str()])
            .filter(|name| name.len() > 63)
            .map(str::to_owned)
            .collect();
        for name in long {
            self.note(format!("the server cuts the name {name} to 63 bytes"));
        }
    }
}

/// Names as SQL takes a list of them.
fn list(names: &[&str]) -> String {
    names.iter().map(|name| quote_ident(name)).collect::<Vec<_>>().join(", ")
}
