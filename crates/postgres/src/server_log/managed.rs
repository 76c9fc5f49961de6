use marula_core::{Error, ErrorKind, Result};

use crate::{Session, from_server};

/// A service that keeps the log from SQL: a role that only it has, its name, how to get the log.
const SERVICES: [(&str, &str, &str); 4] = [
    (
        "rds_superuser",
        "Amazon RDS",
        "download it and read the file: aws rds download-db-log-file-portion \
         --db-instance-identifier NAME --log-file-name error/postgresql.log.… --output text > pg.log",
    ),
    (
        "cloudsqlsuperuser",
        "Google Cloud SQL",
        "download it and read the file: gcloud logging read \
         'resource.type=cloudsql_database AND logName:postgres.log' --format json > pg.json",
    ),
    (
        "azure_pg_admin",
        "Azure Database for PostgreSQL",
        "turn the server logs on and read what is downloaded: az postgres flexible-server \
         server-logs download",
    ),
    (
        "alloydbsuperuser",
        "Google AlloyDB",
        "download it and read the file: gcloud logging read \
         'resource.type=\"alloydb.googleapis.com/Instance\"' --format json > pg.json",
    ),
];

/// Refuses services whose log SQL cannot reach, by name.
pub(super) async fn check(session: &Session) -> Result<()> {
    let names: Vec<&str> = SERVICES.iter().map(|(role, ..)| *role).collect();
    let asked = "/* marula reads the log */ SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)";
    let found = session
        .client()
        .query_opt(&format!("{asked} LIMIT 1"), &[&names])
        .await
        .map_err(|error| from_server(&error))?;
    let Some(found) = found else { return Ok(()) };
    let role: String = found.get(0);
    match SERVICES.iter().find(|(known, ..)| *known == role) {
        Some((_, service, how)) => Err(Error::new(
            ErrorKind::Refused,
            format!("{service} does not let its log be read through SQL"),
        )
        .hint(*how)
        .hint("its counters can be read: --source statements")),
        None => Ok(()),
    }
}
