//! Files that change while they are read or followed, and folders.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use marula_core::{Digest, Progress, Quiet};
use marula_logs::generate::mongodb::Flavour;
use marula_logs::{Follow, Request, digest, digest_in_chunks};

use super::mongodb_generated::generated;

/// `count` runs of one statement, a second apart.
fn postgres(count: usize, statement: &str) -> Vec<u8> {
    let line = |n: usize| {
        format!(
            "2026-03-01 12:{:02}:{:02}.000 UTC [7] app@shop LOG:  duration: 1.000 ms  statement: {statement}\n",
            n / 60 % 60,
            n % 60
        )
    };
    (0..count).map(line).collect::<String>().into_bytes()
}

fn request(inputs: &[&Path]) -> Request {
    let inputs = inputs.iter().map(|path| path.to_path_buf()).collect();
    Request { inputs, threads: 2, ..Request::default() }
}

/// Does something to the file once, when its first chunk has been read.
struct Meddling<F: Fn() + Send + Sync>(AtomicBool, F);

impl<F: Fn() + Send + Sync> Progress for Meddling<F> {
    fn step(&self, _: &str) {}
    fn advance(&self, _: u64, _: u64) {
        if !self.0.swap(true, Ordering::SeqCst) {
            self.1();
        }
    }
}

/// The digest of files in small chunks, with something done to them meanwhile.
fn meddled(inputs: &[&Path], what: impl Fn() + Send + Sync) -> Digest {
    digest_in_chunks(&request(inputs), 64 << 10, &Meddling(AtomicBool::new(false), what)).unwrap()
}

fn formats() -> Vec<(Vec<u8>, u64)> {
    let postgres = (postgres(20_000, "select 1"), 20_000);
    let mongodb = [Flavour::Json(6), Flavour::Text, Flavour::ProfileBson].map(|flavour| {
        let (log, truth) = generated(flavour, 3000);
        (log, truth.calls())
    });
    [vec![postgres], mongodb.into()].concat()
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    for (log, calls) in formats() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a.log"), folder.path().join("b.log"));
        let fresh = || {
            std::fs::write(&path, &log).unwrap();
            std::fs::write(&other, &log).unwrap();
        };
        let append = |bytes: &[u8]| {
            OpenOptions::new().append(true).open(&path).unwrap().write_all(bytes).unwrap();
        };

        fresh();
        let grown = meddled(&[&path], || append(&log));
        assert_eq!((grown.totals.calls, grown.sources[0].bytes), (calls, log.len() as u64));
        assert_eq!(grown.sources[0].ended, None);

        fresh();
        let half = log.len() as u64 / 2;
        let shrunk = meddled(&[&path], || {
            OpenOptions::new().write(true).open(&path).unwrap().set_len(half).unwrap();
        });
        assert!(shrunk.totals.calls > 0 && shrunk.totals.calls < calls);
        assert!(shrunk.sources[0].ended.as_deref().unwrap().contains("shorter"));

        fresh();
        let gone = meddled(&[&path, &other], || {
            std::fs::remove_file(&path).unwrap();
            std::fs::remove_file(&other).unwrap();
        });
        // What is open is read to its end; what was not opened yet is told.
        assert_eq!(gone.totals.calls, calls);
        assert_eq!(gone.sources[0].ended, None);
        assert!(gone.sources[1].ended.is_some() && gone.sources[1].format.is_none());

        fresh();
        let rotated = meddled(&[&path], || {
            std::fs::rename(&path, folder.path().join("a.log.1")).unwrap();
            std::fs::write(&path, b"something else\n").unwrap();
        });
        assert_eq!((rotated.totals.calls, rotated.sources[0].unread), (calls, 0));
    }
}

