#![allow(clippy::unwrap_used)]

use bson::doc;

use super::CommandShape;
use crate::shell::parse;

fn text(shell: &str) -> String {
    parse(shell).unwrap().shape().text
}

#[test]
fn values_are_left_out_and_all_else_stays() {
    for (shell, shape) in [
        (
            "db.orders.find({status: 'a', at: {$gt: new Date()}}, {total: 1, _id: 0}).sort({at: -1}).limit(5)",
            "db.orders.find({at: {$gt: ?}, status: ?}, {total: 1, _id: 0}).sort({at: -1}).limit(?)",
        ),
        ("db.o.find({a: {$in: [1, 2, 3]}, b: []})", "db.o.find({a: {$in: [?]}, b: [?]})"),
        (
            "db.o.find({$or: [{b: 1}, {a: 1, c: 2}, {b: 3}]})",
            "db.o.find({$or: [{a: ?, c: ?}, {b: ?}]})",
        ),
        ("db.o.find({$expr: {$gt: ['$a', '$b']}})", "db.o.find({$expr: {$gt: [\"$a\", \"$b\"]}})"),
        ("db.o.find({price: '$5'})", "db.o.find({price: ?})"),
        (
            "db.o.updateMany({a: 1}, {$set: {x: {deep: 1}, w: 2}, $push: {l: {$each: [1, 2], $slice: -5}}}, {upsert: true})",
            "db.o.updateMany({a: ?}, {$push: {l: {$each: [?], $slice: ?}}, $set: {w: ?, x: ?}}, {upsert: true})",
        ),
        ("db.o.replaceOne({a: 1}, {b: 2, c: 3})", "db.o.replaceOne({a: ?}, ?)"),
        ("db.o.deleteMany({a: {$lt: 5}})", "db.o.deleteMany({a: {$lt: ?}})"),
        (
            "db.o.findOneAndUpdate({a: 1}, [{$set: {b: {$add: ['$c', 1]}}}], {sort: {d: -1}})",
            "db.o.findOneAndUpdate({a: ?}, [{$set: {b: {$add: [\"$c\", ?]}}}], {sort: {d: -1}})",
        ),
        ("db.o.distinct('k', {a: 1})", "db.o.distinct(\"k\", {a: ?})"),
        (
            "db.o.aggregate([{$match: {a: 1}}, {$lookup: {from: 'c', localField: 'x', foreignField: '_id', as: 'y', pipeline: [{$match: {z: 1}}]}}, {$unwind: '$y'}, {$project: {b: 1, s: {$cond: [{$gt: ['$n', 5]}, 'big', 'small']}}}, {$sort: {b: -1}}, {$limit: 3}])",
            "db.o.aggregate([{$match: {a: ?}}, {$lookup: {from: \"c\", localField: \"x\", foreignField: \"_id\", as: \"y\", pipeline: [{$match: {z: ?}}]}}, {$unwind: \"$y\"}, {$project: {b: 1, s: {$cond: [{$gt: [\"$n\", ?]}, ?]}}}, {$sort: {b: -1}}, {$limit: ?}])",
        ),
    ] {
        assert_eq!(text(shell), shape, "{shell}");
    }
}

#[test]
fn the_order_of_a_filters_keys_does_not_matter_and_that_of_a_sort_does() {
    assert_eq!(
        text("db.o.find({a: 1, b: {$gt: 1, $lt: 2}})"),
        text("db.o.find({b: {$lt: 9, $gt: 8}, a: 'x'})")
    );
    assert_ne!(text("db.o.find().sort({a: 1, b: 1})"), text("db.o.find().sort({b: 1, a: 1})"));
    assert_ne!(
        text("db.o.aggregate([{$match: {a: 1}}, {$limit: 1}])"),
        text("db.o.aggregate([{$limit: 1}, {$match: {a: 1}}])")
    );
}

#[test]
fn what_a_session_adds_and_comments_do_not_matter() {
    let bare = doc! { "find": "o", "filter": { "a": 1 } };
    let logged = doc! {
        "find": "o", "filter": { "a": 5, "$comment": "x" }, "comment": "y", "lsid": { "id": 1 },
        "$db": "s", "$clusterTime": {}, "readConcern": { "level": "local" }, "limit": 0,
    };
    let shape = |command| CommandShape::of("s.o", "command", command, false);
    assert_eq!(shape(&bare), shape(&logged));
    assert_ne!(
        shape(&bare).fingerprint(),
        CommandShape::of("s.o", "command", &bare, true).fingerprint()
    );
}

#[test]
fn a_batch_of_one_is_its_statement() {
    let one = doc! { "q": { "a": 1 }, "u": { "$set": { "b": 1 } }, "multi": false };
    let batch = doc! { "update": "o", "updates": [one.clone(), one.clone()] };
    let (one, batch) = (
        CommandShape::of("s.o", "update", &one, false),
        CommandShape::of("s.$cmd", "command", &batch, false),
    );
    assert_eq!(one.text, "db.o.updateOne({a: ?}, {$set: {b: ?}})");
    assert_eq!((one.text, one.operation), (batch.text, batch.operation));
}

#[test]
fn names_that_are_no_words_are_quoted() {
    assert_eq!(
        text("db.getCollection('a-b').find({'x.y': 1})"),
        "db.getCollection(\"a-b\").find({\"x.y\": ?})"
    );
}
