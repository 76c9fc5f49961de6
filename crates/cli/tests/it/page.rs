//! The HTML report in a real browser: it is sorted, searched, opened, zoomed and switched to dark,
//! and nothing a log holds gets out of the place it is shown in.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::program::{marula, stderr};

const DRIVER: &str = include_str!("../browser/driver.js");

/// Statements that try to break out, and ones that are hard to lay out.
const HOSTILE: [&str; 7] = [
    "SELECT '</script><img src=x onerror=\"window.hacked=1\">' FROM customers",
    "SELECT '<!--<script>window.hacked=2' AS \"</style><svg onload=window.hacked=3>\"",
    "SELECT $tag$ {{data}} {{script}} ]]> $tag$, E'\\'--', 'it''s' /* a comment */ FROM t WHERE a <> 1",
    "SELECT left(name, 2), EXTRACT(year FROM born) FROM customers WHERE a IS DISTINCT FROM 1 AND b BETWEEN 1 AND 2",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x ON CONFLICT (id) DO UPDATE SET a = excluded.a",
    "SELECT CASE WHEN a OR b THEN 1 ELSE 2 END, array[1,2][1], x::text FROM \"Größe\" -- 日本語",
    "SELECT * FROM a LEFT OUTER JOIN b USING (id) WHERE NOT EXISTS (SELECT 1 FROM c WHERE c.id = a.id)",
];

