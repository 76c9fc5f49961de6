//! The way through for a whole workload: from its statements to the best set of changes.
//!
//! MongoDB has no hypothetical indexes, so everything is built on a copy and measured there by
//! what it examines: first each idea by itself (`table.rs`), then the set (`choose.rs`), which is
//! proved statement by statement (`proof.rs`). What then is superfluous is proposed for hiding
//! (`hide.rs`), and what the set costs those who write is measured last (`writes.rs`).

mod choose;
mod cost;
mod cursors;
mod gain;
mod harm;
mod hide;
mod idea;
mod made;
mod natural;
mod passed_over;
mod proof;
mod query;
mod reconsider;
mod server;
mod settle;
mod table;
mod tell;
mod trial;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use marula_core::{
    DocumentCatalog, Error, ErrorKind, LeftOut, Progress, Report, Result, Storage, Target, Tuning,
    Workload,
};
use marula_lab::bench::Bench;
use marula_lab::clone::CloneLimits;
use marula_lab::clone::mongodb::{Request, clone};
use marula_lab::{discover, shared};
use marula_mongodb::Session;

use super::explain::read_names;
use super::prove::joins;
use crate::tuning::sample;
use crate::{ProveMode, TuneOptions};
use choose::Search;
use idea::Ideas;
use query::Parsed;
use trial::Trial;

/// The best set of changes for `workload`, proved statement by statement.
///
/// # Errors
/// What the server says; `Lab` when no copy can be made; `Usage` when no statement can be
/// measured; `Unsupported` for what-if proofs.
pub async fn tune(
    session: &Session,
    target: &Target,
    workload: &Workload,
    options: &TuneOptions,
    progress: &dyn Progress,
) -> Result<Report> {
    if options.prove != ProveMode::Lab {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "MongoDB has no hypothetical indexes: a workload is tuned on a copy or not at all",
        )
        .hint("use --prove lab"));
    }
    let started = Instant::now();
    let sampled = sample(workload, options.max_statements);
    let mut report = Report::new("tune");
    report.target = Some(target.clone());
    report.notes.extend(sampled.note());
    let mut parsed = query::parse(sampled.statements, session.database().name());
    progress.step("reading the collections");
    let catalog = catalog(session, &mut parsed).await?;
    if parsed.commands.is_empty() {
        return Err(nothing(&parsed.left_out));
    }
    let about = server::ask(session).await;
    let mut trial = open(session, &parsed, &catalog, options, progress, &mut report.notes).await?;
    let tuned = work(&mut trial, parsed, &catalog, &about, &mut report).await;
    let effort = trial.effort;
    let closed = trial.bench.close().await;
    let mut tuning = tuned?;
    closed?;
    tuning.effort = effort;
    tuning.effort.total_ms = started.elapsed().as_secs_f64() * 1000.0;
    tuning.interrupted = options.stop.is_stopped();
    if tuning.interrupted {
        report.notes.push("it was interrupted: this is the best set proved until then".into());
    }
    report.tuning = Some(tuning);
    Ok(report)
}

fn nothing(left_out: &[LeftOut]) -> Error {
    let error = Error::new(ErrorKind::Usage, "no statement of the workload can be measured");
    match left_out.first() {
        Some(first) => error.hint(format!("the first was left out because {}", first.reason)),
        None => error.hint("give statements, one a line"),
    }
}

/// The collections of all statements; statements on what does not exist are left out.
async fn catalog(session: &Session, parsed: &mut Parsed) -> Result<DocumentCatalog> {
    let known = marula_mongodb::catalog::names(session).await?;
    let left_out = &mut parsed.left_out;
    parsed.commands.retain(|(weighted, command)| {
        let exists = known.contains(&command.collection);
        if !exists {
            left_out.push(LeftOut {
                statement: weighted.statement.text.trim().to_string(),
                calls: weighted.calls,
                reason: format!("there is no collection {}", command.collection),
            });
        }
        exists
    });
    let mut names: Vec<String> =
        parsed.commands.iter().flat_map(|(_, command)| command.collections()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| known.contains(name));
    read_names(session, &names).await
}

