//! What a rehearsal tells, beside what an independent client measured for itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::mongodb::bson::{Document, doc};
use marula_core::{Engine, MigrationForm, MigrationWork as Work, Quiet, RehearsalRun, Version};
use marula_migrate::mongodb::rehearse::Stage;
use marula_migrate::rehearse::{Stage as _, rehearse, run_on};
use marula_migrate::{Migration, RehearseOptions, Tool};
use marula_mongodb::{Session, SessionOptions};

fn file(text: &str) -> Migration {
    let path = Path::new("20260101000000_change.json");
    marula_migrate::files::parse(path, text, Tool::Marula, Engine::Mongodb).unwrap()
}

fn options() -> RehearseOptions {
    RehearseOptions { warm_up: Duration::from_millis(700), ..RehearseOptions::default() }
}

async fn stage(migration: &Migration, rows: u64, version: Version) -> Stage {
    let before = file(r#"[{"create": "users"}]"#);
    let migrations = std::slice::from_ref(migration);
    Stage::made_up(&[before], migrations, rows, Some(version), &Quiet).await.unwrap()
}

/// Updates one document over and over; the longest that took, in milliseconds.
async fn measure(copy: Session, stop: Arc<AtomicBool>) -> f64 {
    let spec = copy.spec().with_database(copy.database().name());
    let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    let users = session.database().collection::<Document>("users");
    let mut longest: f64 = 0.0;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        users.update_one(doc! { "_id": 1999 }, doc! { "$set": { "n": 1999i64 } }).await.unwrap();
        longest = longest.max(began.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    longest
}

async fn beside(stage: &Stage, migration: &Migration) -> (RehearsalRun, f64) {
    let copy = stage.fresh().await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let measuring = tokio::spawn(measure(copy.clone(), stop.clone()));
    let migrations = std::slice::from_ref(migration);
    let (mut runs, ..) =
        run_on(stage, &copy, MigrationForm::Written, migrations, &options(), &Quiet).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    (runs.remove(0), measuring.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stall_that_is_told_is_the_one_clients_measured() {
    let index = file(
        r#"{"up": [{"createIndexes": "users", "indexes": [{"key": {"n": 1}, "name": "n_1"}]}],
            "down": [{"dropIndexes": "users", "index": "n_1"}]}"#,
    );
    for version in [Version::new(4, 4, 0), Version::new(6, 0, 0)] {
        let stage = stage(&index, 5_000, version).await;
        let mut said = Vec::new();
        // What goes by the machine's clock is asked once more before it fails.
        let agreed = async {
            for _ in 0..3 {
                let (run, measured) = beside(&stage, &index).await;
                assert!(run.failure.is_none(), "{run:#?}");
                let told = run.longest_stall_ms;
                println!(
                    "{version} createIndexes: told {told:.1}, a writer measured {measured:.1}"
                );
                if (told - measured).abs() <= (measured * 0.05).max(5.0) && measured > 200.0 {
                    return Some(run);
                }
                said.push((told, measured));
            }
            None
        };
        let run = agreed.await.unwrap_or_else(|| panic!("{version}: {said:?}"));
        let first = &run.statements[0];
        let lock = first.locks.iter().find(|lock| lock.object == "users").unwrap();
        assert_eq!(lock.lock, "X", "{first:#?}");
        assert_eq!((first.work[0].work, first.work[0].rows >= 5_000), (Work::Build, true));
        assert!(run.way_back.as_ref().unwrap().restored, "{:#?}", run.way_back);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oplog_of_an_update_is_counted_and_the_safe_form_is_a_backfill() {
    let update = file(
        r#"{"up": ["db.users.updateMany({}, {$set: {status: 'active'}})"],
            "down": ["db.users.updateMany({}, {$unset: {status: ''}})"]}"#,
    );
    // Smaller ones are changed in a moment, and left as they are.
    let stage = stage(&update, 12_000, Version::new(6, 0, 0)).await;
    let options = RehearseOptions { reader: Duration::ZERO, writer: Duration::ZERO, ..options() };
    let migrations = std::slice::from_ref(&update);
    let (told, notes) = rehearse(&stage, migrations, true, &options, &Quiet).await.unwrap();
    let [written, safe] = told.runs.as_slice() else { panic!("{:#?} {notes:?}", told.runs) };
    assert!(safe.text.as_ref().unwrap().contains("backfill"), "{:?}", safe.text);
    for run in [written, safe] {
        assert!(run.failure.is_none(), "{:#?}", run.failure);
        let first = &run.statements[0];
        assert_eq!(first.work[0].work, Work::Rewrite, "{first:#?}");
        // One entry of some 160 bytes for each document.
        assert!((1_000_000..5_000_000).contains(&run.log_bytes), "{}", run.log_bytes);
        assert!(run.way_back.as_ref().unwrap().restored, "{:#?}", run.way_back);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secondary_that_falls_behind_is_told_by_how_much() {
    let slow = file(
        r#"{"up": [{"createIndexes": "users", "indexes": [{"key": {"n": 1}, "name": "n_1"}]},
             {"backfill": {"collection": "users", "filter": {}, "update": {"$set": {"s": 1}}, "batch": 50, "pace": "50ms"}}]}"#,
    );
    for version in [Version::new(4, 4, 0), Version::new(6, 0, 0)] {
        let stage = stage(&slow, 2_000, version).await.with_secondary(&Quiet).await;
        assert!(stage.notes.iter().all(|note| !note.contains("lag")), "{:?}", stage.notes);
        let copy = stage.fresh().await.unwrap();
        let spec = stage.secondary().unwrap().spec().with_database("admin");
        let secondary = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
        let watching = copy.clone();
        let pause = tokio::spawn(async move {
            let users = watching.database().collection::<Document>("users");
            while users.count_documents(doc! { "s": 1 }).await.unwrap() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let began = Instant::now();
            let admin = secondary.client().database("admin");
            admin.run_command(doc! { "fsync": 1, "lock": true }).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            let ms = began.elapsed().as_secs_f64() * 1e3;
            admin.run_command(doc! { "fsyncUnlock": 1 }).await.unwrap();
            ms
        });
        let migrations = std::slice::from_ref(&slow);
        let (runs, ..) =
            run_on(&stage, &copy, MigrationForm::Written, migrations, &options(), &Quiet)
                .await
                .unwrap();
        assert!(runs[0].failure.is_none(), "{:#?}", runs[0].failure);
        let (told, paused) = (runs[0].replication_lag_ms.unwrap(), pause.await.unwrap());
        println!(
            "{version}: told {told:.0} ms of lag, the secondary stood still for {paused:.0} ms"
        );
        assert!(told > paused - 450.0 && told < paused + 3_000.0, "{told} {paused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_runs_on_a_copy_of_a_target_beside_its_workload() {
    let server = marula_lab::shared::mongodb(6, 0).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let target = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    let users = target.database().collection::<Document>("users");
    users.insert_many((0..8_000).map(|n| doc! { "_id": n, "n": n })).await.unwrap();
    let named = |name: &str, text: &str| {
        marula_migrate::files::parse(Path::new(name), text, Tool::Marula, Engine::Mongodb).unwrap()
    };
    let folder = [
        named(
            "1_a.json",
            r#"{"up": [{"backfill": {"collection": "users", "filter": {"s": {"$exists": false}}, "update": {"$set": {"s": 1}}}}],
            "down": ["db.users.updateMany({}, {$unset: {s: ''}})"]}"#,
        ),
        named(
            "2_b.json",
            r#"{"up": [{"createIndexes": "users", "indexes": [{"key": {"s": 1}, "name": "s_1"}]}],
            "down": [{"dropIndexes": "users", "index": "s_1"}]}"#,
        ),
    ];
    let given = serde_json::json!({ "engine": "mongodb", "statements": [
        { "statement": { "engine": "mongodb", "text": "db.users.find({n: 5})" }, "calls": 9 },
        { "statement": { "engine": "mongodb", "text": "db.users.updateMany({}, {$set: {n: 0}})" }, "calls": 1 },
    ] });
    let stage = Stage::from_target(&target, &folder, &Quiet).await.unwrap();
    let workload = Some(serde_json::from_value(given).unwrap());
    let options = RehearseOptions { workload, ..options() };
    let (told, notes) = rehearse(&stage, &folder, false, &options, &Quiet).await.unwrap();
    let [first, second] = told.runs.as_slice() else { panic!("{:#?}", told.runs) };
    assert!(told.load.from_workload && told.load.operations.len() == 1, "{:?}", told.load);
    assert!(notes.iter().any(|n| n.contains("not all statements of the workload")), "{notes:?}");
    for run in [first, second] {
        assert!(run.failure.is_none(), "{run:#?}");
        assert!(run.way_back.as_ref().unwrap().restored, "{:#?}", run.way_back);
    }
    assert_eq!(first.statements[0].work[0].work, Work::Rewrite, "{first:#?}");
    let build = &second.statements[0];
    assert_eq!((build.work[0].work, build.work[0].rows), (Work::Build, 8_000));
    assert_eq!(build.at_target.as_ref().unwrap().rows, 8_000);
    assert_eq!(users.count_documents(doc! { "s": { "$exists": true } }).await.unwrap(), 0);
    let names = target.database().list_collection_names().await.unwrap();
    assert_eq!(names, ["users"], "the target is as it was");
}
