//! Logs of PostgreSQL that are not quite what its collector writes: in other languages, inside
//! of JSON, of PgBouncer, and of more shapes than memory holds.

use std::io::Write;

use marula_core::{Digest, EventKind, OriginKind, Quiet};
use marula_logs::generate::postgres::{Kind, Length, Plan, generate};
use marula_logs::{Request, digest_in_chunks};

fn read(text: &[u8], chunk: usize) -> Digest {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    let inputs = vec![file.path().to_owned()];
    let request = Request { inputs, threads: 2, top: 100_000, ..Request::default() };
    digest_in_chunks(&request, chunk, &Quiet).unwrap()
}

/// The same three entries in each language, as PostgreSQL 15 words them.
const LANGUAGES: [(&str, [&str; 5]); 6] = [
    ("German", ["LOG", "FEHLER", "ANWEISUNG", "Dauer: 1.250 ms  Anweisung", ":  "]),
    ("French", ["LOG", "ERREUR", "INSTRUCTION ", "durée : 1.250 ms, instruction ", ":  "]),
    ("Spanish", ["LOG", "ERROR", "SENTENCIA", "duración: 1.250 ms  sentencia", ":  "]),
    ("Japanese", ["LOG", "ERROR", "文", "期間: 1.250 ミリ秒  文", ":  "]),
    (
        "Russian",
        ["СООБЩЕНИЕ", "ОШИБКА", "ОПЕРАТОР", "продолжительность: 1.250 мс, оператор", ":  "],
    ),
    ("Chinese", ["日志", "错误", "语句", "执行时间: 1.250 ms 语句", ":  "]),
];

#[test]
fn messages_in_other_languages_are_named() {
    for (name, [log, error, statement, duration, sign]) in LANGUAGES {
        let one = format!(
            "2026-03-01 12:00:00.250 UTC [7] app@shop {log}{sign}{duration}: select 1\n\
             2026-03-01 12:00:00.350 UTC [7] app@shop {error}{sign}x\n\
             2026-03-01 12:00:00.350 UTC [7] app@shop {statement}{sign}select 1/0\n"
        );
        let told = read(one.repeat(30).as_bytes(), 2 << 20);
        let source = &told.sources[0];
        assert_eq!(source.language.as_deref(), Some(name));
        assert_eq!((source.entries, source.unread), (60, 0), "{name}: {source:?}");
        assert_eq!(told.errors[0].count, 30, "{name}");
        assert_eq!(told.errors[0].statement.as_deref(), Some("select 1/0"), "{name}");
    }
    let english =
        "2026-03-01 12:00:00.250 UTC [7] LOG:  duration: 1.0 ms  statement: select 'FEHLER:  x'\n";
    assert_eq!(read(english.repeat(30).as_bytes(), 2 << 20).sources[0].language, None);
}

#[test]
fn stderr_inside_of_json_payloads() {
    let plan = Plan {
        kind: Kind::Stderr("%m [%p] %q%u@%d ".into()),
        seed: 3,
        length: Length::Events(2000),
        plain: false,
    };
    let mut log = Vec::new();
    generate(&plan, &mut log).unwrap();
    let alone = read(&log, 2 << 20);
    let log = String::from_utf8(log).unwrap();
    // An entry a line, as agents ship them, with what they put around it.
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match entries.last_mut() {
            Some(entry) if line.starts_with('\t') => *entry = format!("{entry}\n{line}"),
            _ => entries.push(line.to_owned()),
        }
    }
    for key in ["message", "log", "msg"] {
        let wrapped: String = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| {
                let line = serde_json::json!({
                    "insertId": format!("a{at}"),
                    "jsonPayload": { "instance": "db-1", key: entry },
                    "resource": { "labels": { "region": "europe-west1" }, "type": "gce_instance" },
                    "timestamp": "2026-03-01T12:00:00.250Z",
                });
                format!("{line}\n")
            })
            .collect();
        let told = read(wrapped.as_bytes(), 2 << 20);
        let source = &told.sources[0];
        assert_eq!(source.format.as_deref(), Some("postgres stderr in json"), "{key}: {source:?}");
        assert_eq!(source.unread, 0, "{key}: {source:?}");
        assert_eq!(told.totals, alone.totals, "{key}");
        assert_eq!(told.errors, alone.errors, "{key}");
        assert_eq!(told.events, alone.events, "{key}");
    }
}

