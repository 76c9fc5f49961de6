//! What needs no server: help, schema, completions, what bad calls get.

use std::process::{Command, Output};

use serde_json::Value;

/// Runs the program away from any configuration.
pub fn marula(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_marula"))
        .args(args)
        .current_dir(folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_schema_describes_every_part_of_a_report() {
    let output = marula(&["schema", "report"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: Value = serde_json::from_str(&stdout(&output)).unwrap();
    for name in ["schema_version", "target", "findings", "changes", "best", "goal", "plan"] {
        assert!(schema["properties"][name].is_object(), "{name}");
    }
    for name in ["Finding", "Change", "Proof", "Dataset", "Measurement", "PlanSummary", "PlanNode"]
    {
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
    let finding = &schema["$defs"]["Finding"]["properties"];
    assert!(finding["where"].is_object(), "{finding}");
}

#[test]
fn completions_and_manual_come_from_the_same_declaration() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = marula(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("fail-on"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let output = marula(&["man", "--dir", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let page = std::fs::read_to_string(folder.path().join("marula-explain.1")).unwrap();
    assert!(page.contains("goal"), "{page}");
}

#[test]
fn a_bad_call_never_shows_a_password() {
    for args in [
        vec!["explain", "postgres://ann:hush@127.0.0.1:1/shop", "select 1", "--bogus"],
        vec!["postgres://ann:hush@127.0.0.1:1/shop"],
        vec!["explain", "postgres://ann:hush@127.0.0.1:1/shop", "select 1"],
        vec!["explain", "mongodb://ann:hush@127.0.0.1:1/shop", "db.a.find()", "--timeout", "2s"],
        vec!["explain", "host=127.0.0.1 port=1 password=hush", "select 1", "-vvvv"],
        vec!["inspect", "mongodb://ann:hush@[::bad/shop"],
    ] {
        let output = marula(&args);
        let said = stdout(&output) + &stderr(&output);
        assert!(!said.contains("hush"), "{args:?}: {said}");
        assert!(
            matches!(output.status.code(), Some(2 | 3)),
            "{args:?}: {:?} {said}",
            output.status
        );
    }
}
