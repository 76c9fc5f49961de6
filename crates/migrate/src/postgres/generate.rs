//! New migrations in their safe form: the plain statement is written, and mended as `--fix` would.

use std::path::Path;

use marula_core::{Engine, Result, Version};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::fix;
use super::schema::Schema;
use crate::migration::Tool;

/// An index on `columns` of `table`.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn add_index(
    table: &str,
    columns: &[String],
    unique: bool,
    version: Version,
) -> Result<String> {
    let (schema, bare) = table.split_once('.').unwrap_or(("", table));
    let names: Vec<String> = columns.iter().map(|column| quote_ident(column)).collect();
    let suffix = if unique { "key" } else { "idx" };
    let mut name = format!("{bare}_{}_{suffix}", columns.join("_"));
    while name.len() > 63 {
        name.pop();
    }
    let name = quote_ident(&name);
    let placed =
        if schema.is_empty() { name.clone() } else { format!("{}.{name}", quote_ident(schema)) };
    let word = if unique { "UNIQUE INDEX" } else { "INDEX" };
    safe(
        &format!("CREATE {word} {name} ON {} ({})", quoted(table), names.join(", ")),
        &format!("DROP INDEX CONCURRENTLY {placed}"),
        version,
    )
}

/// A column with a type and perhaps a default, which is an expression or a text.
///
/// # Errors
/// `Syntax` when the type or the default makes no SQL.
pub fn add_field(
    table: &str,
    column: &str,
    data_type: &str,
    default: Option<&str>,
    version: Version,
) -> Result<String> {
    let (table, column) = (quoted(table), quote_ident(column));
    let default = default.map(|value| format!(" DEFAULT {}", expression(value)));
    safe(
        &format!(
            "ALTER TABLE {table} ADD COLUMN {column} {data_type}{}",
            default.unwrap_or_default()
        ),
        &format!("ALTER TABLE {table} DROP COLUMN {column}"),
        version,
    )
}

/// NOT NULL on a column that is there.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn not_null(table: &str, column: &str, version: Version) -> Result<String> {
    let (table, column) = (quoted(table), quote_ident(column));
    safe(
        &format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL"),
        &format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"),
        version,
    )
}

fn quoted(table: &str) -> String {
    table.split('.').map(quote_ident).collect::<Vec<_>>().join(".")
}

/// A number, a constant or a call as it is; anything else as a text.
fn expression(value: &str) -> String {
    let plain = value.parse::<f64>().is_ok()
        || ["true", "false", "null", "current_date", "current_timestamp"]
            .contains(&value.to_ascii_lowercase().as_str())
        || (value.ends_with(')') && value.contains('('))
        || value.starts_with('\'');
    if plain { value.to_string() } else { quote_literal(value) }
}

fn safe(up: &str, down: &str, version: Version) -> Result<String> {
    let outside = if down.contains("CONCURRENTLY") { " transaction:false" } else { "" };
    let text = format!(
        "-- migrate:up lock_timeout:2s\n{up};\n\n-- migrate:down lock_timeout:2s{outside}\n{down};\n"
    );
    let path = Path::new("20260101000000_new.sql");
    let migration = crate::files::parse(path, &text, Tool::Marula, Engine::Postgres)?;
    let fixed = fix::fix(&migration, &Schema::default(), version)?;
    let text = fixed.map_or(text, |fixed| fixed.text);
    // A build that waits for old transactions must not be cancelled for waiting.
    Ok(if text.contains("INDEX CONCURRENTLY") {
        text.replace(" lock_timeout:2s", "")
    } else {
        text
    })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    const V15: Version = Version::new(15, 0, 0);

    fn made(text: Result<String>) -> String {
        text.unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_is_generated_is_the_safe_form() {
        let columns = ["user_id".to_string(), "created_at".to_string()];
        assert_eq!(
            made(add_index("orders", &columns, false, V15)),
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY \
             orders_user_id_created_at_idx ON orders (user_id, created_at);\n\n-- migrate:down \
             transaction:false\nDROP INDEX CONCURRENTLY orders_user_id_created_at_idx;\n"
        );
        let field = made(add_field("users", "status", "text", Some("active"), V15));
        assert!(field.contains("ADD COLUMN status text DEFAULT 'active';"), "{field}");
        let token = made(add_field("users", "token", "uuid", Some("gen_random_uuid()"), V15));
        assert!(token.contains("SET DEFAULT") && token.contains("EXIT WHEN NOT FOUND"), "{token}");
        let filled = made(not_null("users", "email", V15));
        assert!(
            filled.contains("VALIDATE CONSTRAINT") && filled.contains("DROP NOT NULL"),
            "{filled}"
        );
        assert!(add_field("users", "a", "no type at all", None, V15).is_err());
    }
}
