//! `marula migrate lint`.

use std::path::{Path, PathBuf};

use marula_core::{
    Catalog, DocumentCatalog, Engine, Error, ErrorKind, RelationalCatalog, Report, Result, Version,
};
use marula_migrate::files::{self, Folder};
use marula_migrate::lint::{LintOptions, Linted};
use marula_migrate::{Migration, MigrationKind, Tool, mongodb, postgres};
use serde_json::{Value, json};

use crate::app::{App, Outcome, read_input};
use crate::args::MigrateLint;
use crate::open::{self, Session};

/// Lints files and folders, and mends them when asked to.
pub async fn run(app: &mut App, args: MigrateLint) -> Result<Outcome> {
    let mut report = Report::new("migrate lint");
    let catalog = target(app, &args, &mut report).await?;
    let version =
        args.server_version.or_else(|| report.target.as_ref().and_then(|target| target.version));
    let engine = args.engine.or_else(|| report.target.as_ref().map(|target| target.engine));
    let mut listed: Vec<Value> = Vec::new();
    for input in &args.inputs {
        let folder = read(input, engine)?;
        report.notes.extend(folder.notes.iter().cloned());
        let base = Base::new(&args, catalog.as_ref(), input, &folder)?;
        let all = base.lint(&folder.migrations, version);
        for (linted, migration) in all.into_iter().zip(&folder.migrations) {
            listed.push(json!({
                "file": linted.file,
                "tool": migration.tool.name(),
                "engine": migration.engine,
                "transaction": migration.options.transaction,
                "statements": migration.up.len(),
                "findings": linted.findings.len(),
                "ignored": linted.ignored,
                "checksum": migration.checksum,
            }));
            report.findings.extend(linted.findings);
        }
        if args.fix {
            fix(input, &folder, base, version, &mut report, &mut listed)?;
        }
    }
    if args.inputs.len() == 1 {
        app.file = Some(args.inputs[0].clone()).filter(|input| input != "-");
    }
    report.data = Some(json!({
        "server_version": version.map(|version| version.to_string()),
        "files": listed,
    }));
    Ok(Outcome::Report(Box::new(report), app.fail_on(args.fail_on)))
}

async fn target(app: &App, args: &MigrateLint, report: &mut Report) -> Result<Option<Catalog>> {
    let Some(name) = &args.target else { return Ok(None) };
    let (target, session) = open::open(app, name, app.timeout(args.timeout)).await?;
    if args.engine.is_some_and(|engine| engine != target.engine) {
        let what = format!("{} is {}", target.name, target.engine.title());
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("leave --engine out, or name a target of that engine"));
    }
    let catalog = match &session {
        Session::Postgres(session) => {
            use marula_postgres::catalog::{Scope, read};
            read(session, Scope::All).await.map(Catalog::Postgres)
        }
        Session::Mongodb(session) => {
            use marula_mongodb::catalog::{Scope, read};
            read(session, Scope::All, None).await.map(Catalog::Mongodb)
        }
    };
    let catalog = catalog.map_err(|error| session.name(error, &target))?;
    report.target = Some(target);
    Ok(Some(catalog))
}

fn read(input: &str, engine: Option<Engine>) -> Result<Folder> {
    if input != "-" {
        return files::read(Path::new(input), engine);
    }
    let text = read_input(input)?;
    let engine = engine.unwrap_or_else(|| {
        if text.trim_start().starts_with(['{', '[']) { Engine::Mongodb } else { Engine::Postgres }
    });
    let name = if engine == Engine::Postgres { "stdin.sql" } else { "stdin.json" };
    let tool = files::tool_of(Path::new(name), &text);
    let migration = files::parse(Path::new(name), &text, tool, engine)?;
    Ok(Folder { tool, engine, migrations: vec![migration], notes: Vec::new() })
}

/// What is there before the migrations.
enum Base {
    Postgres(postgres::Schema),
    Mongodb(mongodb::Schema),
}

impl Base {
    fn new(
        args: &MigrateLint,
        catalog: Option<&Catalog>,
        input: &str,
        folder: &Folder,
    ) -> Result<Base> {
        let before = match &args.target {
            Some(_) => Vec::new(),
            None => earlier(input, folder),
        };
        Ok(match folder.engine {
            Engine::Postgres => {
                let mut schema = match (&args.schema, catalog) {
                    (Some(path), _) => {
                        postgres::lint::schema_of(Path::new(path), &read_input(path)?)?
                    }
                    (None, Some(Catalog::Postgres(catalog))) => of_postgres(catalog),
                    _ => postgres::Schema::default(),
                };
                postgres::lint::follow(&mut schema, &before);
                Base::Postgres(schema)
            }
            Engine::Mongodb => {
                let mut schema = match catalog {
                    Some(Catalog::Mongodb(catalog)) => of_mongodb(catalog),
                    _ => mongodb::Schema::default(),
                };
                mongodb::lint::follow(&mut schema, &before);
                Base::Mongodb(schema)
            }
        })
    }

