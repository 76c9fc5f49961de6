//! `marula logs --follow`.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use marula_core::{Error, ErrorKind, Result};
use marula_logs::{Follow, LiveLog, Request};

use super::live::{MongodbTail, PostgresTail};

use crate::app::{App, Outcome};
use crate::args::Format;
use crate::open::{self, Session};
use crate::{output, render};

/// How far the screen looks back.
const WINDOW: Duration = Duration::from_secs(60);
/// How often it is drawn.
const TICK: Duration = Duration::from_secs(1);

/// Shows what is added to logs until the time is over or the user has seen enough.
pub async fn run(
    app: &App,
    mut request: Request,
    target: Option<&str>,
    until: Option<Duration>,
) -> Result<Outcome> {
    if app.format() != Format::Human || app.global.output.is_some() {
        return Err(Error::new(ErrorKind::Usage, "a growing log is shown at a terminal only")
            .hint("leave --format and --output out with --follow, or pipe its lines to a file"));
    }
    let terminal = std::io::stdout().is_terminal();
    // A line tells what came since the one before it; a screen looks further back.
    let window = if terminal { WINDOW } else { Duration::ZERO };
    let mut server = match target {
        Some(name) => Some(Server::open(app, name, &request).await?),
        None => None,
    };
    if let Some(server) = &server {
        request.inputs.clone_from(&server.log().inputs);
    }
    let mut follow = Follow::begin(&request, window)?;
    let began = Instant::now();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = began;
    loop {
        ticks.tick().await;
        if let Some(server) = &mut server {
            for file in server.refresh().await? {
                follow.add(file);
            }
        }
        let (back, mut digest) = poll(follow).await?;
        follow = back;
        if let Some(server) = &server {
            server.log().name(&mut digest);
        }
        let look = app.look();
        if terminal {
            let seconds = began.elapsed().min(WINDOW).as_secs_f64().max(1.0);
            let height = terminal_size::terminal_size().map_or(24, |(_, height)| height.0);
            let drawn = render::screen(&digest, seconds, usize::from(height), &look);
            // From the top, without clearing first: a screen that is cleared flickers.
            let drawn = drawn.replace('\n', "\x1b[K\n");
            output::write(&format!("\x1b[H{drawn}\x1b[J"), None)?;
        } else {
            let seconds = last.elapsed().as_secs_f64().max(TICK.as_secs_f64());
            last = Instant::now();
            if let Some(line) = render::line(&digest, seconds) {
                output::write(&format!("{line}\n"), None)?;
            }
        }
        if until.is_some_and(|until| began.elapsed() >= until) {
            return Ok(Outcome::Text(String::new()));
        }
    }
}

/// A server whose log is followed.
enum Server {
    Postgres(Box<PostgresTail>),
    Mongodb(Box<MongodbTail>),
}

impl Server {
    async fn open(app: &App, name: &str, request: &Request) -> Result<Self> {
        let (target, session) = open::open(app, name, app.timeout(None)).await?;
        let named = |error: Error| error.at(target.name.clone());
        Ok(match session {
            Session::Postgres(session) => {
                let tail = PostgresTail::open(*session, request, &app.progress()).await;
                Server::Postgres(Box::new(tail.map_err(named)?))
            }
            Session::Mongodb(session) => {
                Server::Mongodb(Box::new(MongodbTail::open(*session).await.map_err(named)?))
            }
        })
    }

    async fn refresh(&mut self) -> Result<Vec<std::path::PathBuf>> {
        match self {
            Server::Postgres(tail) => tail.refresh().await,
            Server::Mongodb(tail) => tail.refresh().await,
        }
    }

    fn log(&self) -> &LiveLog {
        match self {
            Server::Postgres(tail) => tail.log(),
            Server::Mongodb(tail) => tail.log(),
        }
    }
}

/// Reading may take a while; a signal is heard meanwhile.
async fn poll(mut follow: Follow) -> Result<(Follow, marula_core::Digest)> {
    let work = tokio::task::spawn_blocking(move || {
        let digest = follow.poll();
        (follow, digest)
    });
    work.await.map_err(|error| {
        Error::new(ErrorKind::Internal, "the logs could not be followed").because(error)
    })
}