#[test]
// What is left out has to be seen in the output of a run.
#[allow(clippy::print_stderr)]
fn the_report_works_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!(
            "LEFT OUT: no browser was found, so the HTML report was not tried in one; \
             `apt-get install chromium` or scripts/setup --all gets one, MARULA_BROWSER names one"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (log, page) = (folder.path().join("postgresql.log"), folder.path().join("report.html"));
    std::fs::write(&log, self::log()).unwrap();
    let paths = [log.to_str().unwrap(), page.to_str().unwrap()];
    let output =
        marula(&["logs", paths[0], "--format", "html", "--output", paths[1], "--top", "100"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let html = std::fs::read_to_string(&page).unwrap();

    // As it is, under its own policy, at an address that asks for something.
    let (dom, said) = visit(&browser, &page, "q=customers&sort=-calls");
    assert!(dom.contains("data-ready=\"true\""), "{said}");
    assert!(dom.contains("id=\"trouble\" role=\"alert\" hidden"), "{said}");
    assert!(said.is_empty(), "{said}");
    assert!(dom.contains(" of "), "a search is shown as one");

    // Used by a reader: the driver needs leave to run beside the page's own script.
    let policy = html.find("script-src 'sha256-").unwrap();
    let end = policy + html[policy..].find(';').unwrap();
    let mut driven = html.clone();
    driven.replace_range(policy..end, "script-src 'unsafe-inline'");
    let body = driven.rfind("</body>").unwrap();
    driven.insert_str(body, &format!("<script>{DRIVER}</script>"));
    std::fs::write(&page, driven).unwrap();
    let (dom, said) = visit(&browser, &page, "");
    let start = dom.find("<pre id=\"outcome\">").unwrap_or_else(|| panic!("no outcome: {said}"));
    let text = &dom[start + 18..start + dom[start..].find("</pre>").unwrap()];
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let outcome: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(outcome["failed"], serde_json::json!([]), "{outcome:#} {said}");
    assert!(outcome["statements"].as_u64() >= Some(10), "{outcome}");
    assert!(outcome["charts"].as_u64() >= Some(4), "{outcome}");
}

#[test]
// What is left out has to be seen in the output of a run.
#[allow(clippy::print_stderr)]
fn what_a_source_does_not_keep_is_not_made_up() {
    let Some(browser) = browser() else {
        eprintln!("LEFT OUT: no browser was found");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (log, page) = (folder.path().join("postgresql.log"), folder.path().join("report.html"));
    std::fs::write(&log, self::log()).unwrap();
    let paths = [log.to_str().unwrap(), page.to_str().unwrap()];
    let args = ["logs", paths[0], "--format", "html", "--output", paths[1], "--advise"];
    let output = marula(&[&args[..], &["--fail-on", "never"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (dom, said) = visit(&browser, &page, "");
    assert!(said.is_empty(), "{said}");
    assert!(main(&dom).contains("Read latency"), "{}", main(&dom));
    assert!(main(&dom).contains("95 % at most"));

    // The same as pg_stat_statements would have told it: no percentile, no moment of a run.
    let html = std::fs::read_to_string(&page).unwrap();
    let begin = html.find("id=\"data\"").unwrap();
    let begin = begin + html[begin..].find('>').unwrap() + 1;
    let end = begin + html[begin..].find("</script>").unwrap();
    let mut data: Value = serde_json::from_str(&html[begin..end]).unwrap();
    forget(&mut data);
    let digest = &mut data["digest"];
    digest["timeline"] = serde_json::json!({ "width_ms": 0, "buckets": [] });
    digest["histogram"] = serde_json::json!([]);
    digest["sources"][0]["format"] = "pg_stat_statements 1.10".into();
    let data = data.to_string().replace('<', "\\u003c");
    let bare = format!("{}{data}{}", &html[..begin], &html[end..]);
    std::fs::write(&page, bare).unwrap();
    let (dom, said) = visit(&browser, &page, "sort=-calls");
    assert!(said.is_empty(), "{said}");
    assert!(dom.contains("data-ready=\"true\""), "{said}");
    let shown = main(&dom);
    for wrong in ["NaN", "undefined", "Infinity", "null", "95 % at most</span>", "log entries"] {
        assert!(!shown.contains(wrong), "{wrong}: {shown}");
    }
    assert!(shown.contains("counters"), "{shown}");
}

/// What stands on the page itself.
fn main(dom: &str) -> &str {
    let begin = dom.find("<main").unwrap();
    &dom[begin..begin + dom[begin..].find("</main>").unwrap()]
}

/// Takes out what only single runs tell.
fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["p50_ms", "p95_ms", "p99_ms", "span"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

/// A log of half an hour with load that comes and goes, errors, and statements that mean harm.
fn log() -> String {
    let mut log = String::new();
    for second in 0..1800u32 {
        let at = format!("2026-03-01 12:{:02}:{:02}.250 UTC [77] ", second / 60, second % 60);
        let plain = [
            format!("SELECT * FROM orders WHERE customer_id = {second}"),
            format!("UPDATE products SET stock = stock - 1 WHERE id = {second}"),
            "SELECT c.name FROM customers c JOIN orders o ON o.customer_id = c.id".to_string(),
        ];
        let statement = match second % 9 {
            0 => HOSTILE[(second / 9) as usize % HOSTILE.len()],
            1 | 2 => &plain[2],
            3 => &plain[1],
            _ => &plain[0],
        };
        let ms = 1.0 + f64::from(second % 600) / 7.0 + f64::from(second % 13);
        log.push_str(&format!("{at}ann@shop LOG:  duration: {ms:.3} ms  statement: {statement}\n"));
        if second % 50 == 7 {
            log.push_str(&format!(
                "{at}ann@shop ERROR:  relation \"<b>{second}</b>\" does not exist\n"
            ));
            log.push_str(&format!("{at}ann@shop STATEMENT:  SELECT '</script>' FROM missing\n"));
        }
    }
    log
}

/// The page's DOM after its scripts ran, and what the browser said.
fn visit(browser: &Path, page: &Path, hash: &str) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
            "--enable-logging=stderr",
        ])
        .args(["--virtual-time-budget=5000", "--window-size=1300,2000", "--log-level=0"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}#{hash}", page.display()))
        .output()
        .unwrap();
    // The browser's own processes still write there for a moment.
    std::thread::sleep(Duration::from_millis(200));
    // It says a lot about the machine; what pages say is marked.
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    (String::from_utf8_lossy(&output.stdout).into(), said.join("\n"))
}

/// A browser that runs without a screen.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("MARULA_BROWSER") {
        return Some(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut found = names.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
    found.find(|path| path.is_file())
}
