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
    writable(ground).await?;
    rights::check(ground, due).await?;
    if options.check_data {
        data::check(ground, due).await?;
    }
    Ok(())
}

/// Refuses a database that somebody set to read only: that is a guard, and not ours to lift.
async fn writable(ground: &Ground) -> Result<()> {
    // What the session began with, before it was made to write.
    let sql = "SELECT s.reset_val, pg_catalog.current_database()::text, EXISTS (SELECT FROM \
        pg_catalog.pg_db_role_setting r JOIN pg_catalog.pg_database d ON d.oid = r.setdatabase \
        WHERE d.datname = pg_catalog.current_database() AND r.setrole = 0 AND \
        'default_transaction_read_only=on' = ANY (r.setconfig)) \
        FROM pg_catalog.pg_settings s WHERE s.name = 'default_transaction_read_only'";
    let row = ground.session.client().query_one(sql, &[]).await;
    let row = row.map_err(|error| from_server(&error))?;
    if row.get::<_, &str>(0) != "on" {
        return Ok(());
    }
    let name: &str = row.get(1);
    let what = format!("{name} is set to read only (default_transaction_read_only); nothing ran");
    let error = Error::new(ErrorKind::Refused, what);
    let quoted = marula_postgres::sql::quote_ident(name);
    let error = match row.get(2) {
        true => error.hint(format!(
            "when it may be written again: ALTER DATABASE {quoted} RESET default_transaction_read_only"
        )),
        false => error.hint("the server's configuration, the role or PGOPTIONS says so"),
    };
    Err(error.hint(
        "to write for this once: PGOPTIONS='-c default_transaction_read_only=off' marula migrate apply …",
    ))
}
