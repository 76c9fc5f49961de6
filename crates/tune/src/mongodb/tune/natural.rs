//! A statement that goes on reading its whole collection. The server takes any index that it can
//! use at all, also where reading everything is quicker; an index that others need is then no
//! reason to make this one slower: it is told to read on as it does today.

use bson::doc;
use marula_core::{Collection, CollectionKind, Engine, Statement};
use marula_mongodb::{Command, Operation};

use super::cost::Cost;
use super::proof::Proved;
use super::tell::{Pick, Told};
use super::trial::Trial;
use crate::mongodb::rewrites::Rewrite;

/// Its name among the rewrites.
pub(super) const ID: &str = "natural-order";

/// `command` with the hint, where it reads one whole collection as things stand.
pub(super) fn natural(
    command: &Command,
    base: &Cost,
    collection: Option<&Collection>,
) -> Option<(Statement, Rewrite)> {
    let summary = &base.plan.summary;
    let whole = base.plan.executed && summary.indexes.is_empty() && summary.scans.len() == 1;
    let plain = collection.is_some_and(|found| found.kind == CollectionKind::Collection);
    if !whole || !plain || command.collections().len() != 1 {
        return None;
    }
    let mut hinted = command.clone();
    let hint = match &mut hinted.operation {
        Operation::Find(find) => &mut find.hint,
        Operation::Aggregate(aggregate) => &mut aggregate.hint,
        Operation::Count(count) => &mut count.hint,
        _ => return None,
    };
    if hint.is_some() {
        return None;
    }
    *hint = Some(doc! {"$natural": 1}.into());
    let rewrite = Rewrite {
        ids: vec![ID],
        title: format!("read all of {} on, whatever indexes there are", command.collection),
        pipeline: Vec::new(),
        conditions: vec![
            "it reads the whole collection as things stand, and that is the best for it".into(),
            "a hint changes the way a result is found and not the result".into(),
        ],
    };
    Some((Statement::new(Engine::Mongodb, hinted.to_shell()), rewrite))
}

impl Told<'_> {
    /// Says of each index which statements have to be told first to go on reading the whole
    /// collection.
    pub(super) fn first(&self, trial: &Trial<'_>, proved: &[Proved], picks: &mut [Pick]) {
        let mut hazards: Vec<(usize, String)> = Vec::new();
        for pick in picks.iter().filter(|pick| pick.index.is_none()) {
            let [at] = pick.used[..] else { continue };
            let Some(plan) = proved[at].own_plan.as_deref() else { continue };
            if !self.queries[at].is_natural(proved[at].wording) {
                continue;
            }
            let taken = picks
                .iter()
                .enumerate()
                .filter(|(_, other)| other.index.is_some_and(|index| trial.uses(plan, index)));
            hazards.extend(taken.map(|(number, _)| {
                let ms = |ms: Option<f64>| ms.unwrap_or(0.0);
                let said = format!(
                    "make {} first: the server would take this index for that statement, which is \
                     slower by it than by reading all of {} ({:.1} ms instead of {:.1} ms)",
                    pick.change.id.0,
                    self.queries[at].command.collection,
                    ms(proved[at].own_ms),
                    ms(proved[at].before.ms),
                );
                (number, said)
            }));
        }
        for (number, said) in hazards {
            picks[number].change.hazards.insert(0, said);
        }
    }
}
