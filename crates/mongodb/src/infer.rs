//! What documents look like: types, missing fields, array lengths, frequent values.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use bson::spec::ElementType;
use bson::{Bson, RawBsonRef, RawDocument};
use marula_core::{FieldProfile, InferredSchema, Spread};

/// Where counting distinct values stops.
const DISTINCT: usize = 1_000;
/// How many paths are kept: documents that use data as field names have no end of them.
const PATHS: usize = 5_000;
/// How deep is looked.
const DEPTH: usize = 50;
/// Longer values are counted, but not shown.
const SHOWN_BYTES: usize = 256;

/// The schema of the documents given. Elements of an array have the path `items[]`, their
/// fields `items[].sku`.
pub fn infer<'d>(documents: impl IntoIterator<Item = &'d RawDocument>) -> InferredSchema {
    let mut inference = Inference::default();
    for document in documents {
        inference.add(document);
    }
    inference.finish()
}

/// An inference under way, for documents that come one by one.
#[derive(Default)]
pub struct Inference {
    documents: u64,
    sizes: BTreeMap<u64, u64>,
    fields: BTreeMap<String, Field>,
}

/// One path's counts.
#[derive(Default)]
struct Field {
    present: u64,
    types: BTreeMap<&'static str, u64>,
    lengths: BTreeMap<u64, u64>,
    values: HashMap<Vec<u8>, (u64, Option<Bson>)>,
}

impl Inference {
    /// Looks at one more document. What is not valid BSON is passed over.
    pub fn add(&mut self, document: &RawDocument) {
        self.documents += 1;
        *self.sizes.entry(document.as_bytes().len() as u64).or_default() += 1;
        self.document("", document, 0);
    }

    fn document(&mut self, prefix: &str, document: &RawDocument, depth: usize) {
        for element in document.iter().flatten() {
            let (key, value) = element;
            let path = match prefix.is_empty() {
                true => key.as_str().to_string(),
                false => format!("{prefix}.{}", key.as_str()),
            };
            self.value(path, value, depth);
        }
    }

    fn value(&mut self, path: String, value: RawBsonRef<'_>, depth: usize) {
        let count = self.fields.len();
        let field = match self.fields.get_mut(&path) {
            Some(field) => field,
            None if count >= PATHS => return,
            None => self.fields.entry(path.clone()).or_default(),
        };
        field.present += 1;
        *field.types.entry(type_name(value.element_type())).or_default() += 1;
        match value {
            RawBsonRef::Document(inner) if depth < DEPTH => self.document(&path, inner, depth + 1),
            RawBsonRef::Array(items) => {
                let mut length = 0;
                let below = format!("{path}[]");
                for item in items.into_iter().flatten() {
                    length += 1;
                    if depth < DEPTH {
                        self.value(below.clone(), item, depth + 1);
                    }
                }
                if let Some(field) = self.fields.get_mut(&path) {
                    *field.lengths.entry(length).or_default() += 1;
                }
            }
            RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::Document(_) => {}
            scalar => {
                if let Some(field) = self.fields.get_mut(&path) {
                    field.count(scalar);
                }
            }
        }
    }

    /// The schema of what was looked at.
    pub fn finish(self) -> InferredSchema {
        let objects: BTreeMap<String, u64> = self
            .fields
            .iter()
            .map(|(path, field)| (path.clone(), field.types.get("object").copied().unwrap_or(0)))
            .collect();
        let total = self.documents;
        let fields = self
            .fields
            .into_iter()
            .map(|(path, field)| {
                let parents = if path.ends_with("[]") {
                    field.present
                } else {
                    parent_of(&path, &objects).map_or(total, |parent| parent.max(field.present))
                };
                (path, field.profile(parents))
            })
            .collect();
        let document_bytes = spread(&self.sizes);
        InferredSchema { sampled: total, complete: false, document_bytes, fields }
    }
}

