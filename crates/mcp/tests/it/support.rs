use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use marula_core::{Engine, Error, ErrorKind, Result, TargetKind};
use marula_mcp::{Access, Found, Host, Limits, Listed, Server, State};
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ElicitRequestParams,
    ElicitResult, ElicitationAction, Implementation, ProgressNotificationParam, ProtocolVersion,
};
use rmcp::service::{NotificationContext, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, ErrorData, RoleClient, ServiceExt,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::json_schema;

/// The user's configuration, by hand.
#[derive(Clone, Default)]
pub struct Targets(pub BTreeMap<String, Found>);

impl Targets {
    pub fn with(mut self, alias: &str, engine: Engine, url: &str, access: Access) -> Self {
        let found = Found {
            alias: alias.into(),
            kind: TargetKind::Server,
            engine,
            access,
            connection: SecretString::from(url),
            logs: Vec::new(),
        };
        self.0.insert(alias.into(), found);
        self
    }

    pub fn logs(mut self, alias: &str, logs: PathBuf) -> Self {
        self.0.get_mut(alias).unwrap().logs.push(logs);
        self
    }

    pub fn state(self) -> Arc<State> {
        State::new(self, None, Limits::default()).unwrap()
    }
}

impl Host for Targets {
    fn targets(&self) -> Vec<Listed> {
        let all = self.0.values().map(|found| Listed {
            alias: found.alias.clone(),
            engine: Some(found.engine),
            kind: found.kind,
            access: found.access,
            logs: !found.logs.is_empty(),
            trouble: None,
        });
        all.collect()
    }

    fn find(&self, alias: &str) -> Result<Found> {
        let found = self.0.get(alias).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such target"))
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(20)
    }

    fn goal_ms(&self) -> Option<f64> {
        None
    }
}

/// Two databases with a shop in each, read-only (`pg`, `mongo`) and writable (`pgw`, `mongow`).
pub struct World {
    pub state: Arc<State>,
    pub targets: Targets,
    pub postgres: marula_postgres::Session,
    pub mongodb: marula_mongodb::Session,
}

/// What reaches a PostgreSQL database.
pub fn conninfo(spec: &marula_postgres::ConnectSpec) -> String {
    let (host, port) = spec.hosts()[0];
    format!("host={host} port={port} user={} dbname={}", spec.user(), spec.database())
}

pub async fn world() -> World {
    world_with(crate::postgres::SHOP).await
}

/// With more in the PostgreSQL database.
pub async fn world_with(script: &str) -> World {
    let (owner, _) = crate::postgres::database(15, script).await;
    let place = crate::mongodb::place((6, 0)).await;
    let server = marula_lab::shared::mongodb(6, 0).await.unwrap();
    let postgres = conninfo(owner.spec());
    let mongodb = server.url_of(place.spec.database().unwrap());
    let targets = Targets::default()
        .with("pg", Engine::Postgres, &postgres, Access::ReadOnly)
        .with("pgw", Engine::Postgres, &postgres, Access::ReadWrite)
        .with("mongo", Engine::Mongodb, &mongodb, Access::ReadOnly)
        .with("mongow", Engine::Mongodb, &mongodb, Access::ReadWrite);
    World { state: targets.clone().state(), targets, postgres: owner, mongodb: place.lab }
}

/// What the human in front of the client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Yes,
    No,
    /// Accepts the dialogue without ticking its box.
    Nothing,
    /// The client cannot ask.
    NoChannel,
}

/// A client, and the human in front of it.
#[derive(Clone)]
pub struct Human {
    says: Says,
    current: bool,
    pub asked: Arc<Mutex<Vec<String>>>,
    pub told: Arc<Mutex<Vec<(f64, String)>>>,
}

impl Human {
    pub fn who_says(says: Says) -> Self {
        Human { says, current: true, asked: Arc::default(), told: Arc::default() }
    }
}

