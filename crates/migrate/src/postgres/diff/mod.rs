//! The way from one schema to another, as migrations that go up and down.
//!
//! Both schemas are made in databases of a lab server and read completely ([`model`], `read`).
//! What differs is decided object by object (`fate`), said in steps (`steps`, `beside`), put in
//! order by what depends on what (`edges`) and into groups of what one transaction must do, so that
//! nothing is missing in between that is there before and after (`bonds`, `order`). The groups are
//! brought into their safe form (`forms`) and cut into files (`parts`). The plan is then run from the first schema (`replay`): what is left to do is planned again, and what is
//! written down is what ran. At last the written files run once more from the beginning, and must
//! leave no difference.

mod beside;
mod bonds;
mod counters;
mod edges;
mod fate;
mod fold;
mod forms;
mod kinds;
mod load;
mod loss;
mod model;
mod names;
mod order;
mod others;
mod outline;
mod parts;
mod plan;
mod queries;
mod read;
mod rename;
mod replay;
mod steps;
mod write;

use std::path::Path;

use marula_core::{Engine, Error, ErrorKind, Result};
use marula_lab::PostgresServer;
use marula_postgres::{Session, from_server};

pub use load::Source;
pub use rename::Rename;

use crate::migration::Tool;
use model::{Id, Kind, Model};
use outline::Turn;
use plan::{Manner, Part, Planned};

/// How a difference is taken.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// What only changed its name.
    pub renames: Vec<Rename>,
    /// Whether it matters who owns what.
    pub owners: bool,
}

/// One migration of the way, as a text in this program's own form.
#[derive(Debug, Clone)]
pub struct Written {
    /// Whether the up part runs in one transaction.
    pub transaction: bool,
    /// The file.
    pub text: String,
    /// Whether it has a way back.
    pub down: bool,
}

