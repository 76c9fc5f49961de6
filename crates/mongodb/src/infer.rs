//! What documents look like: types, missing fields, array lengths.

use bson::RawDocument;
use marula_core::InferredSchema;

/// The schema of the documents given.
pub fn infer<'d>(documents: impl IntoIterator<Item = &'d RawDocument>) -> InferredSchema {
    InferredSchema { sampled: documents.into_iter().count() as u64, ..InferredSchema::default() }
}
