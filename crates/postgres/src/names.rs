use marula_core::{Error, nearest};

use crate::Session;

/// Adds the nearest names to an error about a relation, column or function that does not exist.
pub(crate) async fn suggest(session: &Session, error: Error) -> Error {
    let sql = match error.server_code() {
        Some("42P01") => {
            "SELECT CASE WHEN n.nspname = ANY (pg_catalog.current_schemas(false))
                    THEN c.relname::text ELSE n.nspname || '.' || c.relname END
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%'
               AND n.nspname <> 'information_schema'
               AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') LIMIT 20000"
        }
        Some("42703") => {
            "SELECT DISTINCT a.attname::text
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
               AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
               AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') LIMIT 50000"
        }
        _ => return error,
    };
    let Some(wanted) = wanted(error.message()) else { return error };
    let Ok(rows) = session.client().query(sql, &[]).await else { return error };
    let known: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    let bare = wanted.rsplit('.').next().unwrap_or(&wanted);
    let mut near = nearest(&wanted, known.iter().map(String::as_str));
    if near.is_empty() {
        near = known
            .iter()
            .map(String::as_str)
            .filter(|k| k.rsplit('.').next() == Some(bare))
            .take(3)
            .collect();
    }
    if near.is_empty() && bare != wanted {
        near = nearest(bare, known.iter().map(String::as_str));
    }
    match near.as_slice() {
        [] => error,
        names => error.hint(format!("did you mean {}?", names.join(", "))),
    }
}

/// The name in `relation "ordres" does not exist` or `column o.totl does not exist`.
fn wanted(message: &str) -> Option<String> {
    let rest = message.strip_prefix("relation ").or_else(|| message.strip_prefix("column "))?;
    let name = rest.split(" does not exist").next()?.split(" of relation").next()?;
    Some(
        name.trim_matches('"')
            .rsplit_once('.')
            .filter(|_| message.starts_with("column"))
            .map_or_else(
                || name.trim_matches('"').to_string(),
                |(_, column)| column.trim_matches('"').to_string(),
            ),
    )
}
