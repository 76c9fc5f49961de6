use bson::{Bson, Document, doc};
use marula_mongodb::{Session, SessionOptions};

use super::Project;

struct Eye {
    runtime: tokio::runtime::Runtime,
    session: Session,
}

impl Eye {
    fn load(&self, collection: &str, documents: Vec<Document>) {
        let loaded = self.session.database().collection::<Document>(collection);
        self.runtime.block_on(async { loaded.insert_many(documents).await }).unwrap();
    }

    fn run(&self, command: Document) -> Document {
        let database = self.session.database();
        self.runtime.block_on(async { database.run_command(command).await }).unwrap()
    }

    fn count(&self, collection: &str, filter: Document) -> u64 {
        let documents = self.session.database().collection::<Document>(collection);
        self.runtime.block_on(async { documents.count_documents(filter).await }).unwrap()
    }
}

fn mongodb(version: (u16, u16), files: &[(&str, &str)]) -> (Project, Eye) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(marula_lab::shared::mongodb(version.0, version.1)).unwrap();
    let spec = runtime.block_on(server.create_database()).unwrap();
    let project = Project::new(server.url_of(spec.database().unwrap()), files);
    let session = runtime.block_on(Session::open(&spec, &SessionOptions::lab())).unwrap();
    (project, Eye { runtime, session })
}

fn said(project: &Project, code: i32, args: &[&str], words: &[&str]) {
    let (found, said) = project.run(args);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(found, Some(code), "marula {}: {said}", args.join(" "));
    for word in words {
        assert!(flat.contains(word), "'{word}' is not in: {said}");
    }
}

const APPLY: [&str; 3] = ["migrate", "apply", "t"];

#[test]
fn up_and_down_again_on_every_version() {
    for version in [(4, 4), (5, 0), (6, 0)] {
        let (project, eye) = mongodb(
            version,
            &[
                (
                    "1_a.json",
                    r#"{"up": [{"create": "users"}, "db.users.createIndex({email: 1}, {name: 'email_1'})",
                {"backfill": {"collection": "users", "filter": {"status": {"$exists": false}}, "update": {"$set": {"status": "active"}}, "batch": 7}}],
              "down": ["db.users.dropIndex('email_1')", {"drop": "users"}]}"#,
                ),
                (
                    "2_b.yaml",
                    "up:\n  - backfill: {collection: users, filter: {}, update: {$inc: {n: 1}}, batch: 13}\n",
                ),
            ],
        );
        eye.load("users", (0..100).map(|n| doc! { "_id": n, "email": format!("{n}@x") }).collect());
        eye.run(doc! { "drop": "users" });
        said(
            &project,
            0,
            &["migrate", "plan", "t", "--fail-on", "never"],
            &["2 migrations would run, 4 statements", "in batches of 7 documents"],
        );
        assert_eq!(eye.count("marula.migrations", doc! {}), 0, "a plan changes nothing");
        project.expect(&["migrate", "apply", "t", "--to", "1"]);
        eye.load("users", (0..100).map(|n| doc! { "_id": n }).collect());
        // Ids of several types are gone through in one order.
        eye.load(
            "users",
            vec![
                doc! { "_id": "text" },
                doc! { "_id": bson::oid::ObjectId::new() },
                doc! { "_id": { "a": 1 } },
            ],
        );
        said(&project, 0, &APPLY, &["1 migration applied"]);
        assert_eq!(eye.count("users", doc! { "n": 1 }), 103);
        said(&project, 0, &["migrate", "status", "t"], &["2 applied, 0 to come"]);
        said(
            &project,
            2,
            &["migrate", "rollback", "t"],
            &["2_b.yaml cannot be taken back: it has no down part"],
        );
        said(&project, 0, &["migrate", "repair", "t", "--forget", "2"], &["2: forgotten"]);
        said(&project, 0, &["migrate", "rollback", "t"], &["1 migration rolled back"]);
        assert_eq!(eye.count("users", doc! {}), 0);
        said(&project, 0, &["migrate", "verify", "t"], &["0 applied, 2 to come"]);
    }
}

