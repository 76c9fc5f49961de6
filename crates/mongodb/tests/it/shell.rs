//! The shell's syntax: read, refused, and printed back.

use bson::{Bson, Document, doc};
use marula_core::ErrorKind;
use marula_mongodb::shell::{Purpose, parse, parse_for, parse_literal, parse_many};
use marula_mongodb::{Command, CountKind, Operation};
use proptest::prelude::*;

fn wire(text: &str) -> Document {
    parse(text).unwrap_or_else(|e| panic!("{text}: {e} {e:?}")).to_command()
}

#[test]
fn every_way_to_name_a_collection() {
    for text in [
        "db.orders.find()",
        "db.orders.find({})",
        "db['orders'].find()",
        "db.getCollection(\"orders\").find()",
        "db.getSiblingDB('shop').orders.find()",
        "db.getSiblingDB('shop').getCollection('orders').find().toArray()",
        "use shop\ndb.orders.find();",
        "// all\ndb.orders.find().pretty() /* done */ ;",
        "const result = db.orders.find()",
        "printjson(db.orders.find().toArray())",
        "db.orders.explain('executionStats').find()",
        "db.orders.find().explain()",
        "db.runCommand({find: 'orders', filter: {}})",
        "{\"find\": \"orders\", \"filter\": {}, \"$db\": \"shop\", \"lsid\": {\"id\": 1}}",
        "{find: 'orders'}",
        "{\"explain\": {\"find\": \"orders\"}, \"verbosity\": \"executionStats\"}",
    ] {
        assert_eq!(wire(text), doc! { "find": "orders", "filter": {} }, "{text}");
    }
    assert_eq!(parse("db.a.b.c.find()").unwrap().collection, "a.b.c");
    assert_eq!(parse("use shop\ndb.x.find()").unwrap().database.as_deref(), Some("shop"));
}

#[test]
fn cursor_methods_become_fields_of_the_command() {
    assert_eq!(
        wire(
            "db.orders.find({status: 'paid', total: {$gte: 10}}, {_id: 0, total: 1})
               .sort({at: -1}).skip(5).limit(20).hint('at_-1').collation({locale: 'de', strength: 2})
               .allowDiskUse().comment('x')"
        ),
        doc! {
            "find": "orders",
            "filter": { "status": "paid", "total": { "$gte": 10 } },
            "projection": { "_id": 0, "total": 1 },
            "sort": { "at": -1 },
            "skip": 5,
            "limit": 20,
            "hint": "at_-1",
            "collation": { "locale": "de", "strength": 2 },
            "allowDiskUse": true,
            "comment": "x",
        }
    );
    assert_eq!(
        wire("db.orders.findOne({a: 1})"),
        doc! { "find": "orders", "filter": { "a": 1 }, "limit": 1, "singleBatch": true }
    );
}