impl ClientHandler for Human {
    fn get_info(&self) -> ClientConfig {
        let capabilities = match self.says {
            Says::NoChannel => ClientCapabilities::default(),
            _ => ClientCapabilities::builder().enable_elicitation().build(),
        };
        let config = ClientConfig::new(capabilities, Implementation::new("tests", "1"));
        let version = match self.current {
            true => ProtocolVersion::V_2026_07_28,
            false => ProtocolVersion::V_2025_06_18,
        };
        config.with_protocol_version(version)
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, .. } = request else {
            panic!("a form was expected");
        };
        self.asked.lock().unwrap().push(message);
        Ok(match self.says {
            Says::Yes => ElicitResult::new(ElicitationAction::Accept)
                .with_content(serde_json::json!({ "apply": true })),
            Says::Nothing => ElicitResult::new(ElicitationAction::Accept)
                .with_content(serde_json::json!({ "apply": false })),
            _ => ElicitResult::new(ElicitationAction::Decline),
        })
    }

    async fn on_progress(
        &self,
        said: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let message = said.message.unwrap_or_default();
        self.told.lock().unwrap().push((said.progress, message));
    }
}

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Lines, as over stdin and stdout.
    Lines,
    /// Streamable HTTP.
    Http,
}

/// Both transports, each with the current protocol and with the one before.
pub const DOORS: [(Door, bool); 4] =
    [(Door::Lines, true), (Door::Lines, false), (Door::Http, true), (Door::Http, false)];

/// A connected client.
pub struct Client {
    pub service: RunningService<RoleClient, Human>,
    pub human: Human,
    schemas: BTreeMap<String, Value>,
}

pub async fn connect(state: &Arc<State>, says: Says) -> Client {
    through(state, says, (Door::Lines, true)).await
}

pub async fn through(state: &Arc<State>, says: Says, (door, current): (Door, bool)) -> Client {
    let human = Human { current, ..Human::who_says(says) };
    let lifecycle = match current {
        true => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
        false => ClientLifecycleMode::Initialize,
    };
    let service = match door {
        Door::Lines => {
            let (near, far) = tokio::io::duplex(1 << 16);
            let server = Server::new(Arc::clone(state));
            tokio::spawn(async move {
                let running = server.serve(far).await.unwrap();
                let _ = running.waiting().await;
            });
            human.clone().serve_with_lifecycle(near, lifecycle).await.unwrap()
        }
        Door::Http => {
            let (url, token) = listen(state).await;
            let config = StreamableHttpClientTransportConfig::with_uri(url)
                .auth_header(token.expose_secret().to_string());
            let transport = StreamableHttpClientTransport::from_config(config);
            human.clone().serve_with_lifecycle(transport, lifecycle).await.unwrap()
        }
    };
    let tools = service.list_all_tools().await.unwrap();
    let schemas = tools.into_iter().map(|tool| {
        let schema = Value::Object(tool.output_schema.unwrap().as_ref().clone());
        (tool.name.to_string(), schema)
    });
    let schemas = schemas.collect();
    Client { service, human, schemas }
}

/// Serves HTTP in the background.
pub async fn listen(state: &Arc<State>) -> (String, SecretString) {
    let token = marula_mcp::token();
    let address = "127.0.0.1:0".parse().unwrap();
    let bound = marula_mcp::bind(Arc::clone(state), address, &token).await.unwrap();
    let url = bound.url();
    tokio::spawn(bound.serve());
    (url, token)
}

pub fn params(name: &str, arguments: Value) -> CallToolRequestParams {
    CallToolRequestParams::new(name.to_string())
        .with_arguments(arguments.as_object().unwrap().clone())
}

impl Client {
    /// Calls a tool; what it answers is what its schema says, as data and as text.
    pub async fn call(&self, name: &str, arguments: Value) -> Result<Value, Value> {
        let result = self.service.call_tool(params(name, arguments)).await.unwrap();
        self.checked(name, result)
    }

    pub fn checked(&self, name: &str, result: CallToolResult) -> Result<Value, Value> {
        let text = &result.content[0].as_text().unwrap().text;
        let value: Value = serde_json::from_str(text).unwrap();
        if result.is_error == Some(true) {
            let error = &value["error"];
            for key in ["code", "message", "hint"] {
                assert!(
                    error[key].as_str().is_some_and(|text| !text.is_empty()),
                    "{name}: {value}"
                );
            }
            assert!(result.structured_content.is_none());
            return Err(error.clone());
        }
        assert_eq!(result.structured_content.as_ref(), Some(&value), "{name}");
        let schema = &self.schemas[name];
        if let Err(why) = json_schema::check(schema, schema, &value, name) {
            panic!("{name}: {why}");
        }
        assert!(value["summary"].is_string() && value["next"].is_array(), "{name}");
        Ok(value)
    }
}