#[test]
fn a_log_that_is_rotated_while_it_is_followed_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postgresql.log");
    let append = |bytes: &[u8]| {
        OpenOptions::new().create(true).append(true).open(&path).unwrap().write_all(bytes).unwrap();
    };
    // Entries are known to be whole when another follows.
    let end = postgres(1, "select now()");
    append(&postgres(50, "select 1"));
    let mut follow = Follow::begin(&request(&[&path]), Duration::from_secs(600)).unwrap();
    let calls = |digest: &Digest, shape: &str| {
        let one = digest.statements.iter().find(|one| one.shape == shape);
        one.map_or(0, |one| one.load.calls)
    };
    assert_eq!(follow.poll().totals.calls, 0, "what was there before is not of now");

    append(&postgres(10, "select a from t"));
    append(&end);
    assert_eq!(calls(&follow.poll(), "SELECT a FROM t"), 10);

    // Renamed with entries that nobody has read yet, and the new file is longer than the old.
    append(&postgres(10, "select b from t"));
    std::fs::rename(&path, folder.path().join("postgresql.log.1")).unwrap();
    append(&postgres(200, "select c from t"));
    append(&end);
    let told = follow.poll();
    assert_eq!(calls(&told, "SELECT b FROM t"), 10);
    assert_eq!(calls(&told, "SELECT c FROM t"), 200);

    // Emptied in place.
    std::fs::write(&path, postgres(3, "select d from t")).unwrap();
    append(&end);
    assert_eq!(calls(&follow.poll(), "SELECT d FROM t"), 3);

    // Gone for a while.
    std::fs::remove_file(&path).unwrap();
    assert!(follow.poll().sources[0].ended.is_some());
    append(&postgres(4, "select e from t"));
    append(&end);
    let told = follow.poll();
    assert_eq!(calls(&told, "SELECT e FROM t"), 4);
    assert_eq!(told.sources[0].ended, None);
}

#[test]
fn the_last_entry_of_a_log_that_goes_on_in_another_file_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["1.log", "2.log"].map(|name| folder.path().join(name));
    std::fs::write(&first, postgres(50, "select 1")).unwrap();
    let mut follow = Follow::begin(&request(&[&first]), Duration::from_secs(600)).unwrap();
    let calls = |digest: &Digest| {
        let one = digest.statements.iter().find(|one| one.shape == "SELECT a FROM t");
        one.map_or(0, |one| one.load.calls)
    };
    let append = |bytes: &[u8]| {
        OpenOptions::new().append(true).open(&first).unwrap().write_all(bytes).unwrap();
    };
    append(&postgres(10, "select a from t"));
    follow.poll();
    std::fs::write(&second, postgres(7, "select a from t")).unwrap();
    follow.add(second);
    follow.poll();
    assert_eq!(calls(&follow.poll()), 17);
    // What is added after all belongs to the entry before it.
    append(b"\tand more\n");
    follow.poll();
    assert_eq!(calls(&follow.poll()), 17);
    // Half a line is waited for.
    append(&postgres(1, "select a from t")[..20]);
    follow.poll();
    assert_eq!(calls(&follow.poll()), 17);
}

/// UTF-16, as Windows' editors and shells write what they are piped.
fn utf16(bytes: &[u8], little: bool) -> Vec<u8> {
    let text = format!("\u{feff}{}", String::from_utf8_lossy(bytes));
    let units = text.encode_utf16();
    units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

#[test]
fn logs_in_utf_16_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mongodb, truth) = generated(Flavour::Json(6), 500);
    for (log, calls) in [(postgres(500, "select 'ä€😀'"), 500), (mongodb, truth.calls())] {
        for little in [true, false] {
            let mut bytes = utf16(&log, little);
            std::fs::write(&path, &bytes).unwrap();
            let told = digest_in_chunks(&request(&[&path]), 5000, &Quiet).unwrap();
            assert_eq!(
                (told.totals.calls, told.sources[0].unread),
                (calls, 0),
                "{:?}",
                told.sources
            );
            assert_eq!(told.sources[0].ended, None);
            // Half a letter at the end.
            bytes.push(b'x');
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(digest(&request(&[&path]), &Quiet).unwrap().totals.calls, calls);
        }
    }
    // A byte order mark alone is no encoding.
    let marked = [b"\xef\xbb\xbf".as_slice(), &postgres(20, "select 1")].concat();
    std::fs::write(&path, marked).unwrap();
    assert_eq!(digest(&request(&[&path]), &Quiet).unwrap().totals.calls, 20);
}
