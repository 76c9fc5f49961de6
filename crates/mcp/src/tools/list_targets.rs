use marula_core::{Engine, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::Access;

pub struct ListTargets;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    targets: Vec<Target>,
    next: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Target {
    /// What other tools take as target.
    alias: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<Engine>,
    /// read_only or read_write.
    access: String,
    /// Whether it is a throw-away lab.
    lab: bool,
    /// Whether log files are configured.
    log_files: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

impl Operation for ListTargets {
    const NAME: &'static str = "list_targets";
    const TITLE: &'static str = "List databases";
    const ABOUT: &'static str = "List the databases the user configured: aliases, engine \
        (PostgreSQL or MongoDB), whether read-only or writable, whether log files are known. Call \
        first when you do not know which database, server or connection is meant.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, _: Input) -> Result<Outcome<Output>> {
        let targets = call.state.host().targets().into_iter().map(|target| Target {
            alias: target.alias,
            engine: target.engine,
            access: match target.access {
                Access::ReadOnly => "read_only".into(),
                Access::ReadWrite => "read_write".into(),
            },
            lab: target.kind == marula_core::TargetKind::Lab,
            log_files: target.logs,
            trouble: target.trouble,
        });
        let targets: Vec<Target> = targets.collect();
        let next = match targets.first() {
            Some(first) if call.state.has("describe") => {
                vec![format!("describe with target '{}'", first.alias)]
            }
            Some(_) => Vec::new(),
            None => vec![
                "ask the user to name a database in marula.toml: [targets.shop] with url = \
                 \"env:SHOP_URL\""
                    .into(),
            ],
        };
        let summary = match targets.len() {
            1 => "1 target".into(),
            many => format!("{many} targets"),
        };
        Ok(Outcome::Done(Output { summary, targets, next }))
    }
}
