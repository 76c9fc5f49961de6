//! Rows that refer to nothing, counted before a foreign key is written.

use marula_core::Result;
use marula_postgres::sql::quote_ident;
use marula_postgres::{Session, from_server};

use super::quoted;

/// How many rows of `table` refer by `columns` to none of `references` by `key`, and a query that
/// shows them; `None` where that takes too long to tell or cannot be compared.
///
/// # Errors
/// What the server says when it is not there any more.
pub async fn orphans(
    session: &Session,
    table: &str,
    columns: &[String],
    references: &str,
    key: &[String],
) -> Result<Option<(i64, String)>> {
    let pairs: Vec<String> = columns
        .iter()
        .zip(key)
        .map(|(own, key)| format!("other.{} = own.{}", quote_ident(key), quote_ident(own)))
        .collect();
    let filled: Vec<String> =
        columns.iter().map(|own| format!("own.{} IS NOT NULL", quote_ident(own))).collect();
    let found = format!(
        "FROM {} own WHERE {} AND NOT EXISTS (SELECT FROM {} other WHERE {})",
        quoted(table),
        filled.join(" AND "),
        quoted(references),
        pairs.join(" AND ")
    );
    let client = session.client();
    let begin = "BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'";
    client.batch_execute(begin).await.map_err(|error| from_server(&error))?;
    let count = client.query_one(&format!("SELECT count(*) {found}"), &[]).await;
    client.batch_execute("ROLLBACK").await.map_err(|error| from_server(&error))?;
    Ok(count.ok().map(|row| (row.get(0), format!("SELECT own.* {found}"))))
}
