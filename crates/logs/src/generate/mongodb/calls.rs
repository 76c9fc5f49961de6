//! The operations of the made-up workload.

use bson::{Bson, Document, doc};

use super::super::Random;

/// One operation; its numbers are what the server would tell.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// `command`, `update` or `remove`.
    pub kind: &'static str,
    pub namespace: &'static str,
    pub command: Document,
    pub originating: Option<Document>,
    pub plan: &'static str,
    pub sorts: bool,
    pub keys: Option<u64>,
    pub documents: Option<u64>,
    /// The counter's name and value.
    pub returned: Option<(&'static str, u64)>,
    /// Number, name, message.
    pub error: Option<(i32, &'static str, &'static str)>,
    /// Whether the log cuts it: the filter's field behind which the command ends.
    pub cut: Option<&'static str>,
    /// Whether it wraps the statements before it, and so is not counted.
    pub wraps: bool,
    /// The least milliseconds.
    pub base: u64,
    /// The shape it has.
    pub shape: &'static str,
}

fn call(namespace: &'static str, command: Document, shape: &'static str) -> Call {
    Call {
        kind: "command",
        namespace,
        command,
        originating: None,
        plan: "",
        sorts: false,
        keys: None,
        documents: None,
        returned: None,
        error: None,
        cut: None,
        wraps: false,
        base: 1,
        shape,
    }
}

impl Call {
    fn plan(mut self, plan: &'static str, keys: u64, documents: u64) -> Self {
        (self.plan, self.keys, self.documents) = (plan, Some(keys), Some(documents));
        self
    }

    fn returned(mut self, name: &'static str, count: u64) -> Self {
        self.returned = Some((name, count));
        self
    }
}

const STATUS: [&str; 5] = ["new", "paid \"cash\"", "sent\\back", "}{ ü", "done"];

/// A list of some length.
fn list(random: &mut Random) -> Bson {
    let length = 1 + random.below(12);
    Bson::Array((0..length).map(|_| Bson::Int32(random.below(1000) as i32)).collect())
}

fn date(random: &mut Random) -> bson::DateTime {
    bson::DateTime::from_millis(1_700_000_000_000 + random.below(60_000_000_000) as i64)
}

/// The next operation, or a batch of them with what wraps it, in their order.
pub(super) fn next(random: &mut Random) -> Vec<Call> {
    let small = random.below(90);
    let one = match random.below(24) {
        0..5 => by_status(random, small),
        5..7 => either(random, small),
        7..9 => report(random, small),
        9 => call(
            "shop.orders",
            doc! { "count": "orders", "query": { "customer": random.below(500) as i32 } },
            "db.orders.count({customer: ?})",
        )
        .plan("COUNT_SCAN { customer: 1 }", small, 0),
        10 => call(
            "shop.orders",
            doc! { "distinct": "orders", "key": "customer", "query": { "status": STATUS[small as usize % 5] } },
            "db.orders.distinct(\"customer\", {status: ?})",
        )
        .plan("IXSCAN { status: 1, at: -1 }", small + 1, small),
        11..14 => return updates(random),
        14 => return vec![remove(random, small), wrapper("delete")],
        15 => call(
            "shop.customers",
            doc! {
                "findAndModify": "customers", "query": { "_id": small as i32 },
                "update": { "$inc": { "visits": 1 }, "$set": { "seen": date(random) } },
                "sort": { "name": 1 }, "new": true,
            },
            "db.customers.findOneAndUpdate({_id: ?}, {$inc: {visits: ?}, $set: {seen: ?}}, {sort: {name: 1}})",
        )
        .plan("IDHACK", 1, 1)
        .returned("nMatched", 1),
        16..18 => call(
            "shop.orders",
            doc! { "insert": "orders", "ordered": true },
            "db.orders.insert(?)",
        )
        .returned("ninserted", small + 1),
        18 => return cursor(random, small),
        19 => cut(small),
        20 => failing(small),
        _ => odd(random, small),
    };
    vec![one]
}