#[test]
fn every_operation_is_understood() {
    for (text, expected) in [
        (
            "db.o.aggregate([{$match: {a: 1}}, {$count: 'n'}], {allowDiskUse: true})",
            doc! { "aggregate": "o", "pipeline": [{ "$match": { "a": 1 } }, { "$count": "n" }],
            "allowDiskUse": true, "cursor": {} },
        ),
        (
            "db.o.aggregate({$match: {a: 1}}, {$limit: 1})",
            doc! { "aggregate": "o", "pipeline": [{ "$match": { "a": 1 } }, { "$limit": 1 }],
            "cursor": {} },
        ),
        (
            "db.o.countDocuments({a: 1}, {limit: 5})",
            doc! { "aggregate": "o", "pipeline": [{ "$match": { "a": 1 } }, { "$limit": 5 },
            { "$group": { "_id": 1, "n": { "$sum": 1 } } }], "cursor": {} },
        ),
        ("db.o.count({a: 1})", doc! { "count": "o", "query": { "a": 1 } }),
        ("db.o.find({a: 1}).count()", doc! { "count": "o", "query": { "a": 1 } }),
        ("db.o.estimatedDocumentCount()", doc! { "count": "o" }),
        ("db.o.distinct('a', {b: 1})", doc! { "distinct": "o", "key": "a", "query": { "b": 1 } }),
        (
            "db.o.updateMany({a: 1}, {$set: {b: 2}}, {upsert: true})",
            doc! { "update": "o", "updates": [{ "q": { "a": 1 }, "u": { "$set": { "b": 2 } },
            "upsert": true, "multi": true }] },
        ),
        (
            "db.o.updateOne({a: 1}, [{$set: {b: '$c'}}])",
            doc! { "update": "o", "updates": [{ "q": { "a": 1 },
            "u": [{ "$set": { "b": "$c" } }] }] },
        ),
        (
            "db.o.deleteMany({a: 1})",
            doc! { "delete": "o", "deletes": [{ "q": { "a": 1 }, "limit": 0 }] },
        ),
        ("db.o.deleteOne({})", doc! { "delete": "o", "deletes": [{ "q": {}, "limit": 1 }] }),
        (
            "db.o.findOneAndUpdate({a: 1}, {$inc: {n: 1}}, {sort: {b: 1}, returnDocument: 'after'})",
            doc! { "findAndModify": "o", "query": { "a": 1 }, "sort": { "b": 1 },
            "update": { "$inc": { "n": 1 } }, "new": true },
        ),
        (
            "db.o.findOneAndDelete({a: 1})",
            doc! { "findAndModify": "o", "query": { "a": 1 }, "remove": true },
        ),
        (
            "db.o.createIndex({a: 1, b: -1})",
            doc! { "createIndexes": "o", "indexes": [{ "key": { "a": 1, "b": -1 }, "name": "a_1_b_-1" }] },
        ),
        (
            "db.o.createIndex({a: 1}, {name: 'x', partialFilterExpression: {b: {$gt: 5}}})",
            doc! { "createIndexes": "o", "indexes": [{ "key": { "a": 1 }, "name": "x",
            "partialFilterExpression": { "b": { "$gt": 5 } } }] },
        ),
        ("db.o.dropIndex('x')", doc! { "dropIndexes": "o", "index": "x" }),
        ("db.o.hideIndex('x')", doc! { "collMod": "o", "index": { "name": "x", "hidden": true } }),
        ("db.o.insertOne({a: 1})", doc! { "insert": "o", "documents": [{ "a": 1 }] }),
        ("db.o.drop()", doc! { "drop": "o" }),
        (
            "db.createCollection('o', {capped: true, size: 4096})",
            doc! { "create": "o", "capped": true, "size": 4096 },
        ),
    ] {
        assert_eq!(wire(text), expected, "{text}");
        let command = parse(text).unwrap();
        assert_eq!(parse(&command.to_shell()).unwrap(), command, "{}", command.to_shell());
    }
}

