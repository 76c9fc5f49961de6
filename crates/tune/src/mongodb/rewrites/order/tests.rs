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
