//! A disk that is full in the middle: what is done stays, and once there is room the same command goes
//! on. The disk is a small tmpfs, which only root can mount; without it the test says so and passes.

use std::path::Path;
use std::process::Command;

use bson::{Document, doc};
use marula_core::{Engine, Version};
use marula_lab::{MongoServer, StartOptions, discover};
use marula_mongodb::{Session, SessionOptions};

use super::{Project, postgres};

/// A file system of that size, gone when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(megabytes: u32) -> Option<Small> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m,mode=0777");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("SKIPPED: a full disk: this user cannot mount a tmpfs");
            return None;
        }
        Some(Small(folder))
    }

    fn grow(&self, megabytes: u32) {
        let size = format!("remount,size={megabytes}m");
        let done = Command::new("mount").args(["-o", &size]).arg(self.0.path()).status().unwrap();
        assert!(done.success());
    }

    fn free(&self) -> u64 {
        let free = rustix::fs::statvfs(self.0.path()).unwrap();
        free.f_bavail * free.f_frsize
    }

    /// Takes room away until so much is left, once the server has put away what it will.
    fn leave(&self, megabytes: u64) {
        let mut free = 0;
        while free != self.free() {
            free = self.free();
            std::thread::sleep(std::time::Duration::from_secs(2));
        }
        let taken = free.saturating_sub(megabytes << 20);
        std::fs::write(self.ballast(), vec![0; usize::try_from(taken).unwrap()]).unwrap();
    }

    fn give_back(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.path().join("ballast")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn owned_by_the_server(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // The tablespace's own folder must belong to the server's user.
    let parent = path.parent().unwrap();
    std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let user = std::env::var("MARULA_LAB_USER").unwrap_or_else(|_| "postgres".into());
    let given = Command::new("chown").arg(&user).arg(path).status().unwrap();
    assert!(given.success());
}

#[test]
fn a_full_disk_ends_a_migration_that_goes_on_when_there_is_room() {
    let Some(disk) = Small::mount(16) else { return };
    owned_by_the_server(disk.0.path());
    let file = "-- migrate:up transaction:false
CREATE TABLE kept (id int);
INSERT INTO large SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 60000) g;
CREATE INDEX CONCURRENTLY large_note ON large (md5(note));
INSERT INTO kept VALUES (1);
";
    let (project, eye) = postgres(15, &[("1_large.sql", file)]);
    let space = format!("space{}", std::process::id());
    eye.run(&format!("CREATE TABLESPACE {space} LOCATION '{}'", disk.0.path().display()));
    eye.run(&format!(
        "CREATE TABLE large (id int, note text) TABLESPACE {space}; ALTER TABLE large ALTER note SET STORAGE PLAIN"
    ));
    let (code, said) = project.run(&["migrate", "apply", "t"]);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, Some(3), "{said}");
    for word in ["No space left on device", "1_large.sql:3", "1 of its 4 statements are done"] {
        assert!(flat.contains(word), "'{word}' is not in {said}");
    }
    assert_eq!(eye.number("SELECT count(*) FROM large"), 0);
    disk.grow(400);
    let said = project.expect(&["migrate", "apply", "t"]);
    assert!(said.contains("1 migration applied"), "{said}");
    assert_eq!(eye.number("SELECT count(*) FROM large"), 60_000);
    assert_eq!(eye.number("SELECT count(*) FROM kept"), 1, "nothing ran twice");
    assert_eq!(eye.number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
    eye.run("DROP TABLE large");
    eye.run(&format!("DROP TABLESPACE {space}"));
}

/// Documents of a kB that nothing makes smaller.
fn noise(documents: std::ops::Range<i64>) -> Vec<Document> {
    let mut state = 88_172_645_463_325_252_u64 + u64::try_from(documents.start).unwrap();
    documents
        .map(|id| {
            let mut text = String::with_capacity(1024);
            while text.len() < 1024 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                text.push(char::from(b'!' + u8::try_from(state % 90).unwrap()));
            }
            doc! { "_id": id, "text": text }
        })
        .collect()
}

/// A MongoDB server whose data is on a small disk, and documents in it.
struct Crowded {
    runtime: tokio::runtime::Runtime,
    server: MongoServer,
    disk: Small,
}

impl Crowded {
    fn start(version: (u16, u16)) -> Option<Crowded> {
        let disk = Small::mount(400)?;
        let data = disk.0.path().join("data");
        std::fs::create_dir(&data).unwrap();
        owned_by_the_server(&data);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let wanted = Version::new(version.0, version.1, 0);
        let install = discover::choose_exactly(Engine::Mongodb, Some(wanted)).unwrap();
        let options = StartOptions::default()
            .replica_set()
            .setting("dbpath", data.display().to_string())
            .setting("oplogSize", "32")
            .setting("setParameter", "maxIndexBuildMemoryUsageMegabytes=50");
        let server = runtime.block_on(MongoServer::start(&install, &options)).unwrap();
        let crowded = Crowded { runtime, server, disk };
        let session = crowded.session();
        for from in (0..30_000).step_by(5_000) {
            let items = session.database().collection::<Document>("items");
            let some = noise(from..from + 5_000);
            crowded.runtime.block_on(async { items.insert_many(some).await }).unwrap();
        }
        let admin = session.client().database("admin");
        crowded.runtime.block_on(async { admin.run_command(doc! { "fsync": 1 }).await }).unwrap();
        Some(crowded)
    }

