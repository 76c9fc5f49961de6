use marula_core::{Result, Version};
use marula_mongodb::Session;

/// What the schema may use of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaOptions {
    /// The server's version.
    pub version: Version,
}

impl SchemaOptions {
    /// A server of that version.
    pub fn new(version: Version) -> Self {
        SchemaOptions { version }
    }

    /// What a server offers: the same names in both halves, though this one need not ask.
    ///
    /// # Errors
    /// None so far.
    pub async fn of(session: &Session) -> Result<Self> {
        Ok(SchemaOptions { version: session.version() })
    }
}