#[test]
fn pgbouncer_is_read() {
    let text = "\
2026-03-01 12:00:00.100 UTC [41] LOG kernel file descriptor limits: 1024 (hard: 524288); max_client_conn: 100\n\
2026-03-01 12:00:00.101 UTC [41] LOG listening on 127.0.0.1:6432\n\
2026-03-01 12:00:00.102 UTC [41] LOG process up: PgBouncer 1.18.0, libevent 2.1.12 (epoll)\n\
2026-03-01 12:00:01.000 UTC [41] LOG C-0x5586d0: shop/app@10.0.0.1:51234 login attempt: db=shop user=app tls=no\n\
2026-03-01 12:00:01.010 UTC [41] LOG S-0x5586e8: shop/app@127.0.0.1:5432 new connection to server (from 127.0.0.1:41)\n\
2026-03-01 12:00:02.000 UTC [41] LOG C-0x5586d0: shop/app@10.0.0.1:51234 closing because: client close request (age=1s)\n\
2026-03-01 12:00:03.000 UTC [41] WARNING C-0x5586d0: shop/web@10.0.0.2:51235 pooler error: password authentication failed\n\
2026-03-01 12:00:04.000 UTC [41] ERROR S-0x5586e8: shop/app@127.0.0.1:5432 got packet 'E' from server\n\
2026-03-01 12:01:00.000 UTC [41] LOG stats: 12 xacts/s, 34 queries/s, in 100 B/s, out 200 B/s, xact 1 us, query 1 us, wait 0 us\n";
    let told = read(text.repeat(3).as_bytes(), 2 << 20);
    let source = &told.sources[0];
    assert_eq!(source.format.as_deref(), Some("pgbouncer"), "{source:?}");
    assert_eq!((source.entries, source.unread, source.clock_jumps), (27, 0, 2), "{source:?}");
    let count = |kind| told.events.iter().find(|event| event.kind == kind).map(|event| event.count);
    assert_eq!(count(EventKind::Connected), Some(3));
    assert_eq!(count(EventKind::Disconnected), Some(3));
    assert_eq!(told.errors.iter().map(|error| error.count).sum::<u64>(), 6, "{:?}", told.errors);
    assert_eq!(told.totals.calls, 0);
}

#[test]
fn a_shape_that_was_folded_and_comes_again_is_counted_exactly() {
    const SHAPES: u64 = 12_000;
    let mut log = String::new();
    // The first time in small chunks of little worth, the second time with more.
    for round in 1..=2u64 {
        for shape in 0..SHAPES {
            log.push_str(&format!(
                "2026-03-01 12:00:0{round}.000 UTC [7] app@shop LOG:  duration: {}.000 ms  statement: select c{shape} from t\n",
                round * (1 + shape % 7)
            ));
        }
    }
    let told = read(log.as_bytes(), 100_000);
    assert_eq!(told.totals.calls, 2 * SHAPES);
    assert!(told.statements.len() > 1000);
    assert_eq!(told.statements.len() as u64 + told.statements_left_out, SHAPES);
    for one in &told.statements {
        let shape: u64 = one
            .shape
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let unit = (1 + shape % 7) as f64;
        assert_eq!(
            (one.load.calls, one.load.total_ms, one.load.max_ms),
            (2, 3.0 * unit, Some(2.0 * unit)),
            "{one:?}"
        );
    }
    let users = told.origins.iter().find(|one| one.kind == OriginKind::User).unwrap();
    assert_eq!(users.calls, 2 * SHAPES);
}
