//! The attack set on the way commands of users go to MongoDB. Other faces run it through their own
//! doors.

/// Refused before anything is sent, with this word in the message.
pub const REFUSED: &[(&str, &str)] = &[
    ("db.orders.aggregate([{$out: 'stolen'}])", "$out"),
    ("db.orders.aggregate([{$merge: {into: 'stolen'}}])", "$merge"),
    ("db.orders.aggregate([{$match: {}}, {$out: {db: 'other', coll: 'stolen'}}])", "$out"),
    ("db.orders.aggregate([{$facet: {a: [{$out: 'stolen'}]}}])", "$out"),
    ("db.orders.aggregate([{$facet: {a: [{$merge: 'stolen'}]}}])", "$merge"),
    (
        "db.orders.aggregate([{$lookup: {from: 'customers', pipeline: [{$merge: 'stolen'}], as: 'x'}}])",
        "$merge",
    ),
    (
        "db.orders.aggregate([{$lookup: {from: 'customers', as: 'x', pipeline: [{$lookup: {from: 'orders', as: 'y', pipeline: [{$out: 'stolen'}]}}]}}])",
        "$out",
    ),
    (
        "db.orders.aggregate([{$unionWith: {coll: 'customers', pipeline: [{$out: 'stolen'}]}}])",
        "$out",
    ),
    (
        "db.orders.aggregate([{$match: {$expr: {$function: {body: 'function() { return true }', args: [], lang: 'js'}}}}])",
        "$function",
    ),
    (
        "db.orders.aggregate([{$addFields: {a: {$function: {body: 'sleep(1000)', args: [], lang: 'js'}}}}])",
        "$function",
    ),
    (
        "db.orders.aggregate([{$group: {_id: 1, n: {$accumulator: {init: 'function() {}', accumulate: 'function() {}', accumulateArgs: [], merge: 'function() {}', lang: 'js'}}}}])",
        "$accumulator",
    ),
    ("db.orders.aggregate([{$match: {$where: 'sleep(10000)'}}])", "$where"),
    ("db.orders.aggregate([{$match: {$or: [{a: 1}, {$and: [{$where: 'while(1);'}]}]}}])", "$where"),
    (
        "db.orders.aggregate([{$graphLookup: {from: 'orders', startWith: 1, connectFromField: 'a', connectToField: 'b', as: 'x', restrictSearchWithMatch: {$where: 'sleep(9)'}}}])",
        "$where",
    ),
    (
        "db.orders.aggregate([{$redact: {$cond: [{$function: {body: 'x', args: [], lang: 'js'}}, '$$KEEP', '$$PRUNE']}}])",
        "$function",
    ),
    (
        "db.orders.aggregate([{$lookup: {from: 'customers', let: {x: {$function: {body: 'x', args: [], lang: 'js'}}}, pipeline: [], as: 'y'}}])",
        "$function",
    ),
    (
        "db.orders.aggregate([{$match: {}}], {let: {x: {$function: {body: 'x', args: [], lang: 'js'}}}})",
        "$function",
    ),
    (
        "db.orders.aggregate([{$bucket: {groupBy: '$a', boundaries: [1, 2], output: {n: {$accumulator: {}}}}}])",
        "$accumulator",
    ),
    ("db.orders.aggregate([{$setWindowFields: {output: {n: {$function: {}}}}}])", "$function"),
    ("db.orders.aggregate([{$currentOp: {}}])", "$currentOp"),
    ("db.orders.aggregate([{$listLocalSessions: {}}])", "$listLocalSessions"),
    ("db.orders.aggregate([{$listSessions: {}}])", "$listSessions"),
    ("db.orders.aggregate([{$changeStream: {}}])", "$changeStream"),
    ("db.orders.aggregate([{$_internalInhibitOptimization: {}}])", "$_internal"),
    ("db.orders.aggregate([{$mtch: {}}])", "$mtch"),
    ("db.orders.aggregate([{match: {}}])", "match"),
    ("db.orders.aggregate([{$match: {}, $out: 'stolen'}])", "exactly one"),
    ("db.orders.aggregate([{}])", "exactly one"),
    ("db.orders.aggregate([{'$\\u006fut': 'stolen'}])", "$out"),
    ("db.orders.aggregate([{['$' + 'out']: 'stolen'}])", "$out"),
    (
        "db.orders.aggregate([{$match: {}}], {bypassDocumentValidation: true})",
        "bypassDocumentValidation",
    ),
    ("db.orders.aggregate([{$match: {}}], {writeConcern: {w: 0}})", "writeConcern"),
    ("db.orders.aggregate([{$match: {}}], {readConcern: {level: 'linearizable'}})", "read concern"),
    ("db.orders.find({$where: 'sleep(10000)'})", "$where"),
    ("db.orders.find({a: {$elemMatch: {$where: 'while(1);'}}})", "$where"),
    ("db.orders.find({a: Code('while(1);')})", "JavaScript"),
    ("db.orders.find({}, {x: {$function: {body: 'x', args: [], lang: 'js'}}})", "$function"),
    (
        "db.orders.find({$expr: {$eq: [1, {$function: {body: 'x', args: [], lang: 'js'}}]}})",
        "$function",
    ),
    ("db.orders.find({}, {}, {tailable: true, awaitData: true})", "tailable"),
    ("db.orders.count({$where: 'sleep(10000)'})", "$where"),
    ("db.orders.countDocuments({$expr: {$function: {}}})", "$function"),
    ("db.orders.distinct('a', {$where: 'sleep(10000)'})", "$where"),
    ("db.orders.updateMany({$where: 'sleep(10000)'}, {$set: {a: 1}})", "$where"),
    (
        "db.orders.updateMany({}, [{$set: {a: {$function: {body: 'x', args: [], lang: 'js'}}}}])",
        "$function",
    ),
    ("db.orders.updateMany({}, [{$out: 'stolen'}])", "$out"),
    ("db.orders.updateMany({}, [{$lookup: {from: 'x', as: 'y', pipeline: []}}])", "$lookup"),
    ("db.orders.findOneAndUpdate({$where: 'x'}, {$set: {a: 1}})", "$where"),
    ("db.orders.insertOne({a: 1})", "insertOne"),
    ("db.orders.insertMany([{a: 1}])", "insertMany"),
    ("db.orders.drop()", "drop"),
    ("db.orders.createIndex({a: 1})", "createIndex"),
    ("db.orders.dropIndex('status_1_at_-1')", "dropIndex"),
    ("db.orders.hideIndex('status_1_at_-1')", "collMod"),
    ("db.createCollection('stolen')", "createCollection"),
    ("{\"aggregate\": \"orders\", \"pipeline\": [{\"$out\": \"stolen\"}], \"cursor\": {}}", "$out"),
    (
        "{\"aggregate\": \"orders\", \"pipeline\": [{\"$match\": {}}], \"pipeline\": [{\"$merge\": \"stolen\"}]}",
        "$merge",
    ),
    (
        "{\"explain\": {\"aggregate\": \"orders\", \"pipeline\": [{\"$out\": \"stolen\"}], \"cursor\": {}}}",
        "$out",
    ),
    ("{\"find\": \"orders\", \"filter\": {}, \"writeConcern\": {\"w\": 1}}", "writeConcern"),
    ("{\"find\": \"orders\", \"filter\": {\"$where\": {\"$code\": \"sleep(1)\"}}}", "$where"),
    (
        "{\"find\": \"orders\", \"filter\": {\"a\": {\"$code\": \"sleep(1)\", \"$scope\": {}}}}",
        "JavaScript",
    ),
    ("{\"create\": \"stolen\"}", "createCollection"),
    ("{\"drop\": \"orders\"}", "drop"),
    ("{\"collMod\": \"orders\", \"validator\": {}}", "collMod"),
];

