use bson::{Bson, Document, doc};
use marula_core::model::Entity;

use super::Draw;
use super::indexes::{Wish, there};
use super::types::{is_plain, is_range, stored_name};
use crate::names;
use crate::structure::{Bucket, KeyOrder, Source, Store};

/// What no two documents share, beside the `_id`.
pub(super) fn wishes(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Vec<Wish> {
    let mut found = Vec::new();
    if let Some((_, bucket)) = draw.structure.bucket(draw.model, &entity.name) {
        return of_buckets(draw, entity, bucket);
    }
    let key: Vec<String> = entity.key().into_iter().map(str::to_owned).collect();
    if key.len() > 1 {
        let why = "its key: an _id of several fields would be compared with their order";
        found.extend(unique(draw, entity, store, &key, why.into()));
    }
    for attribute in entity.attributes.iter().filter(|attribute| attribute.unique) {
        found.extend(unique(
            draw,
            entity,
            store,
            std::slice::from_ref(&attribute.name),
            String::new(),
        ));
    }
    for set in &entity.unique {
        found.extend(unique(draw, entity, store, set, String::new()));
    }
    let ones: Vec<(Vec<String>, String)> = draw
        .references
        .iter()
        .filter(|one| one.relation.from == entity.name)
        .filter(|one| one.relation.fanout.and_then(|fanout| fanout.max) == Some(1))
        .map(|one| {
            let why = format!("one of {} has one of {} at most", one.relation.to, entity.name);
            (one.relation.attributes.clone(), why)
        })
        .collect();
    for (set, why) in ones {
        found.extend(unique(draw, entity, store, &set, why));
    }
    found.extend(within(draw, store, ""));
    found
}

/// Of one only the last bucket is not full: two writers that begin one at the same time meet here.
fn of_buckets(draw: &mut Draw<'_>, entity: &Entity, bucket: &Bucket) -> Vec<Wish> {
    let how = match bucket.is_by_moment(draw.model) {
        true => "is kept unique by the writer, which finds those of a moment in one bucket",
        false => "is unique as it is given out: they are members of buckets",
    };
    draw.note(format!("({}) of {} {how}", entity.key().join(", "), entity.name));
    let whose = &draw.model.relations[bucket.relation].attributes;
    let keys = whose.iter().map(|name| (name.clone(), KeyOrder::Any)).collect();
    let why = "of one only the last bucket is not full; finds it for what is added";
    let filter = doc! { Bucket::COUNT: { "$lt": bucket.count as i64 } };
    let options = [("partialFilterExpression".to_owned(), filter.into())].into_iter().collect();
    vec![Wish { unique: true, options, ..Wish::sorted(keys, why.into()) }]
}

fn unique(
    draw: &mut Draw<'_>,
    entity: &Entity,
    store: &Store,
    set: &[String],
    why: String,
) -> Option<Wish> {
    let mut keys: Vec<(String, KeyOrder)> = Vec::new();
    let mut missing = Vec::new();
    let mut ranges = Vec::new();
    for name in set {
        let field = store.attribute(name).filter(|field| is_plain(&field.name));
        let (Some(field), Some(attribute)) = (field, entity.attribute(name)) else {
            draw.note(format!(
                "({}) of {} is not kept unique: {name} is not a field",
                set.join(", "),
                entity.name
            ));
            return None;
        };
        let stored = stored_name(entity, &field.name);
        if is_range(attribute.kind) {
            ranges.push(name.clone());
            keys.push((format!("{stored}.from"), KeyOrder::Any));
        } else {
            keys.push((stored.to_owned(), KeyOrder::Any));
        }
        if !attribute.required && !entity.key().contains(&name.as_str()) {
            missing.push(stored);
        }
    }
    if keys.is_empty() || matches!(&keys[..], [(only, _)] if only == "_id") {
        return None;
    }
    if !ranges.is_empty() {
        draw.note(format!(
            "no index keeps {} of {} from overlapping: the writer looks for one that does and adds \
             its own in one transaction, which also writes to what both belong to, so that two of \
             them meet",
            ranges.join(", "),
            entity.name
        ));
        let why = "finds those that may overlap a new one, the equal part first".to_owned();
        keys.sort_by_key(|(path, _)| path.ends_with(".from"));
        return Some(Wish::sorted(keys, why));
    }
    let mut options = Document::new();
    let mut why = why;
    // Missing counts as a value, and a second document without it would be refused.
    let mut filter = there(&missing);
    // The key tells all documents apart, also those that are marked: references lead to them.
    let is_key = entity.key().iter().eq(set);
    let mark = soft_delete(entity, set).filter(|mark| is_plain(mark) && !is_key);
    if let Some(mark) = mark {
        filter.insert(mark, Bson::Null);
        why = format!("among those that are not deleted ({mark}), so that who left can come back");
    }
    if !filter.is_empty() {
        options.insert("partialFilterExpression", filter);
    }
    Some(Wish { unique: true, options, ..Wish::sorted(keys, why) })
}

/// The attribute that marks deleted members, where it is none of the set's.
fn soft_delete<'e>(entity: &'e Entity, set: &[String]) -> Option<&'e str> {
    const MARKS: [&str; 4] = ["deleted_at", "deleted_on", "archived_at", "removed_at"];
    let mark = entity.attributes.iter().find(|attribute| {
        !attribute.required && MARKS.contains(&names::words(&attribute.name).join("_").as_str())
    })?;
    (!set.contains(&mark.name)).then_some(&mark.name)
}

/// What is unique among the elements of arrays, over all documents.
fn within(draw: &mut Draw<'_>, store: &Store, path: &str) -> Vec<Wish> {
    let mut found = Vec::new();
    for field in &store.fields {
        let Source::Embedded { store: inner, .. } = &field.source else { continue };
        let Some(many) = draw.model.entity(&inner.entity).filter(|_| is_plain(&field.name)) else {
            continue;
        };
        let path = format!("{path}{}.", field.name);
        for attribute in many.attributes.iter().filter(|attribute| attribute.unique) {
            if inner.attribute(&attribute.name).is_some() && is_plain(&attribute.name) {
                let stored = format!("{path}{}", attribute.name);
                let filter = there(&[&stored]);
                let why = "unique over all documents; twice in one document the server lets it be";
                let mut wish = Wish::on(stored, why.into());
                wish.unique = true;
                wish.options.insert("partialFilterExpression", filter);
                found.push(wish);
            }
        }
        for set in &many.unique {
            draw.note(format!(
                "({}) of {} is kept unique by the writer: they are elements of arrays",
                set.join(", "),
                many.name
            ));
        }
        found.extend(within(draw, inner, &path));
    }
    found
}
