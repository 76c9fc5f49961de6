use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use marula_core::{Error, ErrorKind, Progress, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::exchange::{Answer, Order};
use super::{Lab, Request, load, state};

/// How long servers may take to start on a machine that is busy.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The command that calls [`super::supervise`].
#[derive(Debug, Clone)]
pub struct Supervisor {
    /// The program and its arguments.
    pub command: Vec<OsString>,
}

impl Supervisor {
    /// This program itself, called with `arguments`.
    pub fn this_program(arguments: &[&str]) -> Result<Self> {
        let program = std::env::current_exe()?;
        let arguments = arguments.iter().map(OsString::from);
        Ok(Supervisor { command: std::iter::once(program.into()).chain(arguments).collect() })
    }
}

/// A lab that is up. Unless [`Up::keep`] is called it ends when this is dropped, or when this
/// program ends.
#[derive(Debug)]
pub struct Up {
    lab: Lab,
    /// `None` when the lab was up before.
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    supervisor: Child,
    orders: Option<ChildStdin>,
}

/// Starts the lab, and loads its data. The same request again gives the lab that runs.
///
/// If this is dropped before it is done (Ctrl-C), nothing is left.
pub async fn up(request: &Request, supervisor: &Supervisor, progress: &dyn Progress) -> Result<Up> {
    request.check()?;
    crate::servers::reap();
    if let Some(lab) = state::running(&request.name) {
        return already(request, lab);
    }
    load::has_room(request)?;
    progress.step("starting servers");
    let mut up = start(request, supervisor).await?;
    if let Some(data) = &request.data {
        for server in &up.lab.servers {
            load::load(server, data, progress).await?;
        }
    }
    up.order(&Order::Ready).await?;
    up.found_by_others().await?;
    up.lab.ready = true;
    Ok(up)
}

fn already(request: &Request, lab: Lab) -> Result<Up> {
    let name = &request.name;
    if !lab.ready {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the lab '{name}' is being set up already"),
        )
        .hint("wait until it is, or end it: marula lab down ".to_owned() + name));
    }
    // A lab may be asked for again with another end, and keeps the one it has.
    let (ttl, owner) = (lab.request.ttl, lab.request.owner);
    if (Request { ttl, owner, ..request.clone() }) == lab.request {
        return Ok(Up { lab, held: None });
    }
    let message =
        format!("a lab '{name}' runs already, and is another one: {}", lab.request.describe());
    Err(Error::new(ErrorKind::Usage, message)
        .hint(format!("end it first: marula lab down {name}"))
        .hint("or take another name"))
}

async fn start(request: &Request, supervisor: &Supervisor) -> Result<Up> {
    let failed = |what: String| {
        Error::new(ErrorKind::Lab, format!("the lab's supervisor {what}"))
            .at(format!("lab {}", request.name))
    };
    let [program, arguments @ ..] = &supervisor.command[..] else {
        return Err(Error::new(ErrorKind::Internal, "no supervisor was named"));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .arg(&request.name)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let orders = child.stdin.take();
    let answers = child.stdout.take().map(BufReader::new);
    // From here on the pipe's end is what ends the supervisor, whatever happens to us.
    let mut held = Held { supervisor: child, orders };
    held.order(&Order::Start(request.clone())).await?;
    let mut line = String::new();
    if let Some(mut answers) = answers {
        match tokio::time::timeout(START_LIMIT, answers.read_line(&mut line)).await {
            Ok(read) => read?,
            Err(_) => return Err(failed(format!("said nothing for {} s", START_LIMIT.as_secs()))),
        };
    }
    match serde_json::from_str(&line) {
        Ok(Answer::Started(lab)) => Ok(Up { lab, held: Some(held) }),
        Ok(Answer::Failed(failure)) => Err(failure.into()),
        Err(_) => Err(failed("ended without a word".to_owned())),
    }
}

impl Up {
    /// The lab.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// Whether the lab was up before.
    pub fn existed(&self) -> bool {
        self.held.is_none()
    }

    /// Waits until the supervisor has written down that the lab is ready.
    async fn found_by_others(&self) -> Result<()> {
        let name = &self.lab.request.name;
        let started = std::time::Instant::now();
        while !state::running(name).is_some_and(|lab| lab.ready) {
            if started.elapsed() > START_LIMIT {
                let error = format!("the supervisor of the lab '{name}' does not answer");
                return Err(Error::new(ErrorKind::Lab, error).hint("try again"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Lets the lab live on without this program.
    pub async fn keep(mut self) -> Result<Lab> {
        self.order(&Order::Keep).await?;
        if let Some(held) = self.held.take() {
            held.forget();
        }
        Ok(self.lab.clone())
    }

    /// Waits until the lab ends by itself: by `down` elsewhere, or when its time is over.
    ///
    /// # Errors
    /// `ServerDied` when it ended because one of its servers did.
    pub async fn ended(&mut self) -> Result<()> {
        let name = &self.lab.request.name;
        match &mut self.held {
            Some(held) => {
                if held.supervisor.wait().await?.success() {
                    return Ok(());
                }
                let message = format!("a server of the lab '{name}' ended by itself");
                Err(Error::new(ErrorKind::ServerDied, message)
                    .hint("check memory and disk space, then start the lab again"))
            }
            None => {
                while state::is_held(name) {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Ok(())
            }
        }
    }

    async fn order(&mut self, order: &Order) -> Result<()> {
        match &mut self.held {
            Some(held) => held.order(order).await,
            None => Ok(()),
        }
    }
}

impl Held {
    async fn order(&mut self, order: &Order) -> Result<()> {
        let mut line = serde_json::to_vec(order).map_err(std::io::Error::from)?;
        line.push(b'\n');
        let sent = match &mut self.orders {
            Some(orders) => match orders.write_all(&line).await {
                Ok(()) => orders.flush().await,
                failed => failed,
            },
            None => Ok(()),
        };
        sent.map_err(|error| {
            Error::new(ErrorKind::ServerDied, "the lab ended while it was set up")
                .because(error)
                .hint("check memory and disk space, then run it again")
        })
    }

    /// The supervisor was told to live on: its end is no longer ours to wait for.
    fn forget(mut self) {
        self.orders = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.orders.take().is_none() {
            return;
        }
        // Closing the pipe tells the supervisor to end; nothing may be left when we return.
        for _ in 0..1500 {
            if !matches!(self.supervisor.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.supervisor.start_kill();
    }
}
