//! A `$match` behind `$replaceRoot` goes before it, with its paths as they are called there.

use bson::{Bson, Document};

use super::{Answer, Facts, Rewrite};
use crate::mongodb::index::array_in;
use crate::mongodb::pipeline::stage;
use crate::mongodb::predicate::field_path;

/// Its name among the rewrites.
pub const ID: &str = "match-before-root";

/// How deep a filter is followed.
const MAX_DEPTH: usize = 50;

/// Moves the `$match` behind the first `$replaceRoot` before it.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let found = pipeline.iter().enumerate().find_map(|(at, document)| match stage(document)? {
        ("$replaceRoot", value) => Some((at, value.as_document()?.get("newRoot")?)),
        ("$replaceWith", value) => Some((at, value)),
        _ => None,
    });
    let Some((at, root)) = found else { return Err(None) };
    let Some(("$match", Bson::Document(filter))) = pipeline.get(at + 1).and_then(stage) else {
        return Err(None);
    };
    if !pipeline[..at].iter().all(|document| document.contains_key("$match")) {
        return Err(None);
    }
    let Some(from) = field_path(root) else {
        return Err(Some("the new root is computed".into()));
    };
    let Some(schema) = facts.schema else {
        return Err(Some("the documents could not be sampled".into()));
    };
    if array_in(from, Some(schema)).is_some() {
        return Err(Some(format!("'{from}' holds arrays")));
    }
    let moved = renamed(filter, from, 0).map_err(Some)?;
    let shown: Vec<String> = moved.keys().map(|path| path.to_string()).collect();
    let mut stages = pipeline.to_vec();
    stages.swap(at, at + 1);
    stages[at] = bson::doc! {"$match": moved};
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("ask for {} before {from} becomes the document", shown.join(", ")),
        pipeline: stages,
        conditions: vec![format!(
            "the new root is the plain field {from}, which holds no array in the {} documents sampled",
            schema.sampled
        )],
    })
}

/// The filter with `from.` before every path.
fn renamed(filter: &Document, from: &str, depth: usize) -> Result<Document, String> {
    if depth > MAX_DEPTH {
        return Err("the filter nests too deep".into());
    }
    let mut made = Document::new();
    for (key, value) in filter {
        match (key.as_str(), value) {
            ("$and" | "$or" | "$nor", Bson::Array(parts)) => {
                let parts = parts.iter().map(|part| match part {
                    Bson::Document(part) => renamed(part, from, depth + 1).map(Bson::Document),
                    _ => Err(format!("{key} holds what is no condition")),
                });
                made.insert(key.clone(), Bson::Array(parts.collect::<Result<_, _>>()?));
            }
            ("$comment", _) => {}
            (operator, _) if operator.starts_with('$') => {
                return Err(format!("{operator} looks at the whole document"));
            }
            (path, value) => {
                made.insert(format!("{from}.{path}"), value.clone());
            }
        }
    }
    if made.is_empty() { Err("the $match asks nothing".into()) } else { Ok(made) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bson::doc;
    use marula_core::{InferredSchema, Version};

    use super::*;

    fn answer(root: Bson, filter: Document) -> Answer {
        let schema = InferredSchema { sampled: 9, ..InferredSchema::default() };
        let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
        rewrite(&[doc! {"$replaceRoot": {"newRoot": root}}, doc! {"$match": filter}], facts)
    }

    #[test]
    fn paths_are_called_as_they_are_before() {
        let filter = doc! {"city": "Oslo", "$or": [{"n": 1}, {"n": null}]};
        let moved = answer("$address".into(), filter).unwrap();
        let asked = doc! {"address.city": "Oslo", "$or": [{"address.n": 1}, {"address.n": null}]};
        assert_eq!(moved.pipeline[0], doc! {"$match": asked});
    }

    #[test]
    fn what_is_computed_stays() {
        assert!(answer(doc! {"$mergeObjects": ["$a", "$b"]}.into(), doc! {"x": 1}).is_err());
        assert!(answer("$$ROOT".into(), doc! {"x": 1}).is_err());
        assert!(answer("$a".into(), doc! {"$expr": {"$eq": ["$x", 1]}}).is_err());
        assert!(answer("$a".into(), doc! {}).is_err());
    }
}