/// How many documents stand at the path above. A field's name may itself hold a dot: the
/// longest known prefix is its parent.
fn parent_of(path: &str, objects: &BTreeMap<String, u64>) -> Option<u64> {
    let mut end = path.len();
    while let Some(dot) = path.get(..end)?.rfind('.') {
        if let Some(count) = path.get(..dot).and_then(|prefix| objects.get(prefix)) {
            return Some(*count);
        }
        end = dot;
    }
    None
}

impl Field {
    fn count(&mut self, scalar: RawBsonRef<'_>) {
        let Ok(value) = Bson::try_from(scalar) else { return };
        let key = identity(&value);
        let full = self.values.len() >= DISTINCT;
        match self.values.entry(key) {
            Entry::Occupied(mut seen) => seen.get_mut().0 += 1,
            Entry::Vacant(new) if !full => {
                let shown = new.key().len() <= SHOWN_BYTES;
                new.insert((1, shown.then_some(value)));
            }
            Entry::Vacant(_) => {}
        }
    }

    fn profile(self, parents: u64) -> FieldProfile {
        let distinct = self.values.len() as u64;
        let mut common: Vec<_> = self
            .values
            .into_iter()
            .filter_map(|(key, (count, value))| Some((count, key, value?)))
            .collect();
        // Most frequent first; equal ones in a fixed order.
        common.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        FieldProfile {
            parents,
            present: self.present,
            types: self.types.into_iter().map(|(name, count)| (name.into(), count)).collect(),
            array_length: spread(&self.lengths),
            distinct,
            common_values: common
                .into_iter()
                .take(10)
                .map(|(count, _, value)| (value.into_relaxed_extjson(), count))
                .collect(),
        }
    }
}

/// Equal for equal values: the type and its bytes.
fn identity(value: &Bson) -> Vec<u8> {
    let mut key = vec![value.element_type() as u8];
    match value {
        Bson::String(text) => key.extend(text.as_bytes()),
        Bson::Int32(number) => key.extend(number.to_le_bytes()),
        Bson::Int64(number) => key.extend(number.to_le_bytes()),
        Bson::Double(number) => key.extend(number.to_le_bytes()),
        Bson::Boolean(yes) => key.push(u8::from(*yes)),
        Bson::ObjectId(id) => key.extend(id.bytes()),
        Bson::DateTime(at) => key.extend(at.timestamp_millis().to_le_bytes()),
        other => key.extend(other.to_string().as_bytes()),
    }
    key
}

fn spread(counted: &BTreeMap<u64, u64>) -> Option<Spread> {
    let all: u64 = counted.values().sum();
    let at = |share: f64| {
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (number, count) in counted {
            seen += count;
            if seen >= wanted {
                return *number;
            }
        }
        0
    };
    Some(Spread {
        min: *counted.keys().next()?,
        median: at(0.5),
        p99: at(0.99),
        max: *counted.keys().next_back()?,
    })
}

/// The name `$type` takes.
pub fn type_name(kind: ElementType) -> &'static str {
    match kind {
        ElementType::Double => "double",
        ElementType::String => "string",
        ElementType::EmbeddedDocument => "object",
        ElementType::Array => "array",
        ElementType::Binary => "binData",
        ElementType::Undefined => "undefined",
        ElementType::ObjectId => "objectId",
        ElementType::Boolean => "bool",
        ElementType::DateTime => "date",
        ElementType::Null => "null",
        ElementType::RegularExpression => "regex",
        ElementType::DbPointer => "dbPointer",
        ElementType::JavaScriptCode => "javascript",
        ElementType::Symbol => "symbol",
        ElementType::JavaScriptCodeWithScope => "javascriptWithScope",
        ElementType::Int32 => "int",
        ElementType::Timestamp => "timestamp",
        ElementType::Int64 => "long",
        ElementType::Decimal128 => "decimal",
        ElementType::MinKey => "minKey",
        ElementType::MaxKey => "maxKey",
    }
}
