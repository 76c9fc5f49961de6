use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use marula_core::{Error, ErrorKind};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, GetPromptRequestParams, GetPromptResponse,
    Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::progress::Reporter;
use crate::tools::Call;
use crate::{State, failure, instructions, prompts, resources};

/// The server as one client sees it. Cheap to clone: all share one [`State`].
#[derive(Clone)]
pub struct Server {
    state: Arc<State>,
}

impl Server {
    /// A server over what all share.
    pub fn new(state: Arc<State>) -> Self {
        Server { state }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(
                Implementation::new("marula", env!("CARGO_PKG_VERSION")).with_title("marula"),
            )
            .with_instructions(instructions::of(&self.state))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.state.tools().iter().map(|tool| tool.listed());
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.state.tools().iter().find(|tool| tool.name == name).map(|tool| tool.listed())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = self.state.tools().iter().find(|tool| tool.name == request.name) else {
            let names: Vec<&str> = self.state.tools().iter().map(|tool| tool.name).collect();
            return Err(ErrorData::invalid_params(
                format!("there is no such tool; the tools are {}", names.join(", ")),
                None,
            ));
        };
        let call = Call {
            state: Arc::clone(&self.state),
            progress: Reporter::new(&context),
            answers: request.input_responses,
            handed_back: request.request_state,
            context,
        };
        let work = AssertUnwindSafe(tool.call(&call, request.arguments.unwrap_or_default()));
        let result = tokio::select! {
            // Dropping the work ends it: its lab is removed, and its statement is stopped.
            () = call.context.ct.cancelled() => {
                Err(Error::new(ErrorKind::Interrupted, "the call was cancelled"))
            }
            done = work.catch_unwind() => done.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Internal, format!("{} failed", tool.name)))
            }),
        };
        call.progress.finish().await;
        Ok(result.unwrap_or_else(|error| failure::answer(&error).into()))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(resources::list(&self.state)))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match resources::read(&self.state, &request.uri).await {
            Ok(result) => Ok(ReadResourceResponse::Complete(result)),
            Err(error) => {
                let data = Some(failure::told(&error));
                let message = error.message().to_string();
                Err(match error.kind() {
                    ErrorKind::NotFound => ErrorData::resource_not_found(message, data),
                    ErrorKind::Usage | ErrorKind::Refused => {
                        ErrorData::invalid_params(message, data)
                    }
                    _ => ErrorData::internal_error(message, data),
                })
            }
        }
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::list()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        match prompts::get(&request.name, &arguments) {
            Ok(prompt) => Ok(GetPromptResponse::Complete(prompt)),
            Err(error) => Err(ErrorData::invalid_params(
                error.message().to_string(),
                Some(failure::told(&error)),
            )),
        }
    }
}
