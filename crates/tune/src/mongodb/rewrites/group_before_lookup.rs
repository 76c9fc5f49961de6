//! `{$lookup}, {$group}` by the field that is looked up as `{$group}, {$lookup}`: one lookup for
//! each group instead of one for each document.

use bson::{Bson, Document, doc};

use super::{Answer, Facts, Rewrite, one_kind};
use crate::mongodb::index::array_in;
use crate::mongodb::pipeline::{effect, expression_paths, stage};
use crate::mongodb::predicate::field_path;

/// Its name among the rewrites.
pub const ID: &str = "group-before-lookup";

/// A `$lookup`, the `$unwind` of what it found, and the `$group` behind them.
struct Found<'p> {
    /// Where the `$lookup` stands.
    at: usize,
    /// How many stages it, the `$unwind` and the `$group` are.
    stages: usize,
    lookup: &'p Document,
    /// Its `as`.
    name: &'p str,
    /// Whether each document has at most the one that was found, and whether those without are
    /// kept.
    unwound: Option<bool>,
    group: &'p Document,
}

/// Groups first, where all documents of a group find the same.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    let Some(found) = find(pipeline) else { return Err(None) };
    let Found { lookup, name, group, .. } = found;
    let text = |key: &str| lookup.get_str(key).ok();
    let (Some(local), Some(foreign)) = (text("localField"), text("foreignField")) else {
        return Err(None);
    };
    if lookup.contains_key("pipeline") || lookup.contains_key("let") {
        return Err(Some("the $lookup has a pipeline of its own".into()));
    }
    if group.get("_id").and_then(field_path) != Some(local) {
        return Err(Some(format!("the group's key is not '{local}', by which is looked up")));
    }
    if found.unwound.is_some() && foreign != "_id" {
        return Err(Some(format!("'{foreign}' may be the same in several documents")));
    }
    for earlier in &pipeline[..found.at] {
        let effect = effect(earlier);
        if !effect.known || effect.replaces || effect.writes.touches(local) {
            return Err(Some(format!("'{local}' is made by an earlier stage")));
        }
    }
    let Some(schema) = facts.schema else {
        return Err(Some("the documents could not be sampled".into()));
    };
    if array_in(local, Some(schema)).is_some() {
        return Err(Some(format!("'{local}' holds arrays, which find for each element")));
    }
    one_kind(Some(&Bson::String(format!("${local}"))), Some(schema)).map_err(Some)?;
    let (kept, after) = split(group, name, found.unwound.is_some())?;
    if after.is_empty() {
        // Then nobody reads what is looked up: another rewrite drops it.
        return Err(None);
    }
    let mut stages = pipeline[..found.at].to_vec();
    stages.push(doc! {"$group": kept});
    let mut looked_up = lookup.clone();
    looked_up.insert("localField", "_id");
    looked_up.insert("as", FOUND);
    stages.push(doc! {"$lookup": looked_up});
    if found.unwound == Some(false) {
        stages.push(doc! {"$match": {FOUND: {"$ne": []}}});
    }
    let fields = group.keys().map(|key| match after.get(key) {
        Some(value) => (key.clone(), value.clone()),
        None => (key.clone(), Bson::Int32(1)),
    });
    stages.push(doc! {"$project": fields.collect::<Document>()});
    stages.extend_from_slice(&pipeline[found.at + found.stages..]);
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("group by {local} before the $lookup, not behind it"),
        pipeline: stages,
        conditions: vec![
            format!(
                "the group's key is {local}, by which is looked up, so all of a group find the same"
            ),
            format!(
                "{local} holds neither arrays nor numbers of several kinds in the {} documents \
                 sampled",
                schema.sampled
            ),
            match found.unwound {
                Some(_) => "_id finds one document at most".into(),
                None => format!("'{name}' is taken as a whole"),
            },
        ],
    })
}

/// What was found, while it is of use.
const FOUND: &str = "__found";

fn find(pipeline: &[Document]) -> Option<Found<'_>> {
    pipeline.iter().enumerate().find_map(|(at, document)| {
        let ("$lookup", Bson::Document(lookup)) = stage(document)? else { return None };
        let name = lookup.get_str("as").ok().filter(|name| !name.contains('.'))?;
        let (unwound, next) = match pipeline.get(at + 1).and_then(stage)? {
            ("$unwind", value) => (Some(unwind(value, name)?), at + 2),
            _ => (None, at + 1),
        };
        let ("$group", Bson::Document(group)) = pipeline.get(next).and_then(stage)? else {
            return None;
        };
        Some(Found { at, stages: next - at + 1, lookup, name, unwound, group })
    })
}

