use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Result};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

use super::exchange::{Answer, Order};
use super::state::{Hold, now};
use super::{Lab, LabServerState, Request, Wanted};
use crate::discover;
use crate::servers::{
    Listen, MongoServer, PostgresServer, StartOptions, free_port, set_password, started_at,
};

/// Another program may take a free port before our server does.
const PORTS_TRIED: usize = 4;

/// Holds a lab: what the process that [`super::up`] starts does, from its first to its last line.
///
/// It reads its orders from standard input and writes its answer to standard output.
pub async fn supervise() -> Result<()> {
    // Away from the terminal: its Ctrl-C and its end are not meant for us.
    let _ = rustix::process::setsid();
    let mut orders = orders()?;
    let Some(Order::Start(request)) = next(&mut orders).await else {
        return Err(Error::new(ErrorKind::Usage, "this is for 'marula lab up' to call")
            .hint("use 'marula lab up NAME'"));
    };
    let held = start(&request);
    let started = tokio::select! {
        started = held => started,
        // `up` went away, or somebody ends us: what was begun is dropped.
        _ = next(&mut orders) => return Ok(()),
        () = told_to_end() => return Ok(()),
    };
    match started {
        Ok((lab, mut servers, hold)) => {
            answer(&Answer::Started(lab.clone()))?;
            let ended = hold_on(lab, &mut servers, &hold, orders).await;
            // Servers first: while the name is held nobody else takes it.
            servers.stop().await;
            drop(hold);
            ended
        }
        Err(error) => {
            answer(&Answer::Failed((&error).into()))?;
            Err(error)
        }
    }
}

/// Returns when the lab is to end.
async fn hold_on(
    mut lab: Lab,
    servers: &mut Servers,
    hold: &Hold,
    mut orders: Orders,
) -> Result<()> {
    let mut kept = false;
    let over = tokio::time::sleep(lab.request.ttl);
    let ended = told_to_end();
    tokio::pin!(over, ended);
    let mut look = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            order = next(&mut orders), if !kept => match order {
                Some(Order::Ready) => {
                    lab.ready = true;
                    hold.write(&lab)?;
                }
                Some(Order::Keep) => kept = true,
                Some(Order::Start(_)) | None => return Ok(()),
            },
            () = &mut over => return Ok(()),
            () = &mut ended => return Ok(()),
            _ = look.tick() => {
                if let Some(error) = servers.died() {
                    return Err(error);
                }
                // Nobody could find the lab or end it by name any more.
                if hold.is_lost() || lab.request.owner.is_some_and(|owner| !owner.lives()) {
                    return Ok(());
                }
            }
        }
    }
}

async fn start(request: &Request) -> Result<(Lab, Servers, Hold)> {
    request.check()?;
    let name = &request.name;
    let Some(hold) = Hold::take(name)? else {
        return Err(Error::new(ErrorKind::Usage, format!("a lab '{name}' is running or starting"))
            .hint(format!("wait, or end it first: marula lab down {name}")));
    };
    let database = request.data.as_ref().map(|data| data.name.as_str());
    let wanted = |engine| request.servers.iter().find(|server| server.engine == engine).copied();
    let (postgres, mongodb) = tokio::try_join!(
        async {
            match wanted(Engine::Postgres) {
                Some(wanted) => start_postgres(wanted, database).await.map(Some),
                None => Ok(None),
            }
        },
        async {
            match wanted(Engine::Mongodb) {
                Some(wanted) => start_mongodb(wanted, database).await.map(Some),
                None => Ok(None),
            }
        },
    )?;
    let (postgres, postgres_state) = postgres.unzip();
    let (mongodb, mongodb_state) = mongodb.unzip();
    let us = std::process::id();
    let lab = Lab {
        request: request.clone(),
        servers: postgres_state.into_iter().chain(mongodb_state).collect(),
        supervisor: (us, started_at(us).unwrap_or(0)),
        started: now(),
        ends: now().saturating_add(request.ttl.as_secs()),
        ready: false,
    };
    hold.write(&lab)?;
    Ok((lab, Servers { postgres, mongodb }, hold))
}