#[test]
fn what_the_documents_would_break_is_found_before_it_begins() {
    for (update, why) in [
        (r#"[{"$set": {"n": {"$toInt": "$text"}}}]"#, "would end the change with an error"),
        (r#"{"$set": {"n": "words"}}"#, "the validator of items would reject the document"),
        (r#"[{"$set": {"copy": "$long"}}]"#, "would grow past 16 MB"),
    ] {
        let file =
            format!(r#"{{"up": [{{"backfill": {{"collection": "items", "update": {update}}}}}]}}"#);
        let (project, eye) = mongodb((6, 0), &[("1_x.json", &file)]);
        eye.load(
            "items",
            (0..10)
                .map(|n| doc! { "_id": n, "text": if n == 7 { "no number" } else { "5" } })
                .collect(),
        );
        match why.contains("16 MB") {
            true => eye.load(
                "items",
                vec![doc! { "_id": "big", "text": "1", "long": "x".repeat(9 << 20) }],
            ),
            false => {
                eye.run(doc! { "collMod": "items", "validator": { "n": { "$not": { "$type": "string" } } } });
            }
        }
        said(&project, 2, &APPLY, &[why, "it was not begun", "1_x.json:1"]);
        assert_eq!(
            eye.count(
                "items",
                doc! { "$or": [{ "n": { "$exists": true } }, { "copy": { "$exists": true } }] }
            ),
            0,
            "{why}"
        );
    }
    let unique = r#"{"up": ["db.items.createIndex({a: 1}, {name: 'a_1', unique: true})"]}"#;
    let (project, eye) = mongodb((6, 0), &[("1_x.json", unique)]);
    eye.load("items", vec![doc! { "_id": 1, "a": 1 }, doc! { "_id": 2, "a": 1 }]);
    said(&project, 2, &APPLY, &["2 documents of items agree in", "the unique index would fail"]);
    let validator = r#"{"up": [{"collMod": "items", "validator": {"a": {"$gt": 5}}}]}"#;
    let (project, eye) = mongodb((6, 0), &[("1_x.json", validator)]);
    eye.load("items", vec![doc! { "_id": 1, "a": 1 }, doc! { "_id": 2, "a": 9 }]);
    said(&project, 2, &APPLY, &["rejects 1 documents that are there, such as 1"]);
}

#[test]
fn a_failure_leaves_what_is_done_and_the_same_command_goes_on() {
    let bad = r#"{"up": [{"insert": "log", "documents": [{"n": 1}]}, {"collMod": "nowhere", "validator": {}}]}"#;
    let (project, eye) = mongodb((6, 0), &[("1_x.json", bad)]);
    said(&project, 2, &APPLY, &["1 of its 2 commands are done and stay", "1_x.json:1"]);
    let path = project.path().join("migrations/1_x.json");
    std::fs::write(&path, bad.replace("nowhere", "log")).unwrap();
    said(&project, 0, &APPLY, &["1 migration applied"]);
    assert_eq!(eye.count("log", doc! {}), 1);
    // What the server says inside a reply that is ok.
    let twice = r#"{"up": [{"insert": "log", "documents": [{"_id": 1}, {"_id": 1}]}]}"#;
    std::fs::write(project.path().join("migrations/2_x.json"), twice).unwrap();
    said(&project, 3, &APPLY, &["E11000"]);
    assert_eq!(eye.count("log", doc! {}), 1);
}

#[test]
fn what_a_server_alone_might_do_twice_is_refused_by_name() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let version = marula_core::Version::new(6, 0, 0);
    let install =
        marula_lab::discover::choose_exactly(marula_core::Engine::Mongodb, Some(version)).unwrap();
    let server =
        runtime.block_on(marula_lab::MongoServer::start(&install, &Default::default())).unwrap();
    for (command, why) in [
        (
            r#"{"backfill": {"collection": "a", "update": {"$inc": {"n": 1}}}}"#,
            "$inc changes n each time",
        ),
        (
            r#"{"update": "a", "updates": [{"q": {"b": 1}, "u": {"$set": {"b": 2}}}]}"#,
            "name its _id",
        ),
        (
            r#"{"backfill": {"collection": "a", "update": [{"$set": {"n": {"$add": ["$n", 1]}}}]}}"#,
            "n is made from n, which it changes",
        ),
    ] {
        let project = Project::new(
            server.url_of("alone"),
            &[("1_x.json", &format!("{{\"up\": [{command}]}}"))],
        );
        said(&project, 2, &APPLY, &["interrupted, this would be done twice", why, "nothing ran"]);
    }
    let file = r#"{"options": {"transaction": true}, "up": [{"insert": "a", "documents": [{}]}]}"#;
    let project = Project::new(server.url_of("alone"), &[("1_x.json", file)]);
    said(&project, 2, &APPLY, &["the file wants a transaction, and this server stands alone"]);
}

#[test]
fn a_build_that_gets_no_lock_lets_others_pass_and_tries_again() {
    let file =
        r#"{"up": [{"createIndexes": "users", "indexes": [{"key": {"a": 1}, "name": "a_1"}]}]}"#;
    for version in [(4, 4), (5, 0), (6, 0)] {
        let (project, eye) = mongodb(version, &[("1_index.json", file)]);
        eye.load("users", (0..100).map(|id| doc! { "_id": id, "a": id }).collect());
        let users = eye.session.database().collection::<Document>("users");
        let mut open = eye.runtime.block_on(async {
            let mut open = eye.session.client().start_session().await.unwrap();
            open.start_transaction().await.unwrap();
            let change = doc! { "$set": { "b": 1 } };
            users.update_one(doc! { "_id": 1 }, change).session(&mut open).await.unwrap();
            open
        });
        // It ends while the transaction is open, and says who is in its way.
        let words = [
            "createIndexes waited 300ms for its lock",
            "it was tried 2 times",
            "a transaction open for",
        ];
        let args = ["migrate", "apply", "t", "--tries", "2", "--lock-timeout", "300ms"];
        said(&project, 3, &args, &words);
        // Between its tries others write, again and again; then it is done.
        let mut patient = project.marula(&["migrate", "apply", "t", "--lock-timeout", "100ms"]);
        patient.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = patient.spawn().unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(1);
        let mut wrote = 0;
        while std::time::Instant::now() < until {
            wrote += 1;
            eye.load("users", vec![doc! { "a": wrote }]);
        }
        assert!(wrote > 5, "{version:?}: {wrote}");
        eye.runtime.block_on(async { open.commit_transaction().await }).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let names = eye.runtime.block_on(async { users.list_index_names().await }).unwrap();
        assert!(names.contains(&"a_1".to_string()), "{version:?}: {names:?}");
    }
}

/// A transaction that begins while a build is at work lets it work, and not end. To meet it at its
/// work takes luck.
#[test]
fn a_build_that_is_not_let_in_says_who_is_in_its_way() {
    let file = r#"{"up": [{"createIndexes": "users", "indexes": [{"key": {"s": 1}, "name": "s_1"}]}],
            "down": [{"dropIndexes": "users", "index": "s_1"}]}"#;
    for version in [(4, 4), (6, 0)] {
        let (project, eye) = mongodb(version, &[("1_index.json", file)]);
        let text = |id: i32| format!("{}{id}", "x".repeat(40));
        for part in 0..8 {
            let ids = part * 20_000..(part + 1) * 20_000;
            eye.load("users", ids.map(|id| doc! { "_id": id, "s": text(id) }).collect());
        }
        let met = (0..5).any(|_| built_beside_a_transaction(&project, &eye));
        assert!(met, "{version:?}");
    }
}

/// Whether the build was met at its work; then what was told of it is right.
fn built_beside_a_transaction(project: &Project, eye: &Eye) -> bool {
    let users = eye.session.database().collection::<Document>("users");
    let mut apply = project.marula(&["migrate", "apply", "t", "--lock-timeout", "400ms"]);
    apply.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = apply.spawn().unwrap();
    let at_work = doc! { "aggregate": 1, "cursor": {}, "pipeline": [
        { "$currentOp": { "allUsers": true } },
        { "$match": { "command.createIndexes": "users", "msg": { "$regex": "^Index Build" } } },
    ] };
    let admin = eye.session.client().database("admin");
    let open = eye.runtime.block_on(async {
        while child.try_wait().unwrap().is_none() {
            let reply = admin.run_command(at_work.clone()).await.unwrap();
            if reply.get_document("cursor").unwrap().get_array("firstBatch").unwrap().is_empty() {
                continue;
            }
            let mut open = eye.session.client().start_session().await.unwrap();
            open.start_transaction().await.unwrap();
            let change = doc! { "$set": { "b": 1 } };
            users.update_one(doc! { "_id": 1 }, change).session(&mut open).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            return Some((child.try_wait().unwrap().is_none(), open));
        }
        None
    });
    let waited = open.as_ref().is_some_and(|(waits, _)| *waits);
    if let Some((_, mut open)) = open {
        eye.runtime.block_on(async { open.abort_transaction().await }).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let word = "createIndexes on users has done its work and waits for its last lock, behind a \
                transaction open for";
    if !waited {
        project.expect(&["migrate", "rollback", "t"]);
        return false;
    }
    assert!(flat.contains(word), "{told}");
    true
}

#[test]
fn what_is_written_here_passes_the_own_lint() {
    let (project, _) = mongodb((6, 0), &[]);
    project.expect(&["migrate", "add-index", "users", "email", "--engine", "mongodb"]);
    project.expect(&["migrate", "lint", "migrations", "--server-version", "6.0"]);
}

#[test]
fn a_series_is_rolled_back_as_a_whole_and_a_dropped_index_comes_back() {
    let (project, eye) = mongodb((6, 0), &[]);
    eye.run(doc! { "create": "users", "collation": { "locale": "fr", "strength": 1 } });
    eye.load("users", (0..10).map(|n| doc! { "_id": n, "mail": n }).collect());
    let simple = doc! { "key": { "mail": 1 }, "name": "m", "unique": true, "sparse": true,
    "collation": { "locale": "simple" } };
    let partial = doc! { "key": { "mail": -1, "a": 1 }, "name": "p.q", "hidden": true,
    "partialFilterExpression": { "a": { "$gt": 5_i64 } } };
    eye.run(doc! { "createIndexes": "users", "indexes": [simple, partial] });
    let indexes = || {
        let reply = eye.run(doc! { "listIndexes": "users" });
        reply.get_document("cursor").unwrap().get_array("firstBatch").unwrap().clone()
    };
    let before = indexes();
    project.expect(&["migrate", "rename", "users.mail", "email", "--target", "t"]);
    let contract = project.expect(&["migrate", "drop", "index", "users.m", "--target", "t"]);
    assert!(!contract.contains("cannot be taken back"), "{contract}");
    project.expect(&["migrate", "drop", "index", "users.p.q", "--target", "t"]);
    let files = std::fs::read_dir(project.path().join("migrations")).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names.len(), 7);
    let last = names[6].split('_').next().unwrap();
    project.expect(&["migrate", "apply", "t", "--to", last]);
    assert_eq!(eye.count("users", doc! { "mail": { "$exists": true } }), 0);
    assert_eq!((eye.count("users", doc! { "email": { "$gte": 0 } }), indexes().len()), (10, 1));
    project.expect(&["migrate", "rollback", "t", "--count", "7"]);
    assert_eq!(
        eye.count("users", doc! { "mail": { "$gte": 0 }, "email": { "$exists": false } }),
        10
    );
    let by_name = |all: Vec<Bson>| {
        let mut all: Vec<String> = all.iter().map(ToString::to_string).collect();
        all.sort();
        all
    };
    assert_eq!(by_name(indexes()), by_name(before));
    let words = ["users has no index mm", "did you mean 'm'?"];
    said(&project, 2, &["migrate", "drop", "index", "users.mm", "--target", "t"], &words);
    // A check that another series left behind stops nobody who goes back either.
    let args = ["migrate", "change-type", "users.mail", "long", "--target", "t"];
    said(&project, 0, &args, &["come back the same"]);
    project.expect(&APPLY);
    project.expect(&["migrate", "rollback", "t", "--count", "1"]);
}

#[test]
fn a_name_means_what_the_target_has() {
    let (project, eye) = mongodb((6, 0), &[]);
    eye.load("ct", vec![doc! { "a": { "b": "zz" } }]);
    eye.load("log.day", vec![doc! { "n": "5" }]);
    eye.load("log", vec![doc! { "day": { "n": "5" } }]);
    let written = |args: &[&str]| {
        let (code, said) = project.run(&[&["migrate"], args].concat());
        assert_eq!(code, Some(0), "{said}");
        let folder = project.path().join("migrations");
        let mut texts: Vec<(std::path::PathBuf, String)> = Vec::new();
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            texts.push((path, text));
        }
        texts.sort();
        (texts.into_iter().map(|(_, text)| text).collect::<String>(), said)
    };
    for end in [["--target", "t"], ["--engine", "mongodb"]] {
        for args in [
            ["change-type", "ct.a.b", "int"],
            ["rename", "ct.a.b", "c"],
            ["drop", "column", "ct.a.b"],
        ] {
            let (text, _) = written(&[&args[..], &end[..]].concat());
            assert!(text.contains("\"collection\": \"ct\""), "{args:?}: {text}");
            assert!(text.contains("\"a.b\""), "{args:?}: {text}");
        }
    }
    let args = ["add-field", "ct.a.zip", "--default", "0", "--target", "t"];
    assert!(written(&args).0.contains("\"a.zip\""));
    // Of two collections the one with dots in its name comes first, and that is said.
    let (text, told) = written(&["change-type", "log.day.n", "int", "--target", "t"]);
    assert!(text.contains("\"collection\": \"log.day\""), "{text}");
    assert!(told.contains("n of the collection log.day is meant"), "{told}");
    for (args, words) in [
        (&["change-type", "cts.f", "bool"][..], "there is no collection 'cts'"),
        (&["change-type", "lod.day.n", "int"], "did you mean log.day"),
        (&["rename", "ctt.a.b", "c"], "did you mean ct?"),
        (&["drop", "table", "nosuch"], "there is no collection 'nosuch'"),
        (&["add-index", "nosuch", "a"], "there is no collection 'nosuch'"),
        (&["validator", "nope", "{}"], "there is no collection 'nope'"),
        (&["backfill", "nope", "--set", "{}"], "there is no collection 'nope'"),
        (
            &["shard-key-field", "nope.a", "--value", "1", "--key", "a"],
            "there is no collection 'nope'",
        ),
        (&["rename", "ct", "cu"], "'ct' names no field of a collection"),
        (&["rename", "ct", "cu"], r#"{"renameCollection": "DATABASE.ct", "to": "DATABASE.cu"}"#),
        (&["change-type", "ct.a.b", "int", "--using", "x"], "--using is for PostgreSQL"),
        (&["change-type", "ct.a.b", "int", "--back", "x"], "--back is for PostgreSQL"),
    ] {
        let args = [&["migrate"], args, &["--target", "t"]].concat();
        said(&project, 2, &args, &[words]);
    }
    assert_eq!(std::fs::read_dir(project.path().join("migrations")).unwrap().count(), 0);
    // A change of what is not there is told, since it does nothing.
    let file = r#"{"up": [{"backfill": {"collection": "cts", "update": {"$set": {"a": 1}}}}]}"#;
    std::fs::write(project.path().join("migrations/1_x.json"), file).unwrap();
    let words = ["there is no collection 'cts' (did you mean 'ct'?)", "1_x.json"];
    said(&project, 0, &["migrate", "plan", "t", "--fail-on", "never"], &words);
    said(&project, 0, &APPLY, &words);
}

#[test]
fn documents_no_migration_can_write_are_refused_before_anything_starts() {
    let (project, eye) = mongodb((6, 0), &[]);
    eye.load("ct", vec![doc! { "a": 1 }]);
    eye.run(doc! { "create": "ring", "capped": true, "size": 4096 });
    eye.run(doc! { "create": "seen", "viewOn": "ct", "pipeline": [] });
    eye.run(doc! { "create": "heat", "timeseries": { "timeField": "at" } });
    let path = project.path().join("migrations/1_x.json");
    let fill = |name: &str| {
        format!(r#"{{"backfill": {{"collection": "{name}", "update": {{"$set": {{"a": 2}}}}}}}}"#)
    };
    for (name, why) in [
        ("ring", "ring is a capped collection"),
        ("seen", "seen is a view"),
        ("heat", "heat is a time series"),
    ] {
        let delete = format!(r#"{{"delete": "{name}", "deletes": [{{"q": {{}}, "limit": 0}}]}}"#);
        let insert = format!(r#"{{"insert": "{name}", "documents": [{{"a": 1}}]}}"#);
        for step in [fill(name), delete, insert] {
            let before = fill("ct");
            std::fs::write(&path, format!(r#"{{"up": [{before}, {step}]}}"#)).unwrap();
            said(&project, 2, &["migrate", "plan", "t"], &[why, "1_x.json:1"]);
            said(&project, 2, &APPLY, &[why, "1_x.json:1"]);
        }
        let field = format!("{name}.b");
        let args = ["migrate", "add-field", &field, "--default", "0", "--target", "t"];
        said(&project, 2, &args, &[why]);
    }
    assert_eq!(eye.count("ct", doc! { "a": 2 }), 0);
    // What an earlier step makes counts, and what it drops or renames.
    for (steps, fine) in [
        (r#"{"create": "new", "capped": true, "size": 4096}, FILL new"#, false),
        (r#"{"renameCollection": "DB.ring", "to": "DB.round"}, FILL round"#, false),
        (r#"{"drop": "ring"}, {"create": "ring"}, FILL ring"#, true),
    ] {
        let database = eye.session.database().name();
        let steps = steps.replace("DB", database);
        let (before, name) = steps.split_once("FILL ").unwrap();
        std::fs::write(&path, format!(r#"{{"up": [{before}{}]}}"#, fill(name))).unwrap();
        let words: &[&str] =
            if fine { &["1 migration applied"] } else { &["is a capped collection"] };
        said(&project, if fine { 0 } else { 2 }, &APPLY, words);
    }
}

#[test]
fn of_two_at_once_one_waits_or_refuses() {
    let file = r#"{"up": [{"backfill": {"collection": "items", "update": {"$inc": {"n": 1}}, "batch": 20, "pace": "60ms"}}]}"#;
    let (project, eye) = mongodb((6, 0), &[("1_x.json", file)]);
    eye.load("items", (0..600).map(|n| doc! { "_id": n }).collect());
    let first = project.apply();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while eye.count("items", doc! { "n": 1 }) == 0 {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    said(
        &project,
        2,
        &["migrate", "apply", "t", "--wait", "0s"],
        &["somebody else migrates this database", "(pid "],
    );
    let second = project.apply();
    let (first, second) = (first.wait_with_output().unwrap(), second.wait_with_output().unwrap());
    assert_eq!((first.status.code(), second.status.code()), (Some(0), Some(0)));
    assert_eq!(eye.count("items", doc! { "n": 1 }), 600);
}

#[test]
fn a_backfill_does_not_run_after_those_who_insert() {
    let file = r#"{"up": [{"backfill": {"collection": "items", "update": {"$set": {"s": 1}}, "batch": 200, "pace": "20ms"}}]}"#;
    let (project, eye) = mongodb((6, 0), &[("1_x.json", file)]);
    eye.load("items", (0..2000).map(|n| doc! { "_id": n }).collect());
    let mut child = project.apply();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let mut next = 10_000;
    while child.try_wait().unwrap().is_none() {
        assert!(std::time::Instant::now() < until, "it runs after what is inserted");
        eye.load("items", vec![doc! { "_id": next }]);
        next += 1;
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(eye.count("items", doc! { "_id": { "$lt": 10_000 }, "s": 1 }), 2000);
}

#[test]
fn no_id_is_left_out_and_none_comes_twice() {
    let file = r#"{"up": [{"backfill": {"collection": "items", "update": {"$inc": {"n": 1}}, "batch": 2}}]}"#;
    let (project, eye) = mongodb((6, 0), &[("1_x.json", file)]);
    let ids = [Bson::Double(f64::NAN), 1.into(), "a".into(), Bson::MinKey, Bson::MaxKey];
    eye.load("items", ids.iter().map(|id| doc! { "_id": id.clone(), "n": 0 }).collect());
    said(&project, 0, &["migrate", "apply", "t"], &["1 migration applied"]);
    assert_eq!(eye.count("items", doc! { "n": 1 }), 5);
}

#[test]
fn a_difference_does_not_touch_what_has_run() {
    let (project, eye) = mongodb((6, 0), &[("1_x.json", r#"{"up": [{"create": "items"}]}"#)]);
    said(&project, 0, &["migrate", "apply", "t"], &["1 migration applied"]);
    eye.load("schema_migrations", vec![doc! { "version": 1, "dirty": false }]);
    let (_, found) = project.run(&["migrate", "diff", "t", "migrations"]);
    assert!(!found.contains("marula.") && !found.contains("schema_migrations"), "{found}");
    // A folder of the target's name is not taken for it.
    std::fs::create_dir(project.path().join("t")).unwrap();
    let diff = ["migrate", "diff", "t", "migrations"];
    said(&project, 2, &diff, &["'t' is a target, and a file or folder as well", "write ./t for"]);
}

#[test]
fn a_difference_that_is_not_led_over_writes_no_file_and_says_so() {
    let (project, _eye) = mongodb((6, 0), &[]);
    let capped = r#"{"collections": {"c": {"capped": true, "size": 4096}}}"#;
    std::fs::write(project.path().join("a.json"), capped).unwrap();
    std::fs::write(project.path().join("b.json"), r#"{"collections": {"c": {}, "d": {}}}"#)
        .unwrap();
    let diff = ["migrate", "diff", "a.json", "b.json", "--dir", "new"];
    said(&project, 1, &diff, &["no file is written to new"]);
    assert!(!project.path().join("new").exists());
}