fn by_status(random: &mut Random, small: u64) -> Call {
    let status = STATUS[random.below(5) as usize];
    let at = doc! { "$gte": date(random), "$lt": date(random) };
    // In one order or the other.
    let filter = if small.is_multiple_of(2) {
        doc! { "status": status, "at": at }
    } else {
        doc! { "at": at, "status": status }
    };
    call(
        "shop.orders",
        doc! { "find": "orders", "filter": filter, "sort": { "at": -1 }, "projection": { "total": 1 }, "limit": 20 },
        "db.orders.find({at: {$gte: ?, $lt: ?}, status: ?}, {total: 1}).sort({at: -1}).limit(?)",
    )
    .plan("IXSCAN { status: 1, at: -1 }", small, small)
    .returned("nreturned", small.min(20))
}

fn either(random: &mut Random, small: u64) -> Call {
    let filter = doc! { "$or": [
        { "customer": small as i32, "total": { "$gte": 5.5 } },
        { "customer": { "$in": list(random) } },
    ] };
    let mut found = call(
        "shop.orders",
        doc! { "find": "orders", "filter": filter, "sort": { "total": -1, "_id": 1 }, "skip": 3, "limit": 7 },
        "db.orders.find({$or: [{customer: ?, total: {$gte: ?}}, {customer: {$in: [?]}}]}).sort({total: -1, _id: 1}).skip(?).limit(?)",
    )
    .plan("COLLSCAN", 0, 20_000 + small)
    .returned("nreturned", 7);
    (found.sorts, found.base) = (true, 30);
    found
}

fn report(random: &mut Random, small: u64) -> Call {
    let pipeline = vec![
        doc! { "$match": { "status": { "$in": [STATUS[0], STATUS[random.below(5) as usize]] }, "at": { "$gte": date(random) } } },
        doc! { "$group": { "_id": "$customer", "sum": { "$sum": "$total" }, "n": { "$sum": 1 } } },
        doc! { "$sort": { "sum": -1 } },
        doc! { "$limit": 5 + small as i32 },
        doc! { "$lookup": { "from": "customers", "localField": "_id", "foreignField": "_id", "as": "c" } },
        doc! { "$project": { "c": 1, "x": { "$cond": [{ "$gt": ["$n", small as i32] }, "big", "small"] } } },
    ];
    let mut found = call(
        "shop.orders",
        doc! { "aggregate": "orders", "pipeline": pipeline, "cursor": {} },
        "db.orders.aggregate([{$match: {at: {$gte: ?}, status: {$in: [?]}}}, {$group: {_id: \"$customer\", sum: {$sum: \"$total\"}, n: {$sum: ?}}}, {$sort: {sum: -1}}, {$limit: ?}, {$lookup: {from: \"customers\", localField: \"_id\", foreignField: \"_id\", as: \"c\"}}, {$project: {c: 1, x: {$cond: [{$gt: [\"$n\", ?]}, ?]}}}])",
    )
    .plan("IXSCAN { status: 1, at: -1 }, IXSCAN { at: 1 }", 1000 + small, 900)
    .returned("nreturned", 5);
    (found.sorts, found.base) = (true, 100);
    found
}

/// A batch of updates, each told by itself and then all together.
fn updates(random: &mut Random) -> Vec<Call> {
    let count = 1 + random.below(4);
    let mut all: Vec<Call> = (0..count).map(|_| update(random)).collect();
    all.push(wrapper("update"));
    all
}

fn update(random: &mut Random) -> Call {
    let many = random.once_in(3);
    let (shape, filter) = if many {
        (
            "db.orders.updateMany({customer: ?}, {$inc: {n: ?}, $set: {seen: ?}})",
            doc! { "customer": 7 },
        )
    } else {
        (
            "db.orders.updateOne({_id: ?}, {$inc: {n: ?}, $set: {seen: ?}})",
            doc! { "_id": random.below(90) as i32 },
        )
    };
    let change = doc! { "$set": { "seen": date(random) }, "$inc": { "n": 1 } };
    let command = doc! { "q": filter, "u": change, "multi": many, "upsert": false };
    let matched = if many { 1 + random.below(50) } else { 1 };
    let mut found = call("shop.orders", command, shape)
        .plan(if many { "COLLSCAN" } else { "IDHACK" }, u64::from(!many), matched)
        .returned("nMatched", matched);
    found.kind = "update";
    found
}

