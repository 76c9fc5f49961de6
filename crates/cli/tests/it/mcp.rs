//! `marula mcp` as an agent starts it: lines of JSON on its stdin and stdout, nothing else there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::program::{marula, stderr};

struct Agent {
    program: Child,
    lines: BufReader<ChildStdout>,
    number: u64,
}

/// The program on a configuration of this text.
fn command(folder: &Path, config: &str, args: &[&str]) -> Command {
    std::fs::write(folder.join("marula.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_marula"));
    command
        .arg("mcp")
        .args(args)
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("MARULA_HOME", folder.join("home"))
        .env_remove("MARULA_MCP_TOKEN")
        .env("SHOP_URL", "postgres://ann:hush-9f31@127.0.0.1:1/shop");
    command
}

const CONFIG: &str = "[targets.shop]\nurl = 'env:SHOP_URL'\nlogs = ['logs']\n\
    [targets.unset]\nurl = 'env:MARULA_NO_SUCH'\naccess = 'read-write'\n";

impl Agent {
    fn start(folder: &Path, args: &[&str]) -> Agent {
        let mut program = command(folder, CONFIG, args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap());
        Agent { program, lines, number: 0 }
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.program.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let id = self.number;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == id {
                return answer;
            }
        }
    }

    /// The handshake of a version.
    fn greet(&mut self, version: &str) -> Value {
        let answer = self.ask(
            "initialize",
            json!({ "protocolVersion": version, "capabilities": {},
                "clientInfo": { "name": "t", "version": "1" } }),
        );
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        answer["result"].clone()
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))["result"].clone()
    }

    fn end(mut self) -> (Option<i32>, String) {
        drop(self.program.stdin.take());
        let output = self.program.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

#[test]
fn an_agent_of_any_age_is_served_and_ends_the_program_by_leaving() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut agent = Agent::start(folder.path(), &[]);
        let info = agent.greet(version);
        assert_eq!(info["protocolVersion"], version);
        assert_eq!(info["serverInfo"]["name"], "marula");
        let tools = agent.ask("tools/list", json!({}))["result"]["tools"].clone();
        assert_eq!(tools.as_array().unwrap().len(), 11);
        let listed = agent.call("list_targets", json!({}));
        let targets = &listed["structuredContent"]["targets"];
        assert_eq!(targets[0]["alias"], "shop");
        assert_eq!(
            (&targets[0]["access"], &targets[0]["log_files"]),
            (&json!("read_only"), &json!(true))
        );
        assert_eq!(targets[1]["access"], "read_write");
        assert!(targets[1]["trouble"].as_str().unwrap().contains("MARULA_NO_SUCH is not set"));
        let failed = agent.call("describe", json!({ "target": "shop" }));
        assert_eq!(failed["isError"], true);
        assert!(failed.to_string().contains("unreachable"), "{failed}");
        for address in ["env:SHOP_URL", "postgres://ann@127.0.0.1/shop", "nowhere"] {
            let refused = agent.call("describe", json!({ "target": address }));
            assert!(refused.to_string().contains("list_targets"), "{refused}");
        }
        let (code, said) = agent.end();
        assert_eq!((code, said.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_version_from_the_future_gets_one_that_is_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(folder.path(), &["--tools", "describe,run_query"]);
    let info = agent.greet("2099-01-01");
    assert!(info["protocolVersion"].as_str().unwrap().starts_with("202"), "{info}");
    let tools = agent.ask("tools/list", json!({}))["result"]["tools"].clone();
    assert_eq!(tools.as_array().unwrap().len(), 2);
    assert_eq!(agent.end().0, Some(0));
}

#[test]
fn configured_log_files_are_read_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios/logs.in/postgresql.log");
    std::fs::copy(log, logs.join("postgresql.log")).unwrap();
    let mut agent = Agent::start(folder.path(), &[]);
    agent.greet("2025-06-18");
    let read = agent.call("analyze_workload", json!({ "target": "shop", "source": "files" }));
    let statements = read["structuredContent"]["statements"].as_array().unwrap();
    assert!(!statements.is_empty(), "{read}");
    let none = json!({ "target": "shop", "source": "files", "path": "/etc/passwd" });
    assert_eq!(agent.call("analyze_workload", none)["isError"], true);
    agent.end();
}

#[test]
fn http_is_for_this_machine_and_tells_its_token_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = marula(&["mcp", "--http", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("only this machine may reach the server"),
        "{}",
        stderr(&output)
    );
    let output = marula(&["mcp", "--tools", "run_qery"]);
    assert!(stderr(&output).contains("did you mean 'run_query'?"), "{}", stderr(&output));
    let begun = |args: &[&str]| {
        let mut program =
            command(folder.path(), CONFIG, args).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.starts_with("listening on http://127.0.0.1:"), "{first}");
        let second = std::thread::spawn(move || lines.next());
        std::thread::sleep(std::time::Duration::from_millis(300));
        program.kill().unwrap();
        program.wait().unwrap();
        second.join().unwrap().map(Result::unwrap)
    };
    let told = begun(&["--http", "127.0.0.1:0"]).unwrap();
    assert!(told.starts_with("Authorization: Bearer ") && told.len() > 60, "{told}");
    // In a file it is told to nobody else.
    let file = folder.path().join("token");
    let path = file.to_str().unwrap();
    assert_eq!(begun(&["--http", "127.0.0.1:0", "--token-file", path]), None);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.trim().len() > 40);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(begun(&["--http", "127.0.0.1:0", "--token-file", path]), None);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept);
}