struct Servers {
    postgres: Option<PostgresServer>,
    mongodb: Option<MongoServer>,
}

impl Servers {
    fn died(&mut self) -> Option<Error> {
        let postgres = self.postgres.as_mut().and_then(|server| server.died());
        postgres.or_else(|| self.mongodb.as_mut().and_then(|server| server.died()))
    }

    async fn stop(self) {
        if let Some(server) = self.postgres {
            server.stop().await;
        }
        if let Some(server) = self.mongodb {
            server.stop().await;
        }
    }
}

async fn start_postgres(
    wanted: Wanted,
    database: Option<&str>,
) -> Result<(PostgresServer, LabServerState)> {
    let install = discover::choose_exactly(Engine::Postgres, wanted.version)?;
    let password = new_password();
    let mut tried = 0;
    let server = loop {
        tried += 1;
        let options = StartOptions {
            listen: Listen::Loopback(free_port()?),
            password: Some(password.clone()),
            ..StartOptions::default()
        };
        match PostgresServer::start(&install, &options).await {
            Err(error) if tried < PORTS_TRIED && port_taken(&error) => {}
            started => break started?,
        }
    };
    server.execute(&set_password(&password)).await?;
    if let Some(database) = database {
        server.execute(&format!("CREATE DATABASE {database}")).await?;
    }
    let port = server.port();
    let state = LabServerState {
        engine: Engine::Postgres,
        version: server.version(),
        url: format!(
            "postgresql://postgres:{}@127.0.0.1:{port}/{}",
            password.expose_secret(),
            database.unwrap_or("postgres")
        ),
        port,
        process: (server.pid(), started_at(server.pid()).unwrap_or(0)),
        folder: server.folder().to_owned(),
    };
    Ok((server, state))
}

async fn start_mongodb(
    wanted: Wanted,
    database: Option<&str>,
) -> Result<(MongoServer, LabServerState)> {
    let install = discover::choose_exactly(Engine::Mongodb, wanted.version)?;
    let mut tried = 0;
    let (server, port) = loop {
        tried += 1;
        let port = free_port()?;
        let options = StartOptions {
            listen: Listen::Loopback(port),
            replica_set: true,
            expire_documents: true,
            ..StartOptions::default()
        };
        match MongoServer::start(&install, &options).await {
            Err(error) if tried < PORTS_TRIED && port_taken(&error) => {}
            started => break (started?, port),
        }
    };
    let state = LabServerState {
        engine: Engine::Mongodb,
        version: server.version(),
        url: server.url_of(database.unwrap_or("")),
        port,
        process: (server.pid(), started_at(server.pid()).unwrap_or(0)),
        folder: server.folder().to_owned(),
    };
    Ok((server, state))
}

fn port_taken(error: &Error) -> bool {
    ["could not bind", "Address already in use"].iter().any(|said| error.message().contains(said))
}

fn new_password() -> SecretString {
    // No letters that are mistaken for others: people type it.
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut random = rand::rng();
    let letters = (0..24).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]));
    SecretString::from(letters.collect::<String>())
}

type Orders = Lines<BufReader<pipe::Receiver>>;

/// Standard input as a pipe that can be waited for: a thread that reads it would keep this
/// process from ending.
fn orders() -> Result<Orders> {
    let input = std::io::stdin().as_fd().try_clone_to_owned()?;
    let input = pipe::Receiver::from_owned_fd(input).map_err(|error| {
        Error::new(ErrorKind::Usage, "this is for 'marula lab up' to call")
            .because(error)
            .hint("use 'marula lab up NAME'")
    })?;
    Ok(BufReader::new(input).lines())
}

/// The next order; `None` when `up` is gone or says what nobody understands.
async fn next(orders: &mut Orders) -> Option<Order> {
    let line = orders.next_line().await.ok()??;
    serde_json::from_str(&line).ok()
}

fn answer(answer: &Answer) -> Result<()> {
    let mut line = serde_json::to_vec(answer).map_err(std::io::Error::from)?;
    line.push(b'\n');
    let mut output = std::io::stdout().lock();
    output.write_all(&line)?;
    Ok(output.flush()?)
}

async fn told_to_end() {
    let streams = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = streams else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
