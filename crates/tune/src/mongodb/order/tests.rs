#![allow(clippy::unwrap_used)]

use bson::doc;

use super::*;

fn of(pipeline: &[Document]) -> Comparison {
    comparison(&doc! {"aggregate": "c", "pipeline": pipeline.to_vec()}, None)
}

#[test]
fn only_total_orders_are_compared_in_order() {
    let group = doc! {"$group": {"_id": "$a", "n": {"$sum": 1}}};
    let (tied, total) = (doc! {"$sort": {"n": -1}}, doc! {"$sort": {"n": -1, "_id": 1}});
    let limit = doc! {"$limit": 5};
    assert_eq!(of(&[group.clone(), tied.clone()]), Comparison::Multiset);
    assert_eq!(of(&[group.clone(), total, limit.clone()]), Comparison::Sequence);
    assert!(matches!(of(&[group, tied, limit]), Comparison::Incomparable(_)));
    assert!(matches!(of(&[doc! {"$sample": {"size": 3}}]), Comparison::Incomparable(_)));
    assert_eq!(of(&[doc! {"$sort": {"_id": 1}}, doc! {"$unwind": "$x"}]), Comparison::Multiset);
    let find = doc! {"find": "c", "sort": {"at": 1, "_id": 1}, "limit": 3};
    assert_eq!(comparison(&find, None), Comparison::Sequence);
}

#[test]
fn what_a_lookup_picks_in_no_order_is_not_compared() {
    let lookup = |rest: Vec<Document>| {
        doc! {"$lookup": {"from": "d", "let": {"a": "$a"}, "as": "p", "pipeline": rest}}
    };
    let some = lookup(vec![doc! {"$sort": {"at": -1}}, doc! {"$limit": 1}]);
    let all = lookup(vec![doc! {"$sort": {"at": -1, "_id": 1}}, doc! {"$limit": 1}]);
    assert!(matches!(of(std::slice::from_ref(&some)), Comparison::Incomparable(_)));
    assert_eq!(of(std::slice::from_ref(&all)), Comparison::Multiset);
    let (count, group) = (doc! {"$count": "n"}, doc! {"$group": {"_id": "$x"}});
    assert_eq!(of(&[some.clone(), count]), Comparison::Multiset);
    assert_eq!(of(&[some.clone(), group]), Comparison::Multiset);
    let first = doc! {"$group": {"_id": "$x", "p": {"$max": "$p"}}};
    assert!(matches!(of(&[some, first]), Comparison::Incomparable(_)));
    let union = doc! {"$unionWith": {"coll": "d", "pipeline": [{"$limit": 5}]}};
    assert!(matches!(of(&[union]), Comparison::Incomparable(_)));
}

#[test]
fn sets_compare_by_their_size_only() {
    let group = doc! {"$group": {"_id": "$a", "who": {"$addToSet": "$u"}}};
    assert!(matches!(of(std::slice::from_ref(&group)), Comparison::Incomparable(_)));
    let sized = doc! {"$project": {"n": {"$size": "$who"}}};
    assert_eq!(of(&[group.clone(), sized]), Comparison::Multiset);
    let over = doc! {"$addFields": {"who": {"$size": "$who"}}};
    assert_eq!(of(&[group, over]), Comparison::Multiset);
}

#[test]
fn every_branch_of_a_facet_needs_its_order() {
    let facet = |branch: Vec<Document>| of(&[doc! {"$facet": {"b": branch}}]);
    assert_eq!(facet(vec![doc! {"$count": "n"}]), Comparison::Multiset);
    let group = doc! {"$group": {"_id": "$a"}};
    assert!(matches!(facet(vec![group.clone()]), Comparison::Incomparable(_)));
    assert_eq!(facet(vec![group, doc! {"$sort": {"_id": 1}}]), Comparison::Multiset);
}

fn decided_text(text: &str) -> Option<(String, String)> {
    let six = marula_core::Version::new(6, 0, 27);
    decided(text, None, six).map(|decided| {
        assert!(!matches!(decided.comparison, Comparison::Incomparable(_)));
        (decided.text.split_whitespace().collect::<Vec<_>>().join(" "), decided.by)
    })
}

#[test]
fn ties_are_broken_before_what_takes_some_of_many() {
    let (text, by) = decided_text("db.c.find({a: 1}).sort({b: -1}).limit(3)").unwrap();
    assert!(text.contains("{ b: -1, _id: 1 }"), "{text}");
    assert_eq!(by, "ties broken by _id");
    let (text, _) = decided_text("db.c.findOne({a: 1})").unwrap();
    assert!(text.contains("{ _id: 1 }"), "{text}");
    let (text, by) = decided_text(
        "db.c.aggregate([{$unwind: '$i'}, {$sort: {'i.n': 1}}, {$limit: 3}, {$unset: 'x'}])",
    )
    .unwrap();
    assert!(text.contains("{ \"i.n\": 1, __marula_whole: 1 }"), "{text}");
    assert_eq!(by, "ties broken by the whole documents");
    let (text, _) =
        decided_text("db.c.aggregate([{$group: {_id: '$a', one: {$first: '$b'}}}])").unwrap();
    assert!(text.find("$sort") < text.find("$group"), "{text}");
    assert_eq!(decided_text("db.c.find({a: 1}).sort({b: -1})"), None, "nothing is open");
    assert_eq!(decided_text("db.c.aggregate([{$sample: {size: 3}}])"), None);
}

#[test]
fn pipelines_within_are_decided_too_and_sets_are_sorted() {
    let (text, _) = decided_text(
        "db.c.aggregate([{$lookup: {from: 'd', let: {a: '$a'}, as: 'p', pipeline: [{$match: \
         {$expr: {$gt: ['$x', '$$a']}}}, {$sort: {at: -1}}, {$limit: 1}]}}])",
    )
    .unwrap();
    assert!(text.contains("{ at: -1, _id: 1 }"), "{text}");
    let (text, by) =
        decided_text("db.c.aggregate([{$group: {_id: '$a', s: {$addToSet: '$b'}}}])").unwrap();
    assert!(text.contains("$sortArray"), "{text}");
    assert_eq!(by, "sets in order");
    let (text, _) = decided_text(
        "db.c.aggregate([{$facet: {top: [{$sort: {a: 1}}, {$limit: 2}], all: [{$match: {b: 1}}]}}])",
    )
    .unwrap();
    assert_eq!(text.matches("_id: 1").count(), 2, "{text}");
}

#[test]
fn a_window_over_ties_is_not_compared_as_it_comes() {
    let window = |function: Document| {
        let output = doc! {"n": function};
        of(&[
            doc! {"$setWindowFields": {"partitionBy": "$u", "sortBy": {"at": 1}, "output": output}},
        ])
    };
    assert!(matches!(window(doc! {"$documentNumber": {}}), Comparison::Incomparable(_)));
    assert_eq!(window(doc! {"$rank": {}}), Comparison::Multiset);
    assert_eq!(window(doc! {"$sum": "$x"}), Comparison::Multiset);
    let running = doc! {"$sum": "$x", "window": {"documents": ["unbounded", "current"]}};
    assert!(matches!(window(running), Comparison::Incomparable(_)));
    let (text, _) = decided_text(
        "db.c.aggregate([{$setWindowFields: {partitionBy: '$u', sortBy: {at: 1}, output: \
         {n: {$documentNumber: {}}}}}])",
    )
    .unwrap();
    assert!(text.contains("sortBy: { __marula_order: 1 }"), "{text}");
    assert!(text.contains("{ key: { $ifNull: [\"$at\", null] }, id: \"$_id\" }"), "{text}");
}