/// Whether an `$unwind` of `name` keeps documents without an element; `None` for another one.
fn unwind(value: &Bson, name: &str) -> Option<bool> {
    let whole = |path: &Bson| field_path(path) == Some(name);
    match value {
        Bson::Document(options) => {
            let known = ["path", "preserveNullAndEmptyArrays"];
            let plain = options.keys().all(|key| known.contains(&key.as_str()));
            let path = options.get("path").filter(|path| plain && whole(path));
            path.map(|_| options.get_bool("preserveNullAndEmptyArrays").unwrap_or(false))
        }
        path => whole(path).then_some(false),
    }
}

/// The group without what it takes of `name`, and that, as it is computed behind the `$lookup`.
fn split(
    group: &Document,
    name: &str,
    unwound: bool,
) -> Result<(Document, Document), Option<String>> {
    let (mut kept, mut after) = (Document::new(), Document::new());
    for (field, value) in group {
        let paths = expression_paths(value);
        if paths.all {
            return Err(Some(format!("'{field}' takes whole documents")));
        }
        if !paths.touches(name) {
            kept.insert(field.clone(), value.clone());
            continue;
        }
        let operator = value.as_document().and_then(|inner| inner.iter().next());
        let taken = match operator.map(|(operator, value)| (operator.as_str(), value)) {
            Some(("$first" | "$last", value)) => field_path(value),
            _ => None,
        };
        let Some(path) = taken else {
            return Err(Some(format!("'{field}' counts what was found for each document")));
        };
        let path = format!("${FOUND}{}", &path[name.len()..]);
        let value = match unwound {
            true => doc! {"$ifNull": [{"$arrayElemAt": [path, 0]}, Bson::Null]},
            false => doc! {"$ifNull": [path, Bson::Null]},
        };
        after.insert(field.clone(), value);
    }
    Ok((kept, after))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use marula_core::{FieldProfile, InferredSchema, Version};

    use super::*;

    fn lookup() -> Document {
        doc! {"$lookup": {"from": "users", "localField": "u", "foreignField": "_id", "as": "who"}}
    }

    fn answer(kinds: &[&str], stages: &[Document]) -> Answer {
        let types: BTreeMap<String, u64> =
            kinds.iter().map(|kind| (kind.to_string(), 50)).collect();
        let field = FieldProfile { parents: 100, present: 100, types, ..FieldProfile::default() };
        let schema = InferredSchema {
            sampled: 100,
            complete: true,
            fields: BTreeMap::from([("u".to_string(), field)]),
            ..InferredSchema::default()
        };
        let facts = Facts { schema: Some(&schema), version: Version::new(6, 0, 0), unique: &[] };
        rewrite(stages, facts)
    }

    fn group(value: Document) -> Document {
        let mut group = doc! {"_id": "$u", "n": {"$sum": "$total"}};
        group.extend(value);
        doc! {"$group": group}
    }

    #[test]
    fn each_group_looks_up_once() {
        let name = group(doc! {"name": {"$first": "$who.name"}});
        let stages = [lookup(), doc! {"$unwind": "$who"}, name, doc! {"$sort": {"n": 1}}];
        let rewritten = answer(&["int"], &stages);
        let Ok(rewritten) = rewritten else { unreachable!("{rewritten:?}") };
        let names: Vec<&str> =
            rewritten.pipeline.iter().filter_map(|s| Some(stage(s)?.0)).collect();
        assert_eq!(names, ["$group", "$lookup", "$match", "$project", "$sort"]);
        assert!(!rewritten.pipeline[0].to_string().contains("who"), "{rewritten:?}");
    }

    #[test]
    fn it_is_declined_where_a_group_may_find_different_things() {
        let reason = |kinds: &[&str], stages: &[Document]| {
            answer(kinds, stages).err().flatten().unwrap_or_default()
        };
        let name = || group(doc! {"name": {"$first": "$who.name"}});
        assert!(reason(&["int", "double"], &[lookup(), name()]).contains("several kinds"));
        assert!(reason(&["array"], &[lookup(), name()]).contains("arrays"));
        let all = group(doc! {"names": {"$push": "$who.name"}});
        assert!(reason(&["int"], &[lookup(), all]).contains("for each document"));
        let other = doc! {"$group": {"_id": "$who.city", "n": {"$sum": 1}}};
        assert!(reason(&["int"], &[lookup(), other]).contains("not 'u'"));
    }
}
