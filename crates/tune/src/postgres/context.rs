use marula_core::{Plan, RelationalCatalog};

/// What the rules of PostgreSQL look at.
#[derive(Debug)]
pub struct Context {
    /// The plan, with actual numbers when the statement ran.
    pub plan: Plan,
    /// The relations the statement touches; `None` for a saved plan without a server.
    pub catalog: Option<RelationalCatalog>,
}
