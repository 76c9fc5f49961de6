//! The structures of a trial that were built, and what the server refused.

use marula_core::{LeftOut, Result, SetAside};

use super::alone::{Answers, Timed};
use super::failing::{Failed, Sifted, cut, design, ends_all, left_out, nothing_left, said, sift};
use super::jobs::Operation;
use crate::schema::Schema;
use crate::search::Candidate;
use crate::structure::Structure;

/// What is known of a structure that was made and filled.
pub struct Built {
    /// What makes it.
    pub schema: Schema,
    /// The constraints it was built without, since the generated data breaks them.
    pub set_aside: Vec<SetAside>,
    /// The time to fill it and build its indexes, in milliseconds.
    pub filled_ms: f64,
}

/// A structure that was built.
pub(super) struct Entrant<S> {
    /// Where it stands.
    pub(super) subject: S,
    /// What was built.
    pub(super) candidate: Candidate,
    /// What makes it.
    pub(super) schema: Schema,
    /// The time that took, in milliseconds.
    pub(super) filled_ms: f64,
    /// What it answered before anything was written.
    pub(super) before: Answers,
    /// How each operation went alone.
    pub(super) timed: Vec<Timed>,
    /// Which runs failed, of all operations that were timed.
    pub(super) failed: Vec<Failed>,
    /// What it answered after all had been written to alike.
    pub(super) after: Answers,
}

impl<S> Entrant<S> {
    pub(super) fn structure(&self) -> &Structure {
        &self.candidate.structure
    }
}

/// All that take part, and what does not.
pub(super) struct Entrants<S> {
    /// Those that were built and are still compared.
    pub(super) all: Vec<Entrant<S>>,
    /// What was set aside.
    pub(super) aside: Vec<SetAside>,
    /// Operations that are measured nowhere.
    pub(super) left_out: Vec<LeftOut>,
}

impl<S> Entrants<S> {
    pub(super) fn new() -> Self {
        Entrants { all: Vec::new(), aside: Vec::new(), left_out: Vec::new() }
    }

    /// Adds a structure that was built without some constraints; one that was not is set aside.
    pub(super) fn add(&mut self, candidate: &Candidate, built: Result<(S, Built)>) -> Result<()> {
        match built {
            Ok((subject, Built { schema, set_aside, filled_ms })) => {
                let (before, timed, after, failed) = Default::default();
                let candidate = candidate.clone();
                self.all.push(Entrant {
                    subject,
                    candidate,
                    schema,
                    filled_ms,
                    before,
                    timed,
                    failed,
                    after,
                });
                for one in set_aside {
                    if !self.aside.iter().any(|known| known.name == one.name) {
                        self.aside.push(one);
                    }
                }
                Ok(())
            }
            Err(error) if ends_all(&error) => Err(error),
            Err(error) => {
                let place =
                    error.place().map_or(String::new(), |place| format!("{}: ", cut(place, 120)));
                let why = format!("{place}{}", said(&error));
                self.aside.push(design(&candidate.name, why));
                Ok(())
            }
        }
    }

    /// # Errors
    /// `Lab` when none is left.
    pub(super) fn or_end(&self) -> Result<()> {
        if self.all.is_empty() { Err(nothing_left(&self.aside)) } else { Ok(()) }
    }

    /// Leaves out what none can do, or not the `plain` structure, and sets aside who lacks what others
    /// can.
    pub(super) fn sift(
        &mut self,
        operations: &mut Vec<Operation>,
        plain: &Structure,
        refused: impl Fn(&Entrant<S>, usize) -> Option<String>,
    ) {
        let each = |entrant| (0..operations.len()).map(|at| refused(entrant, at)).collect();
        let refused: Vec<Vec<Option<String>>> = self.all.iter().map(each).collect();
        let names: Vec<&str> = operations.iter().map(|one| one.name.as_str()).collect();
        let plain = self.all.iter().position(|entrant| entrant.structure() == plain);
        let Sifted { structures, operations: out } = sift(&names, &refused, plain);
        let reasons = operations.iter().zip(&out);
        let left = reasons.filter_map(|(one, why)| Some(left_out(&one.name, why.clone()?)));
        self.left_out.extend(left);
        let reasons = self.all.iter().zip(&structures);
        let aside =
            reasons.filter_map(|(one, why)| Some(design(&one.candidate.name, why.clone()?)));
        self.aside.extend(aside);
        let mut stays = structures.iter().map(Option::is_none);
        self.all.retain(|_| stays.next().unwrap_or(true));
        keep(operations, &out);
        for entrant in &mut self.all {
            keep(&mut entrant.before, &out);
            keep(&mut entrant.timed, &out);
        }
    }

    /// Of the `operations` that were timed the first whose runs failed on one structure and not on another, with what was said:
    /// after it they hold different data.
    pub(super) fn apart(&self, operations: &[Operation]) -> Option<String> {
        let (first, others) = self.all.split_first()?;
        operations.iter().enumerate().find_map(|(at, operation)| {
            let failed = first.failed.get(at)?;
            let other = others.iter().filter_map(|one| one.failed.get(at));
            let other = other.into_iter().find(|other| other.runs != failed.runs)?;
            let why = failed.first.as_ref().or(other.first.as_ref())?;
            (operation.kind() != "query").then(|| format!("{}: {why}", operation.name))
        })
    }
}

/// Leaves out what there is a reason for.
fn keep<T>(all: &mut Vec<T>, reasons: &[Option<String>]) {
    if all.len() == reasons.len() {
        let mut stays = reasons.iter().map(Option::is_none);
        all.retain(|_| stays.next().unwrap_or(true));
    }
}
