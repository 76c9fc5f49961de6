//! What every branch of a `$facet` asks for is asked once, before it, where an index can serve.

use bson::{Bson, Document};

use super::{Answer, Facts, MAX_CONDITIONS, Rewrite, conjunction, conjuncts, is_random};
use crate::mongodb::pipeline::{stage, stages};

/// Its name among the rewrites.
pub const ID: &str = "facet-hoist";

/// Moves the conditions all branches begin with before the `$facet`.
pub fn rewrite(pipeline: &[Document], _: Facts) -> Answer {
    let facet = pipeline.iter().enumerate().find_map(|(at, document)| match stage(document) {
        Some(("$facet", Bson::Document(branches))) => Some((at, branches)),
        _ => None,
    });
    let Some((at, branches)) = facet else { return Err(None) };
    let mut shared: Option<Vec<Document>> = None;
    for (name, branch) in branches {
        let asked = leading(&stages(branch));
        if asked.is_empty() {
            return Err(Some(format!("branch '{name}' does not begin with a $match")));
        }
        shared = Some(match shared {
            None => asked,
            Some(shared) => shared.into_iter().filter(|part| asked.contains(part)).collect(),
        });
    }
    let mut shared = shared.unwrap_or_default();
    if shared.is_empty() {
        return Err(Some("no condition is shared by every branch".into()));
    }
    let before = shared.len();
    shared.retain(|part| !is_random(&Bson::Document(part.clone())));
    if shared.is_empty() && before > 0 {
        return Err(Some("the shared condition changes from run to run".into()));
    }
    let mut hoisted = Document::new();
    for (name, branch) in branches {
        hoisted.insert(name.clone(), Bson::Array(without(&stages(branch), &shared)));
    }
    let count = branches.len();
    let mut rewritten = pipeline.to_vec();
    rewritten[at] = bson::doc! {"$facet": hoisted};
    let shown: Vec<String> =
        shared.iter().flat_map(Document::keys).map(|key| key.to_string()).collect();
    rewritten.insert(at, bson::doc! {"$match": conjunction(shared)});
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("ask for {} once, before the $facet", shown.join(", ")),
        pipeline: rewritten,
        conditions: vec![
            format!("the condition stands at the beginning of all {count} branches"),
            "$facet still gives one document when nothing matches".into(),
        ],
    })
}

/// The conditions of the `$match` stages a branch begins with.
fn leading(branch: &[Document]) -> Vec<Document> {
    let mut found = Vec::new();
    for document in branch {
        match stage(document) {
            Some(("$match", Bson::Document(filter))) => found.extend(conjuncts(filter)),
            _ => break,
        }
    }
    found.truncate(MAX_CONDITIONS);
    found
}

/// A branch without the shared conditions at its beginning.
fn without(branch: &[Document], shared: &[Document]) -> Vec<Bson> {
    let mut kept: Vec<Bson> = Vec::new();
    let mut leading = true;
    for document in branch {
        match stage(document) {
            Some(("$match", Bson::Document(filter))) if leading => {
                let mut rest = conjuncts(filter);
                rest.retain(|part| !shared.contains(part));
                if !rest.is_empty() {
                    kept.push(Bson::Document(bson::doc! {"$match": conjunction(rest)}));
                }
            }
            _ => {
                leading = false;
                kept.push(Bson::Document(document.clone()));
            }
        }
    }
    if kept.is_empty() {
        // A branch must have a stage.
        kept.push(Bson::Document(bson::doc! {"$match": {}}));
    }
    kept
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use marula_core::Version;

    use super::*;

    fn answer(facet: Document) -> Answer {
        let facts = Facts { schema: None, version: Version::new(6, 0, 0), unique: &[] };
        rewrite(&[doc! {"$facet": facet}], facts)
    }

    #[test]
    fn only_what_every_branch_asks_is_hoisted() {
        let facet = doc! {
            "a": [{"$match": {"at": {"$gte": 5}, "kind": "view"}}, {"$count": "n"}],
            "b": [{"$match": {"$and": [{"at": {"$gte": 5}}]}}],
        };
        let rewritten = answer(facet).map(|rewrite| rewrite.pipeline).unwrap_or_default();
        assert_eq!(rewritten[0], doc! {"$match": {"at": {"$gte": 5}}});
        assert_eq!(
            rewritten[1],
            doc! {"$facet": {"a": [{"$match": {"kind": "view"}}, {"$count": "n"}], "b": [{"$match": {}}]}}
        );
    }

    #[test]
    fn it_is_declined_when_a_branch_asks_less() {
        let open = answer(doc! {"a": [{"$match": {"x": 1}}], "b": [{"$count": "n"}]});
        assert!(matches!(open, Err(Some(why)) if why.contains("'b' does not begin")));
        let other = answer(doc! {"a": [{"$match": {"x": 1}}], "b": [{"$match": {"x": 2}}]});
        assert!(matches!(other, Err(Some(why)) if why.contains("shared by every branch")));
        let random = doc! {"$match": {"$expr": {"$lt": [{"$rand": {}}, 0.5]}}};
        let random = answer(doc! {"a": [random.clone()], "b": [random]});
        assert!(matches!(random, Err(Some(why)) if why.contains("run to run")));
    }
}