#[test]
fn literals_have_the_types_mongosh_gives_them() {
    use bson::oid::ObjectId;
    let id = ObjectId::parse_str("65f0c0ffee65f0c0ffee65f0").unwrap();
    let at = |text: &str| Bson::DateTime(bson::DateTime::parse_rfc3339_str(text).unwrap());
    for (text, expected) in [
        ("1", Bson::Int32(1)),
        ("1.0", Bson::Int32(1)),
        ("-1", Bson::Int32(-1)),
        ("-0", Bson::Double(-0.0)),
        ("1.5", Bson::Double(1.5)),
        ("2147483648", Bson::Double(2_147_483_648.0)),
        ("5n", Bson::Int64(5)),
        ("0x10", Bson::Int32(16)),
        ("1e3", Bson::Int32(1000)),
        ("60 * 60 * 24", Bson::Int32(86_400)),
        ("2 ** 40", Bson::Double(1_099_511_627_776.0)),
        ("7 % 4 - 1 / 2", Bson::Double(2.5)),
        ("'a' + \"b\" + `c${1}`", Bson::String("abc1".into())),
        ("true", Bson::Boolean(true)),
        ("null", Bson::Null),
        ("undefined", Bson::Null),
        ("Infinity", Bson::Double(f64::INFINITY)),
        ("NumberLong(\"9007199254740993\")", Bson::Int64(9_007_199_254_740_993)),
        ("NumberLong(5)", Bson::Int64(5)),
        ("Long('5')", Bson::Int64(5)),
        ("new Long(5)", Bson::Int64(5)),
        ("NumberInt(5)", Bson::Int32(5)),
        ("Double(5)", Bson::Double(5.0)),
        ("ObjectId('65f0c0ffee65f0c0ffee65f0')", Bson::ObjectId(id)),
        ("ISODate('2024-01-31')", at("2024-01-31T00:00:00Z")),
        ("ISODate(\"2024-01-31T10:20:30Z\")", at("2024-01-31T10:20:30Z")),
        ("new Date('2024-01-31T10:20:30.123+02:00')", at("2024-01-31T08:20:30.123Z")),
        ("new Date(0)", at("1970-01-01T00:00:00Z")),
        ("new Date(Date.UTC(2024, 0, 31))", at("2024-01-31T00:00:00Z")),
        ("new Date(ISODate('2024-01-02') - 24*3600*1000)", at("2024-01-01T00:00:00Z")),
        ("new Date(ISODate('2024-01-02').getTime() + 1000)", at("2024-01-02T00:00:01Z")),
        ("MinKey", Bson::MinKey),
        ("MaxKey()", Bson::MaxKey),
        ("Timestamp(5, 1)", Bson::Timestamp(bson::Timestamp { time: 5, increment: 1 })),
        ("Timestamp({t: 5, i: 1})", Bson::Timestamp(bson::Timestamp { time: 5, increment: 1 })),
        ("Decimal128('1.50')", Bson::Decimal128("1.50".parse().unwrap())),
        ("NumberDecimal('1.50')", Bson::Decimal128("1.50".parse().unwrap())),
        ("[1, , 'x']", bson::bson!([1, null, "x"])),
        (
            "{a: 1, 'b.c': {\"$gt\": 2}, [\"d\"]: 3, a: 4}",
            bson::bson!({ "a": 4, "b.c": { "$gt": 2 }, "d": 3 }),
        ),
    ] {
        assert_eq!(
            parse_literal(text).unwrap_or_else(|e| panic!("{text}: {e}")),
            expected,
            "{text}"
        );
    }
    for (text, pattern, options) in
        [("/^a\\/b/i", "^a\\/b", "i"), ("/x/gm", "x", "ms"), ("RegExp('x', 'i')", "x", "i")]
    {
        let Bson::RegularExpression(regex) = parse_literal(text).unwrap() else { panic!("{text}") };
        assert_eq!((regex.pattern.as_str(), regex.options.as_str()), (pattern, options), "{text}");
    }
    let uuid = parse_literal("UUID('00112233-4455-6677-8899-aabbccddeeff')").unwrap();
    assert_eq!(uuid, parse_literal("BinData(4, 'ABEiM0RVZneImaq7zN3u/w==')").unwrap());
    assert_eq!(uuid, parse_literal("HexData(4, '00112233445566778899aabbccddeeff')").unwrap());
}

#[test]
fn constants_may_be_bound_before_the_call() {
    assert_eq!(
        wire(
            "const status = 'paid', from = ISODate('2024-01-01');
             let match = {$match: {status, at: {$gte: from}}};
             var pipeline = [match, {$sort: {at: -1}}];
             db.orders.aggregate([...pipeline, {$limit: 10}])"
        ),
        doc! { "aggregate": "orders", "pipeline": [
            { "$match": { "status": "paid",
                "at": { "$gte": bson::DateTime::parse_rfc3339_str("2024-01-01T00:00:00Z").unwrap() } } },
            { "$sort": { "at": -1 } },
            { "$limit": 10 },
        ], "cursor": {} }
    );
}