    fn lint(&self, migrations: &[Migration], version: Option<Version>) -> Vec<Linted> {
        let options = LintOptions { version };
        match self {
            Base::Postgres(schema) => postgres::lint::lint(migrations, schema.clone(), &options),
            Base::Mongodb(schema) => mongodb::lint::lint(migrations, schema.clone(), &options),
        }
    }
}

fn of_postgres(catalog: &RelationalCatalog) -> postgres::Schema {
    postgres::Schema::from_catalog(catalog)
}

fn of_mongodb(catalog: &DocumentCatalog) -> mongodb::Schema {
    mongodb::Schema::from_catalog(catalog)
}

/// The migrations of the same folder that run before a single one: they say which types columns
/// have. What cannot be read there is none of our business.
pub(super) fn earlier(input: &str, folder: &Folder) -> Vec<Migration> {
    let [own] = folder.migrations.as_slice() else { return Vec::new() };
    let path = Path::new(input);
    let numbered = own.version.is_some() && own.tool != Tool::Plain;
    if !numbered || own.kind == MigrationKind::Repeatable || !path.is_file() {
        return Vec::new();
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let Ok(all) = files::read(parent.unwrap_or(Path::new(".")), Some(folder.engine)) else {
        return Vec::new();
    };
    let same = |other: &Migration| other.path.file_name() == path.file_name();
    let Some(at) = all.migrations.iter().position(same) else { return Vec::new() };
    all.migrations.into_iter().take(at).collect()
}

/// Writes the safe forms, and says which.
fn fix(
    input: &str,
    folder: &Folder,
    base: Base,
    version: Option<Version>,
    report: &mut Report,
    listed: &mut [Value],
) -> Result<()> {
    let mut base = base;
    let first = listed.len() - folder.migrations.len();
    for (at, migration) in folder.migrations.iter().enumerate() {
        let one = std::slice::from_ref(migration);
        let fixed = match &mut base {
            Base::Postgres(schema) => {
                let version = version.unwrap_or(postgres::lint::NEWEST);
                let fixed = postgres::fix::fix(migration, schema, version)?;
                postgres::lint::follow(schema, one);
                fixed
            }
            Base::Mongodb(schema) => {
                let version = version.unwrap_or(mongodb::lint::NEWEST);
                let fixed = mongodb::fix::fix(migration, schema, version)?;
                mongodb::lint::follow(schema, one);
                fixed
            }
        };
        let Some(fixed) = fixed else {
            let found = listed[first + at]["findings"].as_u64().unwrap_or_default() > 0;
            let why = match migration.engine {
                Engine::Postgres => postgres::fix::why_none_of(migration),
                Engine::Mongodb => mongodb::fix::why_none_of(migration),
            };
            let why = why.filter(|_| found);
            let file = migration.path.display();
            report.notes.extend(why.map(|why| format!("{file} was not rewritten: {why}")));
            continue;
        };
        if input == "-" {
            listed[first + at]["fixed"] = json!(fixed.text);
        } else {
            write(&migration.path, &fixed.text)?;
            if let Some((path, text)) = &fixed.beside {
                write(path, text)?;
            }
        }
        listed[first + at]["mended"] = json!(fixed.mended);
        let file = migration.path.display();
        report.notes.push(format!("{file} was rewritten: {} mended", fixed.mended.join(", ")));
        report.notes.extend(fixed.notes.into_iter().map(|note| format!("{file}: {note}")));
    }
    if folder.engine == Engine::Postgres {
        let mended = |rule: &str| {
            let all = listed[first..].iter().filter_map(|file| file["mended"].as_array());
            all.flatten().any(|own| own == rule)
        };
        let mut left: Vec<&str> = report.findings.iter().map(|f| f.rule.as_str()).collect();
        left.sort_unstable();
        left.dedup();
        left.retain(|rule| !mended(rule));
        let why = |rule: &&str| {
            postgres::fix::why_none(rule).map(|why| format!("{rule} was not rewritten: {why}"))
        };
        report.notes.extend(left.iter().filter_map(why).collect::<Vec<_>>());
    }
    Ok(())
}

/// Replaces a file in one step.
fn write(path: &PathBuf, text: &str) -> Result<()> {
    let trouble = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("cannot be written: {error}"))
            .at(path.display().to_string())
            .hint("check the permissions of the file and its folder")
    };
    let beside = PathBuf::from(format!("{}.marula-fix", path.display()));
    std::fs::write(&beside, text).map_err(trouble)?;
    std::fs::rename(&beside, path).map_err(trouble)
}
