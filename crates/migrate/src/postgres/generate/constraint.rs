//! Constraints and foreign keys.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::sql::{self, quote_ident};
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::{Known, quoted, safe};

/// A constraint of any kind, as ADD CONSTRAINT takes it: `CHECK (price > 0)`.
///
/// # Errors
/// `Syntax` when the definition makes no SQL.
pub fn add_constraint(
    table: &str,
    name: &str,
    definition: &str,
    known: &Known<'_>,
) -> Result<String> {
    let relation = known.catalog.and_then(|catalog| catalog.find(table));
    let (table, name) = (quoted(table), quote_ident(name));
    let up = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}");
    let mut down = vec![format!("ALTER TABLE {table} DROP CONSTRAINT {name}")];
    // A primary key makes its columns NOT NULL, and leaves them so.
    for column in primary(&up)? {
        let before = relation.and_then(|relation| relation.column(&column));
        if before.is_some_and(|column| !column.not_null) {
            let column = quote_ident(&column);
            down.push(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"));
            // Since 18 a partition's key has a NOT NULL of its own.
            for part in relation.into_iter().flat_map(|relation| known.leaves(relation)) {
                let part = quoted(&part);
                down.push(format!("ALTER TABLE {part} ALTER COLUMN {column} DROP NOT NULL"));
            }
        }
    }
    safe(&up, &down, known)
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
    known: &Known<'_>,
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
    add_constraint(table, &name, &definition, known)
}

/// The columns of the primary key that a statement adds.
fn primary(text: &str) -> Result<Vec<String>> {
    let statement = sql::parse(text)?;
    let Some(NodeEnum::AlterTableStmt(alter)) = statement.root() else { return Ok(Vec::new()) };
    if alter.cmds.len() != 1 {
        return Err(Error::new(ErrorKind::Usage, "this is more than one constraint")
            .hint("give each a migration of its own"));
    }
    let added = alter.cmds.iter().find_map(|cmd| match cmd.node.as_ref()? {
        NodeEnum::AlterTableCmd(cmd) => match cmd.def.as_deref()?.node.as_ref()? {
            NodeEnum::Constraint(added) => Some(added),
            _ => None,
        },
        _ => None,
    });
    let primary = added.filter(|added| added.contype == pb::ConstrType::ConstrPrimary as i32);
    Ok(primary.map(|added| crate::postgres::context::strings(&added.keys)).unwrap_or_default())
}
