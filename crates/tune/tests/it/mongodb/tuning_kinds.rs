//! Indexes of other kinds than those that are simply sorted, each where the shapes call for it.

use marula_core::{Quiet, Report, Verdict};
use marula_tune::mongodb::explain;
use marula_tune::{ExplainOptions, TuneOptions};

use super::tuning::{assert_none_worse, examined, of, tuned, tuned_with, tuning, ups};
use super::{fresh, set_up, target};

#[tokio::test(flavor = "multi_thread")]
async fn other_kinds_of_indexes_are_tried_where_the_statements_call_for_them() {
    let setup = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 8000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
at: {$add: [ISODate('2020-01-01'), {$multiply: ['$i', 3600000]}]}, \
place: {type: 'Point', coordinates: [{$mod: ['$i', 170]}, {$mod: [{$multiply: ['$i', 7]}, 83]}]}, \
attrs: {a: {$mod: ['$i', 900]}, b: {$mod: ['$i', 901]}, c: {$mod: ['$i', 902]}, d: {$mod: ['$i', 903]}}}}, \
{$out: 'c'}])";
    let near = "db.c.find({place: {$geoWithin: {$centerSphere: [[20, 20], 0.01]}}})";
    let report = tuned(
        setup,
        &[
            (near, 10),
            ("db.c.find({'attrs.a': 5})", 10),
            ("db.c.find({'attrs.b': 5})", 10),
            ("db.c.find({'attrs.c': 5})", 10),
            ("db.c.find({'attrs.d': 5})", 10),
            ("db.c.deleteMany({at: {$lt: ISODate('2020-01-02')}})", 1),
        ],
    )
    .await;
    let all = format!("{:#?}", ups(&report));
    assert!(all.contains("place: \\\"2dsphere\\\""), "{all}");
    let near = of(&report, "$geoWithin");
    assert!(examined(&near.after.plan) * 5 < examined(&near.before.plan), "{all}");
    // One index for all fields below the parent, or one for each: every one is served.
    assert!(all.contains("attrs"), "{all}");
    for field in ["attrs.a", "attrs.b", "attrs.c", "attrs.d"] {
        let one = of(&report, field);
        assert!(examined(&one.after.plan) < 100, "{field}: {all}");
    }
    let ttl = report.notes.iter().any(|note| note.contains("expireAfterSeconds"));
    assert!(ttl, "{:?}", report.notes);
    assert!(!all.contains("expireAfterSeconds"), "it removes documents: not a change");
    assert_none_worse(&report);
}

/// What each of the picked indexes was measured to do.
fn proven<'a>(report: &'a Report, part: &str) -> &'a marula_core::Change {
    let found = report.changes.iter().find(|change| change.up[0].contains(part));
    let found = found.unwrap_or_else(|| {
        panic!("no {part}: {:#?} {:#?}", ups(report), tuning(report).turned_down)
    });
    assert_eq!(found.proof.verdict, Verdict::Proven, "{}", found.proof.reason);
    assert!(found.proof.build.is_some_and(|build| build.bytes > 0), "{part}");
    found
}

