//! `marula migrate diff`.

use std::path::{Path, PathBuf};

use marula_core::{
    Engine, Error, ErrorKind, LikelyRename, ObjectDeed, ObjectDifference, Report, Result,
    SchemaDifference, Version, WrittenMigration,
};
use marula_lab::{MongoServer, PostgresServer, StartOptions, discover};
use marula_migrate::lint::LintOptions;
use marula_migrate::{Tool, files, mongodb, postgres};

use super::write;
use crate::app::{App, Outcome, read_input};
use crate::args::{FailOn, MigrateDiff};
use crate::open::{self, Session};

/// One side, before it is known which engine it is for.
enum Side {
    Empty,
    File(PathBuf, String),
    Folder(files::Folder),
    Target(marula_core::Target, Session),
}

/// Finds the way from one schema to the other, replays it, and shows or writes it.
pub async fn run(app: &mut App, args: MigrateDiff) -> Result<Outcome> {
    let mut report = Report::new("migrate diff");
    let from = side(app, &args, &args.from).await?;
    let to = side(app, &args, &args.to).await?;
    let engine = match (args.engine, from.engine(), to.engine()) {
        (Some(engine), _, _) => engine,
        (None, Some(a), Some(b)) if a != b => {
            let what = format!("FROM is for {}, TO for {}", a.title(), b.title());
            return Err(Error::new(ErrorKind::Usage, what).hint("compare schemas of one engine"));
        }
        (None, a, b) => a.or(b).unwrap_or(Engine::Postgres),
    };
    report.target = [&to, &from].into_iter().find_map(Side::target).cloned();
    let version = args.server_version.or(report.target.as_ref().and_then(|target| target.version));
    let choice = discover::choose(engine, version)?;
    report.notes.extend(choice.note);
    let progress = app.progress();
    marula_core::Progress::step(&progress, "replaying the migrations in the lab");
    let mut found = match engine {
        Engine::Postgres => {
            let server = PostgresServer::start(&choice.install, &StartOptions::default()).await?;
            of_postgres(&server, &from, &to, &args, &mut report).await?
        }
        Engine::Mongodb => {
            let server =
                MongoServer::start(&choice.install, &StartOptions::default().replica_set()).await?;
            of_mongodb(&server, &from, &to, &args, &mut report).await?
        }
    };
    found.replayed_on = choice.install.to_string();
    lint(&found, engine, version, &args, &mut report)?;
    if let Some(dir) = &args.dir
        && !found.remains.is_empty()
        && !found.migrations.is_empty()
    {
        report.notes.push(format!(
            "no file is written to {}: the migration does not lead all the way",
            dir.display()
        ));
    } else if let Some(dir) = &args.dir {
        let several = found.migrations.len() > 1;
        let named: Vec<(String, String)> = (1..)
            .zip(&found.migrations)
            .map(|(at, migration)| {
                let name = if several { format!("{}_{at}", args.name) } else { args.name.clone() };
                (name, migration.text.clone())
            })
            .collect();
        let paths = write::all(dir, engine, &named)?;
        for (migration, path) in found.migrations.iter_mut().zip(paths) {
            migration.file = Some(path);
        }
    }
    report.schema_difference = Some(found);
    Ok(Outcome::Report(Box::new(report), args.fail_on.unwrap_or(FailOn::Never)))
}

impl Side {
    fn engine(&self) -> Option<Engine> {
        match self {
            Side::Empty => None,
            Side::File(path, _) => {
                let json = path.extension().is_some_and(|extension| extension != "sql");
                Some(if json { Engine::Mongodb } else { Engine::Postgres })
            }
            Side::Folder(folder) => Some(folder.engine),
            Side::Target(target, _) => Some(target.engine),
        }
    }

    fn target(&self) -> Option<&marula_core::Target> {
        match self {
            Side::Target(target, _) => Some(target),
            _ => None,
        }
    }
}

async fn side(app: &App, args: &MigrateDiff, name: &str) -> Result<Side> {
    if name == "empty:" {
        return Ok(Side::Empty);
    }
    let path = Path::new(name);
    if path.exists() && app.config.targets.contains_key(name) {
        let what = format!("'{name}' is a target, and a file or folder as well");
        return Err(Error::new(ErrorKind::Usage, what)
            .hint(format!("write ./{name} for the file or folder"))
            .hint("for the target write its address, or call it differently in marula.toml"));
    }
    if path.is_dir() {
        return files::read(path, args.engine).map(Side::Folder);
    }
    if name == "-" || path.is_file() {
        let text = read_input(name)?;
        let path = if name == "-" { Path::new("stdin.sql") } else { path };
        let declared = mongodb::diff::declares(&text);
        let tool = files::tool_of(path, &text);
        let plain = matches!(tool, Tool::Plain)
            || path.extension().is_none_or(|e| e == "sql")
                && !text.contains("migrate:up")
                && tool == Tool::Marula;
        if declared || plain {
            return Ok(Side::File(path.to_path_buf(), text));
        }
        return files::read(path, args.engine).map(Side::Folder);
    }
    let looks = path.extension().is_some_and(|e| ["sql", "json"].iter().any(|known| e == *known));
    if looks && !name.contains("://") {
        return Err(Error::new(ErrorKind::Usage, "there is no such file")
            .at(name.to_string())
            .hint("check the path"));
    }
    let name = name.strip_prefix("lab:").map_or(name.to_string(), |rest| format!("lab/{rest}"));
    let (target, session) = open::open(app, &name, app.timeout(args.timeout)).await?;
    Ok(Side::Target(target, session))
}

