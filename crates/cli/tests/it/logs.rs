//! `marula logs` beyond what its scenario shows: pipes, packed files, workloads, growing logs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use marula_core::{Report, Workload};

use super::program::{marula, stderr, stdout};

/// A log of the scenario.
fn log(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/logs.in").join(name)
}

fn digested(args: &[&str]) -> Report {
    let all: Vec<&str> =
        ["logs"].iter().chain(args).chain(&["--format", "json"]).copied().collect();
    let output = marula(&all);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn a_terminal_of_any_width_shows_it_whole() {
    let folder = log("");
    for width in ["80", "200"] {
        let output = Command::new(env!("CARGO_BIN_EXE_marula"))
            .args(["logs", "postgresql.log", "mongod.json"])
            .current_dir(&folder)
            .env("COLUMNS", width)
            .env("NO_COLOR", "1")
            .env("XDG_CONFIG_HOME", &folder)
            .output()
            .unwrap();
        let shown = stdout(&output);
        for line in shown.lines() {
            let wide = unicode_width::UnicodeWidthStr::width(line);
            assert!(wide <= width.parse::<usize>().unwrap(), "{width}: {wide} {line}");
        }
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
        snapbox::assert_data_eq!(
            shown,
            snapbox::Data::read_from(&kept.join(format!("logs-{width}.txt")), None)
        );
    }
}

#[test]
fn a_pipe_and_a_file_say_the_same() {
    let path = log("postgresql.log");
    let named = digested(&[path.to_str().unwrap()]).digest.unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_marula"))
        .args(["logs", "--format", "json"])
        .env("XDG_CONFIG_HOME", log(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(&path).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let piped: Report = serde_json::from_slice(&output.stdout).unwrap();
    let piped = piped.digest.unwrap();
    assert_eq!(piped.statements, named.statements);
    assert_eq!(piped.sources[0].name, "-");
}

#[test]
fn a_packed_pipe_between_files_is_read_in_its_place() {
    let path = log("postgresql.log");
    let json = log("mongod.json");
    let alone = digested(&[path.to_str().unwrap()]).digest.unwrap();
    let other = digested(&[json.to_str().unwrap()]).digest.unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let packed = zstd::encode_all(bytes.as_slice(), 3).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_marula"))
        .args(["logs", json.to_str().unwrap(), "-", path.to_str().unwrap(), "--format", "json"])
        .env("XDG_CONFIG_HOME", log(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&packed).unwrap();
    let output = child.wait_with_output().unwrap();
    let told: Report = serde_json::from_slice(&output.stdout).unwrap();
    let told = told.digest.unwrap();
    assert_eq!(told.sources[1].name, "-");
    assert_eq!(told.sources[1].compression.as_deref(), Some("zstd"));
    assert_eq!(told.totals.calls, 2 * alone.totals.calls + other.totals.calls);
    // Cut short on its way.
    let mut child = Command::new(env!("CARGO_BIN_EXE_marula"))
        .args(["logs", "-", "--format", "json"])
        .env("XDG_CONFIG_HOME", log(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&packed[..packed.len() / 2]).unwrap();
    // Nothing could be unpacked at all.
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "{}", stdout(&output));
}

#[test]
fn a_workload_is_saved_for_other_commands() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("workload.json");
    let path = log("postgresql.log");
    let report =
        digested(&[path.to_str().unwrap(), "--save", file.to_str().unwrap(), "--top", "2"]);
    let digest = report.digest.unwrap();
    assert_eq!(digest.statements.len(), 2, "--top is what is told");
    let read: Workload = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let all = digest.statements.len() as u64 + digest.statements_left_out;
    assert_eq!(read.statements.len() as u64, all, "a workload has them all");
    assert_eq!(read.statements[0].calls, digest.statements[0].load.calls);
    let bound = read.statements.iter().find(|one| !one.samples.is_empty()).unwrap();
    assert!(bound.statement.text.contains("$2"), "{}", bound.statement.text);
    assert_eq!(bound.samples[0][1].value.as_deref(), Some("O'Hara"));

    let both = [path.to_str().unwrap(), log("mongod.json").to_str().unwrap()].map(str::to_string);
    let output = marula(&["logs", &both[0], &both[1], "--save", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(stderr(&output).contains("both engines"), "{}", stderr(&output));
}

#[test]
fn a_comparison_finds_what_changed() {
    let (before, after) = (log("last-week.log"), log("postgresql.log"));
    let report = digested(&[after.to_str().unwrap(), "--compare", before.to_str().unwrap()]);
    let comparison = report.comparison.unwrap();
    let trend = |text: &str| {
        let one = comparison.statements.iter().find(|one| one.shape.contains(text));
        one.unwrap_or_else(|| panic!("{text} is missing")).trend
    };
    assert_eq!(trend("JOIN customers"), marula_core::Trend::Slower);
    assert_eq!(trend("FROM events"), marula_core::Trend::New);
    assert_eq!(trend("FROM items"), marula_core::Trend::Same);
    let back = digested(&[before.to_str().unwrap(), "--compare", after.to_str().unwrap()]);
    let trends: Vec<_> = back.comparison.unwrap().statements.iter().map(|one| one.trend).collect();
    assert!(trends.contains(&marula_core::Trend::Faster), "{trends:?}");
    assert!(trends.contains(&marula_core::Trend::Gone), "{trends:?}");
}

#[test]
fn a_growing_log_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("postgresql.log");
    std::fs::copy(log("last-week.log"), &path).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_marula"))
        .args(["logs", path.to_str().unwrap(), "--follow", "--for", "4s"])
        .env("XDG_CONFIG_HOME", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..3 {
        std::thread::sleep(std::time::Duration::from_millis(1000));
        let more = std::fs::read(log("postgresql.log")).unwrap();
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&more).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.lines().count() >= 1, "{said}");
    assert!(said.contains("SELECT orders, customers") && said.contains(" errors"), "{said}");
}

#[test]
fn csv_has_a_record_a_statement() {
    let path = log("postgresql.log");
    let output = marula(&["logs", path.to_str().unwrap(), "--format", "csv"]);
    let text = stdout(&output);
    let digest = digested(&[path.to_str().unwrap()]).digest.unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), digest.statements.len() + 2, "{text}");
    assert!(lines[1].starts_with(&format!("1,{},postgres,", digest.statements[0].fingerprint.0)));
}
