use std::io::Write;
use std::path::Path;

use marula_core::{Digest, Quiet};
use marula_logs::generate::postgres::{Kind, Length, Plan, generate};
use marula_logs::{Filter, Request, digest, digest_in_chunks};
use proptest::prelude::*;

fn log(kind: Kind, seed: u64, events: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let plan = Plan { kind, seed, length: Length::Events(events), plain: false };
    generate(&plan, &mut bytes).unwrap();
    bytes
}

fn kinds() -> Vec<Kind> {
    vec![
        Kind::Stderr("%m [%p] %q%u@%d ".into()),
        Kind::Stderr("%t:%r:%u@%d:[%p]:".into()),
        Kind::Csv(26),
        Kind::Json,
        Kind::Syslog("%q%u@%d ".into()),
        Kind::CloudSql,
    ]
}

fn request(path: &Path, threads: usize) -> Request {
    Request { inputs: vec![path.to_owned()], threads, top: 1000, ..Request::default() }
}

fn read(bytes: &[u8], threads: usize, chunk: usize) -> Digest {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let mut told = digest_in_chunks(&request(file.path(), threads), chunk, &Quiet).unwrap();
    told.sources[0].name = String::new();
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Bytes changed, dropped, doubled: nothing panics, every line is accounted for, and the
    /// number of threads changes nothing.
    #[test]
    fn damaged_logs_are_read(
        kind in 0usize..6,
        seed in 0u64..1000,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..400, any::<u8>()), 0..60),
    ) {
        let mut bytes = log(kinds()[kind].clone(), seed, 150);
        for (at, length, what) in cuts {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match what % 6 {
                0 => bytes[at] = what,
                1 => { bytes.drain(at..end); }
                2 => { let copy = bytes[at..end].to_vec(); bytes.splice(at..at, copy); }
                3 => bytes[at] = b'\n',
                4 => bytes.insert(at, [b'"', b'\'', b'\\', b'{', 0, 0xff, b'\t', b'['][length % 8]),
                _ => { bytes.splice(at..at, (0..length).map(|n| (n as u8).wrapping_mul(what))); }
            }
        }
        let one = read(&bytes, 1, 4000);
        prop_assert_eq!(one.sources[0].bytes, bytes.len() as u64);
        for threads in [2, 4] {
            prop_assert_eq!(&read(&bytes, threads, 4000), &one);
        }
        read(&bytes, 1, 2 << 20);
    }

    /// Noise is no log.
    #[test]
    fn noise_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
        let told = read(&bytes, 2, 1000);
        prop_assert_eq!(told.totals.calls, 0);
    }

    /// Statements of any sort have a shape.
    #[test]
    fn any_statement_has_a_shape(text in "[ -~\n\u{e4}\u{1F600}]{0,200}") {
        let line = format!(
            "2026-03-01 12:00:00.000 UTC [1] LOG:  duration: 1.000 ms  statement: {}\n",
            text.replace('\n', "\n\t")
        );
        let told = read(line.repeat(3).as_bytes(), 1, 2 << 20);
        prop_assert_eq!(told.totals.calls, 3);
        prop_assert_eq!(told.statements.len(), 1);
    }
}

#[test]
fn compressed_logs_folders_and_pipes_tell_the_same() {
    let bytes = log(kinds()[0].clone(), 5, 3000);
    let plain = read(&bytes, 2, 2 << 20);
    let folder = tempfile::tempdir().unwrap();
    let gzip = folder.path().join("a.gz");
    let mut out = flate2::write::GzEncoder::new(
        std::fs::File::create(&gzip).unwrap(),
        flate2::Compression::fast(),
    );
    out.write_all(&bytes).unwrap();
    out.finish().unwrap();
    let zstd = folder.path().join("b.log.zst");
    std::fs::write(&zstd, zstd::encode_all(bytes.as_slice(), 3).unwrap()).unwrap();
    let xz = folder.path().join("c.unknown");
    let mut out = liblzma::write::XzEncoder::new(std::fs::File::create(&xz).unwrap(), 1);
    out.write_all(&bytes).unwrap();
    out.finish().unwrap();
    for (path, name) in [(&gzip, "gzip"), (&zstd, "zstd"), (&xz, "xz")] {
        let told = digest(&request(path, 2), &Quiet).unwrap();
        assert_eq!(told.sources[0].compression.as_deref(), Some(name));
        assert_eq!(told.statements, plain.statements, "{name}");
        assert_eq!(told.totals, plain.totals, "{name}");
        // Damaged: what came before the damage is told, and that there is damage.
        let whole = std::fs::read(path).unwrap();
        let half = folder.path().join("half");
        std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
        let told = digest(&request(&half, 2), &Quiet).unwrap();
        assert!(told.sources[0].ended.is_some(), "{name}: {:?}", told.sources[0]);
        std::fs::remove_file(&half).unwrap();
    }
    let all = digest(&request(folder.path(), 2), &Quiet).unwrap();
    assert_eq!(all.sources.len(), 3);
    assert_eq!(all.totals.calls, 3 * plain.totals.calls);
}

