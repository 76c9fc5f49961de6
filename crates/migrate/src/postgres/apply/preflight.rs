//! What would fail, found before anything runs.

use marula_core::{Engine, Error, ErrorKind, Result, Version};
use marula_postgres::from_server;

use super::{Ground, data, pieces, rights};
use crate::apply::{ApplyOptions, Due};

/// The oldest server the way of working was tried with.
const OLDEST: Version = Version::new(12, 0, 0);

/// Looks at the server, the rights, and how every part is cut.
pub(super) async fn check(ground: &Ground, due: &[Due<'_>], options: &ApplyOptions) -> Result<()> {
    if let Some(other) = due.iter().find(|due| due.migration.engine != Engine::Postgres) {
        let what = format!("{} is for MongoDB, and this is PostgreSQL", other.path().display());
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("name a target of that engine, or the folder of the other migrations: --dir"));
    }
    let version = ground.session.version();
    if version < OLDEST {
        let what = format!("the server is PostgreSQL {version}; migrations run on 12 and newer");
        return Err(Error::new(ErrorKind::Unsupported, what)
            .hint("upgrade the server, or run the files with psql"));
    }
    for due in due {
        pieces::cut(due)?;
    }
    let sql = "SELECT pg_catalog.pg_is_in_recovery(), \
        CASE WHEN pg_catalog.to_regclass('marula.migrations') IS NULL \
          THEN coalesce(pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('marula'), \
            'CREATE'), pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')) \
          ELSE pg_catalog.has_table_privilege(pg_catalog.to_regclass('marula.migrations'), \
            'INSERT, UPDATE') END, current_user::text";
    let row = ground.session.client().query_one(sql, &[]).await;
    let row = row.map_err(|error| from_server(&error))?;
    if row.get(0) {
        return Err(Error::new(ErrorKind::Refused, "this server is a standby: it only reads")
            .hint("name the primary, or several hosts with target_session_attrs=primary"));
    }
    if !row.get::<_, bool>(1) {
        let user: &str = row.get(2);
        return Err(Error::new(
            ErrorKind::Denied,
            format!("{user} may not write the history (schema marula, table migrations)"),
        )
        .hint(format!(
            "GRANT CREATE ON DATABASE … TO {user}, or have the owner of marula.migrations run it"
        )));
    }
    rights::check(ground, due).await?;
    if options.check_data {
        data::check(ground, due).await?;
    }
    Ok(())
}
