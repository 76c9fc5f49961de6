//! Statements that the server refuses without an index: it is built first and stays, so that they
//! take part at all.

use marula_core::{DocumentCatalog, Error, Proof, Result, Verdict};
use marula_lab::bench::Bench;

use super::proof::Proved;
use super::query::Query;
use super::tell::{Pick, Told};
use super::trial::Trial;
use crate::mongodb::candidates::Need;
use crate::mongodb::index::Index;

/// Required indexes are numbered from here on; ideas have smaller numbers.
const FIRST: usize = 1 << 24;

/// An index without which statements are refused.
pub(super) struct Required {
    need: Need,
    index: Index,
}

impl Required {
    /// The collection it is of.
    pub fn collection(&self) -> &str {
        self.need.collection()
    }

    /// Whether a statement needs it.
    pub fn serves(&self, query: &Query) -> bool {
        Need::of(&query.wordings[0].shape).contains(&self.need)
    }
}

/// What a statement that fails like this cannot do without.
pub(super) fn need(query: &Query, error: &Error) -> Option<Need> {
    let says = |part: &str| error.message().contains(part);
    let refused = error.server_code() == Some("IndexNotFound")
        || says("text index required")
        || says("unable to find index for $geoNear");
    // A hint that names no index is another matter.
    let refused = refused && query.hint().is_none();
    refused.then(|| Need::of(&query.wordings[0].shape).into_iter().next()).flatten()
}

impl Trial<'_> {
    /// Builds what `need` asks for; says why where that cannot be.
    pub async fn provide(
        &mut self,
        need: &Need,
        catalog: &DocumentCatalog,
    ) -> Result<Option<String>> {
        let words = need.words();
        if self.budget() == Some(0) {
            return Ok(Some(format!("{words}, and there is no room for it in the budget")));
        }
        let mut why = "none that would do could be thought of".to_string();
        for candidate in need.candidates(catalog.find(need.collection())) {
            let at = FIRST + self.required.len();
            self.failed.remove(&at);
            if !self.make(at, &candidate).await? {
                why = self.failed.remove(&at).unwrap_or_default();
                continue;
            }
            let room = self.budget();
            let bytes = self.bytes([at]);
            if room.is_some_and(|room| bytes > room) {
                self.remove(at).await?;
                why = format!("it takes {:.1} MB of the budget", bytes as f64 / 1e6);
                continue;
            }
            self.required.insert(at, Required { need: need.clone(), index: candidate.index });
            return Ok(None);
        }
        Ok(Some(format!("{words}: {why}")))
    }

    /// Whether an index is there already because a statement cannot do without.
    pub fn is_required(&self, index: &Index) -> bool {
        self.required.values().any(|required| required.index == *index)
    }

    /// Whether the server refuses a statement as things stand.
    pub fn is_refused(&self, query: &Query) -> bool {
        self.required.values().any(|required| required.serves(query))
    }
}

impl Told<'_> {
    /// The required indexes: they come first, because nothing of their statements works without.
    pub(super) fn required(&self, trial: &Trial<'_>, proved: &[Proved]) -> Vec<Pick> {
        let of = |(&at, required): (&usize, &Required)| {
            let made = trial.made(at)?;
            let used: Vec<usize> =
                (0..proved.len()).filter(|n| required.serves(&self.queries[*n])).collect();
            let first = used.first().map(|n| proved[*n].after.clone());
            let reason = format!(
                "without it the server refuses {} of the workload ({}); with it they run",
                match used.len() {
                    1 => "a statement".to_string(),
                    many => format!("{many} statements"),
                },
                required.need.words()
            );
            let mut change = made.change.clone();
            change.proof = Proof {
                dataset: Some(trial.bench.dataset()),
                server: Some(trial.bench.server()),
                after: first,
                build: Some(made.build),
                ..Proof::bare(Verdict::Proven, reason)
            };
            let statements = u32::try_from(used.len()).unwrap_or(u32::MAX);
            Some(Pick { gain: 0.0, statements, change, used, index: Some(at) })
        };
        trial.required.iter().filter_map(of).collect()
    }
}
