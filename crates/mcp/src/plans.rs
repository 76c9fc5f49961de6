//! Plans that wait for a human. A plan says exactly what is run; its digest names exactly that.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use marula_core::{Engine, Error, ErrorKind, Result};
use rand::RngCore;
use sha2::{Digest, Sha256};

/// The most plans that are kept.
const PLANS: usize = 100;
/// How long a human may think.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What a plan is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matter {
    /// Indexes to build and drop.
    Indexes,
    /// A migration.
    Migration,
}

/// What is to be run, and where.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Its name: `p1`, `p2` …
    pub id: String,
    /// The target's alias.
    pub alias: String,
    /// The engine it is for.
    pub engine: Engine,
    /// What it is made of.
    pub matter: Matter,
    /// A migration's file name.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// The statements, in order.
    pub up: Vec<String>,
    /// Names exactly this plan on exactly this target.
    pub digest: String,
}

/// How far a plan has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// A human was asked; the word comes back with the answer.
    Asked(String, Instant),
    Running,
    /// It ran, whole or in part: it is not run again.
    Over(&'static str),
}

/// The plans, the oldest first.
#[derive(Default)]
pub(crate) struct Plans(Mutex<Kept>);

/// The number of the next plan, and the plans kept, oldest first.
type Kept = (u64, VecDeque<(Arc<Plan>, Stage)>);

/// The digest of what a plan does.
pub(crate) fn digest(alias: &str, engine: Engine, name: &str, text: &str) -> String {
    let mut sum = Sha256::new();
    for part in [alias, &engine.to_string(), name, text] {
        sum.update((part.len() as u64).to_be_bytes());
        sum.update(part.as_bytes());
    }
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Plans {
    /// Keeps a plan and names it. The oldest makes room.
    pub fn keep(&self, mut plan: Plan) -> Arc<Plan> {
        let mut all = self.lock();
        all.0 += 1;
        plan.id = format!("p{}", all.0);
        plan.digest = digest(&plan.alias, plan.engine, &plan.name, &plan.text);
        let plan = Arc::new(plan);
        all.1.push_back((Arc::clone(&plan), Stage::Waiting));
        if all.1.len() > PLANS {
            all.1.pop_front();
        }
        plan
    }

    /// The plan, if it can still be applied.
    ///
    /// # Errors
    /// `NotFound`; `Refused` when the digest is another's or it was applied already.
    pub fn get(&self, id: &str, digest: &str) -> Result<Arc<Plan>> {
        let all = self.lock();
        let Some((plan, stage)) = all.1.iter().find(|(plan, _)| plan.id == id) else {
            return Err(Error::new(ErrorKind::NotFound, "there is no such plan")
                .hint("make it with plan_change and use the id it gives"));
        };
        if !plan.digest.eq_ignore_ascii_case(digest) {
            return Err(Error::new(
                ErrorKind::Refused,
                "the digest is not this plan's: nothing was done",
            )
            .hint(
                "show the user the plan of plan_change again, and give its id and digest unchanged",
            ));
        }
        check(stage)?;
        Ok(Arc::clone(plan))
    }

    /// Notes that a human is asked, and gives the word that has to come back.
    pub fn asked(&self, id: &str) -> Result<String> {
        let mut bytes = [0; 24];
        rand::rng().fill_bytes(&mut bytes);
        let word = URL_SAFE_NO_PAD.encode(bytes);
        self.change(id, |stage| {
            *stage = Stage::Asked(word.clone(), Instant::now());
            Ok(())
        })?;
        Ok(word)
    }

    /// Whether this is the word of the last question about the plan. It counts once.
    pub fn answered(&self, id: &str, word: &str) -> Result<()> {
        self.change(id, |stage| match stage {
            Stage::Asked(asked, when) if asked == word && when.elapsed() < PATIENCE => {
                *stage = Stage::Waiting;
                Ok(())
            }
            _ => Err(Error::new(
                ErrorKind::Refused,
                "this answers no open question: nothing was done",
            )
            .hint("call apply_plan again without it, so that the user is asked")),
        })
    }

    /// Takes the plan for running: nobody else runs it.
    pub fn begin(&self, id: &str) -> Result<()> {
        self.change(id, |stage| {
            *stage = Stage::Running;
            Ok(())
        })
    }

    /// Notes how it ended.
    pub fn over(&self, id: &str, how: &'static str) {
        let mut all = self.lock();
        if let Some((_, stage)) = all.1.iter_mut().find(|(plan, _)| plan.id == id) {
            *stage = Stage::Over(how);
        }
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Stage) -> Result<()>) -> Result<()> {
        let mut all = self.lock();
        match all.1.iter_mut().find(|(plan, _)| plan.id == id) {
            Some((_, stage)) => {
                check(stage)?;
                change(stage)
            }
            None => Err(Error::new(ErrorKind::NotFound, "there is no such plan")
                .hint("make it with plan_change and use the id it gives")),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(stage: &Stage) -> Result<()> {
    match stage {
        Stage::Waiting | Stage::Asked(..) => Ok(()),
        Stage::Running => {
            Err(Error::new(ErrorKind::Refused, "the plan is being applied right now")
                .hint("wait for that call to end"))
        }
        Stage::Over(how) => {
            Err(Error::new(ErrorKind::Refused, format!("the plan {how}: it is not run again"))
                .hint(
                    "look at the target with describe, and make a new plan of what is still to do",
                ))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plan() -> Plan {
        Plan {
            id: String::new(),
            alias: "shop".into(),
            engine: Engine::Postgres,
            matter: Matter::Indexes,
            name: String::new(),
            text: "CREATE INDEX ON orders (id)".into(),
            up: Vec::new(),
            digest: String::new(),
        }
    }

    #[test]
    fn a_plan_is_found_by_its_digest_and_runs_once() {
        let plans = Plans::default();
        let plan = plans.keep(plan());
        assert_eq!(plans.get("p2", &plan.digest).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(plans.get("p1", "00").unwrap_err().kind(), ErrorKind::Refused);
        assert!(plans.get("p1", &plan.digest).is_ok());
        plans.begin("p1").unwrap();
        assert!(plans.begin("p1").is_err());
        plans.over("p1", "was applied");
        assert!(plans.get("p1", &plan.digest).unwrap_err().message().contains("was applied"));
    }

    #[test]
    fn an_answer_counts_once_and_for_its_question() {
        let plans = Plans::default();
        plans.keep(plan());
        plans.keep(plan());
        let word = plans.asked("p1").unwrap();
        assert!(plans.answered("p2", &word).is_err());
        assert!(plans.answered("p1", "guessed").is_err());
        plans.answered("p1", &word).unwrap();
        assert!(plans.answered("p1", &word).is_err());
    }

    #[test]
    fn the_digest_names_the_target_and_every_letter() {
        let one = digest("shop", Engine::Postgres, "", "a");
        assert_ne!(one, digest("prod", Engine::Postgres, "", "a"));
        assert_ne!(one, digest("shop", Engine::Postgres, "", "b"));
        assert_ne!(one, digest("shop", Engine::Postgres, "a", ""));
        assert_eq!(one.len(), 64);
    }
}
