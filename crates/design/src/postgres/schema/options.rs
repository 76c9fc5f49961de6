use marula_core::{Result, Version};
use marula_postgres::Session;

use crate::synth::{Value, array};

/// What the schema may use of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaOptions {
    /// The server's version.
    pub version: Version,
    /// The extensions it offers.
    pub extensions: Vec<String>,
}

impl SchemaOptions {
    /// A server of that version with the extensions PostgreSQL brings along, and no others.
    pub fn new(version: Version) -> Self {
        let extensions = ["btree_gist", "pg_trgm"].map(str::to_owned).to_vec();
        SchemaOptions { version, extensions }
    }

    /// What a server says it offers.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn of(session: &Session) -> Result<Self> {
        let rows = session
            .client()
            .query("SELECT name::text FROM pg_available_extensions", &[])
            .await
            .map_err(|error| marula_postgres::from_server(&error))?;
        let extensions = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
        Ok(SchemaOptions { version: session.version(), extensions })
    }

    /// Whether places are kept as PostGIS's `geography`, rather than as points.
    pub(crate) fn has_geography(&self) -> bool {
        self.offers("postgis")
    }

    /// A value in the text form that its column takes.
    pub(crate) fn text(&self, value: &Value) -> Option<String> {
        match value {
            Value::Point(longitude, latitude) if self.has_geography() => {
                Some(format!("POINT({longitude} {latitude})"))
            }
            Value::List(values) => Some(array(values.iter().map(|value| self.text(value)))),
            other => other.to_text(),
        }
    }

    /// Whether the server offers an extension.
    pub(super) fn offers(&self, extension: &str) -> bool {
        self.extensions.iter().any(|offered| offered == extension)
    }
}