#[test]
fn garbage_between_entries_is_counted_and_placed() {
    let mut bytes =
        b"2026-03-01 12:00:00.000 UTC [1] LOG:  duration: 1.000 ms  statement: select 1\n"
            .repeat(50);
    let lines = 50;
    bytes.extend_from_slice(b"\xff\xfe garbage \x00\x01\n\nhalf a li");
    let told = read(&bytes, 1, 2 << 20);
    let source = &told.sources[0];
    assert_eq!((source.entries, source.lines, source.unread), (50, lines + 3, 3));
    assert_eq!(source.unread_samples[0].line, lines + 1);
    assert_eq!(source.unread_samples[2].text, "half a li");
    assert_eq!(told.totals.calls, 50);
}

#[test]
fn clock_jumps_are_counted() {
    let line = |second: u32| {
        format!(
            "2026-03-01 12:00:{second:02}.000 UTC [1] LOG:  duration: 1.000 ms  statement: select 1\n"
        )
    };
    let text: String = [1, 5, 9, 2, 3, 30, 10].into_iter().map(line).collect();
    for chunk in [100, 2 << 20] {
        assert_eq!(read(text.as_bytes(), 1, chunk).sources[0].clock_jumps, 2);
    }
}

#[test]
fn filters_leave_out_what_they_say() {
    let bytes = log(Kind::Csv(26), 9, 4000);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    let with = |filter: Filter| {
        let request = Request { filter, ..request(file.path(), 2) };
        digest(&request, &Quiet).unwrap()
    };
    let all = with(Filter::default());
    let of = |kind, name: &str| {
        all.origins.iter().find(|o| o.kind == kind && o.name == name).unwrap().calls
    };
    use marula_core::OriginKind::{Application, Database, User};
    let user = with(Filter { users: vec!["web".into()], ..Filter::default() });
    assert_eq!(user.totals.calls, of(User, "web"));
    let two = with(Filter { databases: vec!["crm".into(), "shop".into()], ..Filter::default() });
    assert_eq!(two.totals.calls, all.totals.calls);
    let app = with(Filter { applications: vec!["psql".into()], ..Filter::default() });
    assert_eq!(app.totals.calls, of(Application, "psql"));
    assert!(of(Database, "shop") > 0);
    let text = with(Filter { text: Some("ORDER_ITEMS".into()), ..Filter::default() });
    let holding: u64 = all
        .statements
        .iter()
        .filter(|statement| statement.shape.contains("order_items"))
        .map(|statement| statement.load.calls)
        .sum();
    assert_eq!(text.totals.calls, holding);
    let slow = std::time::Duration::from_millis(10);
    let long = with(Filter { min_duration: Some(slow), ..Filter::default() });
    assert!(long.totals.calls > 0 && long.totals.calls < all.totals.calls);
    assert!(long.totals.p50_ms.unwrap() >= 10.0);
    let from = all.span.unwrap().from;
    let middle = marula_core::Timestamp((from.0 + all.span.unwrap().to.0) / 2);
    let early = with(Filter { to: Some(middle), ..Filter::default() });
    let late = with(Filter { from: Some(middle), ..Filter::default() });
    assert_eq!(early.totals.calls + late.totals.calls, all.totals.calls);
}

#[test]
fn a_log_may_change_its_prefix() {
    let kinds = ["%m [%p] ", "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ", "%n|%p|%u|%d|"];
    for events in [300, 8000] {
        let parts: Vec<_> =
            kinds.iter().map(|prefix| log(Kind::Stderr((*prefix).into()), 3, events)).collect();
        let alone: Vec<_> = parts.iter().map(|part| read(part, 1, 2 << 20)).collect();
        let all = read(&parts.concat(), 2, 2 << 20);
        let sum: u64 = alone.iter().map(|part| part.totals.calls).sum();
        assert!(sum - all.totals.calls <= 4, "{sum} {} {:?}", all.totals.calls, all.sources);
        assert!(all.sources[0].unread <= 60, "{:?}", all.sources);
    }
}
