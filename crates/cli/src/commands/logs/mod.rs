//! `marula logs`.

mod advise;
mod compare;
mod follow;
pub mod live;
mod trouble;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use marula_core::{Digest, Engine, Error, ErrorKind, Report, Result};
use marula_logs::{Filter, Request, SortBy};

use crate::app::{App, Outcome};
use crate::args::{Logs, Sort, Source};
use crate::progress::Terminal;
use crate::render::text;
use crate::targets;
use trouble::{beside, nothing_left, recognised};

/// Digests log files, or what a server tells of itself.
pub async fn run(app: &App, args: Logs) -> Result<Outcome> {
    let compare = args.compare.as_deref().map(|other| input_path(app, other)).transpose()?;
    let source = args.source;
    let (save, top) = (args.save.clone(), args.top);
    crate::output::check(save.as_deref())?;
    let target = target(app, &args.inputs);
    let (following, until) = (args.follow, args.until);
    only_of_a_server(&args, target.is_some())?;
    let advice = args.advise.then(|| args.target.clone());
    let fail_on = app.fail_on(args.fail_on);
    let mut request = request(app, args, target.is_some())?;
    if following {
        return follow::run(app, request, target.as_deref(), until).await;
    }
    if compare.is_some() || save.is_some() || advice.is_some() {
        // What is not told of would look gone, and would be missing in a workload and in advice.
        request.top = usize::MAX;
    }
    let progress = Arc::new(app.progress());
    let mut report = Report::new("logs");
    let mut digest = if let Some(name) = target {
        marula_core::Progress::step(progress.as_ref(), "asking the server");
        let question = live::Question { name: &name, source, during: until, request: &request };
        let answer = live::read(app, question, &progress).await?;
        report.target = Some(answer.target);
        report.notes.extend(answer.notes);
        report.notes.extend(unread(app, &answer.digest));
        answer.digest
    } else {
        let digest = read(&request, &progress).await?;
        recognised(&digest, &request)?;
        if digest.totals.calls == 0 {
            report.notes = nothing_left(&request, &progress).await?;
        }
        report.notes.extend(unread(app, &digest));
        digest
    };
    if let Some(other) = compare {
        let before = match compare::saved(&other)? {
            Some(saved) => saved,
            None => {
                let request = Request { inputs: vec![other], ..request };
                let before = read(&request, &progress).await?;
                recognised(&before, &request)?;
                unread(app, &before);
                before
            }
        };
        report.comparison = Some(marula_logs::compare(&before, &digest));
    }
    if let Some(file) = save {
        report.notes.push(save_workload(&digest, &file)?);
    }
    if advice.is_none() {
        digest.objects.clear();
    }
    if let Some(target) = advice {
        advise::advise(app, target.as_deref(), &digest, &mut report, &progress).await?;
    }
    digest.statements_left_out += digest.statements.len().saturating_sub(top) as u64;
    digest.statements.truncate(top);
    progress.clear();
    report.digest = Some(digest);
    Ok(Outcome::Report(Box::new(report), fail_on))
}

/// What is asked of a server cannot be asked of files.
fn only_of_a_server(args: &Logs, server: bool) -> Result<()> {
    if server {
        if args.follow && matches!(args.source, Source::Statements | Source::Profile) {
            return Err(Error::new(ErrorKind::Usage, "only a log can be followed")
                .hint("leave --source out, or --follow"));
        }
        return Ok(());
    }
    if args.source != Source::Auto {
        return Err(Error::new(ErrorKind::Usage, "--source is for a server, and files are named")
            .hint("name one target alone: marula logs TARGET --source …"));
    }
    if args.until.is_some() && !args.follow {
        return Err(Error::new(ErrorKind::Usage, "--for is for a server or for --follow")
            .hint("name one target alone, or add --follow"));
    }
    Ok(())
}

/// The server that is meant, when the only input is no file but names one.
fn target(app: &App, inputs: &[String]) -> Option<String> {
    let [input] = inputs else { return None };
    let file = input == "-" || Path::new(input).exists();
    (!file && targets::resolve(input, &app.config).is_ok()).then(|| input.clone())
}