async fn of_postgres(
    server: &PostgresServer,
    from: &Side,
    to: &Side,
    args: &MigrateDiff,
    report: &mut Report,
) -> Result<SchemaDifference> {
    use postgres::diff::{DiffOptions, Rename, diff};
    let mut options = DiffOptions { owners: args.owners, renames: Vec::new() };
    for text in &args.rename_table {
        options.renames.push(Rename::table(text)?);
    }
    for text in &args.rename {
        options.renames.push(Rename::column(text)?);
    }
    let (from, to) = (pg_source(from)?, pg_source(to)?);
    let found = diff(server, &from, &to, &options).await?;
    report.notes.extend(found.notes);
    let migrations = found.files.into_iter().map(|file| WrittenMigration {
        file: None,
        reversible: file.down,
        text: file.text,
    });
    Ok(SchemaDifference {
        from: args.from.clone(),
        to: args.to.clone(),
        objects: objects(found.outline),
        destroys: found.destroys,
        likely_renames: found
            .renames
            .into_iter()
            .map(|(what, flag)| LikelyRename { what, flag })
            .collect(),
        migrations: migrations.collect(),
        remains: found.remains,
        replayed_on: String::new(),
    })
}

fn pg_source(side: &Side) -> Result<postgres::diff::Source<'_>> {
    use postgres::diff::Source;
    Ok(match side {
        Side::Empty => Source::Empty,
        Side::File(path, text) => Source::Sql(path.clone(), text.clone()),
        Side::Folder(folder) => Source::Folder(folder),
        Side::Target(_, Session::Postgres(session)) => Source::Database(session),
        Side::Target(target, _) => return Err(other_engine(&target.name, Engine::Postgres)),
    })
}

fn other_engine(name: &str, engine: Engine) -> Error {
    Error::new(ErrorKind::Usage, format!("it is not {}", engine.title()))
        .at(name.to_string())
        .hint("compare schemas of one engine")
}

async fn of_mongodb(
    server: &MongoServer,
    from: &Side,
    to: &Side,
    args: &MigrateDiff,
    report: &mut Report,
) -> Result<SchemaDifference> {
    if !args.rename.is_empty() || !args.rename_table.is_empty() || args.owners {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "--rename, --rename-table and --owners are for PostgreSQL",
        )
        .hint("rename a collection with a migration of its own: {\"renameCollection\": …}"));
    }
    let (from, to) = (mongo_source(from)?, mongo_source(to)?);
    let found = mongodb::diff::diff(server, &from, &to).await?;
    report.notes.extend(found.notes);
    let migrations = found.text.into_iter().map(|text| WrittenMigration {
        file: None,
        reversible: text.contains("\"down\""),
        text,
    });
    Ok(SchemaDifference {
        from: args.from.clone(),
        to: args.to.clone(),
        objects: objects(found.outline),
        destroys: found.destroys,
        likely_renames: Vec::new(),
        migrations: migrations.collect(),
        remains: found.remains,
        replayed_on: String::new(),
    })
}

fn mongo_source(side: &Side) -> Result<mongodb::diff::Source<'_>> {
    use mongodb::diff::Source;
    Ok(match side {
        Side::Empty => Source::Empty,
        Side::File(path, text) => Source::Declared(path.clone(), text.clone()),
        Side::Folder(folder) => Source::Folder(folder),
        Side::Target(_, Session::Mongodb(session)) => Source::Database(session),
        Side::Target(target, _) => return Err(other_engine(&target.name, Engine::Mongodb)),
    })
}

fn objects(outline: Vec<(char, String)>) -> Vec<ObjectDifference> {
    let deed = |sign: char| match sign {
        '+' => ObjectDeed::Made,
        '-' => ObjectDeed::Dropped,
        _ => ObjectDeed::Changed,
    };
    outline
        .into_iter()
        .map(|(sign, object)| ObjectDifference { deed: deed(sign), object })
        .collect()
}

/// What the written migrations lock where no safe form is known.
fn lint(
    found: &SchemaDifference,
    engine: Engine,
    version: Option<Version>,
    args: &MigrateDiff,
    report: &mut Report,
) -> Result<()> {
    let extension = if engine == Engine::Postgres { "sql" } else { "json" };
    let mut migrations = Vec::new();
    for (at, migration) in (1..).zip(&found.migrations) {
        let name = format!("{}_{at}.{extension}", write::bare(&args.name)?);
        migrations.push(files::parse(Path::new(&name), &migration.text, Tool::Marula, engine)?);
    }
    let options = LintOptions { version };
    let linted = match engine {
        Engine::Postgres => {
            postgres::lint::lint(&migrations, postgres::Schema::default(), &options)
        }
        Engine::Mongodb => mongodb::lint::lint(&migrations, mongodb::Schema::default(), &options),
    };
    report.findings.extend(linted.into_iter().flat_map(|linted| linted.findings));
    report.findings.retain(|finding| finding.severity > marula_core::Severity::Info);
    Ok(())
}
