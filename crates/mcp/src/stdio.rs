use std::sync::Arc;

use marula_core::{Error, ErrorKind, Result};
use rmcp::ServiceExt;

use crate::{Server, State};

/// Serves the one client on stdin and stdout, until it closes them.
///
/// # Errors
/// `Usage` when who is there does not speak the protocol.
pub async fn serve(state: Arc<State>) -> Result<()> {
    let running = Server::new(state).serve(rmcp::transport::stdio()).await.map_err(|error| {
        Error::new(
            ErrorKind::Usage,
            "the client on stdin does not speak the Model Context Protocol",
        )
        .because(error)
        .hint("start it from an agent, with command \"marula\" and arguments [\"mcp\"]")
    })?;
    running.waiting().await.map(|_| ()).map_err(|error| {
        Error::new(ErrorKind::Internal, "the server ended on its own").because(error)
    })
}