    fn session(&self) -> Session {
        let spec = self.server.spec().with_database("shop");
        self.runtime.block_on(Session::open(&spec, &SessionOptions::lab())).unwrap()
    }

    fn count(&self, filter: Document) -> u64 {
        let session = self.session();
        let items = session.database().collection::<Document>("items");
        self.runtime.block_on(async { items.count_documents(filter).await }).unwrap()
    }

    fn project(&self, file: &str) -> Project {
        Project::new(self.server.url_of("shop"), &[("1_x.json", file)])
    }

    /// Starts a server again that has ended, and waits until it takes writes.
    fn again(&mut self) {
        self.server.crash().unwrap();
        let session = self.session();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let hello = doc! { "isMaster": 1 };
            let admin = session.client().database("admin");
            let reply = self.runtime.block_on(async { admin.run_command(hello).await }).unwrap();
            if reply.get_bool("ismaster").unwrap_or(false) {
                return;
            }
            assert!(std::time::Instant::now() < until, "it does not become primary again");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

fn flat(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn mongodb_refuses_what_the_disk_has_no_room_for_before_it_begins() {
    let Some(crowded) = Crowded::start((6, 0)) else { return };
    crowded.disk.leave(20);
    for (command, needs) in [
        (
            r#""db.items.createIndex({text: 1}, {name: 'text_1'})""#,
            "the index text_1 of items needs about 29.5 MB",
        ),
        (
            r#"{"backfill": {"collection": "items", "update": [{"$set": {"copy": "$text"}}]}}"#,
            "changing 30,000 documents of items by about 1.0 kB each needs about",
        ),
        (
            r#"{"aggregate": "items", "pipeline": [{"$match": {"_id": {"$lt": 25000}}}, {"$out": "copies"}], "cursor": {}}"#,
            "writing 25,000 documents of items to copies needs about",
        ),
    ] {
        // What comes before it is not begun either.
        let file = format!(r#"{{"up": [{{"create": "first"}}, {command}]}}"#);
        let (code, said) = crowded.project(&file).run(&["migrate", "apply", "t"]);
        assert_eq!(code, Some(2), "{said}");
        let flat = flat(&said);
        let room = "and the server's disk has ";
        for word in
            [needs, room, "MB free of 400 MB; it was not begun", "1_x.json:1", "--no-data-check"]
        {
            assert!(flat.contains(word), "'{word}' is not in {said}");
        }
        assert!(!said.contains("commands are done"), "{said}");
    }
    let session = crowded.session();
    let names =
        crowded.runtime.block_on(async { session.database().list_collection_names().await });
    assert_eq!(names.unwrap(), ["items"], "nothing ran, and there is no history");
    crowded.disk.give_back();
    let file = r#"{"up": ["db.items.createIndex({text: 1}, {name: 'text_1'})"]}"#;
    let said = crowded.project(file).expect(&["migrate", "apply", "t"]);
    assert!(said.contains("1 migration applied"), "{said}");
}

#[test]
fn mongodb_goes_on_when_there_is_room_again() {
    for version in [(4, 4), (6, 0)] {
        let Some(mut crowded) = Crowded::start(version) else { return };
        crowded.disk.leave(30);
        let file = r#"{"up": [{"create": "first"},
            {"backfill": {"collection": "items", "update": [{"$set": {"copy": "$text", "n": {"$add": [{"$ifNull": ["$n", 0]}, 1]}}}]}},
            "db.items.createIndex({copy: 1}, {name: 'copy_1'})"]}"#;
        let project = crowded.project(file);
        let (code, said) = project.run(&["migrate", "apply", "t", "--no-data-check"]);
        assert_eq!(code, Some(3), "{said}");
        for word in ["1 of its 3 commands are done and stay", "the same command goes on from there"]
        {
            assert!(flat(&said).contains(word), "'{word}' is not in {said}");
        }
        crowded.disk.give_back();
        crowded.again();
        let half = crowded.count(doc! { "n": 1 });
        assert!(half < 30_000, "{version:?}: {half}");
        let said = project.expect(&["migrate", "apply", "t"]);
        assert!(said.contains("1 migration applied"), "{said}");
        assert_eq!(
            crowded.count(doc! { "n": 1 }),
            30_000,
            "none was changed twice, none was missed"
        );
        project.expect(&["migrate", "verify", "t"]);
    }
}
