//! One file a tool: what it is called, what it takes and answers, and how it is done. A new
//! capability is a new file and a line in [`all`].

mod advise_indexes;
mod analyze_workload;
mod apply_plan;
mod describe;
mod design_schema;
mod explain_query;
mod list_targets;
mod plan_change;
mod review_migration;
mod review_schema;
mod run_query;

pub(crate) use review_migration::parse as parse_migration;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use marula_core::{Error, ErrorKind, Result};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolResponse, CallToolResult, InputRequiredResult, InputResponses, JsonObject, Tool,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::progress::Reporter;
use crate::{State, schema, text};

/// The most that the arguments of one call may hold, in bytes.
const ARGUMENTS: usize = 2 << 20;

/// Every tool, in the order in which an agent needs them.
pub(crate) fn all() -> Vec<Entry> {
    vec![
        Entry::of::<list_targets::ListTargets>(),
        Entry::of::<describe::Describe>(),
        Entry::of::<run_query::RunQuery>(),
        Entry::of::<explain_query::ExplainQuery>(),
        Entry::of::<advise_indexes::AdviseIndexes>(),
        Entry::of::<analyze_workload::AnalyzeWorkload>(),
        Entry::of::<design_schema::DesignSchema>(),
        Entry::of::<review_schema::ReviewSchema>(),
        Entry::of::<review_migration::ReviewMigration>(),
        Entry::of::<plan_change::PlanChange>(),
        Entry::of::<apply_plan::ApplyPlan>(),
    ]
}

/// The names of all tools.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|tool| tool.name).collect()
}

/// A tool as it is described to a model.
#[derive(Debug, Clone, Serialize)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// The JSON Schema of its arguments.
    pub input: Arc<JsonObject>,
}

/// Every tool as it is described to a model.
pub fn described() -> Vec<Described> {
    let tools = all().into_iter();
    tools
        .map(|tool| Described { name: tool.name, about: tool.about, input: (tool.input)() })
        .collect()
}

/// What a tool may do to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Reads,
    /// What a confirmed plan says.
    Writes,
}

/// One call of a tool.
pub(crate) struct Call {
    /// What all calls share.
    pub state: Arc<State>,
    /// The client's side.
    pub context: RequestContext<RoleServer>,
    /// Tells the client how far it is.
    pub progress: Reporter,
    /// What the client answers to a question of the same call.
    pub answers: Option<InputResponses>,
    /// What the question gave it to hand back.
    pub handed_back: Option<String>,
}

/// What a tool came to.
pub(crate) enum Outcome<T> {
    /// Its answer.
    Done(T),
    /// A question to the human first.
    Ask(InputRequiredResult),
}

/// A tool.
pub(crate) trait Operation: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its name for people.
    const TITLE: &'static str;
    /// What it does and when to call it. It is all a model has to choose by.
    const ABOUT: &'static str;
    /// What it may do.
    const EFFECT: Effect = Effect::Reads;
    /// Its arguments.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// Its answer.
    type Output: Serialize + JsonSchema;

    /// Does it.
    fn run(
        call: &Call,
        input: Self::Input,
    ) -> impl Future<Output = Result<Outcome<Self::Output>>> + Send;
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<CallToolResponse>> + Send + 'a>>;

/// A tool in the list of all.
#[derive(Clone)]
pub(crate) struct Entry {
    pub name: &'static str,
    pub about: &'static str,
    title: &'static str,
    effect: Effect,
    input: fn() -> Arc<JsonObject>,
    output: fn() -> Arc<JsonObject>,
    call: for<'a> fn(&'a Call, JsonObject) -> Running<'a>,
}

impl Entry {
    fn of<O: Operation>() -> Self {
        Entry {
            name: O::NAME,
            about: O::ABOUT,
            title: O::TITLE,
            effect: O::EFFECT,
            input: schema::input::<O::Input>,
            output: schema::output::<O::Output>,
            call: |call, arguments| Box::pin(run::<O>(call, arguments)),
        }
    }

    /// As the protocol lists it.
    pub fn listed(&self) -> Tool {
        let annotations = match self.effect {
            Effect::Reads => ToolAnnotations::new().read_only(true),
            Effect::Writes => ToolAnnotations::new().read_only(false).destructive(true),
        };
        Tool::new(self.name, self.about, (self.input)())
            .with_title(self.title)
            .with_raw_output_schema((self.output)())
            .with_annotations(annotations.open_world(false))
    }

    /// Runs it.
    pub async fn call(&self, call: &Call, arguments: JsonObject) -> Result<CallToolResponse> {
        (self.call)(call, arguments).await
    }
}

async fn run<O: Operation>(call: &Call, arguments: JsonObject) -> Result<CallToolResponse> {
    let bytes: usize = arguments.values().map(weight).sum();
    if bytes > ARGUMENTS {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the arguments hold {bytes} bytes, and {ARGUMENTS} are the most"),
        )
        .hint("send less: one statement, or one migration"));
    }
    let input = serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("the arguments of {}: {error}", O::NAME))
            .hint("give what the tool's input schema names")
    })?;
    match O::run(call, input).await? {
        Outcome::Ask(question) => Ok(question.into()),
        Outcome::Done(output) => {
            let mut value = serde_json::to_value(output).map_err(|error| {
                Error::new(ErrorKind::Internal, "the answer cannot be written").because(error)
            })?;
            text::tidy(&mut value);
            Ok(CallToolResult::structured(value).into())
        }
    }
}

/// About how many bytes a value holds.
fn weight(value: &Value) -> usize {
    let mut open = vec![value];
    let mut sum = 0;
    while let Some(next) = open.pop() {
        sum += 8;
        match next {
            Value::String(text) => sum += text.len(),
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                sum += fields.keys().map(String::len).sum::<usize>();
                open.extend(fields.values());
            }
            _ => {}
        }
    }
    sum
}
