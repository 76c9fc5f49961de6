//! One run of the program: configuration, the command, its result, its exit code.

use std::io::IsTerminal;
use std::time::Duration;

use marula_core::{Error, ErrorKind, Report, Result, redact};
use marula_lab::named::Up;

use crate::args::{self, Cli, Color, Command, FailOn, Format, Global, Prove};
use crate::commands;
use crate::config::{self, Config};
use crate::progress::Terminal;
use crate::render::{self, Look, Paint};
use crate::{exit, output, signals};

/// What a command came to.
pub enum Outcome {
    /// A report, rendered as the user asked, and the severity that makes the exit code 1.
    Report(Box<Report>, FailOn),
    /// The report on a lab that is to be held until it ends.
    Foreground(Box<Report>, Box<Up>),
    /// A text that has one form only: a page, a schema, completions.
    Text(String),
}

/// What every command needs.
pub struct App {
    /// All layers of the configuration.
    pub config: Config,
    /// The flags every command takes.
    pub global: Global,
    /// The file the statement came from, once known.
    pub file: Option<String>,
}

/// Runs the command line and gives the exit code.
pub async fn main(cli: Cli) -> u8 {
    let global = cli.global.clone();
    let result = match cli.command {
        // It has its own way to end, and nothing of the user's configuration concerns it.
        Command::Lab(lab @ args::Lab::Supervise { .. }) => supervise(global.clone(), lab).await,
        _ => tokio::select! {
            // Signals are listened to before the work begins.
            biased;
            interrupted = signals::interrupted() => Err(interrupted),
            result = run(cli) => result,
        },
    };
    result.unwrap_or_else(|error| {
        let look = Look {
            width: columns(
                std::io::stderr().is_terminal(),
                terminal_size::terminal_size_of(std::io::stderr()),
            ),
            paint: Paint(colored(global.color, std::io::stderr().is_terminal())),
            verbose: global.verbose > 0,
            file: None,
        };
        crate::tell(&render::error(&error, &look));
        exit::of_error(error.kind())
    })
}

async fn supervise(global: Global, lab: args::Lab) -> Result<u8> {
    let app = App { config: Config::default(), global, file: None };
    commands::lab::run(&app, lab).await.map(|_| exit::CLEAN)
}

async fn run(cli: Cli) -> Result<u8> {
    let folder = std::env::current_dir().unwrap_or_else(|_| ".".into());
    let user = config::user_file();
    let config = Config::load(cli.global.config.as_deref(), &folder, user.as_deref())?;
    let mut app = App { config, global: cli.global, file: None };
    output::check(app.global.output.as_deref())?;
    for warning in std::mem::take(&mut app.config.warnings) {
        app.warn(&warning);
    }
    let logs = matches!(cli.command, Command::Logs(_));
    let advice = matches!(&cli.command, Command::Logs(args) if args.advise);
    let drawn = matches!(cli.command, Command::Model(args::Model::Show(_)));
    if !drawn {
        render::check(app.format(), logs, advice)?;
    }
    let outcome = match cli.command {
        Command::Explain(args) => commands::explain::run(&mut app, args).await?,
        Command::Inspect(args) => commands::inspect::run(&app, args).await?,
        Command::Logs(args) => commands::logs::run(&app, args).await?,
        Command::Tune(args) => commands::tune::run(&mut app, args).await?,
        Command::Design(args) => commands::design::run(&mut app, args).await?,
        Command::Choose(args) => commands::choose::run(&app, args).await?,
        Command::Model(args) => commands::model::run(&mut app, args).await?,
        Command::Migrate(args) => commands::migrate::run(&mut app, args).await?,
        Command::Lab(args) => commands::lab::run(&app, args).await?,
        Command::Mcp(args) => commands::mcp::run(&mut app, args).await?,
        Command::Skill(args) => commands::skill::run(args)?,
        Command::Rule(args) => commands::rule::run(&app, &args)?,
        Command::Schema(args) => commands::schema::run(args)?,
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Man { dir } => commands::man::run(dir.as_deref())?,
    };
    app.finish(outcome).await
}