fn remove(random: &mut Random, small: u64) -> Call {
    let command = doc! { "q": { "at": { "$lt": date(random) } }, "limit": 0 };
    let mut found = call("shop.orders", command, "db.orders.deleteMany({at: {$lt: ?}})")
        .plan("COLLSCAN", 0, 1900)
        .returned("ndeleted", small);
    found.kind = "remove";
    found
}

fn wrapper(name: &'static str) -> Call {
    let mut found = call("shop.$cmd", doc! { name: "orders", "ordered": true }, "");
    found.wraps = true;
    found
}

/// A query whose documents come in several batches.
fn cursor(random: &mut Random, small: u64) -> Vec<Call> {
    let shape = "db.orders.find({total: {$lt: ?}})";
    let find = doc! { "find": "orders", "filter": { "total": { "$lt": small as i32 } }, "comment": "by \"hand\"", "batchSize": 50 };
    let first =
        call("shop.orders", find.clone(), shape).plan("COLLSCAN", 0, 50).returned("nreturned", 50);
    let id = Bson::Int64(random.number() as i64 >> 1);
    let mut more = first.clone();
    more.command = doc! { "getMore": id, "collection": "orders", "batchSize": 50 };
    more.originating = Some(find);
    vec![first, more.clone(), more]
}

/// A command too long for the log.
fn cut(small: u64) -> Call {
    let ids: Vec<Bson> = (0..4000 + small as i32).map(|n| Bson::Int32(100_000 + n)).collect();
    let mut found = call(
        "shop.orders",
        doc! { "find": "orders", "filter": { "_id": { "$in": ids } }, "sort": { "at": 1 } },
        "db.orders.find({_id: {$in: [?]}}) …",
    )
    .plan("IXSCAN { _id: 1 }", 4000, 4000)
    .returned("nreturned", 100);
    found.cut = Some("_id");
    found
}

fn failing(small: u64) -> Call {
    let mut found = call(
        "shop.orders",
        doc! { "find": "orders", "filter": { "$where": "sleep(2) || true" }, "maxTimeMS": 50 + small as i32 },
        "db.orders.find({$where: ?})",
    );
    found.plan = "COLLSCAN";
    found.error = Some((50, "MaxTimeMSExpired", "operation exceeded time limit"));
    found
}

/// Values of every type.
fn odd(random: &mut Random, small: u64) -> Call {
    let filter = doc! {
        "note": null, "oid": bson::oid::ObjectId::from_bytes([small as u8; 12]), "yes": small.is_multiple_of(2),
        "long": Bson::Int64(5_000_000_000 + small as i64), "half": 0.5 + small as f64,
        "regex": Bson::RegularExpression(bson::Regex { pattern: bson::raw::cstr!("^ab\"c, }").into(), options: bson::raw::cstr!("i").into() }),
        "stamp": Bson::Timestamp(bson::Timestamp { time: 5, increment: small as u32 }),
        "nested": { "list": list(random), "empty": {} }, "none": [], "text": STATUS[random.below(5) as usize],
        "$and": [{ "b": 1 }, { "c": { "$not": { "$gt": small as i32 } } }],
        "items": { "$elemMatch": { "sku": "s1", "n": { "$gt": 2 } } }, "min": Bson::MinKey,
    };
    call(
        "shop.things",
        doc! { "find": "things", "filter": filter },
        "db.things.find({$and: [{b: ?}, {c: {$not: {$gt: ?}}}], half: ?, items: {$elemMatch: {n: {$gt: ?}, sku: ?}}, long: ?, min: ?, nested: {empty: {}, list: [?]}, none: [?], note: ?, oid: ?, regex: ?, stamp: ?, text: ?, yes: ?})",
    )
    .plan("COLLSCAN", 0, small)
    .returned("nreturned", 0)
}
