//! What a `$group` makes of the order of its documents: the last of each group is the first in
//! the opposite order, and sums need no order at all.

use bson::{Bson, Document};

use super::{Answer, Facts, Rewrite, one_kind};
use crate::mongodb::pipeline::stage;
use crate::mongodb::shape::number;

/// The names among the rewrites.
pub const LAST: &str = "last-as-first";
/// See [`unsorted`].
pub const UNSORTED: &str = "unsorted-group";

/// `{$sort: {a: 1}}, {$group: {x: {$last: …}}}` as `{$sort: {a: -1}}, {$group: {x: {$first: …}}}`.
pub fn last_as_first(pipeline: &[Document], facts: Facts) -> Answer {
    let Some((at, sort, group)) = sorted_group(pipeline) else { return Err(None) };
    let mut turned = Document::new();
    let mut lasts = 0;
    for (field, value) in group {
        let operator = value.as_document().and_then(|inner| inner.iter().next());
        match operator.map(|(operator, value)| (operator.as_str(), value)) {
            Some(("$last", value)) if field != "_id" => {
                lasts += 1;
                turned.insert(field.clone(), bson::doc! {"$first": value.clone()});
            }
            Some((operator, _)) if field != "_id" && !commutes(operator) => {
                return Err(Some(format!("'{field}' takes its documents in order, too")));
            }
            _ => drop(turned.insert(field.clone(), value.clone())),
        }
    }
    if lasts == 0 {
        return Err(None);
    }
    let total = sort.contains_key("_id")
        || facts.unique.iter().any(|set| set.iter().all(|path| sort.contains_key(path)));
    if !total {
        return Err(Some(
            "the sort leaves ties, of which the first and the last differ: add _id to it".into(),
        ));
    }
    one_kind(group.get("_id"), facts.schema).map_err(Some)?;
    let mut opposite = Document::new();
    for (path, direction) in sort {
        let Some(direction) = number(Some(direction)) else { return Err(None) };
        opposite.insert(path.clone(), if direction < 0 { 1 } else { -1 });
    }
    let mut stages = pipeline.to_vec();
    stages[at] = bson::doc! {"$sort": opposite};
    stages[at + 1] = bson::doc! {"$group": turned};
    Ok(Rewrite {
        ids: vec![LAST],
        title: "sort the other way and take the first of each group instead of the last".into(),
        pipeline: stages,
        conditions: vec![
            "the order is total: its keys tell every document from all others".into(),
            "the group's key holds numbers of one kind only".into(),
        ],
    })
}

/// A `$sort` straight before a `$group` that only sums, counts or compares is left out.
pub fn unsorted(pipeline: &[Document], facts: Facts) -> Answer {
    let Some((at, _, group)) = sorted_group(pipeline) else { return Err(None) };
    for (field, value) in group.iter().filter(|(field, _)| *field != "_id") {
        let operator = value.as_document().and_then(|inner| inner.keys().next());
        if !operator.is_some_and(|operator| commutes(operator)) {
            return Err(Some(format!("'{field}' takes its documents in order")));
        }
        // Of equal values of several kinds the first one is given.
        let least = value.as_document().and_then(|inner| inner.get("$min").or(inner.get("$max")));
        one_kind(least, facts.schema).map_err(Some)?;
    }
    one_kind(group.get("_id"), facts.schema).map_err(Some)?;
    let mut stages = pipeline.to_vec();
    stages.remove(at);
    Ok(Rewrite {
        ids: vec![UNSORTED],
        title: "leave out the $sort before the $group, which needs no order".into(),
        pipeline: stages,
        conditions: vec![
            "every accumulator gives the same in any order; sums of floating-point numbers may \
             differ in their last digits"
                .into(),
        ],
    })
}

/// The first `$sort` with a `$group` straight behind it.
fn sorted_group(pipeline: &[Document]) -> Option<(usize, &Document, &Document)> {
    pipeline.windows(2).enumerate().find_map(|(at, pair)| {
        match (stage(&pair[0])?, stage(&pair[1])?) {
            (("$sort", Bson::Document(sort)), ("$group", Bson::Document(group))) => {
                Some((at, sort, group))
            }
            _ => None,
        }
    })
}

/// Whether an accumulator gives the same in whatever order its documents come.
fn commutes(operator: &str) -> bool {
    matches!(operator, "$sum" | "$avg" | "$min" | "$max" | "$count" | "$stdDevPop" | "$stdDevSamp")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use bson::doc;
    use marula_core::{FieldProfile, Version};

    use super::*;

    const SIX: Version = Version::new(6, 0, 0);

    fn schema(kinds: &[&str]) -> marula_core::InferredSchema {
        let types: BTreeMap<String, u64> = kinds.iter().map(|kind| (kind.to_string(), 1)).collect();
        let field = |_| FieldProfile { types: types.clone(), ..FieldProfile::default() };
        let fields = ["k", "v"].map(|name| (name.to_string(), field(name)));
        let fields = fields.into_iter().collect();
        marula_core::InferredSchema { sampled: 9, complete: true, fields, ..Default::default() }
    }

    #[test]
    fn a_key_of_several_kinds_is_given_as_the_first_document_has_it() {
        let mixed = schema(&["int", "double"]);
        let facts = Facts { schema: Some(&mixed), version: SIX, unique: &[] };
        let group = doc! {"$group": {"_id": "$k", "n": {"$sum": 1}}};
        assert!(unsorted(&[doc! {"$sort": {"at": 1}}, group], facts).is_err());
    }

    #[test]
    fn the_last_is_the_first_the_other_way_round_where_nothing_ties() {
        let unique = [vec!["at".to_string()]];
        let schema = schema(&["int"]);
        let facts = Facts { schema: Some(&schema), version: SIX, unique: &unique };
        let group = |operator: &str| doc! {"$group": {"_id": "$k", "x": {operator: "$v"}, "n": {"$sum": 1}}};
        let pipeline = [doc! {"$sort": {"at": 1}}, group("$last")];
        let turned = last_as_first(&pipeline, facts).unwrap().pipeline;
        assert_eq!(turned, [doc! {"$sort": {"at": -1}}, group("$first")]);
        let open = Facts { unique: &[], ..facts };
        assert!(last_as_first(&pipeline, open).err().flatten().unwrap().contains("ties"));
        let mixed = doc! {"$group": {"_id": "$k", "x": {"$last": "$v"}, "y": {"$push": "$v"}}};
        assert!(last_as_first(&[doc! {"$sort": {"at": 1}}, mixed], facts).is_err());
    }

    #[test]
    fn sums_need_no_order_and_lists_do() {
        let schema = schema(&["int"]);
        let facts = Facts { schema: Some(&schema), version: SIX, unique: &[] };
        let sum = doc! {"$group": {"_id": "$k", "n": {"$sum": "$v"}}};
        let pipeline = [doc! {"$sort": {"at": 1}}, sum.clone()];
        assert_eq!(unsorted(&pipeline, facts).unwrap().pipeline, [sum]);
        for operator in ["$first", "$push", "$addToSet", "$last"] {
            let group = doc! {"$group": {"_id": "$k", "x": {operator: "$v"}}};
            assert!(unsorted(&[doc! {"$sort": {"at": 1}}, group], facts).is_err(), "{operator}");
        }
        let limited = [doc! {"$sort": {"at": 1}}, doc! {"$limit": 3}, pipeline[1].clone()];
        assert!(unsorted(&limited, facts).is_err());
    }
}
