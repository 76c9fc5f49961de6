//! The same for MongoDB.

use bson::doc;
use marula_lab::{MongoServer, StartOptions};
use marula_mongodb::{Session, SessionOptions, run, shell};

use super::*;

const SEED: &str = "db.seed.insertOne({_id: 0})";
const ORDERS: &str = r#"{"aggregate": "seed", "cursor": {}, "pipeline": [
  {"$project": {"i": {"$range": [0, 30000]}}}, {"$unwind": "$i"},
  {"$project": {"_id": "$i", "customer": {"$mod": [{"$multiply": ["$i", 7919]}, 3001]},
    "kind": {"$mod": ["$i", 40]}, "n": "$i", "note": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}},
  {"$out": "orders"}]}"#;

const STATEMENTS: &str = r#"// what the shop asks
db.orders.find({customer: 42}).sort({n: -1});
db.orders.aggregate([
  {$match: {kind: 3}},
  {$lookup: {from: "customers", localField: "customer", foreignField: "number", as: "c"}},
  {$group: {_id: "$customer", n: {$sum: 1}}}, {$sort: {_id: 1}}
]);
db.orders.updateMany({customer: 7}, {$set: {note: "y"}});
db.gone.find({a: 1});
db.getSiblingDB("other").orders.find({a: 1});
db.orders.find({$where: "sleep(100)"});
db.orders.aggregate([{$project: {x: {$divide: [1, {$subtract: ["$n", "$n"]}]}}}]);
db.orders.find({a: );
db.orders.aggregate([{$lookup: {from: "orders", let: {n: "$n"}, pipeline: [{$match: {$expr: {$gt: [{$add: ["$n", "$$n"]}, -1]}}}, {$count: "n"}], as: "x"}}]);
"#;

/// A server with 30,000 orders in `shop`.
async fn mongodb() -> MongoServer {
    let wanted = Some(Version::new(6, 0, 0));
    let install = marula_lab::discover::choose(Engine::Mongodb, wanted).unwrap().install;
    let server = MongoServer::start(&install, &StartOptions::default()).await.unwrap();
    let session = session(&server).await;
    run::apply(&session, &shell::parse(SEED).unwrap()).await.unwrap();
    let make: bson::Bson = ORDERS.parse::<serde_json::Value>().unwrap().try_into().unwrap();
    let make = make.as_document().unwrap().clone();
    session.database().run_command(make).await.unwrap();
    session
        .database()
        .run_command(doc! {"insert": "customers", "documents":
        (0..500).map(|n| doc! {"number": n, "name": "somebody"}).collect::<Vec<_>>()})
        .await
        .unwrap();
    server
}

async fn session(server: &MongoServer) -> Session {
    let spec = server.spec().with_database("shop");
    Session::open(&spec, &SessionOptions::lab()).await.unwrap()
}

#[test]
fn a_workload_of_mongodb_is_taken_from_files_and_told_in_every_format() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(mongodb());
    let url = server.url_of("shop");
    std::fs::write(home.path().join("s.js"), STATEMENTS).unwrap();
    let args = ["tune", &url, "--statements", "s.js", "--timeout", "1s", "--format"];
    let with = |format| [&args[..], &[format]].concat();
    let json = home.expect(1, &with("json"));
    let report = told(&json);
    assert!(ups(&report).contains("createIndex({ customer: 1, n: -1 }"), "{json}");
    // The $lookup that nobody reads is left out.
    let rewritten = |change: &marula_core::Change| {
        change.kind == marula_core::ChangeKind::Rewrite && !change.up[0].contains("customers")
    };
    assert!(report.changes.iter().any(rewritten), "{json}");
    let tuning = report.tuning.as_ref().unwrap();
    let slow = tuning.statements.iter().find(|one| one.statement.text.contains("$$n")).unwrap();
    assert!(slow.before.timed_out, "{json}");
    assert_eq!(tuning.writes.len(), 1, "{json}");
    let reason = |part: &str| {
        let left = tuning.left_out.iter().find(|left| left.statement.contains(part));
        left.map(|left| left.reason.clone()).unwrap_or_else(|| panic!("no {part}: {json}"))
    };
    for (part, why) in [
        ("db.gone", "no collection gone"),
        ("getSiblingDB", "database other"),
        ("$where", "$where"),
        ("$divide", "divide by zero"),
        ("{a: )", "Unexpected token"),
    ] {
        assert!(reason(part).contains(why), "{part}: {}", reason(part));
    }
    for (columns, format) in [("80", "human"), ("200", "human"), ("80", "markdown")] {
        let mut command = home.marula(&with(format));
        let output = command.env("COLUMNS", columns).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for part in ["createIndex", "customer: 42", "UPDATE", "gone", "> 1 s"] {
            assert!(text.contains(part), "no {part} in {format} at {columns}:\n{text}");
        }
        let room = columns.parse::<usize>().unwrap();
        // The target's own name is one word, however long.
        let wide = text.lines().find(|line| {
            format == "human" && line.chars().count() > room && !line.contains("mongodb://")
        });
        assert_eq!(wide, None, "at {columns}:\n{text}");
    }
    let none = [&with("json")[..], &["--budget", "0", "--fail-on", "never"]].concat();
    let none = home.expect(0, &none);
    assert!(!ups(&told(&none)).contains("createIndex"), "{none}");
    assert!(told(&none).changes.iter().any(rewritten), "{none}");
    // A script that mongosh takes, with the way back.
    home.expect(1, &[&args[..6], &["--output", "tuned.js"]].concat());
    let script = std::fs::read_to_string(home.path().join("tuned.js")).unwrap();
    assert!(script.contains("// db.orders.dropIndex(\"customer_1_n_-1\");"), "{script}");
    let commands = shell::parse_many(&script).unwrap_or_else(|error| panic!("{error}: {script}"));
    runtime.block_on(async {
        let session = session(&server).await;
        for command in &commands {
            run::apply(&session, command).await.unwrap();
        }
    });
    let again = home.expect(1, &with("json"));
    assert!(!ups(&told(&again)).contains("customer: 1, n: -1"), "{again}");
}