/// The difference of two schemas.
#[derive(Debug, Default)]
pub struct Difference {
    /// The migrations, in order; none when the schemas are the same.
    pub files: Vec<Written>,
    /// What becomes of which object: `+`, `~` or `-`, and what it is called.
    pub outline: Vec<(char, String)>,
    /// What is lost on the way up.
    pub destroys: Vec<String>,
    /// What may only have changed its name, and the flag that says so.
    pub renames: Vec<(String, String)>,
    /// What still differs after the replay: empty when the plan is right.
    pub remains: Vec<String>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// Looks at both schemas and finds the way.
///
/// # Errors
/// `Syntax` or the server's error with the place for a source that cannot be made, `NotFound` for
/// a rename of what is not there, `Unsupported` with the object where no way is known.
pub async fn diff(
    server: &PostgresServer,
    from: &Source<'_>,
    to: &Source<'_>,
    options: &DiffOptions,
) -> Result<Difference> {
    let mut opened = Vec::new();
    let found = replayed_diff(server, from, to, options, &mut opened).await;
    for name in opened {
        // The server ends soon; what cannot be dropped goes with it.
        let _ = server.execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
    found
}

/// The same, with the names of the databases it opened.
async fn replayed_diff(
    server: &PostgresServer,
    from: &Source<'_>,
    to: &Source<'_>,
    options: &DiffOptions,
    opened: &mut Vec<String>,
) -> Result<Difference> {
    let mut found = Difference::default();
    let owners = options.owners;
    let wanted_lab = load::open(server, opened).await?;
    let wanted = load::load(to, &wanted_lab, owners, &mut found.notes).await?;
    let lab = load::open(server, opened).await?;
    let start = load::load(from, &lab, owners, &mut found.notes).await?;
    found.notes.extend(others::compared(&start, &wanted)?);
    roles_of_both(&lab, &start, &wanted).await?;
    let way = up(&lab, &start, &wanted, options, &mut found).await?;
    if way.parts.is_empty() {
        found.remains = outline::differences(&start, &wanted);
        found.notes.extend(outline::unwritten(&start, &wanted));
        return Ok(found);
    }
    let downs = down(&lab, &way, options, &mut found.notes).await;
    found.files = write::files(&way.parts, downs, &found);
    let clean = load::open(server, opened).await?;
    load::make(from, &clean, owners).await?;
    replayed(&clean, &found.files).await?;
    let is = read::read(&clean, owners).await?;
    found.remains = outline::differences(&is, &wanted);
    found.notes.extend(outline::unwritten(&is, &wanted));
    Ok(found)
}

async fn roles_of_both(lab: &Session, from: &Model, to: &Model) -> Result<()> {
    let mut roles = load::roles_of(from);
    roles.extend(load::roles_of(to));
    load::roles(lab, &roles).await
}

/// The way up, as it ran.
struct Way {
    parts: Vec<Part>,
    /// The schema before each part, and after the last.
    states: Vec<Model>,
    /// What was built under another name.
    beside: Vec<Id>,
}

async fn up(
    lab: &Session,
    start: &Model,
    wanted: &Model,
    options: &DiffOptions,
    found: &mut Difference,
) -> Result<Way> {
    let mut way = Way { parts: Vec::new(), states: vec![start.clone()], beside: Vec::new() };
    let renames = rename::statements(&options.renames, start, wanted)?;
    found.outline.extend(options.renames.iter().map(|rename| ('~', rename.to_string())));
    let mut current = start.clone();
    let part = named(lab, renames, &mut current, wanted, options.owners).await?;
    if !part.statements.is_empty() {
        let sequences = part.statements.iter().filter(|one| one.about.kind == Kind::Sequence);
        found.outline.extend(sequences.map(|one| ('~', format!("{} is renamed", one.about))));
        way.parts.push(part);
        way.states.push(current.clone());
    }
    let schema = plan::schema_of(lab).await?;
    for round in 0..4 {
        let manner = Manner { strict: round > 0, whole: false };
        let plan = plan::plan(&current, wanted, &schema, lab.version(), manner)?;
        if round == 0 {
            let outline = outline::outline(&plan.fates, &current, wanted);
            found.outline.extend(outline.into_iter().map(|(turn, name)| (sign(turn), name)));
            found.destroys = outline::destroyed(&current, wanted, &plan.fates);
            found.renames = outline::likely_renames(&current, wanted, &plan.fates);
        } else if plan.parts.is_empty() {
            break;
        }
        way.beside.extend(plan.beside);
        for mut part in plan.parts {
            replay::replay(lab, &mut part).await?;
            current = read::read(lab, options.owners).await?;
            let joins = |last: &&mut Part| {
                last.transaction == part.transaction && !last.alone && !part.alone
            };
            match way.parts.last_mut().filter(joins) {
                Some(last) => {
                    last.swaps |= part.swaps;
                    last.says.append(&mut part.says);
                    last.statements.append(&mut part.statements);
                    way.states.pop();
                }
                None => way.parts.push(part),
            }
            way.states.push(current.clone());
        }
    }
    Ok(way)
}

/// Says what only changes its name: what was declared, and the sequences that a column of these
/// owns. What is there afterwards takes the place of `current`.
async fn named(
    lab: &Session,
    declared: Vec<Planned>,
    current: &mut Model,
    wanted: &Model,
    owners: bool,
) -> Result<Part> {
    let mut part = Part { transaction: true, statements: declared, ..Part::default() };
    if !part.statements.is_empty() {
        replay::replay(lab, &mut part).await?;
        *current = read::read(lab, owners).await?;
    }
    let statements = counters::renamed(current, wanted);
    if !statements.is_empty() {
        let mut sequences = Part { transaction: true, statements, ..Part::default() };
        replay::replay(lab, &mut sequences).await?;
        *current = read::read(lab, owners).await?;
        part.statements.append(&mut sequences.statements);
    }
    Ok(part)
}

fn sign(turn: Turn) -> char {
    match turn {
        Turn::Made => '+',
        Turn::Dropped => '-',
        Turn::Changed => '~',
    }
}

/// A way back: its parts and what it loses; or why there is none.
type Back = std::result::Result<(Vec<Part>, Vec<String>), String>;

/// The way back of every part, the first part's first.
async fn down(
    lab: &Session,
    way: &Way,
    options: &DiffOptions,
    notes: &mut Vec<String>,
) -> Vec<Back> {
    let mut backs: Vec<Back> = Vec::new();
    let mut broken: Option<String> = None;
    for at in (0..way.parts.len()).rev() {
        if let Some(why) = &broken {
            backs.push(Err(format!("the one after it cannot be taken back: {why}")));
            continue;
        }
        let renames = if at == 0 { options.renames.as_slice() } else { &[] };
        // What was half done when it is taken back is dropped; else it is not made on the way.
        let (before, after) = (&way.states[at], &way.states[at + 1]);
        let half = way.beside.iter().filter(|id| after.get(id).is_some());
        let half: Vec<&Id> = half.filter(|id| before.get(id).is_none()).collect();
        let mut wanted = before.clone();
        wanted.objects.retain(|id, _| !way.beside.contains(id));
        match back(lab, &wanted, renames, options.owners, notes).await {
            Ok((mut parts, loses)) => {
                if !half.is_empty() {
                    parts.insert(0, plan::dropped(&half, parts.iter().all(|p| p.transaction)));
                }
                backs.push(Ok((parts, loses)));
            }
            Err(error) => {
                let why = error.message().to_string();
                backs.push(Err(why.clone()));
                broken = Some(why);
            }
        }
    }
    backs.reverse();
    backs
}

async fn back(
    lab: &Session,
    wanted: &Model,
    renames: &[Rename],
    owners: bool,
    notes: &mut Vec<String>,
) -> Result<(Vec<Part>, Vec<String>)> {
    let mut parts = Vec::new();
    let mut destroys = Vec::new();
    let mut current = read::read(lab, owners).await?;
    let part = named(lab, rename::reversed(renames), &mut current, wanted, owners).await?;
    if !part.statements.is_empty() {
        parts.push(part);
    }
    let schema = plan::schema_of(lab).await?;
    let mut whole = false;
    for round in 0..3 {
        let manner = Manner { strict: round > 0, whole };
        let mut plan = plan::plan(&current, wanted, &schema, lab.version(), manner)?;
        // One file runs in one transaction or in none: what goes and comes again needs one.
        let swaps = plan.parts.iter().chain(&parts).any(|part| part.swaps);
        if swaps && !whole && plan.parts.iter().any(|part| !part.transaction) {
            whole = true;
            let manner = Manner { strict: round > 0, whole };
            plan = plan::plan(&current, wanted, &schema, lab.version(), manner)?;
        }
        if round == 0 {
            destroys = outline::destroyed(&current, wanted, &plan.fates);
        }
        if plan.parts.is_empty() {
            if round > 0 {
                break;
            }
            continue;
        }
        for mut part in plan.parts {
            replay::replay(lab, &mut part).await?;
            parts.push(part);
        }
        current = read::read(lab, owners).await?;
    }
    let remains = outline::differences(&current, wanted);
    let unwritten = outline::unwritten(&current, wanted);
    for line in remains.into_iter().chain(unwritten) {
        let line = format!("after the way back, {line}");
        // What no statement mends is so after every part that is taken back.
        if !notes.contains(&line) {
            notes.push(line);
        }
    }
    Ok((parts, destroys))
}

/// Runs the written files' up parts as they will be run.
async fn replayed(lab: &Session, files: &[Written]) -> Result<()> {
    let say = |sql: String| async move {
        lab.client().batch_execute(&sql).await.map_err(|error| {
            let error = from_server(&error);
            Error::new(
                ErrorKind::Unsupported,
                format!("the written migration does not run: {}", error.message()),
            )
            .at(sql.replace('\n', " "))
            .hint("do this step in a migration of your own, and take the difference again")
        })
    };
    for (at, file) in files.iter().enumerate() {
        let name = format!("{:014}_diff.sql", at + 1);
        let migration =
            crate::files::parse(Path::new(&name), &file.text, Tool::Marula, Engine::Postgres)?;
        if migration.options.transaction {
            say("BEGIN".into()).await?;
        }
        for step in &migration.up {
            say(step.text.clone()).await?;
        }
        if migration.options.transaction {
            say("COMMIT".into()).await?;
        }
    }
    Ok(())
}