impl App {
    async fn finish(&self, outcome: Outcome) -> Result<u8> {
        let file = self.global.output.as_deref();
        match outcome {
            Outcome::Foreground(report, mut up) => {
                let text = render::report(&report, self.format(), &self.look())?;
                output::write(&text, file)?;
                up.ended().await.map(|()| exit::CLEAN)
            }
            Outcome::Text(text) => output::write(&text, file).map(|()| exit::CLEAN),
            Outcome::Report(report, fail_on) => {
                let text = render::report(&report, self.format(), &self.look())?;
                output::write(&text, file)?;
                match report.failure {
                    // What was found is said; what ended the search decides how we end.
                    Some(failure) => Err(failure.into()),
                    None => Ok(exit::of_report(&report, fail_on)),
                }
            }
        }
    }

    /// How results are written.
    pub fn format(&self) -> Format {
        self.global.format.or(self.config.format).unwrap_or(Format::Human)
    }

    /// The time limit: flag or environment, then configuration, then a minute.
    pub fn timeout(&self, given: Option<Duration>) -> Duration {
        let configured = self.config.timeout.map(|time| time.0);
        given.or(configured).unwrap_or(Duration::from_secs(60))
    }

    /// The time a query may take.
    pub fn goal(&self, given: Option<Duration>) -> Option<Duration> {
        given.or(self.config.goal.map(|time| time.0))
    }

    /// Where proposals are proved.
    pub fn prove(&self, given: Option<Prove>) -> Prove {
        given.or(self.config.prove).unwrap_or(Prove::Lab)
    }

    /// The least severity that makes the exit code 1.
    pub fn fail_on(&self, given: Option<FailOn>) -> FailOn {
        given.or(self.config.fail_on).unwrap_or(FailOn::Low)
    }

    /// A progress display, shown on a terminal unless the user wants quiet.
    pub fn progress(&self) -> Terminal {
        Terminal::new(!self.global.quiet && std::io::stderr().is_terminal())
    }

    /// Says something on stderr that is no error.
    pub fn warn(&self, text: &str) {
        if !self.global.quiet {
            crate::tell(&format!("warning: {}\n", redact(text)));
        }
    }

    /// How and for whom results are written.
    pub fn look(&self) -> Look {
        let terminal = self.global.output.is_none() && std::io::stdout().is_terminal();
        Look {
            width: columns(terminal, terminal_size::terminal_size_of(std::io::stdout())),
            paint: Paint(colored(self.global.color.or(self.config.color), terminal)),
            verbose: self.global.verbose > 0,
            file: self.file.clone(),
        }
    }
}

/// The columns of a terminal; of anything else what COLUMNS says, or 100.
fn columns(terminal: bool, size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    let found = size.filter(|_| terminal).map(|(width, _)| usize::from(width.0));
    found.or(set).unwrap_or(100).clamp(60, 400)
}

fn colored(wanted: Option<Color>, terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match wanted.unwrap_or(Color::Auto) {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            terminal
                && !set("NO_COLOR")
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// Reads a file the user named; `-` is stdin. It may be a pipe: a signal ends the wait for it.
///
/// # Errors
/// `Usage` where it cannot be read or is no text; `Interrupted`.
pub fn read_input(path: &str) -> Result<String> {
    let path = path.to_owned();
    signals::interruptible(move || read_text(&path))
}

fn read_text(path: &str) -> Result<String> {
    let trouble = |what: String| {
        let place = if path == "-" { "stdin" } else { path };
        Error::new(ErrorKind::Usage, what).at(place)
    };
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|error| {
        trouble(format!("cannot be read: {error}")).hint("check the path and its permissions")
    })?;
    let text = match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, rest @ ..] => rest.to_vec(),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => utf16(&bytes),
        _ => bytes,
    };
    let text = String::from_utf8(text).map_err(|error| {
        trouble(format!("is not text: byte {} is not UTF-8", error.utf8_error().valid_up_to()))
            .hint("save it as UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(trouble("is empty".into()).hint("check that what wrote it did its work"));
    }
    Ok(text)
}

/// Text that PowerShell's `>` wrote.
fn utf16(bytes: &[u8]) -> Vec<u8> {
    let little = bytes.first() == Some(&0xFF);
    let units = bytes[2..].chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    });
    char::decode_utf16(units)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect::<String>()
        .into_bytes()
}
