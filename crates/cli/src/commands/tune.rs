//! `marula tune`.

use std::path::{Path, PathBuf};

use marula_core::{
    Engine, Error, ErrorKind, Report, Result, Statement, WeightedStatement, Workload,
};
use marula_logs::Filter;
use marula_tune::{Stop, TuneOptions};

use super::logs::live;
use crate::app::{App, Outcome, read_input};
use crate::args::{Source, Tune};
use crate::open::{self, Session};
use crate::progress::Terminal;
use crate::render::script;
use crate::{duration, output, signals, targets};

/// Finds the best changes for a workload.
pub async fn run(app: &mut App, args: Tune) -> Result<Outcome> {
    let fail_on = app.fail_on(args.fail_on);
    let engine = targets::resolve(&args.target, &app.config)?.engine;
    let progress = std::sync::Arc::new(app.progress());
    let mut notes = Vec::new();
    let workload = workload(app, &args, engine, &progress, &mut notes).await?;
    if workload.engine != engine {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the workload is of {}, the target is not", workload.engine.title()),
        )
        .at(args.target.clone())
        .hint("name a target of the workload's engine"));
    }
    let (target, session) = open::open(app, &args.target, app.timeout(args.timeout)).await?;
    let stop = Stop::default();
    let options = TuneOptions {
        budget_bytes: args.budget,
        goal_ms: app.goal(args.goal).map(duration::as_ms),
        timeout: app.timeout(args.timeout),
        search: args.search,
        max_statements: args.max_statements.max(1),
        stop: stop.clone(),
        ..TuneOptions::default()
    };
    let held = signals::hold();
    let work = async {
        match &session {
            Session::Postgres(session) => {
                marula_tune::postgres::tune(session, &target, &workload, &options, &*progress).await
            }
            Session::Mongodb(session) => {
                marula_tune::mongodb::tune(session, &target, &workload, &options, &*progress).await
            }
        }
    };
    let mut work = std::pin::pin!(work);
    let worked = tokio::select! {
        worked = &mut work => worked,
        () = held.asked() => {
            stop.stop();
            work.await
        }
    };
    progress.clear();
    let mut report = worked.map_err(|error| session.name(error, &target))?;
    report.notes.splice(0..0, notes);
    if let Some(file) = output::script_file(app) {
        output::write(&script(&report), Some(&file))?;
        app.global.output = None;
        report.notes.push(format!("the changes are written to {}", file.display()));
    }
    Ok(Outcome::Report(Box::new(report), fail_on))
}

/// The statements to tune for.
async fn workload(
    app: &App,
    args: &Tune,
    engine: Engine,
    progress: &std::sync::Arc<Terminal>,
    notes: &mut Vec<String>,
) -> Result<Workload> {
    if let Some(path) = &args.workload {
        let text = read_input(path)?;
        return serde_json::from_str(&text).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("is not a saved workload: {error}"))
                .at(path.clone())
                .hint("make one with: marula logs LOG --save workload.json")
        });
    }
    if let Some(path) = &args.statements {
        let text = read_input(path)?;
        let statements = statements(&text, engine).map_err(|error| error.at(path.clone()))?;
        return Ok(of_statements(statements, engine));
    }
    let digest = if args.log.is_empty() {
        let request = request(Vec::new());
        let question = live::Question {
            name: &args.target,
            source: Source::Auto,
            during: None,
            request: &request,
        };
        let answer = live::read(app, question, progress).await?;
        notes.extend(answer.notes);
        answer.digest
    } else {
        if let Some(path) = args.log.iter().find(|path| *path != "-" && !Path::new(path).exists()) {
            return Err(Error::new(ErrorKind::NotFound, "there is no such file or folder")
                .at(path.clone())
                .hint("name the server's log files, or a folder of them"));
        }
        let (request, seen) =
            (request(args.log.iter().map(PathBuf::from).collect()), progress.clone());
        let work = tokio::task::spawn_blocking(move || {
            marula_core::Progress::step(seen.as_ref(), "reading the logs");
            marula_logs::digest(&request, seen.as_ref())
        });
        work.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Internal, "the logs could not be read").because(error))
        })?
    };
    let (workload, left_out) = marula_logs::workload(&digest, engine);
    if left_out > 0 {
        notes.push(format!("{left_out} statements that the log had cut short are left out"));
    }
    if workload.statements.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "there is no statement to tune for")
            .hint("give the statements with --statements FILE, --workload FILE or --log FILE"));
    }
    Ok(workload)
}

fn request(inputs: Vec<PathBuf>) -> marula_logs::Request {
    marula_logs::Request {
        inputs,
        prefix: None,
        filter: Filter::default(),
        sort: marula_logs::SortBy::Total,
        top: usize::MAX,
        threads: 0,
    }
}

