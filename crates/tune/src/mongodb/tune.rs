//! The way through for a whole workload: from its statements to the best set of changes.
//!
//! MongoDB has no hypothetical indexes, so everything is built on a copy and measured there by
//! what it examines: first each idea by itself (`table.rs`), then the set (`choose.rs`), which is
//! proved statement by statement (`proof.rs`). What then is superfluous is proposed for hiding
//! (`hide.rs`), and what the set costs those who write is measured last (`writes.rs`).

mod choose;
mod hide;
mod idea;
mod proof;
mod query;
mod server;
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
use choose::{Chosen, Search};
use idea::Ideas;
use proof::Proved;
use query::{Parsed, Query};
use table::{Cell, Table};
use trial::Trial;

/// The set is sought anew without what made a statement slower at most so often.
const ROUNDS: usize = 4;

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
    let mut trial = open(session, &parsed, options, progress, &mut report.notes).await?;
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
    let version = bench.server().version;
    Ok(Trial::new(bench, options, progress, version))
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
    let (queries, mut table) = measure(trial, commands, catalog, &mut left_out).await?;
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
    let version = trial.version;
    let search =
        Search { queries: &queries, writes: &writes, ideas: &ideas, version, documents: &of };
    let (chosen, proved) = prove(trial, &search, &mut table, catalog).await?;
    let shown = chosen.indexes(&ideas);
    trial.keep(&shown).await?;
    let gains = gains(trial, &search, &table, &chosen).await?;
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

/// Every statement as things stand. What fails is left out.
async fn measure(
    trial: &mut Trial<'_>,
    commands: Vec<(marula_core::WeightedStatement, marula_mongodb::Command)>,
    catalog: &DocumentCatalog,
    left_out: &mut Vec<LeftOut>,
) -> Result<(Vec<Query>, Table)> {
    let mut queries = Vec::new();
    let mut table = Table {
        base: Vec::new(),
        plain: Vec::new(),
        ms: Vec::new(),
        cells: BTreeMap::new(),
        useful: BTreeSet::new(),
        measured: BTreeSet::new(),
        turned_down: Vec::new(),
    };
    let all = commands.len() as u64;
    trial.progress.step("measuring the statements as things stand");
    for (number, (weighted, command)) in commands.into_iter().enumerate() {
        trial.progress.advance(number as u64, all);
        let calls = weighted.calls;
        let query = query::query(weighted, command, catalog, trial.version);
        let statement = query.wordings[0].statement.clone();
        let mut leave = |reason: String| {
            left_out.push(LeftOut { statement: statement.text.clone(), calls, reason });
        };
        if trial.options.stop.is_stopped() {
            leave("it was interrupted before this statement was measured".into());
            continue;
        }
        let (ms, timed_out) = match proof::baseline(trial, &statement).await {
            Ok(time) => time,
            Err(error) if trial::fatal(error.kind()) => return Err(error),
            Err(error) => {
                leave(format!("it fails on the copy: {}", error.message()));
                continue;
            }
        };
        let limit = if timed_out { std::time::Duration::ZERO } else { trial.options.timeout };
        let Some(base) = trial.cost(&query, 0, limit).await? else {
            leave("the server does not explain it".into());
            continue;
        };
        table.ms.push(ms);
        table.base.push(base);
        let at = queries.len();
        let limit = table.limit(at, trial.options.timeout);
        let plain = table::best(trial, &query, limit).await?.map(|(cell, _)| cell);
        let own = Cell { value: table.base[at].value, wording: 0 };
        table.plain.push(plain.unwrap_or(own));
        queries.push(query);
    }
    trial.progress.advance(all, all);
    Ok((queries, table))
}

