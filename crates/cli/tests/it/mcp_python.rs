//! `marula mcp` driven by the official Python client (`mcp` of PyPI), over both transports.
//! `scripts/setup --all` installs it below `$MARULA_HOME/tools`; where it is not there the test says
//! so and passes.

use std::net::TcpListener;
use std::process::Command;

use marula_core::{Engine, Version};
use marula_lab::{PostgresServer, StartOptions, discover};

#[test]
fn the_official_python_client_is_served_over_both_transports() {
    let python = marula_lab::home().join("tools/python/bin/python");
    let has_client = |module: &str| {
        let asked = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    if !has_client("mcp, jsonschema") {
        println!(
            "SKIPPED: the Python package mcp is not at {} (scripts/setup --all)",
            python.display()
        );
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let install = discover::choose_exactly(Engine::Postgres, Some(Version::new(15, 0, 0))).unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let options = StartOptions::default().loopback(port);
    let server = runtime.block_on(PostgresServer::start(&install, &options)).unwrap();
    let table = "CREATE TABLE pairs (a int, b int); \
         INSERT INTO pairs SELECT i, i FROM generate_series(1, 10) i";
    runtime.block_on(server.execute(table)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config =
        format!("[targets.shop]\nurl = 'postgresql://postgres@127.0.0.1:{port}/postgres'\n");
    std::fs::write(folder.path().join("marula.toml"), config).unwrap();
    let output = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mcp_client.py"))
        .args([env!("CARGO_BIN_EXE_marula"), "shop"])
        .current_dir(folder.path())
        .env_remove("MARULA_MCP_TOKEN")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("stdio: done") && said.contains("http: done"), "{said}");
}
