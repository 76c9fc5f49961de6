//! Clients that run a given workload.

use std::sync::Arc;

use marula_core::{Engine, Error, ErrorKind, LoadOperation, RelationalCatalog, Result, Workload};
use marula_postgres::sql::{self, quote_literal, quote_qualified};
use marula_postgres::{Session, guard, parameters};

use super::load::{Kind, Load, trial};
use super::stage::Stage;

/// The most statements that take part, those that run most often first.
const MOST: usize = 50;

/// A given workload as a load. What writes is taken back at once, since nobody knows what it makes.
///
/// # Errors
/// `Usage` when the workload is of the other engine, or none of it runs on the copy.
pub(super) async fn load(
    session: &Session,
    given: &Workload,
    catalog: &RelationalCatalog,
    stage: &Stage,
) -> Result<Load> {
    if given.engine != Engine::Postgres {
        let what = format!("the workload is of {}, the migration is not", given.engine.title());
        return Err(
            Error::new(ErrorKind::Usage, what).hint("give a workload of the migration's engine")
        );
    }
    let mut load = Load::default();
    for relation in catalog.relations.iter().filter(|r| stage.touched.contains(&r.qualified())) {
        let table = quote_qualified(&relation.schema, &relation.name);
        load.reads.push(format!("SELECT 1 FROM {table} LIMIT 1"));
    }
    let mut all: Vec<_> = given.statements.iter().collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.calls));
    let most = all.first().map_or(1, |one| one.calls.max(1));
    let mut left_out = Vec::new();
    for (at, one) in all.iter().take(MOST).enumerate() {
        let text = one.statement.text.trim().trim_end_matches(';');
        match kind(session, catalog, text, one).await {
            Ok(mut kind) => {
                kind.about.name = format!("statement {}", at + 1);
                kind.weight = u32::try_from((one.calls * 10).div_ceil(most)).unwrap_or(1);
                match trial(session, &kind).await {
                    Ok(()) => load.kinds.push(kind),
                    Err(error) => left_out.push(format!("'{}': {error}", short(text))),
                }
            }
            Err(error) => left_out.push(format!("'{}': {error}", short(text))),
        }
    }
    if load.kinds.is_empty() {
        let error = Error::new(ErrorKind::Usage, "no statement of the workload runs on the copy");
        return Err(match left_out.first() {
            Some(first) => error.hint(format!("the first of them, {first}")),
            None => error.hint("leave --workload out for the default mix"),
        });
    }
    if let Some(first) = left_out.first() {
        load.notes.push(format!(
            "{} statements of the workload take no part; the first, {first}",
            left_out.len()
        ));
    }
    Ok(load)
}

async fn kind(
    session: &Session,
    catalog: &RelationalCatalog,
    text: &str,
    one: &marula_core::WeightedStatement,
) -> Result<Kind> {
    let parsed = sql::parse(text)?;
    let reads = guard::check(text).is_ok();
    let literal = |value: &Option<String>| value.as_deref().map_or("NULL".into(), quote_literal);
    let mut values: Vec<Vec<String>> = Vec::new();
    for sample in one.samples.iter().chain([&one.statement.parameters]) {
        if sample.len() == parsed.parameter_count() {
            values.push(sample.iter().map(|parameter| literal(&parameter.value)).collect());
        }
    }
    if values.is_empty() || parsed.parameter_count() == 0 {
        let filled = parameters::fill(session, &parsed, &[], catalog).await?;
        values = vec![filled.iter().map(|parameter| literal(&parameter.value)).collect()];
    }
    let object = parsed.relations().first().map(|r| r.qualified()).unwrap_or_default();
    Ok(Kind {
        about: LoadOperation { name: String::new(), object, statement: text.to_owned() },
        types: Vec::new(),
        values: Arc::new(values),
        fresh: None,
        undone: !reads,
        key: None,
        weight: 1,
    })
}

fn short(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    flat.chars().take(60).collect()
}