#[test]
fn a_workload_of_mongodb_is_taken_from_the_profiler_and_from_logs() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(mongodb());
    let url = server.url_of("shop");
    runtime.block_on(async {
        let session = session(&server).await;
        let run = async |command| session.database().run_command(command).await.unwrap();
        run(doc! {"profile": 2}).await;
        for n in 0..20 {
            run(doc! {"find": "orders", "filter": {"customer": n}}).await;
            run(doc! {"update": "orders", "updates": [
            {"q": {"_id": n}, "u": {"$set": {"note": "z"}}}]})
            .await;
        }
        run(doc! {"profile": 0}).await;
    });
    let report = told(&home.expect(1, &["tune", &url, "--format", "json"]));
    let tuning = report.tuning.as_ref().unwrap();
    let find = tuning.statements.iter().find(|one| one.statement.text.contains("customer:"));
    let find = find.unwrap_or_else(|| panic!("{tuning:#?}"));
    assert_eq!(find.calls, 20, "{tuning:#?}");
    assert!(ups(&report).contains("{ customer: 1 }"), "{:?}", ups(&report));
    assert_eq!((tuning.writes.len(), tuning.writes[0].calls), (1, 20), "{tuning:#?}");
    assert!(report.notes.iter().any(|note| note.contains("system.profile")), "{:?}", report.notes);
    // A log, and what `logs` saved of it.
    let line = |n: u32| {
        format!(
            r#"{{"t":{{"$date":"2026-03-02T09:00:{n:02}.000+00:00"}},"s":"I","c":"COMMAND","id":51803,"ctx":"conn1","msg":"Slow query","attr":{{"type":"command","ns":"shop.orders","command":{{"find":"orders","filter":{{"customer":{n}}},"$db":"shop"}},"planSummary":"COLLSCAN","keysExamined":0,"docsExamined":30000,"nreturned":10,"durationMillis":12}}}}"#
        ) + "\n"
    };
    std::fs::write(home.path().join("mongod.json"), (10..40).map(line).collect::<String>())
        .unwrap();
    home.expect(0, &["logs", "mongod.json", "--save", "workload.json"]);
    for source in [["--log", "mongod.json"], ["--workload", "workload.json"]] {
        let report =
            told(&home.expect(1, &["tune", &url, source[0], source[1], "--format", "json"]));
        let statements = &report.tuning.as_ref().unwrap().statements;
        assert_eq!(statements.iter().map(|one| one.calls).sum::<u64>(), 30, "{source:?}");
        assert!(ups(&report).contains("{ customer: 1 }"), "{source:?}");
    }
    // Too many to take part: one of each shape, and of the shapes the heaviest.
    let text = |n: u32| match n % 10 {
        0 => format!("db.orders.find({{kind: {n}, n: 5}});\n"),
        1 => format!("db.orders.countDocuments({{kind: {n}}});\n"),
        _ => format!("db.orders.find({{customer: {n}}});\n"),
    };
    std::fs::write(home.path().join("s.js"), (0..10_000).map(text).collect::<String>()).unwrap();
    let args = ["tune", &url, "--statements", "s.js", "--max-statements", "2", "--format", "json"];
    let report = told(&home.expect(1, &args));
    let calls: Vec<u64> =
        report.tuning.as_ref().unwrap().statements.iter().map(|one| one.calls).collect();
    assert_eq!(calls.iter().sum::<u64>(), 9000, "{calls:?}");
    let notes = report.notes.join("\n");
    assert!(notes.contains("10000 statements of the workload are of 3 shapes"), "{notes}");
    assert!(notes.contains("the 2 heaviest take part, with 90 % of its calls"), "{notes}");
}

#[test]
fn an_interruption_of_mongodb_ends_it_in_order_and_says_so() {
    let home = Home::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(mongodb());
    let url = server.url_of("shop");
    let slow = STATEMENTS.lines().last().unwrap();
    // The quick one is proved by the time the slow one is still under way.
    std::fs::write(home.path().join("s.js"), format!("db.orders.find({{customer: 3}});\n{slow}\n"))
        .unwrap();
    let args = ["tune", &url, "--statements", "s.js", "--format", "json"];
    let child = home.marula(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    let asked = std::time::Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{stderr}{stdout}");
    // The slow one is given a minute: nobody waits for that.
    assert!(asked.elapsed() < Duration::from_secs(40), "{:?}", asked.elapsed());
    assert!(stderr.contains("interrupted"), "{stderr}{stdout}");
    let report = told(&stdout);
    assert!(report.tuning.as_ref().unwrap().interrupted, "{stdout}");
}
