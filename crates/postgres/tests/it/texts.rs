//! The guard on texts of every size, without a server.

use std::time::{Duration, Instant};

use marula_core::ErrorKind;
use marula_postgres::guard;

fn quick<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    assert!(started.elapsed() < Duration::from_secs(20), "{what} took {:?}", started.elapsed());
    result
}

#[test]
fn deep_and_long_statements_neither_crash_nor_crawl() {
    let parentheses = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let error = quick("10,000 parentheses", || guard::check(&parentheses)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    let chain = format!("SELECT 1{}", " + 1".repeat(100_000));
    let error = quick("100,000 additions", || guard::check(&chain)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    let fair = format!("SELECT 'a'{}", " || 'b'".repeat(500));
    quick("500 concatenations", || guard::check(&fair)).unwrap();
    let unions = vec!["SELECT 1"; 400].join(" UNION ALL ");
    quick("400 branches of UNION", || guard::check(&unions)).unwrap();
    let lines: Vec<String> = (0..10_000).map(|n| format!("  column_{n} + {n} AS c{n}")).collect();
    let long = format!("SELECT\n{}\nFROM t", lines.join(",\n"));
    quick("10,000 lines", || guard::check(&long)).unwrap();
    let broken = long.replace("column_9000 +", "column_9000 FROM FROM");
    let error = quick("10,000 lines with an error", || guard::check(&broken)).unwrap_err();
    let marked = error.marked().unwrap();
    assert!(marked.text[..marked.start].ends_with("column_9000 FROM "), "{}", error);
    let list = (0..200_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let list = format!("SELECT * FROM t WHERE a IN ({list})");
    quick("200,000 values in a list", || guard::check(&list)).unwrap();
}

#[test]
fn errors_are_marked_where_they_are() {
    for (text, marked, kind) in [
        ("SELECT 'ä', FROM t", "FROM", ErrorKind::Syntax),
        ("SELECT * FRM t WHERE a = 1", "FRM", ErrorKind::Syntax),
        ("SELECT (1", "", ErrorKind::Syntax),
        ("SELECT 'open", "'open", ErrorKind::Syntax),
        ("SELECT 1; SELECT 2", "SELECT", ErrorKind::Refused),
        ("SELECT 'é', pg_sleep(1)", "pg_sleep", ErrorKind::Refused),
        ("WITH x AS (DELETE FROM t RETURNING 1) TABLE x", "x", ErrorKind::Refused),
    ] {
        let error = guard::check(text).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error:?}");
        let place = error.marked().unwrap();
        assert_eq!(&place.text[place.start..place.end], marked, "{text}");
    }
    for nothing in ["", " ", "\t\r\n\x0b\x0c", ";", " ; ;"] {
        assert_eq!(guard::check(nothing).unwrap_err().kind(), ErrorKind::Usage, "{nothing:?}");
    }
    assert_eq!(guard::check("  -- nothing\n").unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(guard::check("SELECT 1\0").unwrap_err().kind(), ErrorKind::Syntax);
    let explained = guard::check("EXPLAIN (ANALYZE) SELECT 1 -- why\n;").unwrap();
    assert!(explained.stripped_explain() && explained.text().starts_with("SELECT 1"));
}
