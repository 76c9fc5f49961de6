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
    let (schema, _) = table.split_once('.').unwrap_or(("", table));
    let name = index_name(table, columns, unique);
    let placed =
        if schema.is_empty() { name.clone() } else { format!("{}.{name}", quote_ident(schema)) };
    let word = if unique { "UNIQUE INDEX" } else { "INDEX" };
    safe(
        &format!("CREATE {word} {name} ON {} ({})", quoted(table), keys(columns)),
        &format!("DROP INDEX CONCURRENTLY {placed}"),
        version,
    )
}

/// An index on a partitioned table: none of all is built CONCURRENTLY, so each partition's is, and
/// is attached.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn add_index_in_parts(
    table: &str,
    partitions: &[String],
    columns: &[String],
    unique: bool,
) -> Result<String> {
    let (schema, _) = table.split_once('.').unwrap_or(("", table));
    let (whole, keys) = (index_name(table, columns, unique), keys(columns));
    let word = if unique { "UNIQUE INDEX" } else { "INDEX" };
    let within = |schema: &str, name: &str| match schema {
        "" => name.to_owned(),
        schema => format!("{}.{name}", quote_ident(schema)),
    };
    let placed = within(schema, &whole);
    let mut text = format!(
        "-- On the parent alone first, which reads no rows; it is valid when all parts are attached.\n-- \
         migrate:up transaction:false\nCREATE {word} {whole} ON ONLY {} ({keys});\n",
        quoted(table)
    );
    for partition in partitions {
        let (schema, _) = partition.split_once('.').unwrap_or(("", partition));
        let own = index_name(partition, columns, unique);
        text.push_str(&format!(
            "CREATE {word} CONCURRENTLY {own} ON {} ({keys});\nALTER INDEX {placed} ATTACH PARTITION \
             {};\n",
            quoted(partition),
            within(schema, &own)
        ));
    }
    text.push_str(&format!("\n-- migrate:down lock_timeout:2s\nDROP INDEX {placed};\n"));
    parsed(&text)?;
    Ok(text)
}

/// A name for an index, quoted.
fn index_name(table: &str, columns: &[String], unique: bool) -> String {
    let bare = table.rsplit('.').next().unwrap_or(table);
    let suffix = if unique { "key" } else { "idx" };
    let words = columns.join("_");
    let words: Vec<&str> =
        words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let mut name = format!("{bare}_{}_{suffix}", words.join("_"));
    while name.len() > 63 {
        name.pop();
    }
    quote_ident(&name)
}

/// The keys of an index: columns, and what is no name but an expression or says an order.
fn keys(columns: &[String]) -> String {
    let is_written = |key: &str| {
        let last = key.rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
        key.contains('(')
            || key.contains(' ') && ["asc", "desc", "first", "last"].contains(&last.as_str())
    };
    let key = |key: &String| if is_written(key) { key.clone() } else { quote_ident(key) };
    columns.iter().map(key).collect::<Vec<_>>().join(", ")
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

/// A column, a table or an index goes. `back` makes it again, where that is known.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn drop(what: Dropped<'_>, back: Option<&str>, version: Version) -> Result<String> {
    let (up, why) = match what {
        Dropped::Table(table) => (
            format!("DROP TABLE {}", quoted(table)),
            format!("table {table} and its rows are gone"),
        ),
        Dropped::Column(table, column) => (
            format!("ALTER TABLE {} DROP COLUMN {}", quoted(table), quote_ident(column)),
            format!("the values of {table}.{column} are gone"),
        ),
        Dropped::Index(index) => (
            format!("DROP INDEX {}", quoted(index)),
            format!("the definition of index {index} is not known without --target"),
        ),
        Dropped::Constraint(table, name) => (
            format!("ALTER TABLE {} DROP CONSTRAINT {}", quoted(table), quote_ident(name)),
            format!("the definition of constraint {name} is not known without --target"),
        ),
    };
    match back {
        Some(back) => safe(&up, back, version),
        None => one_way(&up, &why, version),
    }
}

