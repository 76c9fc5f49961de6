//! Many small migrations run by us and by dbmate, in turns, each on a database of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use marula_core::{Engine, Version};
use marula_lab::{PostgresServer, StartOptions, discover};

const MIGRATIONS: usize = 50;
const ROUNDS: usize = 7;

/// dbmate itself, not the script of the npm package around it.
fn dbmate() -> Option<PathBuf> {
    let tools = marula_lab::home().join("tools/node/node_modules");
    let own = tools.join("@dbmate/linux-x64/bin/dbmate");
    let own = if own.exists() { own } else { tools.join(".bin/dbmate") };
    [PathBuf::from("dbmate"), own].into_iter().find(|path| {
        Command::new(path).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

fn written(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder.join("migrations"))?;
    for at in 0..MIGRATIONS {
        let text = match at % 3 {
            0 => format!(
                "-- migrate:up\nCREATE TABLE t{at} (id int PRIMARY KEY, note text);\n\n-- migrate:down\nDROP TABLE t{at};\n"
            ),
            1 => format!(
                "-- migrate:up\nALTER TABLE t{0} ADD COLUMN c{at} int;\nCREATE INDEX i{at} ON t{0} (c{at});\n\n-- migrate:down\nALTER TABLE t{0} DROP COLUMN c{at};\n",
                at - 1
            ),
            _ => format!(
                "-- migrate:up\nINSERT INTO t{0} (id, note) VALUES ({at}, 'x');\n\n-- migrate:down\nDELETE FROM t{0};\n",
                at - 2
            ),
        };
        std::fs::write(folder.join(format!("migrations/202601010000{at:02}_step.sql")), text)?;
    }
    Ok(())
}

/// The wall time of a program that must end well.
fn timed(command: &mut Command) -> Result<Duration, Box<dyn std::error::Error>> {
    let began = Instant::now();
    let output = command.output()?;
    let took = began.elapsed();
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(took)
}

/// Prints how long both take.
pub async fn compare() -> Result<(), Box<dyn std::error::Error>> {
    // Beside the folder of the examples.
    let here = std::env::current_exe()?;
    let marula =
        here.ancestors().nth(2).map(|folder| folder.join("marula")).filter(|path| path.exists());
    let (Some(marula), Some(dbmate)) = (marula, dbmate()) else {
        println!(
            "\nrunning migrations was not compared: dbmate (scripts/setup --all) or our own program is not built"
        );
        return Ok(());
    };
    let install = discover::choose_exactly(Engine::Postgres, Some(Version::new(15, 0, 0)))?;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let server = PostgresServer::start(&install, &StartOptions::default().loopback(port)).await?;
    let folder = tempfile::tempdir()?;
    written(folder.path())?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let url = async || -> Result<String, Box<dyn std::error::Error>> {
            let spec = server.create_database().await?;
            Ok(format!("postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable", spec.database()))
        };
        let config = "[targets.t]\nurl = \"env:BENCH_URL\"\naccess = \"read-write\"\n";
        std::fs::write(folder.path().join("marula.toml"), config)?;
        let mut command = Command::new(&marula);
        command.current_dir(folder.path()).env("BENCH_URL", url().await?);
        ours.push(timed(command.args(["migrate", "apply", "t"]))?);
        let mut command = Command::new(&dbmate);
        command.current_dir(folder.path()).args(["--url", &url().await?, "--no-dump-schema"]);
        theirs.push(timed(command.args(["--migrations-dir", "migrations", "migrate"]))?);
    }
    ours.sort();
    theirs.sort();
    let (own, other) = (ours[ROUNDS / 2].as_secs_f64(), theirs[ROUNDS / 2].as_secs_f64());
    println!(
        "\n{MIGRATIONS} small migrations, median of {ROUNDS} rounds in turns: marula migrate apply {:.0} ms, \
         dbmate migrate {:.0} ms: {:.2} of its time",
        own * 1e3,
        other * 1e3,
        own / other
    );
    Ok(())
}
