//! What came of it, in the words of the report.

use std::collections::BTreeMap;

use marula_core::{
    Change, ChangeId, ChangeKind, DocumentCatalog, Engine, Goal, LeftOut, Measurement, Picked,
    Proof, Report, Storage, TunedStatement, Tuning, Verdict, WriteCost,
};
use marula_lab::bench::Bench;

use super::choose::Chosen;
use super::hide::{Hide, Kept};
use super::idea::Ideas;
use super::proof::Proved;
use super::query::Query;
use super::table::Table;
use super::trial::Trial;
use crate::mongodb::candidates::by_age;
use crate::mongodb::context::count;
use crate::mongodb::shape::Role;

/// More of what was turned down than this nobody reads.
const MAX_TURNED_DOWN: usize = 60;

/// What the server refuses takes no time.
const NEVER: Measurement =
    Measurement { ms: None, runs: 0, reads: None, cost: None, timed_out: false, plan: None };

/// What the report tells of.
pub(super) struct Told<'t> {
    pub queries: &'t [Query],
    pub ideas: &'t Ideas,
    pub table: &'t Table,
    pub chosen: &'t Chosen,
}

/// A change that was picked, before it has its number.
pub(super) struct Pick {
    pub gain: f64,
    pub statements: u32,
    pub change: Change,
    /// The statements that use it.
    pub used: Vec<usize>,
    /// The index, by number, when it is one.
    pub index: Option<usize>,
}

/// What the pieces of a tuning were measured to be.
pub(super) struct Measured {
    pub proved: Vec<Proved>,
    /// By idea: what the workload loses without it, and how many statements lose.
    pub gains: BTreeMap<usize, (f64, u32)>,
    pub hides: Vec<Hide>,
    pub costs: Vec<WriteCost>,
    pub storage: Storage,
    pub left_out: Vec<LeftOut>,
}

impl Told<'_> {
    /// Fills the report's changes, and gives the rest.
    pub fn tuning(&self, trial: &Trial<'_>, report: &mut Report, measured: Measured) -> Tuning {
        let Measured { proved, gains, hides, costs, storage, left_out } = measured;
        let mut found = self.indexes(trial, &proved, &gains);
        found.extend(self.rewrites(trial, &proved));
        found.sort_by(|a, b| b.gain.total_cmp(&a.gain));
        let mut picks = self.required(trial, &proved);
        picks.extend(found);
        for hide in hides {
            let reason = format!(
                "hidden on the copy, none of the {} statements on its collection examines more",
                hide.statements
            );
            let proof = Proof {
                dataset: Some(trial.bench.dataset()),
                server: Some(trial.bench.server()),
                ..Proof::bare(Verdict::Proven, reason)
            };
            let change = Change { proof, ..hide.change };
            picks.push(Pick { gain: 0.0, statements: 0, change, used: Vec::new(), index: None });
        }
        for (number, pick) in picks.iter_mut().enumerate() {
            pick.change.id = ChangeId(format!("c{}", number + 1));
        }
        self.first(trial, &proved, &mut picks);
        let (before_ms, after_ms) =
            proved.iter().zip(self.queries).fold((0.0, 0.0), |(before, after), (proved, query)| {
                let of = |ms: Option<f64>| query.calls() * ms.unwrap_or(0.0);
                (before + of(proved.before.ms), after + of(proved.after.ms))
            });
        let mut statements: Vec<TunedStatement> = Vec::new();
        for (at, (query, proved)) in self.queries.iter().zip(proved).enumerate() {
            let ms = proved.before.ms.unwrap_or(0.0);
            let goal = query.weighted.goal_ms.or(trial.options.goal_ms).map(|goal| Goal {
                ms: goal,
                met: proved.after.ms.map(|ms| ms <= goal && !proved.after.timed_out),
            });
            let refused = trial.is_refused(query);
            let uses = picks.iter().filter(|pick| pick.used.contains(&at));
            statements.push(TunedStatement {
                statement: query.wordings[0].statement.clone(),
                calls: query.weighted.calls,
                share: if before_ms > 0.0 { query.calls() * ms / before_ms } else { 0.0 },
                before: if refused { NEVER } else { proved.before },
                after: proved.after,
                uses: uses.map(|pick| pick.change.id.clone()).collect(),
                results_equal: proved.equal,
                goal,
            });
        }
        statements.sort_by(|a, b| b.share.total_cmp(&a.share));
        let picked = picks.iter().map(|pick| Picked {
            change: pick.change.id.clone(),
            gain_ms: pick.gain.max(0.0),
            statements: pick.statements,
        });
        let picked = picked.collect();
        report.changes = picks.into_iter().map(|pick| pick.change).collect();
        let mut turned_down = self.table.turned_down.clone();
        if turned_down.len() > MAX_TURNED_DOWN {
            report.notes.push(format!(
                "{} more changes were tried and turned down",
                turned_down.len() - MAX_TURNED_DOWN
            ));
            turned_down.truncate(MAX_TURNED_DOWN);
        }
        Tuning {
            statements,
            before_ms,
            after_ms,
            picked,
            turned_down,
            left_out,
            writes: costs,
            storage,
            effort: trial.effort,
            interrupted: false,
        }
    }

    fn indexes(
        &self,
        trial: &Trial<'_>,
        proved: &[Proved],
        gains: &BTreeMap<usize, (f64, u32)>,
    ) -> Vec<Pick> {
        let mut picks: Vec<Pick> = Vec::new();
        for at in self.chosen.indexes(self.ideas) {
            let Some(made) = trial.made(at) else { continue };
            let of =
                self.chosen.ideas.iter().filter(|n| self.ideas.ideas[**n].indexes.contains(&at));
            let (gain, statements) = of
                .filter_map(|number| gains.get(number))
                .fold((0.0_f64, 0), |(most, all), (gain, n)| (most.max(*gain), all + n));
            let used: Vec<usize> = (0..proved.len())
                .filter(|query| {
                    let plan = proved[*query].after.plan.as_deref();
                    plan.is_some_and(|plan| trial.uses(plan, at))
                })
                .collect();
            let statements = statements.max(u32::try_from(used.len()).unwrap_or(u32::MAX));
            let mut change = made.change.clone();
            change.proof = self.proof(trial, proved, &used, Some(made.build));
            picks.push(Pick { gain, statements, change, used, index: Some(at) });
        }
        picks
    }

    /// What was measured of a change: the statement it matters most to stands for it.
    fn proof(
        &self,
        trial: &Trial<'_>,
        proved: &[Proved],
        used: &[usize],
        build: Option<marula_core::Build>,
    ) -> Proof {
        let saved = |at: &usize| {
            let ms = |measured: &Measurement| measured.ms.unwrap_or(0.0);
            self.queries[*at].calls() * (ms(&proved[*at].before) - ms(&proved[*at].after))
        };
        let most = used.iter().max_by(|a, b| saved(a).total_cmp(&saved(b)));
        let first = most.map(|at| &proved[*at]);
        let mut equal = used.iter().map(|at| proved[*at].equal);
        let reason = match used.len() {
            0 => "statements whose plans do not tell examine less with it".to_string(),
            1 => "one statement of the workload uses it; its times are shown".into(),
            many => format!(
                "{many} statements of the workload use it; the times are those of the one that \
                 gains most"
            ),
        };
        let speedup = first
            .and_then(|proved| Some(proved.before.ms? / proved.after.ms.filter(|ms| *ms > 0.0)?));
        Proof {
            dataset: Some(trial.bench.dataset()),
            server: Some(trial.bench.server()),
            before: first.map(|proved| proved.before.clone()),
            after: first.map(|proved| proved.after.clone()),
            speedup,
            results_equal: equal.try_fold(true, |all, one| Some(all && one?)),
            build,
            ..Proof::bare(Verdict::Proven, reason)
        }
    }

    fn rewrites(&self, trial: &Trial<'_>, proved: &[Proved]) -> Vec<Pick> {
        let mut picks = Vec::new();
        for (at, (query, one)) in self.queries.iter().zip(proved).enumerate() {
            let wording = &query.wordings[one.wording];
            let Some(rewrite) = &wording.rewrite else { continue };
            let own = one.own_ms.unwrap_or(0.0);
            let gain = query.calls() * (own - one.after.ms.unwrap_or(own));
            let change = Change {
                id: ChangeId(String::new()),
                kind: ChangeKind::Rewrite,
                engine: Engine::Mongodb,
                title: rewrite.title.clone(),
                relation: Some(query.command.collection.clone()),
                up: vec![wording.statement.text.clone()],
                down: vec![query.wordings[0].statement.text.clone()],
                hazards: Vec::new(),
                conditions: rewrite.conditions.clone(),
                proof: self.proof(trial, proved, &[at], None),
            };
            picks.push(Pick { gain, statements: 1, change, used: vec![at], index: None });
        }
        picks
    }
}

