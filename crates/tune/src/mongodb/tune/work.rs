//! Everything that happens on the copy, and what is known of it at any moment.

use std::collections::{BTreeMap, BTreeSet};

use marula_core::{DocumentCatalog, LeftOut, Report, Result, Storage, Tuning, WriteCost};

use super::choose::{Chosen, Search};
use super::hide::{self, Hide, Kept};
use super::idea::{self, Ideas};
use super::proof::Proved;
use super::query::{Parsed, Query};
use super::server::Server;
use super::table::{self, Table};
use super::trial::Trial;
use super::{nothing, settle, tell, writes};

/// What was found so far. It stays when the work is ended in the middle.
#[derive(Default)]
pub(super) struct Known {
    pub queries: Vec<Query>,
    table: Table,
    ideas: Ideas,
    /// The set, with every statement proved under it.
    settled: Option<(Chosen, Vec<Proved>)>,
    gains: BTreeMap<usize, (f64, u32)>,
    hides: Vec<Hide>,
    kept: Vec<Kept>,
    costs: Vec<WriteCost>,
    left_out: Vec<LeftOut>,
    notes: Vec<String>,
}

/// Measures the statements, seeks the set, proves it, and looks at what it makes superfluous and
/// at what it costs.
pub(super) async fn work(
    trial: &mut Trial<'_>,
    parsed: Parsed,
    catalog: &DocumentCatalog,
    about: &Server,
    known: &mut Known,
) -> Result<()> {
    let Parsed { commands, writes, left_out } = parsed;
    known.left_out = left_out;
    settle::measure(trial, commands, catalog, known_parts(known)).await?;
    let Known { queries, table, ideas, settled, gains, hides, kept, costs, notes, left_out } =
        known;
    if queries.is_empty() {
        return Err(nothing(left_out));
    }
    let total = table.total(queries).max(f64::MIN_POSITIVE);
    let weights: Vec<f64> =
        (0..queries.len()).map(|at| table.weight(queries, at) / total).collect();
    *ideas = idea::ideas(queries, &weights, catalog);
    ideas.leave_out(|index| trial.is_required(index));
    if trial.options.budget_bytes == Some(0) {
        ideas.ideas.clear();
        notes.push("with a budget of 0 no index was tried".into());
    }
    if ideas.left > 0 {
        notes.push(format!(
            "{} of the least promising indexes were thought of and not tried",
            ideas.left
        ));
    }
    let (queries, ideas): (&[Query], &Ideas) = (queries, ideas);
    trial.effort.candidates = u32::try_from(ideas.ideas.len() + ideas.left).unwrap_or(u32::MAX);
    trial.progress.step("measuring each index by itself");
    table::fill(trial, queries, ideas, table).await?;
    let untried = ideas.ideas.len() - table.measured.len() - cannot(trial, ideas);
    if untried > 0 {
        notes.push(format!("the time ended before {untried} of the indexes were tried"));
    }
    let documents: BTreeMap<String, u64> = catalog
        .collections
        .iter()
        .map(|collection| (collection.name.clone(), collection.documents))
        .collect();
    let of = |name: &str| documents.get(name).copied().unwrap_or(0);
    let search = Search { queries, writes: &writes, ideas, documents: &of };
    let proved = settle::prove(trial, &search, table, catalog).await?;
    table.turned_down.extend(search.passed_over(trial, table, &proved.0));
    let (chosen, _) = settled.insert(proved);
    let shown = chosen.indexes(ideas);
    trial.keep(&shown).await?;
    *gains = settle::gains(trial, &search, table, chosen).await?;
    trial.show(&shown).await?;
    let picked: Vec<(&super::super::index::Index, bool)> = shown
        .iter()
        .filter_map(|at| ideas.indexes.get(*at))
        .map(|found| (&found.index, found.multikey))
        .collect();
    let in_place = hide::InPlace { queries, table, after: &chosen.after, picked: &picked };
    hide::hide(trial, &in_place, catalog, &about.counted, (hides, kept)).await?;
    let required = trial.required.values().map(|required| required.collection().to_string());
    let touched: BTreeSet<String> =
        picked.iter().map(|(index, _)| index.collection.clone()).chain(required).collect();
    *costs = writes::writes(trial, &writes, &touched, &shown).await?;
    Ok(())
}

fn known_parts(known: &mut Known) -> (&mut Vec<Query>, &mut Table, &mut Vec<LeftOut>) {
    (&mut known.queries, &mut known.table, &mut known.left_out)
}

fn cannot(trial: &Trial<'_>, ideas: &Ideas) -> usize {
    let fails = |idea: &&idea::Idea| idea.indexes.iter().any(|at| trial.failed.contains_key(at));
    ideas.ideas.iter().filter(fails).count()
}

impl Known {
    /// What is known, as the report tells it. Without a proved set nothing is proposed.
    pub fn tell(
        self,
        trial: &Trial<'_>,
        catalog: &DocumentCatalog,
        about: &Server,
        report: &mut Report,
    ) -> Tuning {
        let Known { queries, table, ideas, settled, gains, hides, kept, costs, .. } = self;
        report.notes.extend(self.notes);
        let (chosen, proved) = settled.unwrap_or_else(|| {
            let stands = (0..queries.len()).map(|at| Proved::as_it_stands(&table, at));
            (Chosen { ideas: BTreeSet::new(), after: table.plain.clone() }, stands.collect())
        });
        let existing: u64 =
            catalog.collections.iter().map(|collection| collection.index_bytes).sum();
        let shown = chosen.indexes(&ideas);
        let storage = Storage {
            budget: trial.options.budget_bytes,
            added: trial.bytes(shown.into_iter().chain(trial.required.keys().copied())),
            freed: hides.iter().map(|hide| hide.bytes).sum(),
            existing,
        };
        tell::cache(report, about.cache, &storage, catalog);
        tell::aside(report, &queries, &kept);
        let told = tell::Told { queries: &queries, ideas: &ideas, table: &table, chosen: &chosen };
        let left_out = self.left_out;
        let measured = tell::Measured { proved, gains, hides, costs, storage, left_out };
        told.tuning(trial, report, measured)
    }
}