/// What is to be dropped.
#[derive(Debug, Clone, Copy)]
pub enum Dropped<'a> {
    /// A table.
    Table(&'a str),
    /// A table's column.
    Column(&'a str, &'a str),
    /// An index.
    Index(&'a str),
    /// A table's constraint.
    Constraint(&'a str, &'a str),
}

/// A constraint of any kind, as ADD CONSTRAINT takes it: `CHECK (price > 0)`.
///
/// # Errors
/// `Syntax` when the definition makes no SQL.
pub fn add_constraint(
    table: &str,
    name: &str,
    definition: &str,
    version: Version,
) -> Result<String> {
    let (table, name) = (quoted(table), quote_ident(name));
    safe(
        &format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"),
        &format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        version,
    )
}

/// A foreign key from `columns` to another table's key.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn add_foreign_key(
    table: &str,
    columns: &[String],
    references: &str,
    referenced: &[String],
    on_delete: Option<&str>,
    version: Version,
) -> Result<String> {
    let list = |names: &[String]| {
        names.iter().map(|name| quote_ident(name)).collect::<Vec<_>>().join(", ")
    };
    let bare = table.rsplit('.').next().unwrap_or(table);
    let mut name = format!("{bare}_{}_fkey", columns.join("_"));
    while name.len() > 63 {
        name.pop();
    }
    let to = match referenced {
        [] => quoted(references),
        columns => format!("{} ({})", quoted(references), list(columns)),
    };
    let action = on_delete.map(|action| format!(" ON DELETE {action}")).unwrap_or_default();
    let definition = format!("FOREIGN KEY ({}) REFERENCES {to}{action}", list(columns));
    add_constraint(table, &name, &definition, version)
}

/// Another name for a table: at once, with a view under the old name so that statements that use
/// it go on working.
///
/// # Errors
/// `Syntax` when a name makes no SQL.
pub fn rename_table(table: &str, new: &str, version: Version) -> Result<[String; 2]> {
    let (schema, _) = table.rsplit_once('.').unwrap_or(("", table));
    let placed = if schema.is_empty() {
        quote_ident(new)
    } else {
        format!("{}.{}", quote_ident(schema), quote_ident(new))
    };
    let old = quoted(table);
    let bare = quote_ident(table.rsplit('.').next().unwrap_or(table));
    // Whoever reads through the view has the rights, and sees the rows, he would of the table.
    let (invoker, owner) = match version.major {
        15.. => (" WITH (security_invoker = true)", ""),
        _ => (
            "",
            "-- Through the view everybody sees what its owner sees: row-level security does not \
             hold there before\n-- PostgreSQL 15.\n",
        ),
    };
    let view = format!("CREATE VIEW {old}{invoker} AS SELECT * FROM {placed}");
    let rights = format!(
        "DO $rights$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT acl.privilege_type || coalesce(' (' || quote_ident(attname) || ')', '') AS what,
           CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END AS who,
           CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS how
      FROM (SELECT relacl AS rights, NULL AS attname, relowner FROM pg_class
             WHERE oid = '{table}'::regclass
            UNION ALL
            SELECT attacl, attname, 0 FROM pg_attribute
             WHERE attrelid = '{table}'::regclass AND NOT attisdropped) AS own,
           LATERAL aclexplode(own.rights) AS acl
     WHERE acl.grantee <> own.relowner
       AND acl.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES', 'TRIGGER')
  LOOP
    EXECUTE format('GRANT %s ON {view_name} TO %s%s', one.what, one.who, one.how);
  END LOOP;
END
$rights$",
        table = placed.replace('\'', "''"),
        view_name = old.replace('\'', "''").replace('%', "%%"),
    );
    let new = quote_ident(new);
    let first = format!(
        "-- The table has its new name, and a view the old one, with the table's rights: both can be \
         read and written.\n{owner}-- migrate:up lock_timeout:2s\nALTER TABLE {old} RENAME TO \
         {new};\n{view};\n{rights};\n\n-- migrate:down lock_timeout:2s\nDROP VIEW {old};\nALTER TABLE \
         {placed} RENAME TO {bare};\n",
    );
    let second = format!(
        "-- The old name goes. No statement may use it any more: it runs when it is named (apply \
         --to).\n-- migrate:up lock_timeout:2s hold:true\nDROP VIEW {old};\n\n-- migrate:down \
         lock_timeout:2s\n{view};\n{rights};\n"
    );
    for text in [&first, &second] {
        parsed(text)?;
    }
    Ok([first, second])
}

