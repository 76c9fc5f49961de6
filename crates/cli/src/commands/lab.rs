//! `marula lab`.

use marula_core::{Engine, Error, ErrorKind, Report, Result};
use marula_lab::discover;
use marula_lab::named::{self, Filling, Lab as Named, Request, Supervisor, Wanted};
use serde_json::{Value, json};

use crate::app::{App, Outcome};
use crate::args::{Data, FailOn, Lab, LabUp};

/// Starts, lists and ends labs.
pub async fn run(app: &App, lab: Lab) -> Result<Outcome> {
    match lab {
        Lab::Up(args) => up(app, args).await,
        Lab::List => Ok(report("lab list", json!({ "labs": shown(&named::list()) }))),
        Lab::Down { name } => {
            let lab = named::down(&name).await?;
            Ok(report("lab down", json!({ "ended": lab.request.name })))
        }
        Lab::Doctor => Ok(doctor()),
        Lab::Supervise { .. } => named::supervise().await.map(|()| Outcome::Text(String::new())),
    }
}

/// The URL of a lab's server.
pub fn find(name: &str, engine: Engine) -> Result<String> {
    named::find(name, engine)
}

async fn up(app: &App, args: LabUp) -> Result<Outcome> {
    let request = request(&args)?;
    let supervisor = Supervisor::this_program(&["lab", "supervise"])?;
    let progress = app.progress();
    let up = named::up(&request, &supervisor, &progress).await?;
    progress.clear();
    let existed = up.existed();
    if args.foreground && existed {
        let message = format!("the lab '{}' runs already, in the background", args.name);
        return Err(Error::new(ErrorKind::Usage, message)
            .hint(format!("end it first: marula lab down {}", args.name))
            .hint("or leave out --foreground to use it as it is"));
    }
    let data = json!({
        "labs": shown(std::slice::from_ref(up.lab())),
        "existed": existed,
        "foreground": args.foreground,
    });
    let report = envelope("lab up", data);
    if args.foreground {
        return Ok(Outcome::Foreground(report, Box::new(up)));
    }
    up.keep().await?;
    Ok(Outcome::Report(report, FailOn::Never))
}

fn request(args: &LabUp) -> Result<Request> {
    let mut engines = args.engine.clone();
    engines.sort();
    engines.dedup();
    if engines.is_empty() {
        engines = match args.version {
            None => vec![Engine::Postgres, Engine::Mongodb],
            // No PostgreSQL below 10 is supported, and no MongoDB is above 9.
            Some(version) if version.major >= 10 => vec![Engine::Postgres],
            Some(_) => vec![Engine::Mongodb],
        };
    }
    if let (Some(version), [_, _, ..]) = (args.version, engines.as_slice()) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("{version} cannot be the version of both engines"),
        )
        .hint("give --version with one --engine"));
    }
    let wanted = |engine: &Engine| Wanted { engine: *engine, version: args.version };
    let filling = args.data.map(|Data::Shop| Filling {
        name: "shop".into(),
        scale: args.scale,
        seed: args.seed,
    });
    Ok(Request {
        servers: engines.iter().map(wanted).collect(),
        data: filling,
        ttl: args.ttl.unwrap_or(Request::DEFAULT_TTL),
        owner: args.pid.map(named::Owner::of).transpose()?,
        ..Request::new(&args.name, &engines)
    })
}

/// Labs as reports have them. Their passwords are for everyone on this machine's loopback to use.
fn shown(labs: &[Named]) -> Value {
    let labs = labs.iter().map(|lab| {
        let name = &lab.request.name;
        let servers = lab.servers.iter().map(|server| {
            json!({
                "target": format!("lab/{name}/{}", server.engine),
                "engine": server.engine,
                "version": server.version,
                "url": server.url,
            })
        });
        json!({
            "name": name,
            "ready": lab.ready,
            "data": lab.request.data,
            "ends_in_seconds": lab.remaining().as_secs(),
            "servers": servers.collect::<Vec<_>>(),
        })
    });
    labs.collect()
}

fn doctor() -> Outcome {
    let found = discover::search();
    let servers = found.installs.iter().map(|install| {
        json!({
            "engine": install.engine,
            "version": install.version,
            "full_version": install.full_version,
            "program": install.program,
            "origin": install.origin.to_string(),
        })
    });
    let broken = found.broken.iter().map(|(path, why)| json!({ "program": path, "why": why }));
    let missing = discover::missing(&found);
    let missing = missing.iter().map(|missing| {
        let how = missing.how.iter().map(|(system, what)| json!({ "on": system, "do": what }));
        json!({
            "engine": missing.engine,
            "what": missing.what,
            "why": missing.why,
            "how": how.collect::<Vec<_>>(),
        })
    });
    report(
        "lab doctor",
        json!({
            "servers": servers.collect::<Vec<_>>(),
            "broken": broken.collect::<Vec<_>>(),
            "missing": missing.collect::<Vec<_>>(),
            "looked_in": found.places,
            "home": marula_lab::home(),
        }),
    )
}

fn report(command: &str, data: Value) -> Outcome {
    Outcome::Report(envelope(command, data), FailOn::Never)
}

fn envelope(command: &str, data: Value) -> Box<Report> {
    let mut report = Report::new(command);
    report.data = Some(data);
    Box::new(report)
}
