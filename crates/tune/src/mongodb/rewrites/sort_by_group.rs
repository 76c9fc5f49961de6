//! `{$sort: {at: 1}}, {$group: {_id: "$user", x: {$first: …}}}` sorted by the group's key first:
//! then an index that begins with it is read from one group to the next.

use bson::{Bson, Document};

use super::{Answer, Facts, Rewrite};
use crate::mongodb::index::array_in;
use crate::mongodb::pipeline::stage;
use crate::mongodb::predicate::field_path;
use crate::mongodb::shape::first_of_each;

/// Its name among the rewrites.
pub const ID: &str = "sort-by-group";

/// Puts the group's key before the sort's.
pub fn rewrite(pipeline: &[Document], facts: Facts) -> Answer {
    // Only what the server reads from the collection can be read from an index.
    let matches = pipeline.iter().take_while(|s| s.contains_key("$match")).count();
    let Some(("$sort", Bson::Document(sort))) = pipeline.get(matches).and_then(stage) else {
        return Err(None);
    };
    let Some(("$group", group)) = pipeline.get(matches + 1).and_then(stage) else {
        return Err(None);
    };
    let key = group.as_document().and_then(|group| group.get("_id")).and_then(field_path);
    let Some(key) = key.filter(|_| first_of_each(group)) else { return Err(None) };
    if sort.keys().next().is_some_and(|first| first == key) {
        return Err(None);
    }
    let Some(schema) = facts.schema else {
        return Err(Some("the documents could not be sampled".into()));
    };
    let held = |path: &str| array_in(path, Some(schema)).is_some();
    if held(key) || sort.keys().any(|path| held(path)) {
        return Err(Some(format!("'{key}' or a field of the sort holds arrays")));
    }
    let mut keys = bson::doc! {key: 1};
    keys.extend(sort.iter().filter(|(path, _)| *path != key).map(|(p, d)| (p.clone(), d.clone())));
    let mut stages = pipeline.to_vec();
    stages[matches] = bson::doc! {"$sort": keys};
    Ok(Rewrite {
        ids: vec![ID],
        title: format!("sort by {key} first, the key of the $group"),
        pipeline: stages,
        conditions: vec![
            "only the first document of each group is taken, and within a group the order stays"
                .into(),
            format!(
                "neither {key} nor the sort holds an array in the {} documents sampled",
                schema.sampled
            ),
        ],
    })
}
