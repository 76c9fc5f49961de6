//! `marula migrate` commands that write migrations in their safe form, for the engine at hand.

use marula_core::{Engine, Error, ErrorKind, Relation, RelationalCatalog, Report, Result, Version};
use marula_migrate::postgres;
use marula_migrate::postgres::generate::{Dropped, Known};
use marula_migrate::postgres::long::{self, Around, Derived, LongChange, Place, ask};
use serde_json::json;

use super::{documents, write};
use crate::app::{App, Outcome};
use crate::args::{
    Droppable, FailOn, MigrateAddConstraint, MigrateAddForeignKey, MigrateBackfill,
    MigrateChangeType, MigrateDerive, MigrateDrop, MigrateRename, NewFile,
};
use crate::open::{self, Session};

/// What a migration is written for.
pub struct For {
    /// The engine.
    pub engine: Engine,
    /// PostgreSQL's version.
    pub version: Version,
    /// What the target holds.
    pub catalog: Option<RelationalCatalog>,
    /// The target, to ask it for more.
    session: Option<Session>,
}

impl For {
    fn place<'a>(&'a self, table: &'a str, around: Option<&'a Around>) -> Place<'a> {
        Place { table, catalog: self.catalog.as_ref(), around, version: self.version }
    }

    /// What generators mind.
    pub fn known(&self) -> Known<'_> {
        Known { version: self.version, catalog: self.catalog.as_ref() }
    }

    /// The MongoDB target, when one is named.
    pub fn mongodb(&self) -> Option<&marula_mongodb::Session> {
        match &self.session {
            Some(Session::Mongodb(session)) => Some(session),
            _ => None,
        }
    }

    /// The table as the target has it, when one is named.
    ///
    /// # Errors
    /// `NotFound`, with the names that are near.
    pub fn table(&self, name: &str) -> Result<Option<&Relation>> {
        let Some(catalog) = &self.catalog else { return Ok(None) };
        if let Some(found) = catalog.find(name) {
            return Ok(Some(found));
        }
        let names: Vec<String> = catalog.relations.iter().map(Relation::qualified).collect();
        let bare = catalog.relations.iter().map(|relation| relation.name.as_str());
        let near = marula_core::nearest(name, names.iter().map(String::as_str).chain(bare));
        let error = Error::new(ErrorKind::NotFound, format!("there is no table {name}"));
        Err(match near.first() {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint("see what is there with marula inspect"),
        })
    }

    /// Whether the target's table has a column, when a target is named.
    ///
    /// # Errors
    /// As [`For::table`].
    pub fn has(&self, table: &str, column: &str) -> Result<Option<bool>> {
        Ok(self.table(table)?.map(|relation| relation.column(column).is_some()))
    }

    /// What hangs on columns of a table, when a PostgreSQL target is named.
    async fn around(&self, table: &str, columns: &[&str]) -> Result<Option<Around>> {
        match (&self.session, &self.catalog) {
            // A table that is not there is told of by who looks for its columns.
            (Some(Session::Postgres(session)), Some(catalog)) if catalog.find(table).is_some() => {
                Around::read(session, table, columns).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Looks at the target, when one is named.
pub async fn what_for(app: &App, file: &NewFile) -> Result<For> {
    let newest = postgres::lint::NEWEST;
    let Some(name) = &file.target else {
        let version = file.server_version.unwrap_or(newest);
        let engine = file.engine.unwrap_or(Engine::Postgres);
        return Ok(For { engine, version, catalog: None, session: None });
    };
    let (target, session) = open::open(app, name, app.timeout(None)).await?;
    if file.engine.is_some_and(|engine| engine != target.engine) {
        let what = format!("{} is {}", target.name, target.engine.title());
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("leave --engine out, or name a target of that engine"));
    }
    let version = file.server_version.or(target.version).unwrap_or(newest);
    let catalog = match &session {
        Session::Postgres(session) => {
            use marula_postgres::catalog::{Scope, read};
            let read = read(session, Scope::All).await;
            Some(read.map_err(|error| Error::at(error, target.name.clone()))?)
        }
        Session::Mongodb(_) => None,
    };
    Ok(For { engine: target.engine, version, catalog, session: Some(session) })
}

/// Another name for a table, a column or a field.
pub async fn rename(app: &App, args: &MigrateRename) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Mongodb {
        return documents::rename(app, args, &given).await;
    }
    let name = format!("rename_{}", args.what);
    let of_table = match (&given.catalog, args.what.rsplit_once('.')) {
        (_, None) => true,
        (Some(catalog), Some((table, _))) => {
            catalog.find(&args.what).is_some() && catalog.find(table).is_none()
        }
        (None, Some(_)) => false,
    };
    if of_table {
        free(&given, args)?;
        let [first, second] =
            postgres::generate::rename_table(&args.what, &args.new, given.version)?;
        let steps = vec![("rename", first), ("contract", second)];
        return several(app, &args.file, given.engine, &name, steps, Vec::new());
    }
    let (table, column) = parts(&args.what)?;
    let around = given.around(table, &[column]).await?;
    let place = given.place(table, around.as_ref());
    let change = long::rename_column(&place, column, &args.new, args.data_type.as_deref())?;
    in_steps(app, &args.file, &name, change)
}

/// Refuses another name for a table that the target does not have, or one that is taken there.
fn free(given: &For, args: &MigrateRename) -> Result<()> {
    let (Some(table), Some(catalog)) = (given.table(&args.what)?, &given.catalog) else {
        return Ok(());
    };
    let taken = |other: &&Relation| other.schema == table.schema && other.name == args.new;
    let Some(other) = catalog.relations.iter().find(taken) else { return Ok(()) };
    let what = format!("there is a {} already", other.qualified());
    Err(Error::new(ErrorKind::Usage, what).hint("a rename goes to a name that is new"))
}

/// Another type for a column or a field.
pub async fn change_type(app: &App, args: &MigrateChangeType) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Mongodb {
        return documents::change_type(app, args, &given).await;
    }
    let (table, column) = parts(&args.column)?;
    let name = format!("{table}_{column}_type");
    let (using, back) = (args.using.as_deref(), args.back.as_deref());
    let mut around = given.around(table, &[column]).await?;
    if let (Some(known), Some(Session::Postgres(session))) = (around.take(), &given.session) {
        let place = given.place(table, None);
        let kind = args.data_type.as_str();
        let asked = ask::another_type(session, &place, column, kind, using, back).await?;
        around = Some(known.with(asked));
    }
    let place = given.place(table, around.as_ref());
    let change = long::change_type(&place, column, &args.data_type, using, back)?;
    in_steps(app, &args.file, &name, change)
}