const NOTES: &str = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 8000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
body: {$concat: ['the ', {$arrayElemAt: [['oak', 'elm', 'ash', 'fir', 'yew'], {$mod: ['$i', 5]}]}, \
' number ', {$toString: '$i'}, ' of the wood']}, code: {$toString: '$i'}, \
at: {type: 'Point', coordinates: [{$mod: ['$i', 170]}, {$mod: [{$multiply: ['$i', 7]}, 83]}]}}}, \
{$out: 'c'}])
";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_without_an_index_gets_one() {
    let text = "db.c.find({$text: {$search: '77'}})";
    let near =
        "db.c.find({at: {$near: {$geometry: {type: 'Point', coordinates: [20, 20]}}}}).limit(5)";
    let stage = "db.c.aggregate([{$geoNear: {near: {type: 'Point', coordinates: [2, 2]}, key: 'at', \
                 distanceField: 'd'}}, {$limit: 3}])";
    let statements = [(text, 10), (near, 10), (stage, 1), ("db.c.find({code: '5'})", 5)];
    let report = tuned(NOTES, &statements).await;
    assert!(tuning(&report).left_out.is_empty(), "{:?}", tuning(&report).left_out);
    for (part, statement) in
        [("{ body: \"text\" }", "$text"), ("{ at: \"2dsphere\" }", "$near"), ("{ at:", "$geoNear")]
    {
        let change = proven(&report, part);
        assert!(change.proof.reason.contains("refuses"), "{}", change.proof.reason);
        let one = of(&report, statement);
        // It did not run before.
        assert_eq!(one.before.ms, None, "{statement}");
        assert!(one.after.ms.is_some() && one.uses.contains(&change.id), "{statement}");
    }
    assert!(ups(&report)[0].contains("text") || ups(&report)[0].contains("2dsphere"));
    proven(&report, "{ code: 1 }");
    let all: u64 =
        report.changes.iter().filter_map(|one| one.proof.build).map(|build| build.bytes).sum();
    assert_eq!(tuning(&report).storage.added, all);
    // Without room they are left out, and the reason is said.
    let options = TuneOptions { budget_bytes: Some(0), ..TuneOptions::default() };
    let report = tuned_with(NOTES, &statements, &options).await;
    let reasons: Vec<&str> =
        tuning(&report).left_out.iter().map(|left| left.reason.as_str()).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason.contains("no room for it in the budget")));
    assert!(ups(&report).is_empty(), "{:?}", ups(&report));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_explains_what_the_server_refuses_is_told_what_proposes_the_index() {
    let session = fresh(6, 0).await;
    set_up(&session, NOTES).await;
    for statement in ["db.c.find({$text: {$search: '77'}})", "db.c.find({at: {$near: [2, 2]}})"] {
        let options = ExplainOptions::default();
        let error = explain(&session, &target(&session), statement, &options, &Quiet).await;
        let error = error.unwrap_err();
        assert!(!error.message().contains('\n'), "{error}");
        assert!(error.hints().iter().any(|hint| hint.contains("marula tune")), "{error}");
    }
    session.database().drop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_fields_of_one_parent_get_one_index_for_all() {
    let fields: Vec<String> =
        (0..9).map(|n| format!("f{n}: {{$mod: ['$i', {}]}}", 900 + n)).collect();
    let setup = format!(
        "db.seed.insertOne({{_id: 0}})\n\
         db.seed.aggregate([{{$project: {{i: {{$range: [0, 8000]}}}}}}, {{$unwind: '$i'}}, \
         {{$project: {{_id: '$i', attrs: {{{}}}}}}}, {{$out: 'c'}}])\n",
        fields.join(", ")
    );
    let texts: Vec<String> = (0..9).map(|n| format!("db.c.find({{'attrs.f{n}': 5}})")).collect();
    let statements: Vec<(&str, u64)> = texts.iter().map(|text| (text.as_str(), 10)).collect();
    let report = tuned(&setup, &statements).await;
    proven(&report, "\"attrs.$**\": 1");
    assert_eq!(report.changes.len(), 1, "{:?}", ups(&report));
    for text in &texts {
        assert!(examined(&of(&report, text).after.plan) < 100, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_strings_are_hashed_and_rare_constants_make_a_partial_index() {
    // 300 bytes each, with nothing in common at the beginning.
    let setup = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 8000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
url: {$reduce: {input: {$range: [0, 60]}, initialValue: '', in: {$concat: ['$$value', \
{$toString: {$mod: [{$multiply: [{$add: ['$i', 1]}, {$add: ['$$this', 7919]}]}, 99991]}}]}}}, \
status: {$cond: [{$eq: [{$mod: ['$i', 40]}, 0]}, 'open', 'done']}, \
who: {$mod: [{$multiply: ['$i', 7919]}, 4001]}}}, {$out: 'c'}])
";
    let open = "db.c.find({status: 'open', who: {$gte: 100, $lt: 200}})";
    let report = tuned(setup, &[("db.c.find({url: 'nowhere'})", 10), (open, 10)]).await;
    proven(&report, "{ url: \"hashed\" }");
    let partial = proven(&report, "partialFilterExpression: { status: \"open\" }");
    assert!(partial.conditions.iter().any(|one| one.contains("implies")), "{partial:?}");
    assert!(examined(&of(&report, "open").after.plan) < 50);
    assert_none_worse(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn geometry_beside_an_equality_is_one_index() {
    let setup = NOTES.replace("code: {$toString: '$i'}", "code: {$mod: ['$i', 40]}");
    let within = "db.c.find({code: 7, at: {$geoWithin: {$centerSphere: [[20, 20], 0.3]}}})";
    let report = tuned(&setup, &[(within, 10)]).await;
    proven(&report, "{ code: 1, at: \"2dsphere\" }");
    let one = of(&report, "$geoWithin");
    assert!(examined(&one.after.plan) * 5 < examined(&one.before.plan), "{:?}", ups(&report));
}