/// Warns of sources that were not read to their end.
fn unread(app: &App, digest: &Digest) -> Vec<String> {
    let mut notes = Vec::new();
    for source in &digest.sources {
        if let Some(why) = &source.ended {
            app.warn(&format!("{}: reading ended early: {why}", source.name));
        } else if source.format.is_none() {
            let what = if source.bytes == 0 { "empty" } else { "not a log of a known format" };
            notes.push(format!("{} is {what} and was left out", source.name));
        }
    }
    notes
}

/// Writes the statements down for other commands; says what it did.
fn save_workload(digest: &Digest, file: &Path) -> Result<String> {
    let mut engines: Vec<Engine> = digest.statements.iter().map(|one| one.engine).collect();
    engines.sort();
    engines.dedup();
    let engine = match engines.as_slice() {
        [] => {
            return Err(Error::new(ErrorKind::Usage, "there is no statement to save")
                .at(file.display().to_string())
                .hint("leave --save out, or choose logs and filters that leave a statement"));
        }
        [one] => *one,
        _ => {
            return Err(Error::new(
                ErrorKind::Usage,
                "the logs are of both engines, and a workload belongs to one",
            )
            .hint("name only PostgreSQL's or only MongoDB's logs with --save"));
        }
    };
    let (workload, left_out) = marula_logs::workload(digest, engine);
    let text = serde_json::to_string_pretty(&workload).map_err(|error| {
        Error::new(ErrorKind::Internal, "the workload cannot be written as JSON").because(error)
    })?;
    crate::output::write(&(text + "\n"), Some(file))?;
    let left_out = match left_out {
        0 => String::new(),
        some => format!("; {some} that the log had cut short in every run are left out"),
    };
    Ok(format!(
        "{} saved to {}{left_out}",
        text::counted(workload.statements.len() as u64, "statement", "statements"),
        file.display()
    ))
}

fn request(app: &App, args: Logs, live: bool) -> Result<Request> {
    let mut inputs = Vec::new();
    for input in args.inputs.iter().filter(|_| !live) {
        inputs.push(input_path(app, input)?);
    }
    if inputs.is_empty() && !live {
        if std::io::stdin().is_terminal() {
            return Err(Error::new(ErrorKind::Usage, "there is nothing to read")
                .hint("name log files or folders, or pipe a log in: … | marula logs -"));
        }
        inputs.push("-".into());
    }
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err(Error::new(ErrorKind::Usage, format!("--from {from} is not before --to {to}"))
            .hint("give the earlier moment to --from"));
    }
    Ok(Request {
        inputs,
        prefix: args.prefix,
        filter: Filter {
            from: args.from,
            to: args.to,
            databases: args.database,
            users: args.user,
            not_own: live && args.application.is_empty(),
            applications: args.application,
            text: args.text,
            min_duration: args.min_duration,
        },
        sort: match args.sort {
            Sort::Total => SortBy::Total,
            Sort::Mean => SortBy::Mean,
            Sort::P99 => SortBy::P99,
            Sort::Calls => SortBy::Calls,
            Sort::Reads => SortBy::Reads,
        },
        top: args.top,
        threads: args.threads,
    })
}

/// An input as a path; what is no file but would be a target is said to be one.
fn input_path(app: &App, input: &str) -> Result<PathBuf> {
    let path = Path::new(input);
    if input == "-" || path.exists() {
        return Ok(path.to_path_buf());
    }
    match targets::resolve(input, &app.config) {
        Ok(target) => {
            Err(Error::new(ErrorKind::Usage, "is a server, and here files are asked for")
                .at(target.name)
                .hint("a server is read alone, without files: marula logs TARGET"))
        }
        // What is written as a target is said to be none; a name may be either.
        Err(error) if ["lab/", "env:", "file:"].iter().any(|begin| input.starts_with(begin)) => {
            Err(error)
        }
        Err(_) => Err(Error::new(ErrorKind::NotFound, "there is no such file or folder")
            .at(marula_core::redact(input))
            .hint(beside(path))),
    }
}

/// The library reads with threads of its own; here a signal can still be heard.
async fn read(request: &Request, progress: &Arc<Terminal>) -> Result<Digest> {
    let (request, progress) = (request.clone(), Arc::clone(progress));
    let work = tokio::task::spawn_blocking(move || {
        marula_core::Progress::step(progress.as_ref(), "reading the logs");
        marula_logs::digest(&request, progress.as_ref())
    });
    work.await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Internal, "the logs could not be read").because(error))
    })
}