/// Refused by the parser already.
pub const NOT_COMMANDS: &[&str] = &[
    "db.orders.mapReduce(function() {}, function() {}, {out: 'stolen'})",
    "{\"mapReduce\": \"orders\", \"map\": \"x\", \"reduce\": \"y\", \"out\": \"stolen\"}",
    "{\"eval\": \"db.orders.drop()\"}",
    "{\"$eval\": \"db.orders.drop()\"}",
    "{\"dropDatabase\": 1}",
    "{\"shutdown\": 1}",
    "{\"renameCollection\": \"a.b\", \"to\": \"a.c\"}",
    "{\"explain\": {\"explain\": {\"drop\": \"orders\"}}}",
    "{\"explain\": {\"mapReduce\": \"orders\"}}",
    "{\"applyOps\": []}",
    "db.runCommand({fsync: 1, lock: true})",
    "db.adminCommand({setParameter: 1, notablescan: true})",
    "db.orders.find().forEach(function(d) { db.orders.deleteOne(d) })",
    "db.orders.find({a: db.orders.drop()})",
    "db.dropDatabase()",
    "db.orders.renameCollection('stolen')",
    "db.orders.bulkWrite([{deleteMany: {filter: {}}}])",
    "db.orders.find({\"a\\u0000b\": 1})",
    "db['orders\\u0000x'].find({})",
    "db.orders.find({a: 1}); db.orders.drop()",
    "{\"find\": \"orders\", \"$db\": \"ad\\u0000min\"}",
];

/// Passed, and harmless: an explained write changes nothing, odd names are only names.
pub const HARMLESS: &[&str] = &[
    "db.orders.updateMany({}, {$set: {stolen: true}})",
    "db.orders.deleteMany({})",
    "db.orders.findOneAndDelete({})",
    "db.orders.findOneAndReplace({_id: 1}, {stolen: true}, {upsert: true})",
    "db.orders.updateOne({_id: 999999}, {$set: {a: 1}}, {upsert: true})",
    "{\"update\": \"orders\", \"updates\": [{\"q\": {}, \"u\": {\"$set\": {\"stolen\": 1}}, \"multi\": true}], \"writeConcern\": {\"w\": 0}}",
    "{\"delete\": \"orders\", \"deletes\": [{\"q\": {}, \"limit\": 0}]}",
    "db.orders.find({'a.$out': 1, 'ünï.çødé\\u202e': 2})",
    "db.orders.find({'': 1})",
];
