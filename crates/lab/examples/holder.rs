//! Starts servers, prints their process ids and folders as a line of JSON, and then ends in the
//! way it is told: for the tests that look what a program leaves behind.
//!
//! `holder sleep`, `holder panic`, `holder exit`, `holder shared`; `holder supervise NAME` holds
//! a named lab, and `holder up NAME` starts one and sleeps before it is done.
#![allow(clippy::print_stdout, clippy::panic, clippy::exit)]

use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Progress, Result};
use marula_lab::named::{self, Request, Supervisor};
use marula_lab::{MongoServer, PostgresServer, StartOptions, discover, shared};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["supervise", _] => named::supervise().await,
        ["up", name] => up(name).await,
        ["shared"] => {
            let (postgres, mongodb) = (shared::postgres(15).await?, shared::mongodb(6, 0).await?);
            say(postgres, mongodb);
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            Ok(())
        }
        [ending] => hold(ending).await,
        _ => Err(Error::new(ErrorKind::Usage, "how is it to end?")),
    }
}

async fn hold(ending: &str) -> Result<()> {
    let install = discover::choose(Engine::Postgres, None)?.install;
    let postgres = PostgresServer::start(&install, &StartOptions::default()).await?;
    let install = discover::choose(Engine::Mongodb, None)?.install;
    let mongodb = MongoServer::start(&install, &StartOptions::default().replica_set()).await?;
    say(&postgres, &mongodb);
    if ["panic", "exit"].contains(&ending) {
        // The test looks at the servers first.
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
    }
    match ending {
        "panic" => panic!("as told"),
        // Without any destructor.
        "exit" => std::process::exit(3),
        "busy" => {
            // A backend in the middle of work does not look whether its postmaster lives.
            postgres.execute("SELECT count(*) FROM generate_series(1, 100000000000)").await
        }
        // What the program does on Ctrl-C: the work is dropped in the middle.
        "interrupt" => {
            let _ = tokio::signal::ctrl_c().await;
            Ok(())
        }
        _ => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(())
        }
    }
}

fn say(postgres: &PostgresServer, mongodb: &MongoServer) {
    let pids = [postgres.pid(), mongodb.pid()];
    let folders = [postgres.folder(), mongodb.folder()];
    println!("{}", serde_json::json!({ "pids": pids, "folders": folders }));
}

/// Says when servers run, and stays in the middle of loading.
struct Slow;

impl Progress for Slow {
    fn step(&self, what: &str) {
        if what.starts_with("loading") {
            println!("{}", serde_json::json!({ "step": what }));
            std::thread::sleep(Duration::from_secs(600));
        }
    }
    fn advance(&self, _: u64, _: u64) {}
}

async fn up(name: &str) -> Result<()> {
    let mut request = Request::new(name, &[Engine::Postgres, Engine::Mongodb]);
    request.data = Some(named::Filling { name: "shop".to_owned(), scale: 0.001, seed: 1 });
    named::up(&request, &Supervisor::this_program(&["supervise"])?, &Slow).await?;
    Ok(())
}
