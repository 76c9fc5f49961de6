//! An index as it is proposed, and how it compares with those that exist.

use bson::{Bson, Document};
use marula_core::{Collection, DocumentIndex, FieldProfile, InferredSchema, Json};
use marula_mongodb::command::print_document;
use marula_mongodb::{Command, CreateIndexes, DropIndex, Operation};

/// An index to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// The collection.
    pub collection: String,
    /// Paths with 1 or −1, in order.
    pub keys: Vec<(String, i32)>,
    /// The filter of a partial index.
    pub partial: Option<Document>,
    /// The collation of the command it serves, when it has one.
    pub collation: Option<Document>,
    /// The one path that is not simply sorted, and how it is kept: `2dsphere`, `hashed`. With
    /// `text` all of them are.
    pub special: Option<(String, &'static str)>,
}

impl Index {
    /// The name the server would give it, shortened where it passes the limit of 4.0 and before.
    pub fn name(&self) -> String {
        let mut name = String::new();
        for (path, direction) in &self.keys {
            let separator = if name.is_empty() { "" } else { "_" };
            match self.kind_of(path) {
                Some(kind) => name.push_str(&format!("{separator}{path}_{kind}")),
                None => name.push_str(&format!("{separator}{path}_{direction}")),
            }
        }
        if self.partial.is_some() {
            name.push_str("_partial");
        }
        if self.collation.is_some() {
            name.push_str("_collation");
        }
        // Names of 127 bytes with the namespace were the limit of old; long ones help nobody.
        if name.len() > 100 {
            let cut = (0..=80).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
            let sum = name.bytes().fold(5381u32, |sum, b| sum.wrapping_mul(33) ^ u32::from(b));
            name = format!("{}_{sum:08x}", &name[..cut]);
        }
        name
    }

    /// `{status: 1, at: -1}`.
    pub fn keys_shell(&self) -> String {
        print_document(&self.keys_document())
    }

    /// The keys as the server takes them.
    pub fn keys_document(&self) -> Document {
        let value = |(path, direction): &(String, i32)| match self.kind_of(path) {
            Some(kind) => (path.clone(), Bson::from(kind)),
            None => (path.clone(), Bson::Int32(*direction)),
        };
        self.keys.iter().map(value).collect()
    }

    fn kind_of(&self, path: &str) -> Option<&'static str> {
        let is = |(special, kind): &&(String, &'static str)| special == path || *kind == "text";
        self.special.as_ref().filter(is).map(|(_, kind)| *kind)
    }

    /// The first path; of a wildcard index the parent of all it holds.
    pub fn first_path(&self) -> Option<&str> {
        let (path, _) = self.keys.first()?;
        Some(path.strip_suffix("$**").map_or(path.as_str(), |parent| parent.trim_end_matches('.')))
    }

    /// Whether it holds every field below a path.
    pub fn is_wildcard(&self) -> bool {
        self.keys.iter().any(|(path, _)| path.ends_with("$**"))
    }

    /// `db.orders.createIndex({…}, {name: "…"})`.
    pub fn create(&self) -> String {
        let mut options = bson::doc! {"name": self.name()};
        if let Some(partial) = &self.partial {
            options.insert("partialFilterExpression", partial.clone());
        }
        if let Some(collation) = &self.collation {
            options.insert("collation", collation.clone());
        }
        let create = CreateIndexes::one(self.keys_document(), options);
        Command::new(&self.collection, Operation::CreateIndexes(create)).to_shell()
    }

    /// `db.orders.dropIndex("…")`.
    pub fn drop(&self) -> String {
        let drop = DropIndex { index: Bson::String(self.name()) };
        Command::new(&self.collection, Operation::DropIndex(drop)).to_shell()
    }

