//! From two schemas to statements in their safe form, in parts that each run in one transaction or
//! in none.

use marula_core::{Result, Version};
use marula_postgres::{Session, sql};

use super::fate::{self, Fates};
use super::model::{Id, Model};
use super::steps::Builder;
use super::{forms, parts};
use crate::postgres::{classify, schema::Schema};

/// A run of statements.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    /// Whether they run in one transaction.
    pub transaction: bool,
    /// Whether it is no part of another: what it locks, it locks for long.
    pub alone: bool,
    /// Whether something goes in it and comes again.
    pub swaps: bool,
    /// What its reader should know.
    pub says: Vec<String>,
    /// The statements.
    pub statements: Vec<Planned>,
}

/// How a plan is made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    /// Whether what came with others is minded, too: their names may differ.
    pub strict: bool,
    /// Whether all is done in one transaction.
    pub whole: bool,
}

/// A statement of a plan.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// It.
    pub text: String,
    /// What is taken when values cannot be cast by themselves.
    pub otherwise: Option<String>,
    /// What it is about.
    pub about: Id,
}

/// The way from one schema to another.
pub(super) struct Plan {
    /// In order.
    pub parts: Vec<Part>,
    /// What becomes of what.
    pub fates: Fates,
    /// What is built under another name, and gets its own later.
    pub beside: Vec<Id>,
}

/// Makes the plan; `schema` is what is there before, for the safe forms.
pub(super) fn plan(
    from: &Model,
    to: &Model,
    schema: &Schema,
    version: Version,
    manner: Manner,
) -> Result<Plan> {
    let fates = fate::decide(from, to, manner.strict);
    let mut builder = Builder::new(from, to, &fates);
    let beside = std::mem::take(&mut builder.built);
    let graph = builder.graph();
    let groups = graph.groups();
    let forms = forms::forms(&graph, &groups, schema, version, manner)?;
    let parts = parts::parts(&graph, &groups, forms);
    Ok(Plan { parts, fates, beside })
}

/// Drops indexes that were built and have not taken their place yet.
pub(super) fn dropped(indexes: &[&Id], transaction: bool) -> Part {
    let word = if transaction { "" } else { "CONCURRENTLY " };
    let one = |id: &&Id| Planned {
        text: format!("DROP INDEX {word}IF EXISTS {}", id.name),
        otherwise: None,
        about: (*id).clone(),
    };
    let statements = indexes.iter().map(one).collect();
    Part { transaction, statements, ..Part::default() }
}

/// Whether a statement is to run by itself.
pub(super) fn outside(text: &str) -> bool {
    let Ok(statement) = sql::parse(text) else { return false };
    let upper = text.trim_start().to_ascii_uppercase();
    classify::outside_transaction(&statement)
        || (upper.starts_with("ALTER") && upper.contains(" VALIDATE CONSTRAINT "))
        || (upper.starts_with("ALTER TYPE") && upper.contains(" ADD VALUE "))
        || (upper.starts_with("DO ") && upper.contains("COMMIT"))
}

/// What the rules know of a database: everything but how large it is.
pub(super) async fn schema_of(session: &Session) -> Result<Schema> {
    use marula_postgres::catalog::{Scope, read};
    // The catalogue names what is on the search_path without its schema.
    let path = |path: &'static str| async move {
        let set = format!("SET search_path = {path}");
        session.client().batch_execute(&set).await.map_err(|e| marula_postgres::from_server(&e))
    };
    path("public").await?;
    let catalog = read(session, Scope::All).await;
    path("''").await?;
    let mut schema = Schema::from_catalog(&catalog?);
    for table in schema.tables.values_mut() {
        table.size = None;
    }
    Ok(schema)
}