/// Columns split or merged.
pub async fn derive(app: &App, args: &MigrateDerive, word: &str) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    postgres_alone(given.engine)?;
    let news = args.into.iter().map(|text| Derived::parse(text)).collect::<Result<Vec<_>>>()?;
    let mut backs = Vec::new();
    for text in &args.back {
        let Some((column, expression)) = text.split_once('=') else {
            return Err(Error::new(ErrorKind::Usage, format!("'{text}' says no old column"))
                .hint("write it like \"name=first || ' ' || last\""));
        };
        backs.push((column.trim().to_string(), expression.trim().to_string()));
    }
    let columns: Vec<&str> = args.columns.iter().map(String::as_str).collect();
    let mut around = given.around(&args.table, &columns).await?;
    if let (Some(known), Some(Session::Postgres(session))) = (around.take(), &given.session) {
        let place = given.place(&args.table, None);
        let asked = ask::made_of(session, &place, &args.columns, &news, &backs).await?;
        around = Some(known.with(asked));
    }
    let place = given.place(&args.table, around.as_ref());
    let change = long::derive(&place, &args.columns, &news, &backs)?;
    in_steps(app, &args.file, &format!("{word}_{}_{}", args.table, args.columns.join("_")), change)
}

/// Something goes.
pub async fn drop(app: &App, args: &MigrateDrop) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Mongodb {
        return documents::drop(app, args, &given).await;
    }
    let name = format!("drop_{}", args.name);
    let what = match args.kind {
        Droppable::Table => Dropped::Table(&args.name),
        Droppable::Index => Dropped::Index(&args.name),
        Droppable::Column => parts(&args.name).map(|(table, own)| Dropped::Column(table, own))?,
        Droppable::Constraint => {
            parts(&args.name).map(|(table, own)| Dropped::Constraint(table, own))?
        }
    };
    let back = again(&given, what)?;
    let text = postgres::generate::drop(what, back.as_deref(), &given.known())?;
    one(app, &args.file, given.engine, &name, text)
}