/// The statements of a script.
fn statements(text: &str, engine: Engine) -> Result<Vec<String>> {
    let found: Vec<String> = match engine {
        Engine::Postgres => match marula_postgres::sql::parse_all(text) {
            Ok(parsed) => {
                parsed.iter().map(|statement| statement.text().trim().to_owned()).collect()
            }
            // One that is no SQL does not stop the others; what is wrong with it is told in the
            // report.
            Err(error) => {
                let pieces = pieces(text);
                let reads = |piece: &String| marula_postgres::sql::parse(piece).is_ok();
                if !pieces.iter().any(reads) {
                    return Err(error);
                }
                pieces
            }
        },
        Engine::Mongodb => commands(text),
    };
    let found: Vec<String> = found.into_iter().filter(|text| !text.is_empty()).collect();
    if found.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "holds no statement")
            .hint("write one statement after the other, each ended by ;"));
    }
    Ok(found)
}

/// A script cut at its semicolons, outside of quotes and comments.
fn pieces(text: &str) -> Vec<String> {
    const SEMICOLON: i32 = b';' as i32;
    let tokens = marula_postgres::sql::tokens(text).unwrap_or_default();
    let ends = tokens.iter().filter(|token| token.token == SEMICOLON);
    let ends = ends.filter_map(|token| usize::try_from(token.start).ok());
    let (mut pieces, mut start) = (Vec::new(), 0);
    for end in ends.chain([text.len()]) {
        let piece = text.get(start..end).unwrap_or_default().trim();
        if !piece.is_empty() {
            pieces.push(piece.to_owned());
        }
        start = end + 1;
    }
    pieces
}

/// mongosh commands: each begins on a line of its own with `db.` or `db[`, or with `{`. What is
/// laid out another way is read as one script.
fn commands(text: &str) -> Vec<String> {
    use marula_mongodb::shell;
    let lines = by_lines(text);
    let reads = |text: &String| shell::parse_many(text).is_ok();
    if !lines.iter().all(reads)
        && let Ok(commands) = shell::parse_many(text)
    {
        return commands.iter().map(marula_mongodb::Command::to_shell).collect();
    }
    let several = |text: String| match shell::parse_many(&text) {
        Ok(commands) if commands.len() > 1 => {
            commands.iter().map(marula_mongodb::Command::to_shell).collect()
        }
        _ => vec![text],
    };
    lines.into_iter().flat_map(several).collect()
}

fn by_lines(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in text.lines() {
        let comment = line.trim_start().starts_with("//");
        let named = ["db.", "db["].iter().any(|begin| line.trim_start().starts_with(begin));
        match found.last_mut() {
            _ if comment => {}
            Some(last) if !named && !line.starts_with('{') => {
                last.push('\n');
                last.push_str(line);
            }
            None if line.trim().is_empty() => {}
            _ => found.push(line.to_owned()),
        }
    }
    found.iter().map(|text| text.trim().trim_end_matches(';').to_owned()).collect()
}

/// Each counts as often as it stands there.
fn of_statements(texts: Vec<String>, engine: Engine) -> Workload {
    let statements = texts.into_iter().map(|text| WeightedStatement {
        statement: Statement::new(engine, text),
        calls: 1,
        total_ms: None,
        goal_ms: None,
        samples: Vec::new(),
    });
    Workload { engine, statements: statements.collect() }
}

/// What the report says as a script.
fn script(report: &Report) -> String {
    script::script(report)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_cut_into_its_statements() {
        let sql = "-- the first\nSELECT 1;\n\nSELECT ';' AS a\n;\n";
        let found = statements(sql, Engine::Postgres).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].starts_with("SELECT ';'"), "{found:?}");
        let broken = "SELECT ';';\nSELEC 1;\n-- a;\nSELECT 2";
        let found = statements(broken, Engine::Postgres).unwrap();
        assert_eq!(found, ["SELECT ';'", "SELEC 1", "-- a;\nSELECT 2"]);
        assert!(statements("SELEC 1; SELEC 2", Engine::Postgres).is_err());
        let shell = "// orders\ndb.orders.find({\n  a: 1\n});\ndb.items.countDocuments({})\n";
        let found = statements(shell, Engine::Mongodb).unwrap();
        assert_eq!(found, ["db.orders.find({\n  a: 1\n})", "db.items.countDocuments({})"]);
        let count = |text: &str| statements(text, Engine::Mongodb).unwrap().len();
        assert_eq!(count("db.a.find(); db.b.find()\n  db.c.find()"), 3);
        assert_eq!(count("db.a.aggregate([\n{$match: {a: 1}},\n{$count: 'n'}\n])"), 1);
        assert_eq!(count("{\"find\": \"a\"}\n{\"find\": \"b\"}\n"), 2);
        assert!(statements("-- nothing", Engine::Postgres).is_err());
    }
}