/// Why an index is not proposed: a statement got slower with it.
pub(super) fn slower(query: &Query, proved: &Proved) -> String {
    let text: String = query.wordings[0].statement.text.chars().take(120).collect();
    format!(
        "a statement is slower with it, in every run ({:.1} ms instead of {:.1} ms): {text}",
        proved.after.ms.unwrap_or(0.0),
        proved.before.ms.unwrap_or(0.0)
    )
}

/// How the indexes stand to the server's cache.
pub(super) fn cache(
    report: &mut Report,
    cache: Option<u64>,
    storage: &Storage,
    catalog: &DocumentCatalog,
) {
    let after = (storage.existing + storage.added).saturating_sub(storage.freed);
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let Some(cache) = cache else {
        report.notes.push("how large the server's cache is could not be asked".into());
        return;
    };
    let data: u64 = catalog.collections.iter().map(|collection| collection.bytes).sum();
    let part = after as f64 / cache.max(1) as f64;
    let weight = if part > 0.5 { "more than half of it: reads will go to disk" } else { "" };
    let separator = if weight.is_empty() { "" } else { ", " };
    report.notes.push(format!(
        "the indexes of the collections come to {} (now {}), {:.1} % of the server's cache of \
         {}{separator}{weight}; the documents to {}",
        megabytes(after),
        megabytes(storage.existing),
        part * 100.0,
        megabytes(cache),
        megabytes(data)
    ));
}

/// What is worth knowing besides: indexes that stay, and deletes by age.
pub(super) fn aside(report: &mut Report, queries: &[Query], kept: &[Kept]) {
    for one in kept {
        report
            .notes
            .push(format!("the index {} of {} stays: {}", one.index, one.collection, one.reason));
    }
    for query in queries {
        let accesses = query.wordings.iter().take(1).flat_map(|wording| &wording.shape.accesses);
        for access in accesses.filter(|access| access.role == Role::Write) {
            let Some(path) = by_age(access) else { continue };
            if !matches!(query.command.operation, marula_mongodb::Operation::Delete(_)) {
                continue;
            }
            report.notes.push(format!(
                "documents of {} are deleted by the age of {path} alone ({} times): a TTL index \
                 (expireAfterSeconds) does that by itself. It removes documents for good, so it is \
                 not proposed as a change",
                access.collection,
                count(query.weighted.calls as f64)
            ));
        }
    }
}