#[test]
fn what_would_have_to_run_is_refused_with_its_place() {
    for (text, marked, word) in [
        (
            "db.o.find({$where: function() { return true }})",
            "function() { return true }",
            "a function",
        ),
        ("db.o.find().forEach(x => print(x))", "forEach", "forEach"),
        ("db.o.find({a: b})", "b", "'b'"),
        ("for (const i of [1]) db.o.find()", "for (const i of [1]) db.o.find()", "a loop"),
        ("db.o.find({a: Math.random()})", "Math.random()", "Math.random"),
        ("db.o.find({a: x ? 1 : 2})", "x ? 1 : 2", "a conditional"),
        ("db.o.find({a() { return 1 }})", "a() { return 1 }", "a function"),
        ("if (true) { db.o.find() }", "if (true) { db.o.find() }", "a branch"),
        ("load('x.js')", "load('x.js')", "not a call on db"),
        ("db.o.mapReduce('m', 'r', {out: 'x'})", "mapReduce", "mapReduce"),
        ("db.eval('1')", "eval", "eval"),
        ("db.dropDatabase()", "dropDatabase", "dropDatabase"),
        ("db.o.find({a: process.env.HOME})", "process.env.HOME", "property"),
        ("db.o.agregate([])", "agregate", "agregate"),
        ("db.o.bulkWrite([])", "bulkWrite", "bulkWrite"),
        ("db.o.renameCollection('x')", "renameCollection", "renameCollection"),
        ("db.o.find({}).toArray()[0].x", "0", "element"),
        ("`${db.o.drop()}`", "`${db.o.drop()}`", "not a call on db"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{text}: {error}");
        assert!(error.message().contains(word), "{text}: {error}");
        let place = error.marked().unwrap_or_else(|| panic!("{text}: {error} is not marked"));
        let at = place.text.get(place.start..place.end).unwrap();
        assert!(at.contains(marked) || marked.contains(at), "{text}: {at:?} is marked");
        assert!(!error.hints().is_empty(), "{text}");
    }
}

#[test]
fn whole_specifications_of_indexes_are_read_as_the_drivers_mean_them() {
    let wanted = doc! { "createIndexes": "users", "indexes": [
        { "key": { "email": 1 }, "name": "e", "unique": true },
        { "key": { "a": 1, "b": -1 }, "name": "a_1_b_-1" },
    ] };
    let text = "db.users.createIndexes([{key: {email: 1}, name: 'e', unique: true}, {key: {a: 1, b: -1}}])";
    assert_eq!(wire(text).to_string(), wanted.to_string());
    // A field may be called key.
    let wanted =
        doc! { "createIndexes": "users", "indexes": [{ "key": { "key": 1 }, "name": "key_1" }] };
    assert_eq!(wire("db.users.createIndexes([{key: 1}])").to_string(), wanted.to_string());
    for (text, said) in [
        ("db.users.createIndexes([{key: {a: 1}}], {unique: true})", "write what is for an index"),
        ("db.users.createIndex('email')", "write them as {email: 1}"),
        ("db.users.createIndex([['x', 1]])", "write them as {email: 1}"),
        ("db.users.createIndex([{a: 1}, {b: 1}])", "one document"),
    ] {
        let error = parse(text).unwrap_err();
        let told = format!("{error} {}", error.hints().join(" "));
        assert!(error.kind() == ErrorKind::Syntax && told.contains(said), "{text}: {told}");
    }
}

#[test]
fn a_migration_is_told_what_to_write_instead() {
    for (text, said) in [
        ("db.command({collMod: 'users'})", "{\"collMod\": \"users\", \"validator\": {…}}"),
        ("db.runCommand({profile: 0})", "write the command itself in a migration of JSON"),
        (
            "db.users.rename('people')",
            "{\"renameCollection\": \"DB.users\", \"to\": \"DB.people\"}",
        ),
        ("db.dropCollection('users')", "write db.collection('users').drop()"),
        ("db.users.bulkWrite([])", "write its parts one after the other"),
        ("db.users.dropIndexes(['a', 'b'])", "write dropIndex('NAME') for each"),
        ("db.users.creatIndex({a: 1})", "did you mean createIndex()?"),
        ("db.users.updateMany({}, {$set: {a: 1}}).then(x)", "leave it out: a migration runs"),
        ("load('x.js')", "such as db.users.updateMany({…}"),
    ] {
        let error = parse_for(text, Purpose::Migration).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{text}: {error}");
        let hints = error.hints().join(" ");
        assert!(hints.contains(said) && !hints.contains("explain"), "{text}: {hints}");
    }
}

#[test]
fn bad_input_says_what_is_wrong() {
    for (text, kind, word) in [
        ("", ErrorKind::Usage, "no command"),
        ("// nothing", ErrorKind::Usage, "no command"),
        ("db.a.find(); db.b.find()", ErrorKind::Refused, "2 commands"),
        ("db.orders.find({a: 1", ErrorKind::Syntax, ""),
        ("db.orders.find({a: 1}}", ErrorKind::Syntax, ""),
        ("db.orders", ErrorKind::Syntax, "nothing is done"),
        ("select * from orders", ErrorKind::Syntax, ""),
        ("[{$match: {a: 1}}]", ErrorKind::Usage, "which collection"),
        ("{\"agregate\": \"orders\"}", ErrorKind::Refused, "agregate"),
        ("{\"find\": 5}", ErrorKind::Syntax, "collection"),
        ("{\"aggregate\": 1, \"pipeline\": []}", ErrorKind::Syntax, "collection"),
        ("{\"aggregate\": \"o\", \"pipeline\": {}}", ErrorKind::Syntax, "pipeline"),
        ("db.o.find('x')", ErrorKind::Syntax, "document"),
        ("db.o.find({a: ISODate('yesterday')})", ErrorKind::Syntax, "ISODate"),
        ("db.o.find({a: new Date(2024, 1, 1)})", ErrorKind::Syntax, "time zone"),
        ("db.o.find({a: ObjectId('x')})", ErrorKind::Syntax, "ObjectId"),
        ("db.o.find({a: NumberLong('x')})", ErrorKind::Syntax, "NumberLong"),
        ("db.o.find({'a\\0b': 1})", ErrorKind::Syntax, "null"),
        ("db['a\\0b'].find()", ErrorKind::Syntax, "null"),
        ("db.o.find({a: '\\ud800'})", ErrorKind::Syntax, "surrogate"),
        ("'use strict'", ErrorKind::Syntax, "text alone"),
        ("db.o.aggregate([1])", ErrorKind::Syntax, "documents"),
        ("db.o.find({}).sort(5)", ErrorKind::Syntax, "sort"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert!(error.message().contains(word), "{text}: {error}");
    }
    let near = parse("db.orders.fnd({})").unwrap_err();
    assert!(near.hints().iter().any(|hint| hint.contains("find")), "{near:?}");
}

#[test]
fn several_statements_are_read_where_they_are_wanted() {
    let commands =
        parse_many("db.a.createIndex({x: 1})\ndb.b.drop(); db.a.hideIndex('x_1')").unwrap();
    let names: Vec<_> = commands.iter().map(Command::name).collect();
    assert_eq!(names, ["createIndex", "drop", "collMod"]);
}

#[test]
fn huge_and_deep_input_neither_crashes_nor_crawls() {
    let started = std::time::Instant::now();
    for part in ["[", "{a:", "(", "!", "-", "new ", "a=>", "`${", "x?", "if(1)", "function f(){"] {
        let error = parse(&format!("db.o.find({})", part.repeat(100_000))).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Syntax | ErrorKind::Refused), "{part}: {error}");
        let error = parse(&part.repeat(100_000)).unwrap_err();
        assert!(!error.message().is_empty());
    }
    let deep = format!(
        "{{\"find\": \"o\", \"filter\": {}1{}}}",
        "{\"a\":".repeat(10_000),
        "}".repeat(10_000)
    );
    assert_eq!(parse(&deep).unwrap_err().kind(), ErrorKind::Syntax);
    let long: String = (0..10_000).map(|n| format!("  {{$match: {{f{n}: {n}}}}},\n")).collect();
    let command = parse(&format!("db.o.aggregate([\n{long}])")).unwrap();
    let Operation::Aggregate(aggregate) = &command.operation else { panic!() };
    assert_eq!(aggregate.pipeline.len(), 10_000);
    assert_eq!(parse(&command.to_shell()).unwrap(), command);
    let bomb: String = (1..60).map(|n| format!("const a{n} = [a{0}, a{0}];\n", n - 1)).collect();
    let error = parse(&format!("const a0 = 'x';\n{bomb}db.o.find({{a: a59}})")).unwrap_err();
    assert!(error.message().contains("large"), "{error}");
    let tower: String = (1..5_000).map(|n| format!("const a{n} = [a{}];\n", n - 1)).collect();
    let error = parse(&format!("const a0 = 1;\n{tower}db.o.find({{a: a4999}})")).unwrap_err();
    assert!(error.message().contains("deep"), "{error}");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_shape_has_one_name_whatever_its_literals() {
    let name = |text: &str| parse(text).unwrap().fingerprint();
    let same = name("db.o.find({a: 1, b: {$in: [1, 2]}}).sort({c: -1}).limit(5)");
    assert_eq!(same, name("db.o.find({a: 'x', b: {$in: [7, 8, 9]}}).sort({c: -1}).limit(50)"));
    for other in [
        "db.p.find({a: 1, b: {$in: [1, 2]}}).sort({c: -1}).limit(5)",
        "db.o.find({a: 1, b: {$in: [1, 2]}}).sort({c: 1}).limit(5)",
        "db.o.find({a: 1, b: {$gt: 2}}).sort({c: -1}).limit(5)",
        "db.o.find({a: 1, b: {$in: [1, 2]}}).sort({c: -1})",
        "db.o.find({a: 1, b: {$in: [1, 2]}}, {a: 1}).sort({c: -1}).limit(5)",
    ] {
        assert_ne!(same, name(other), "{other}");
    }
    assert_eq!(
        name("db.o.aggregate([{$match: {a: 1}}, {$group: {_id: '$b', n: {$sum: 1}}}])"),
        name("db.o.aggregate([{$match: {a: 2}}, {$group: {_id: '$b', n: {$sum: 1}}}])")
    );
    assert_ne!(
        name("db.o.aggregate([{$match: {a: 1}}, {$group: {_id: '$b'}}])"),
        name("db.o.aggregate([{$match: {a: 1}}, {$group: {_id: '$c'}}])")
    );
}

#[test]
fn counts_keep_their_kind() {
    let Operation::Count(count) = parse("db.o.count()").unwrap().operation else { panic!() };
    assert_eq!(count.kind, CountKind::Command);
}

/// Any BSON a shell text can hold.
fn any_bson() -> impl Strategy<Value = Bson> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Bson::Int32),
        any::<i64>().prop_map(Bson::Int64),
        any::<f64>().prop_filter("one NaN is like another", |n| !n.is_nan()).prop_map(Bson::Double),
        (-1000i32..1000).prop_map(|n| Bson::Double(f64::from(n))),
        any::<String>().prop_map(Bson::String),
        "[\"'`\\\\${}/\n\u{2028}]{0,8}".prop_map(Bson::String),
        any::<bool>().prop_map(Bson::Boolean),
        Just(Bson::Null),
        Just(Bson::MinKey),
        Just(Bson::MaxKey),
        any::<[u8; 12]>().prop_map(|b| Bson::ObjectId(bson::oid::ObjectId::from_bytes(b))),
        any::<i64>().prop_map(|n| Bson::DateTime(bson::DateTime::from_millis(n / 1_100))),
        (-90_000_000_000_000i64..90_000_000_000_000)
            .prop_map(|n| Bson::DateTime(bson::DateTime::from_millis(n))),
        any::<(u32, u32)>()
            .prop_map(|(time, increment)| { Bson::Timestamp(bson::Timestamp { time, increment }) }),
        (any::<u8>(), any::<Vec<u8>>()).prop_map(|(subtype, bytes)| {
            Bson::Binary(bson::Binary { subtype: subtype.into(), bytes })
        }),
        any::<i64>().prop_map(|n| Bson::Decimal128(format!("{n}E-3").parse().unwrap())),
        any::<String>().prop_map(Bson::Symbol),
        any::<String>().prop_map(Bson::JavaScriptCode),
        ("[^\0]{0,12}", "[imsx]{0,3}").prop_map(|(pattern, options)| {
            let mut options: Vec<char> = options.chars().collect();
            options.sort_unstable();
            options.dedup();
            let options: String = options.into_iter().collect();
            Bson::RegularExpression(bson::Regex {
                pattern: pattern.try_into().unwrap(),
                options: options.try_into().unwrap(),
            })
        }),
    ];
    let key = prop_oneof!["[a-z$_.]{1,8}", "[^\0]{0,8}", Just("__proto__".to_string())];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Bson::Array),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| Bson::Document(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_printed_is_read_back(value in any_bson()) {
        let text = marula_mongodb::command::print_value(&value);
        let back = parse_literal(&text);
        // A document that looks like extended JSON means what it stands for.
        if !format!("{value:?}").contains("\"$") {
            prop_assert_eq!(back.map_err(|e| e.to_string()), Ok(value), "{}", text);
        }
    }

    #[test]
    fn a_command_survives_being_printed(filter in any_bson(), sort in prop::option::of(-1i32..=1), limit in prop::option::of(1i64..1_000_000_000_000)) {
        let filter = doc! { "f": filter };
        let command = Command::new("orders", Operation::Find(marula_mongodb::Find {
            filter,
            sort: sort.map(|s| doc! { "a.b": s }),
            limit,
            ..Default::default()
        }));
        let text = command.to_shell();
        let back = parse(&text).map_err(|e| TestCaseError::fail(format!("{e}: {text}")))?;
        prop_assert_eq!(back.to_shell(), text);
    }

    #[test]
    fn mangled_input_never_panics(seed in 0usize..6, at in any::<prop::sample::Index>(), cut in 0usize..20, put in ".{0,6}") {
        let texts = [
            "db.orders.aggregate([{$match: {at: {$gte: ISODate('2024-01-01')}}}, {$sort: {at: -1}}])",
            "const a = 1; db.getCollection(\"x\").find({a, b: /x/i}).sort({a: 1}).limit(5)",
            "{\"aggregate\": \"orders\", \"pipeline\": [{\"$match\": {\"a\": {\"$oid\": \"65f0c0ffee65f0c0ffee65f0\"}}}]}",
            "db.o.updateMany({a: NumberLong('5')}, [{$set: {b: `x${1}y`}}], {upsert: true})",
            "db.o.find({a: 1 + 2 * 3 - -4, b: [1,,2], c: -Infinity})",
            "use shop\ndb.o.distinct('é', {'ü.ß': BinData(0, 'YQ==')})",
        ];
        let text = texts[seed];
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) { at -= 1; }
        let mut end = (at + cut).min(text.len());
        while !text.is_char_boundary(end) { end += 1; }
        let mangled = format!("{}{put}{}", &text[..at], &text[end..]);
        if let Ok(command) = parse(&mangled) {
            let _ = command.fingerprint();
            let printed = command.to_shell();
            prop_assert_eq!(parse(&printed).map(|c| c.to_shell()).map_err(|e| e.to_string()), Ok(printed));
        }
    }
}