/// Rows brought up to date in batches.
///
/// # Errors
/// `Syntax` when an expression makes no SQL.
pub fn backfill(
    table: &str,
    assignments: &[String],
    condition: Option<&str>,
    batch: u64,
) -> Result<String> {
    let set: Vec<String> = assignments
        .iter()
        .map(|one| match one.split_once('=') {
            Some((column, value)) => format!("{} = {}", quote_ident(column.trim()), value.trim()),
            None => one.clone(),
        })
        .collect();
    let columns: Vec<String> = assignments
        .iter()
        .filter_map(|one| one.split_once('='))
        .map(|(column, _)| quote_ident(column.trim()))
        .collect();
    let values: Vec<&str> =
        assignments.iter().filter_map(|one| one.split_once('=')).map(|(_, v)| v.trim()).collect();
    // Without a condition of its own, a row that has its value is left alone.
    let condition = condition.map_or_else(
        || format!("({}) IS DISTINCT FROM ({})", columns.join(", "), values.join(", ")),
        String::from,
    );
    let text = format!(
        "-- migrate:up transaction:false batch:{batch}\nUPDATE {} SET {} WHERE {condition};\n\n-- \
         There is no way back: the values from before are not kept.\n",
        quoted(table),
        set.join(", ")
    );
    parsed(&text)?;
    Ok(text)
}

fn parsed(text: &str) -> Result<crate::Migration> {
    crate::files::parse(Path::new("20260101000000_new.sql"), text, Tool::Marula, Engine::Postgres)
}

/// A statement that cannot be taken back, in its safe form; the file says why.
fn one_way(up: &str, why: &str, version: Version) -> Result<String> {
    let text = format!("-- migrate:up lock_timeout:2s\n{up};\n\n-- There is no way back: {why}.\n");
    finished(text, version)
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
    finished(text, version)
}

fn finished(text: String, version: Version) -> Result<String> {
    let migration = parsed(&text)?;
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
        assert!(token.contains("SET DEFAULT") && token.contains(fix::LAST_PASS), "{token}");
        let filled = made(not_null("users", "email", V15));
        assert!(
            filled.contains("VALIDATE CONSTRAINT") && filled.contains("DROP NOT NULL"),
            "{filled}"
        );
        assert!(add_field("users", "a", "no type at all", None, V15).is_err());
        let check = made(add_constraint("users", "grown", "CHECK (age >= 18)", V15));
        assert!(check.contains("NOT VALID;") && check.contains("VALIDATE CONSTRAINT"), "{check}");
        let key = made(add_foreign_key("orders", &columns[..1], "users", &[], None, V15));
        assert!(key.contains("orders_user_id_fkey") && key.contains("NOT VALID"), "{key}");
        let gone = made(drop(Dropped::Index("orders_at"), None, V15));
        assert!(gone.contains("DROP INDEX CONCURRENTLY") && gone.contains("no way back"), "{gone}");
        let gone = made(drop(Dropped::Column("users", "age"), None, V15));
        assert!(!gone.contains("migrate:down"), "{gone}");
        let assignments = ["status='active'".to_string()];
        let filled = made(backfill("users", &assignments, None, 500));
        assert!(filled.contains("batch:500") && filled.contains("IS DISTINCT FROM"), "{filled}");
        assert!(backfill("users", &["no assignment".to_string()], None, 500).is_err());
    }
}