/// What makes again what is to be dropped, as the target has it.
fn again(given: &For, what: Dropped<'_>) -> Result<Option<String>> {
    let Some(catalog) = &given.catalog else { return Ok(None) };
    let missing = |what: String| {
        Err(Error::new(ErrorKind::NotFound, what).hint("see what is there with marula inspect"))
    };
    match what {
        Dropped::Table(table) => given.table(table).map(|_| None),
        Dropped::Column(table, column) => match given.has(table, column)? {
            Some(false) => missing(format!("table {table} has no column {column}")),
            _ => Ok(None),
        },
        Dropped::Index(name) => {
            let bare = name.rsplit('.').next().unwrap_or(name);
            let all = catalog.relations.iter().flat_map(|relation| &relation.indexes);
            let Some(index) = all.into_iter().find(|index| index.name == bare) else {
                return missing(format!("there is no index {name}"));
            };
            match &index.constraint {
                Some(constraint) => Err(Error::new(
                    ErrorKind::Usage,
                    format!("the index {name} belongs to the constraint {constraint}"),
                )
                .hint("drop the constraint: marula migrate drop constraint TABLE.NAME")),
                None => Ok(Some(index.definition.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1))),
            }
        }
        Dropped::Constraint(table, name) => {
            let own = given.table(table)?.map(|relation| relation.constraints.as_slice());
            let found = own.unwrap_or_default().iter().find(|one| one.name == name);
            let Some(found) = found else {
                return missing(format!("table {table} has no constraint {name}"));
            };
            let quoted = table.split('.').map(marula_postgres::sql::quote_ident);
            Ok(Some(format!(
                "ALTER TABLE {} ADD CONSTRAINT {} {}",
                quoted.collect::<Vec<_>>().join("."),
                marula_postgres::sql::quote_ident(name),
                found.definition
            )))
        }
    }
}

/// Rows or documents brought up to date in batches.
pub async fn backfill(app: &App, args: &MigrateBackfill) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    if given.engine == Engine::Mongodb {
        return documents::backfill(app, args, &given).await;
    }
    let condition = args.condition.as_deref();
    let text = postgres::generate::backfill(&args.table, &args.set, condition, args.batch)?;
    one(app, &args.file, given.engine, &format!("backfill_{}", args.table), text)
}

/// A constraint in two steps of one file.
pub async fn add_constraint(app: &App, args: &MigrateAddConstraint) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    postgres_alone(given.engine)?;
    let text = postgres::generate::add_constraint(
        &args.table,
        &args.name,
        &args.definition,
        &given.known(),
    )?;
    given.table(&args.table)?;
    let notes = postgres::generate::waits(&text, &given.known())?;
    let name = format!("add_{}_to_{}", args.name, args.table);
    several(app, &args.file, given.engine, &name, vec![("", text)], notes)
}

/// A foreign key in two steps of one file.
pub async fn add_foreign_key(app: &App, args: &MigrateAddForeignKey) -> Result<Outcome> {
    let given = what_for(app, &args.file).await?;
    postgres_alone(given.engine)?;
    let unseen = referred(&given, args).await?;
    let text = postgres::generate::add_foreign_key(
        &args.table,
        &args.columns,
        &args.references,
        &args.key,
        args.on_delete.as_deref(),
        &given.known(),
    )?;
    let name = format!("{}_references_{}", args.table, args.references);
    let mut notes: Vec<String> = unseen.into_iter().collect();
    notes.extend(postgres::generate::waits(&text, &given.known())?);
    several(app, &args.file, given.engine, &name, vec![("", text)], notes)
}

