//! `marula mcp`.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use marula_core::{Error, ErrorKind, Result, TargetKind};
use marula_mcp::{Access, Found, Host, Limits, Listed, State};
use secrecy::SecretString;

use crate::app::{App, Outcome};
use crate::args::Mcp;
use crate::config::{self, Config};
use crate::duration;
use crate::targets::{self, Resolved};

/// The variable a token may come from.
const TOKEN: &str = "MARULA_MCP_TOKEN";

/// Serves until the client is gone, or the program is ended.
pub async fn run(app: &mut App, args: Mcp) -> Result<Outcome> {
    let host = Configured {
        timeout: app.timeout(args.timeout),
        goal_ms: app.goal(None).map(duration::as_ms),
        config: std::mem::take(&mut app.config),
    };
    let state = State::new(host, args.tools.as_deref(), Limits::default())?;
    match args.http {
        None => marula_mcp::serve_stdio(state).await?,
        Some(address) => serve(state, address, args.token_file.as_deref()).await?,
    }
    Ok(Outcome::Text(String::new()))
}

async fn serve(
    state: Arc<State>,
    address: std::net::SocketAddr,
    file: Option<&Path>,
) -> Result<()> {
    let (token, new) = token(file)?;
    let bound = marula_mcp::bind(state, address, &token).await?;
    let mut said = format!("listening on {}\n", bound.url());
    if new {
        use secrecy::ExposeSecret;
        said.push_str(&format!("Authorization: Bearer {}\n", token.expose_secret()));
    }
    crate::tell(&said);
    bound.serve().await;
    Ok(())
}

/// The token, and whether it is new and known to nobody.
fn token(file: Option<&Path>) -> Result<(SecretString, bool)> {
    if let Some(token) = std::env::var(TOKEN).ok().filter(|token| !token.trim().is_empty()) {
        return Ok((token.trim().to_string().into(), false));
    }
    let Some(path) = file else { return Ok((marula_mcp::token(), true)) };
    let trouble = |error: std::io::Error| {
        Error::new(ErrorKind::Usage, format!("the token cannot be kept: {error}"))
            .at(path.display().to_string())
            .hint("name a file that you alone can read and write")
    };
    match std::fs::read_to_string(path) {
        Ok(token) => Ok((token.trim().to_string().into(), false)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            use secrecy::ExposeSecret;
            use std::os::unix::fs::OpenOptionsExt;
            let token = marula_mcp::token();
            let mut options = std::fs::OpenOptions::new();
            let mut file =
                options.write(true).create_new(true).mode(0o600).open(path).map_err(trouble)?;
            writeln!(file, "{}", token.expose_secret()).map_err(trouble)?;
            Ok((token, false))
        }
        Err(error) => Err(trouble(error)),
    }
}

/// The user's configuration as it was when the server began. Nothing an agent says changes it.
struct Configured {
    config: Config,
    timeout: Duration,
    goal_ms: Option<f64>,
}

impl Host for Configured {
    fn targets(&self) -> Vec<Listed> {
        let own = self.config.targets.iter().map(|(alias, entry)| {
            let resolved = targets::resolve(alias, &self.config);
            Listed {
                alias: alias.clone(),
                engine: resolved.as_ref().ok().map(|found| found.engine),
                kind: TargetKind::Server,
                access: access(entry.access),
                logs: !entry.logs.is_empty(),
                trouble: resolved.err().map(|error| error.message().to_string()),
            }
        });
        let labs = marula_lab::named::list();
        let labs = labs.iter().flat_map(|lab| {
            lab.servers.iter().map(|server| Listed {
                alias: format!("lab/{}/{}", lab.request.name, server.engine),
                engine: Some(server.engine),
                kind: TargetKind::Lab,
                access: Access::ReadWrite,
                logs: false,
                trouble: None,
            })
        });
        own.chain(labs).collect()
    }

    fn find(&self, alias: &str) -> Result<Found> {
        let entry = self.config.targets.get(alias);
        if entry.is_none() && !alias.starts_with("lab/") {
            return Err(Error::new(ErrorKind::NotFound, "no target has this name"));
        }
        let Resolved { name, kind, engine, connection, access: may } =
            targets::resolve(alias, &self.config)?;
        let logs = entry.map(|entry| entry.logs.iter().map(|log| entry.folder.join(log)).collect());
        Ok(Found {
            alias: name,
            kind,
            engine,
            access: access(may),
            connection: connection.0.into(),
            logs: logs.unwrap_or_default(),
        })
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn goal_ms(&self) -> Option<f64> {
        self.goal_ms
    }
}

fn access(access: config::Access) -> Access {
    match access {
        config::Access::ReadOnly => Access::ReadOnly,
        config::Access::ReadWrite => Access::ReadWrite,
    }
}
