//! What is done to a whole database of the bench.

use marula_core::Result;
use marula_postgres::Session;

use super::execute;
use crate::clone::postgres::{failed, quote};

/// Gives the session the source's settings; one the lab does not know stays as it is.
pub(super) async fn set_all(session: &Session, settings: &[(String, String)]) -> Result<()> {
    const SET: &str = "SELECT set_config($1, $2, false)";
    for (name, value) in settings {
        if let Err(error) = session.client().query(SET, &[name, value]).await
            && error.as_db_error().is_none()
        {
            return Err(failed(error));
        }
    }
    Ok(())
}

/// Drops a database of the bench, whoever is still connected to it.
pub(super) async fn drop_database(admin: &Session, name: &str) -> Result<()> {
    let force = if admin.version().major >= 13 { " WITH (FORCE)" } else { "" };
    execute(admin, &format!("DROP DATABASE IF EXISTS {}{force}", quote(name))).await
}