async fn open<'a>(
    session: &Session,
    parsed: &Parsed,
    catalog: &DocumentCatalog,
    options: &'a TuneOptions,
    progress: &'a dyn Progress,
    notes: &mut Vec<String>,
) -> Result<Trial<'a>> {
    let choice = discover::choose(marula_core::Engine::Mongodb, Some(session.version()))?;
    notes.extend(choice.note);
    let version = choice.install.version;
    let server = shared::mongodb(version.major, version.minor).await?;
    let mut collections: Vec<String> = Vec::new();
    let mut keys = Vec::new();
    for (_, command) in &parsed.commands {
        for name in command.collections() {
            if !collections.contains(&name) {
                collections.push(name);
            }
        }
        for join in joins(command) {
            if !keys.contains(&join) {
                keys.push(join);
            }
        }
    }
    let request = Request { collections, joins: keys, limits: CloneLimits::default() };
    let bench = clone(session, &server.spec(), &request, progress).await?;
    notes.extend(bench.notes().iter().cloned());
    Ok(Trial::new(bench, options, progress, catalog))
}

/// Everything that happens on the copy.
async fn work(
    trial: &mut Trial<'_>,
    parsed: Parsed,
    catalog: &DocumentCatalog,
    about: &server::Server,
    report: &mut Report,
) -> Result<Tuning> {
    let Parsed { commands, writes, mut left_out } = parsed;
    let (queries, mut table) = settle::measure(trial, commands, catalog, &mut left_out).await?;
    if queries.is_empty() {
        return Err(nothing(&left_out));
    }
    let total = table.total(&queries).max(f64::MIN_POSITIVE);
    let weights: Vec<f64> =
        (0..queries.len()).map(|at| table.weight(&queries, at) / total).collect();
    let mut ideas = idea::ideas(&queries, &weights, catalog);
    if trial.options.budget_bytes == Some(0) {
        ideas.ideas.clear();
        report.notes.push("with a budget of 0 no index was tried".into());
    }
    if ideas.left > 0 {
        report.notes.push(format!(
            "{} of the least promising indexes were thought of and not tried",
            ideas.left
        ));
    }
    trial.effort.candidates = u32::try_from(ideas.ideas.len() + ideas.left).unwrap_or(u32::MAX);
    trial.progress.step("measuring each index by itself");
    table::fill(trial, &queries, &ideas, &mut table).await?;
    let untried = ideas.ideas.len() - table.measured.len() - cannot(trial, &ideas);
    if untried > 0 {
        report.notes.push(format!("the time ended before {untried} of the indexes were tried"));
    }
    let documents: BTreeMap<String, u64> = catalog
        .collections
        .iter()
        .map(|collection| (collection.name.clone(), collection.documents))
        .collect();
    let of = |name: &str| documents.get(name).copied().unwrap_or(0);
    let search = Search { queries: &queries, writes: &writes, ideas: &ideas, documents: &of };
    let (chosen, proved) = settle::prove(trial, &search, &mut table, catalog).await?;
    table.turned_down.extend(search.passed_over(trial, &table, &chosen));
    let shown = chosen.indexes(&ideas);
    trial.keep(&shown).await?;
    let gains = settle::gains(trial, &search, &table, &chosen).await?;
    trial.show(&shown).await?;
    let picked: Vec<(&super::index::Index, bool)> = shown
        .iter()
        .filter_map(|at| ideas.indexes.get(*at))
        .map(|found| (&found.index, found.multikey))
        .collect();
    let (hides, kept) =
        hide::hide(trial, &queries, &table, &chosen.after, &picked, catalog, &about.counted)
            .await?;
    let touched: BTreeSet<String> =
        picked.iter().map(|(index, _)| index.collection.clone()).collect();
    let costs = writes::writes(trial, &writes, &touched, &shown).await?;
    let existing: u64 = catalog.collections.iter().map(|collection| collection.index_bytes).sum();
    let added = trial.bytes(shown.iter().copied());
    let storage = Storage {
        budget: trial.options.budget_bytes,
        added,
        freed: hides.iter().map(|hide| hide.bytes).sum(),
        existing,
    };
    tell::cache(report, about.cache, &storage, catalog);
    tell::aside(report, &queries, &kept);
    let told = tell::Told { queries: &queries, ideas: &ideas, table: &table, chosen: &chosen };
    let measured = tell::Measured { proved, gains, hides, costs, storage, left_out };
    Ok(told.tuning(trial, report, measured))
}

fn cannot(trial: &Trial<'_>, ideas: &Ideas) -> usize {
    let fails = |idea: &&idea::Idea| idea.indexes.iter().any(|at| trial.failed.contains_key(at));
    ideas.ideas.iter().filter(fails).count()
}