    /// Whether `existing` already does what this one would: it begins with the same keys, all
    /// in the same or all in the opposite direction.
    pub fn is_served_by(&self, existing: &DocumentIndex) -> bool {
        let same = match self.special {
            Some(_) => {
                let own = Bson::Document(self.keys_document()).into_relaxed_extjson();
                let own = own.as_object().into_iter().flatten();
                own.map(|(path, kind)| (path.clone(), kind.clone()))
                    .eq(existing.keys.iter().cloned())
            }
            None => same_order(&self.keys, &existing.keys),
        };
        self.comparable(existing) && existing.keys.len() >= self.keys.len() && same
    }

    /// Whether this one begins with all keys of `existing`, so that it can take its place.
    pub fn extends(&self, existing: &DocumentIndex) -> bool {
        self.comparable(existing)
            && self.partial.is_none()
            && self.special.is_none()
            && existing.keys.len() < self.keys.len()
            && existing.keys.first().is_some_and(|(path, _)| path != "_id")
            && same_order(&self.keys, &existing.keys)
    }

    fn comparable(&self, existing: &DocumentIndex) -> bool {
        let same_collation = same_collation(self.collation.as_ref(), existing.collation.as_ref());
        same_collation && !existing.hidden && !existing.sparse && existing.partial.is_none()
    }
}

/// The collation a collection gives to the statements and indexes that name none.
pub fn default_collation(collection: &Collection) -> Option<Document> {
    match Bson::try_from(collection.options.get("collation")?.clone()).ok()? {
        Bson::Document(mut collation) => {
            // The library's version is not for us to set.
            collation.remove("version");
            (collation.get_str("locale").ok() != Some("simple")).then_some(collation)
        }
        _ => None,
    }
}

/// Whether strings compare alike under both, each of which may leave out what is the default.
pub fn same_collation(ours: Option<&Document>, theirs: Option<&Json>) -> bool {
    let simple = Document::new();
    let ours = ours.filter(|ours| ours.get_str("locale").ok() != Some("simple")).unwrap_or(&simple);
    let theirs = theirs.and_then(|theirs| Bson::try_from(theirs.clone()).ok());
    let theirs = match &theirs {
        Some(Bson::Document(theirs)) if theirs.get_str("locale").ok() != Some("simple") => theirs,
        _ => &simple,
    };
    if ours.is_empty() || theirs.is_empty() {
        return ours.is_empty() == theirs.is_empty();
    }
    let number = |document: &Document, key: &str, usual| {
        super::shape::number(document.get(key)).unwrap_or(usual)
    };
    let flag = |document: &Document, key: &str| document.get_bool(key).unwrap_or(false);
    let text = |document: &Document, key: &str, usual: &str| {
        document.get_str(key).unwrap_or(usual).to_string()
    };
    ours.get_str("locale").ok() == theirs.get_str("locale").ok()
        && number(ours, "strength", 3) == number(theirs, "strength", 3)
        && ["caseLevel", "numericOrdering", "backwards", "normalization"]
            .iter()
            .all(|key| flag(ours, key) == flag(theirs, key))
        && [("caseFirst", "off"), ("alternate", "non-ignorable"), ("maxVariable", "punct")]
            .iter()
            .all(|(key, usual)| text(ours, key, usual) == text(theirs, key, usual))
}

/// Whether the common length of both begins alike, forwards or backwards.
fn same_order(keys: &[(String, i32)], existing: &[(String, Json)]) -> bool {
    let pairs = || keys.iter().zip(existing);
    let alike = |flip: i64| {
        pairs().all(|((path, direction), (theirs, value))| {
            path == theirs && as_direction(value) == Some(i64::from(*direction) * flip)
        })
    };
    alike(1) || alike(-1)
}

/// 1 or −1; nothing for `"hashed"` and its like.
pub fn as_direction(value: &Json) -> Option<i64> {
    value.as_f64().map(|number| if number < 0.0 { -1 } else { 1 })
}

/// Whether `keys` can be one index of documents that look like this: a document may hold an
/// array in at most one of the paths, unless one array stands inside the other.
pub fn buildable(keys: &[(String, i32)], schema: Option<&InferredSchema>) -> bool {
    let arrays: Vec<String> = keys.iter().filter_map(|(path, _)| array_in(path, schema)).collect();
    arrays.iter().all(|a| arrays.iter().all(|b| super::pipeline::overlap(a, b)))
}

