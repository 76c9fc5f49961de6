use std::sync::Arc;

use marula_core::{Engine, Error, ErrorKind, Progress, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, Operation, Outcome};
use crate::confirm::{self, Word};
use crate::plans::{Matter, Plan};
use crate::{Access, Found, Session, State, by_hand, text};

pub struct ApplyPlan;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Of plan_change: p1.
    plan_id: String,
    /// Of the same answer, unchanged.
    digest: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    /// Each step and how long it took.
    done: Vec<String>,
    notes: Vec<String>,
    next: Vec<String>,
}

impl Operation for ApplyPlan {
    const NAME: &'static str = "apply_plan";
    const TITLE: &'static str = "Apply a plan";
    const ABOUT: &'static str = "Run a plan of plan_change on its target, such as creating the index: the \
        only tool that writes. Needs the plan id and its digest, a target the user's configuration \
        allows to write, and the user's yes, which is asked for by the client. Call it only after the \
        user saw the steps. A plan runs once.";
    const EFFECT: Effect = Effect::Writes;
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let state = &call.state;
        let plan = state.plans.get(&input.plan_id, &input.digest)?;
        // What the configuration says now, not when the plan was made.
        let found = state.find(&plan.alias)?;
        if found.engine != plan.engine {
            return Err(Error::new(ErrorKind::Refused, "the alias leads to another engine now")
                .hint("make a new plan"));
        }
        if found.access != Access::ReadWrite {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("'{}' is read-only for this program: nothing was done", plan.alias),
            )
            .hint("the user can write access = \"read-write\" under the target in marula.toml and start the server again")
            .hint(by_hand::hint(&plan)));
        }
        let question = confirm::Question {
            message: question(&plan, &found),
            title: "Apply this plan",
            does: "Yes runs the statements above on the target.",
        };
        match confirm::ask(call, &plan.id, question).await? {
            Word::Ask(question) => return Ok(Outcome::Ask(question)),
            Word::NoChannel => {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "this client cannot ask the user, and nothing is written without the user's yes",
                )
                .hint(by_hand::hint(&plan)));
            }
            Word::No(how) => {
                return Err(Error::new(
                    ErrorKind::Refused,
                    format!("the user {how}: nothing was done"),
                )
                .hint("ask the user what to change, then make a new plan"));
            }
            Word::Yes => {}
        }
        state.plans.begin(&plan.id)?;
        let mut running = Running { state, plan: &plan, how: "was interrupted" };
        let applied = apply(call, &plan, &found).await;
        running.how = match &applied {
            Ok(_) => "was applied already",
            Err(_) => "failed",
        };
        drop(running);
        applied.map(Outcome::Done)
    }
}

/// A plan that is being applied. However that ends, it is not applied again.
struct Running<'a> {
    state: &'a State,
    plan: &'a Plan,
    how: &'static str,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.state.plans.over(&self.plan.id, self.how);
    }
}

/// What the human reads: all of it.
fn question(plan: &Plan, found: &Found) -> String {
    let mut out = format!(
        "Apply plan {} to '{}' ({})? It runs:\n\n",
        plan.id,
        text::spelled(&found.alias),
        found.engine.title()
    );
    for (number, step) in plan.up.iter().enumerate() {
        out.push_str(&format!("{}. {}\n", number + 1, text::spelled(step)));
    }
    out.push_str(&format!("\nDigest {}", &plan.digest));
    out
}

async fn apply(call: &Call, plan: &Arc<Plan>, found: &Found) -> Result<Output> {
    if plan.matter == Matter::Migration {
        return crate::migrate::apply(call, plan, found).await.map(|(done, notes)| Output {
            summary: format!("{} ran on '{}'", plan.name, plan.alias),
            done,
            notes,
            next: next(call, plan),
        });
    }
    let mut session = Opened(Some(Session::open_to_write(found).await?));
    let mut done = Vec::new();
    for (number, step) in plan.up.iter().enumerate() {
        call.progress.step(&format!(
            "step {} of {}: {}",
            number + 1,
            plan.up.len(),
            text::cut(step, 120)
        ));
        let began = std::time::Instant::now();
        if let Err(error) = session.run(plan.engine, step).await {
            let error = session.name(error, &plan.alias);
            let error = error.hint(match number {
                0 => "nothing before it was done".to_string(),
                many => format!("the {many} steps before it are done"),
            });
            return Err(match plan.engine {
                Engine::Postgres => error.hint("an index that CREATE INDEX CONCURRENTLY began may be left INVALID: look with describe, and drop it"),
                Engine::Mongodb => error,
            });
        }
        done.push(format!("{} ({:.1} s)", text::cut(step, 300), began.elapsed().as_secs_f64()));
    }
    session.0.take();
    Ok(Output {
        summary: format!("{} of {} steps ran on '{}'", done.len(), plan.up.len(), plan.alias),
        done,
        notes: Vec::new(),
        next: next(call, plan),
    })
}

fn next(call: &Call, plan: &Plan) -> Vec<String> {
    match call.state.has("explain_query") {
        true => {
            vec![format!("explain_query with target '{}' to see the query's new plan", plan.alias)]
        }
        false => Vec::new(),
    }
}

/// A session that writes. When the work is dropped, what it runs is stopped on the server.
struct Opened(Option<Session>);

impl Opened {
    async fn run(&self, engine: Engine, step: &str) -> Result<()> {
        let Some(session) = &self.0 else { return Ok(()) };
        match engine {
            Engine::Postgres => {
                let session = session.postgres()?;
                // One statement at a time, whatever the text holds.
                let client = session.client();
                let ran = client.execute(step, &[]).await;
                ran.map(|_| ()).map_err(|error| marula_postgres::from_server(&error))
            }
            Engine::Mongodb => {
                let command = marula_mongodb::shell::parse(step)?;
                marula_mongodb::run::apply(session.mongodb()?, &command).await.map(|_| ())
            }
        }
    }

    fn name(&self, error: Error, alias: &str) -> Error {
        match &self.0 {
            Some(session) => session.name(error, alias),
            None => error,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let (Some(session), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move { session.stop().await });
        }
    }
}