/// Seeks the set and proves it; without what made a statement slower, until none is.
async fn prove(
    trial: &mut Trial<'_>,
    search: &Search<'_>,
    table: &mut Table,
    catalog: &DocumentCatalog,
) -> Result<(Chosen, Vec<Proved>)> {
    let mut round = 0;
    loop {
        let mut chosen = search.run(trial, table).await?;
        let shown = chosen.indexes(search.ideas);
        let total = search.queries.len() as u64;
        trial.progress.step("proving the set, statement by statement");
        let mut proved = Vec::new();
        let mut slower: BTreeMap<usize, String> = BTreeMap::new();
        for (at, query) in search.queries.iter().enumerate() {
            trial.progress.advance(at as u64, total);
            let mut one =
                wording(trial, table, query, &mut chosen.after[at], at, &shown, catalog).await?;
            if one.slower && round < ROUNDS {
                for number in culprits(trial, search, &chosen, &one) {
                    slower.insert(number, tell::slower(query, &one));
                }
            }
            if one.wording == 0 && one.equal == Some(false) {
                // An index cannot change what a statement gives: what it leaves open did.
                one.equal = None;
            }
            proved.push(one);
        }
        trial.progress.advance(total, total);
        if slower.is_empty() {
            return Ok((chosen, proved));
        }
        for (number, reason) in slower {
            let idea = &search.ideas.ideas[number];
            let bytes = Some(trial.bytes(idea.indexes.iter().copied()));
            table.turned_down.insert(0, table::turned(search.ideas, idea, reason, bytes));
            table.useful.remove(&number);
        }
        round += 1;
    }
}

/// Proves a statement in the wording that was chosen; in its own, where another one gives
/// something else or gains too little.
async fn wording(
    trial: &mut Trial<'_>,
    table: &mut Table,
    query: &Query,
    cell: &mut Cell,
    at: usize,
    shown: &BTreeSet<usize>,
    catalog: &DocumentCatalog,
) -> Result<Proved> {
    let mut order: Vec<usize> = (0..query.wordings.len()).collect();
    // The chosen one first, then the others, which may gain in time what counters do not show.
    order.sort_by_key(|wording| (*wording != cell.wording, *wording));
    order.retain(|wording| *wording != 0);
    let own = proof::prove(trial, query, 0, shown, catalog).await?;
    let mut best: Option<Proved> = None;
    for wording in order {
        if trial.options.stop.is_stopped() && wording != cell.wording {
            continue;
        }
        let one = proof::prove(trial, query, wording, shown, catalog).await?;
        let ms = |proved: &Proved| proved.after.ms.unwrap_or(f64::INFINITY);
        let title = query.wordings[wording].rewrite.as_ref().map(|rewrite| rewrite.title.clone());
        let refused = match one.equal {
            Some(false) => {
                Some(format!("its results differ: {}", one.difference.clone().unwrap_or_default()))
            }
            None => Some(format!(
                "its results could not be compared: {}",
                one.difference.clone().unwrap_or_default()
            )),
            Some(true) if ms(&one) * table::WORTH > ms(&own) && cell.wording != wording => {
                Some(format!(
                    "it gains less than 1.1 times ({:.1} ms instead of {:.1} ms)",
                    ms(&one),
                    ms(&own)
                ))
            }
            Some(true) if one.slower => Some("it is slower".to_string()),
            Some(true) => None,
        };
        if let Some(reason) = refused {
            table.turned_down.push(marula_core::TurnedDown {
                title: title.unwrap_or_default(),
                up: vec![query.wordings[wording].statement.text.clone()],
                reason,
                bytes: None,
            });
            continue;
        }
        if best.as_ref().is_none_or(|known| ms(&one) * table::WORTH < ms(known)) {
            best = Some(one);
        }
    }
    let own_ms = own.after.ms;
    let one = Proved { own_ms, ..best.unwrap_or(own) };
    if cell.wording != one.wording {
        let limit = table.limit(at, trial.options.timeout) * 2;
        let value = trial.cost(query, one.wording, limit).await?.map(|cost| cost.value);
        *cell = Cell { value: value.unwrap_or(cell.value), wording: one.wording };
    }
    Ok(one)
}

/// The ideas whose indexes the plan of a slower statement uses.
fn culprits(
    trial: &Trial<'_>,
    search: &Search<'_>,
    chosen: &Chosen,
    proved: &Proved,
) -> Vec<usize> {
    let Some(plan) = &proved.after.plan else { return Vec::new() };
    let used = |number: &&usize| {
        search.ideas.ideas[**number].indexes.iter().any(|at| trial.uses(plan, *at))
    };
    chosen.ideas.iter().filter(used).copied().collect()
}

/// What the workload loses without each idea of the set, in milliseconds, and how many
/// statements lose by it.
async fn gains(
    trial: &mut Trial<'_>,
    search: &Search<'_>,
    table: &Table,
    chosen: &Chosen,
) -> Result<BTreeMap<usize, (f64, u32)>> {
    let mut found = BTreeMap::new();
    for &number in &chosen.ideas {
        let (lost, statements) = search.loss(trial, table, chosen, number).await?;
        found.insert(number, (lost, statements));
    }
    Ok(found)
}