/// The part of `path` at which the documents hold an array, if they do; the innermost.
pub fn array_in(path: &str, schema: Option<&InferredSchema>) -> Option<String> {
    let fields = &schema?.fields;
    let mut spelled = String::new();
    let mut plain = String::new();
    let mut found = None;
    for part in path.split('.') {
        if !plain.is_empty() {
            spelled.push('.');
            plain.push('.');
        }
        spelled.push_str(part);
        plain.push_str(part);
        let profile = fields.get(&spelled);
        if profile.is_some_and(|field| field.types.contains_key("array")) {
            found = Some(plain.clone());
            spelled.push_str("[]");
        }
    }
    found
}

/// What is known of `path`, whether or not arrays stand in it.
pub fn profile<'a>(path: &str, schema: Option<&'a InferredSchema>) -> Option<&'a FieldProfile> {
    let fields = &schema?.fields;
    fields.get(path).or_else(|| {
        fields.iter().find(|(spelled, _)| spelled.replace("[]", "") == path).map(|(_, field)| field)
    })
}

/// The existing index that serves `index`, if there is one.
pub fn served<'a>(index: &Index, collection: Option<&'a Collection>) -> Option<&'a DocumentIndex> {
    collection?.indexes.iter().find(|existing| index.is_served_by(existing))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn index(keys: &[(&str, i32)]) -> Index {
        Index {
            collection: "orders".into(),
            keys: keys.iter().map(|(path, d)| (path.to_string(), *d)).collect(),
            partial: None,
            collation: None,
            special: None,
        }
    }

    fn existing(keys: &[(&str, i32)]) -> DocumentIndex {
        DocumentIndex {
            name: "x".into(),
            keys: keys.iter().map(|(path, d)| (path.to_string(), Json::from(*d))).collect(),
            unique: false,
            sparse: false,
            hidden: false,
            partial: None,
            expire_after_seconds: None,
            collation: None,
            bytes: 0,
            accesses: None,
            specification: Json::Null,
        }
    }

    #[test]
    fn an_index_is_written_as_mongosh_takes_it() {
        let index = index(&[("user.id", 1), ("at", -1)]);
        assert_eq!(
            index.create(),
            r#"db.orders.createIndex({ "user.id": 1, at: -1 }, { name: "user.id_1_at_-1" })"#
        );
        assert_eq!(index.drop(), r#"db.orders.dropIndex("user.id_1_at_-1")"#);
    }

    #[test]
    fn an_existing_index_serves_forwards_and_backwards() {
        let wanted = index(&[("a", 1), ("b", -1)]);
        assert!(wanted.is_served_by(&existing(&[("a", -1), ("b", 1), ("c", 1)])));
        assert!(!wanted.is_served_by(&existing(&[("a", 1), ("b", 1)])));
        assert!(wanted.extends(&existing(&[("a", 1)])));
        let sparse = DocumentIndex { sparse: true, ..existing(&[("a", 1), ("b", -1)]) };
        assert!(!wanted.is_served_by(&sparse), "a sparse index misses documents");
    }

    #[test]
    fn two_arrays_side_by_side_cannot_share_an_index() {
        let array = || FieldProfile {
            types: BTreeMap::from([("array".to_string(), 3)]),
            ..FieldProfile::default()
        };
        let schema = InferredSchema {
            fields: BTreeMap::from([("tags".to_string(), array()), ("items".to_string(), array())]),
            ..InferredSchema::default()
        };
        let keys = |paths: &[&str]| paths.iter().map(|p| (p.to_string(), 1)).collect::<Vec<_>>();
        assert!(buildable(&keys(&["items.sku", "items.n", "at"]), Some(&schema)));
        assert!(!buildable(&keys(&["items.sku", "tags"]), Some(&schema)));
        assert_eq!(array_in("items.sku", Some(&schema)).as_deref(), Some("items"));
    }
}
