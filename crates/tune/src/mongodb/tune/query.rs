//! The workload's statements: those that are measured, those that only write, and those left out.

use bson::{Bson, Document};
use marula_core::{DocumentCatalog, Engine, LeftOut, Statement, Version, WeightedStatement};
use marula_mongodb::{Command, Operation, guard, shell};

use super::cost::Cost;
use super::natural::natural;
use crate::mongodb::rewrites::{Rewrite, of_command};
use crate::mongodb::shape::Shape;
use crate::mongodb::view;

/// One way to write a statement.
pub(super) struct Wording {
    /// Its text.
    pub statement: Statement,
    /// What it asks of each collection.
    pub shape: Shape,
    /// How it differs from the statement as it stands; `None` for that itself.
    pub rewrite: Option<Rewrite>,
}

/// A statement that is measured.
pub(super) struct Query {
    /// The statement with its weight.
    pub weighted: WeightedStatement,
    /// It taken apart.
    pub command: Command,
    /// It as it stands, then the other ways to write it.
    pub wordings: Vec<Wording>,
    /// The wording that goes on reading the whole collection, with what that costs, where it does
    /// so now.
    pub natural: Option<(usize, Cost)>,
}

impl Query {
    /// Whether the server's counters leave out a part of its reads: up to 4.4 they miss what a
    /// `$lookup` reads inside.
    pub fn counters_lie(&self, version: Version) -> bool {
        version.major < 5 && self.command.collections().len() > 1
    }

    /// Whether a wording is the statement itself, told to go on reading the whole collection.
    pub fn is_natural(&self, wording: usize) -> bool {
        self.natural.as_ref().is_some_and(|(natural, _)| *natural == wording)
    }

    /// Adds the wording that goes on reading the whole collection, where the statement does so
    /// by this cost as things stand.
    pub fn stay(&mut self, base: &Cost, catalog: &DocumentCatalog) {
        let known = catalog.find(&self.command.collection);
        let Some((statement, rewrite)) = natural(&self.command, base, known) else { return };
        self.natural = Some((self.wordings.len(), base.clone()));
        let shape = self.wordings[0].shape.clone();
        self.wordings.push(Wording { statement, shape, rewrite: Some(rewrite) });
    }

    /// How often it runs; at least once.
    pub fn calls(&self) -> f64 {
        self.weighted.calls.max(1) as f64
    }

    /// Whether it reads this collection.
    pub fn reads(&self, collection: &str) -> bool {
        self.wordings
            .iter()
            .flat_map(|wording| &wording.shape.accesses)
            .any(|access| access.collection == collection)
    }

    /// The hint it names, if it does.
    pub fn hint(&self) -> Option<Bson> {
        let command = self.command.to_command();
        let inner = ["updates", "deletes"].iter().find_map(|list| command.get_array(*list).ok());
        let inner = inner.and_then(|list| list.first()?.as_document());
        command.get("hint").or_else(|| inner?.get("hint")).cloned()
    }
}

/// A statement of the workload that changes documents.
pub(super) struct Write {
    /// It taken apart.
    pub command: Command,
    /// How often it runs.
    pub calls: u64,
}

/// The workload taken apart.
#[derive(Default)]
pub(super) struct Parsed {
    /// What can be measured.
    pub commands: Vec<(WeightedStatement, Command)>,
    /// What writes.
    pub writes: Vec<Write>,
    /// What takes no part, and why.
    pub left_out: Vec<LeftOut>,
}

/// What statements have in common that differ in their constants only.
pub(super) fn shape_of(text: &str) -> Option<String> {
    let command = shell::parse(text.trim()).ok()?;
    let database = command.database.clone().unwrap_or_default();
    Some(format!("{database} {}", command.fingerprint().0))
}

/// Reads the statements; `database` is the one the session is on.
pub(super) fn parse(statements: Vec<WeightedStatement>, database: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for weighted in statements {
        let text = weighted.statement.text.trim().to_string();
        let mut leave = |reason: String| {
            let statement = text.clone();
            parsed.left_out.push(LeftOut { statement, calls: weighted.calls, reason });
        };
        if weighted.statement.engine != Engine::Mongodb {
            leave("it is a statement of another engine".into());
            continue;
        }
        let mut command = match shell::parse(&text) {
            Ok(command) => command,
            Err(error) => {
                leave(error.message().to_string());
                continue;
            }
        };
        if let Some(other) = command.database.take().filter(|name| name != database) {
            leave(format!("it is on the database {other}; this run looks at {database}"));
            continue;
        }
        if matches!(command.operation, Operation::Insert(_)) {
            parsed.writes.push(Write { command, calls: weighted.calls });
            continue;
        }
        if let Err(error) = guard::check(&command) {
            leave(error.message().to_string());
            continue;
        }
        if command.writes() {
            parsed.writes.push(Write { command: command.clone(), calls: weighted.calls });
        }
        parsed.commands.push((weighted, command));
    }
    parsed
}

/// The statement with all ways to write it.
pub(super) fn query(
    weighted: WeightedStatement,
    command: Command,
    catalog: &DocumentCatalog,
    version: Version,
) -> Query {
    let statement = Statement {
        fingerprint: Some(command.fingerprint()),
        ..Statement::new(Engine::Mongodb, weighted.statement.text.trim())
    };
    let mut wordings = vec![Wording {
        statement: statement.clone(),
        shape: shape(&command, catalog, version),
        rewrite: None,
    }];
    let known = catalog.find(&command.collection);
    for (rewrite, new) in of_command(&command, known, version).commands {
        wordings.push(Wording {
            statement: Statement::new(Engine::Mongodb, new.to_shell()),
            shape: shape(&new, catalog, version),
            rewrite: Some(rewrite),
        });
    }
    Query { weighted, command, wordings, natural: None }
}

/// What a command asks of the collections, below its view when it asks one.
fn shape(command: &Command, catalog: &DocumentCatalog, version: Version) -> Shape {
    let sent: Document = command.to_command();
    match view::below(&command.collection, catalog) {
        Some(below) => Shape::of(&below.command(&sent), version),
        None => Shape::of(&sent, version),
    }
}
