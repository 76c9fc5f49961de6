//! Who holds what a statement waits for.

use super::{Ground, rights};
use marula_postgres::sql::ParsedStatement;

/// So many who hold a lock are named.
const NAMED: i64 = 3;
/// So many characters of a statement are shown.
const SHOWN: usize = 80;

/// Who holds locks on what a statement names, the oldest transaction first; nothing when nobody
/// does any more, or it cannot be seen.
pub(super) async fn of(ground: &Ground, statement: &ParsedStatement) -> Vec<String> {
    let mut names: Vec<String> = statement
        .relations()
        .iter()
        .map(|relation| match &relation.schema {
            Some(schema) => marula_postgres::sql::quote_qualified(schema, &relation.name),
            None => marula_postgres::sql::quote_ident(&relation.name),
        })
        .collect();
    names.extend(rights::changed(statement));
    let sql = format!(
        "SELECT a.pid, coalesce(a.usename, '')::text, a.application_name, coalesce(a.state, ''), \
         coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8, \
         a.query, min(l.relation::pg_catalog.regclass::text), a.backend_type \
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid() \
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = \
         pg_catalog.current_database()) AND l.relation IN (SELECT pg_catalog.to_regclass(name) \
         FROM pg_catalog.unnest($1::text[]) AS named (name)) \
         GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start, a.query, \
         a.backend_type ORDER BY a.xact_start NULLS LAST LIMIT {NAMED}"
    );
    let Ok(rows) = ground.session.client().query(&sql, &[&names]).await else { return Vec::new() };
    let one = |row: &tokio_postgres::Row| {
        let (pid, user): (i32, String) = (row.get(0), row.get(1));
        let (name, state): (String, String) = (row.get(2), row.get(3));
        let (age, query): (f64, String) = (row.get(4), row.get(5));
        let (relation, kind): (String, Option<String>) = (row.get(6), row.get(7));
        let mut who = vec![format!("pid {pid}")];
        match kind.as_deref() {
            Some("client backend") | None => {
                who.extend([user, name].into_iter().filter(|w| !w.is_empty()))
            }
            Some(kind) => who.push(kind.to_string()),
        }
        let state = if state.is_empty() { String::new() } else { format!("{state}, ") };
        let query = crate::secrets::shown(marula_core::Engine::Postgres, &query);
        let mut query: String = query.split_whitespace().collect::<Vec<_>>().join(" ");
        if query.chars().count() > SHOWN {
            query = query.chars().take(SHOWN).chain(['…']).collect();
        }
        format!(
            "{relation} is held by {} ({state}transaction open for {age:.1} s): {query}",
            who.join(", ")
        )
    };
    rows.iter().map(one).collect()
}