/// Refuses a foreign key that rows there are would not obey, or says why they were not looked at.
async fn referred(given: &For, args: &MigrateAddForeignKey) -> Result<Option<String>> {
    let (Some(own), Some(other)) = (given.table(&args.table)?, given.table(&args.references)?)
    else {
        return Ok(None);
    };
    let Some(Session::Postgres(session)) = &given.session else { return Ok(None) };
    let key = if args.key.is_empty() { other.primary_key() } else { args.key.as_slice() };
    let lacks = |relation: &Relation, names: &[String]| {
        let lacking = names.iter().find(|name| relation.column(name).is_none());
        lacking.map(|name| format!("table {} has no column {name}", relation.qualified()))
    };
    if let Some(what) = lacks(own, &args.columns).or_else(|| lacks(other, key)) {
        return Err(
            Error::new(ErrorKind::NotFound, what).hint("see what is there with marula inspect")
        );
    }
    let names: Vec<&str> = key.iter().map(String::as_str).collect();
    let exactly = |index: &marula_core::Index| {
        let own = index.keys.iter().map(|key| key.column.as_deref());
        index.unique
            && index.predicate.is_none()
            && index.keys.len() == names.len()
            && own.into_iter().all(|own| own.is_some_and(|own| names.contains(&own)))
    };
    if key.len() != args.columns.len() || !other.indexes.iter().any(exactly) {
        let what = format!("{} has no unique key over ({})", other.qualified(), names.join(", "));
        return Err(Error::new(ErrorKind::Usage, what).hint(
            "name the columns of one with --key, or make one: marula migrate add-constraint",
        ));
    }
    let (table, to) = (own.qualified(), other.qualified());
    let found = postgres::generate::orphans(session, &table, &args.columns, &to, key).await?;
    match found {
        Some((0, _)) => Ok(None),
        Some((count, query)) => {
            let rows = if count == 1 { "row refers" } else { "rows refer" };
            let what = format!("{count} {rows} to nothing in {}", args.references);
            Err(Error::new(ErrorKind::Refused, what)
                .at(args.table.clone())
                .hint(format!("mend or delete them in a migration before this: {query}")))
        }
        None => Ok(Some(
            "the rows were not looked at, since that takes longer than 10 s: one that refers to nothing \
             stops VALIDATE, and the foreign key stays NOT VALID"
                .into(),
        )),
    }
}

fn postgres_alone(engine: Engine) -> Result<()> {
    match engine {
        Engine::Postgres => Ok(()),
        Engine::Mongodb => Err(Error::new(ErrorKind::Unsupported, "this is for PostgreSQL")
            .hint("for MongoDB see marula migrate validator, rename and backfill")),
    }
}

fn no_parts(name: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("'{name}' names no column of a table"))
        .hint("write it like users.status")
}

/// `users.status` in its two parts.
pub fn parts(name: &str) -> Result<(&str, &str)> {
    name.rsplit_once('.')
        .filter(|(a, b)| !a.is_empty() && !b.is_empty())
        .ok_or_else(|| no_parts(name))
}

fn in_steps(app: &App, file: &NewFile, name: &str, change: LongChange) -> Result<Outcome> {
    let steps = change.stages.into_iter().map(|stage| (stage.name, stage.text)).collect();
    several(app, file, Engine::Postgres, name, steps, change.notes)
}

/// Writes one migration.
pub fn one(app: &App, file: &NewFile, engine: Engine, name: &str, text: String) -> Result<Outcome> {
    several(app, file, engine, name, vec![("", text)], Vec::new())
}

/// Writes migrations that belong together, in order.
pub fn several(
    app: &App,
    file: &NewFile,
    engine: Engine,
    name: &str,
    steps: Vec<(&'static str, String)>,
    notes: Vec<String>,
) -> Result<Outcome> {
    let count = steps.len();
    let named: Vec<(String, String)> = (1..)
        .zip(steps)
        .map(|(at, (step, text))| {
            let name = if count > 1 { format!("{name}_{at}_{step}") } else { name.to_string() };
            (name, text)
        })
        .collect();
    let paths = write::all(&file.dir, engine, &named)?;
    for (path, (_, text)) in paths.iter().zip(&named) {
        let back = match engine {
            Engine::Postgres => text.contains("-- migrate:down"),
            Engine::Mongodb => text.contains("\"down\""),
        };
        if !back {
            app.warn(&format!("{path} cannot be taken back: what it drops or overwrites is gone"));
        }
    }
    let mut report = Report::new("migrate new");
    report.data = Some(json!({ "file": paths.first(), "files": paths }));
    report.notes = notes;
    Ok(Outcome::Report(Box::new(report), FailOn::Never))
}
