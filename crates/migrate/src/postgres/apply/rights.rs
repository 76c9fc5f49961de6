//! Whether the user may do what is due, found before any of it runs.

use std::collections::HashSet;

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::from_server;
use marula_postgres::sql::{ParsedStatement, quote_ident, quote_qualified};
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::{Ground, leftover, pieces};
use crate::apply::Due;

/// What has to be had on a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Need {
    /// To be its owner, or a member of that role.
    Owner,
    /// To be the owner of it or of its schema.
    OwnerOrSchema,
    /// A privilege.
    Privilege(&'static str),
}

/// Refuses what the server would refuse in the middle for want of a right. What is not there yet is
/// made by what is due, and then belongs to us.
pub(super) async fn check(ground: &Ground, due: &[Due<'_>]) -> Result<()> {
    let mut asked: HashSet<(String, Need)> = HashSet::new();
    for due in due {
        for (at, step) in due.steps().iter().enumerate().skip(due.from()) {
            let Some(statement) = pieces::statement(step) else { continue };
            if pieces::sets_session(step) || changes_role(statement) {
                // Who runs the rest, and where names are looked for, is the file's own business.
                return Ok(());
            }
            for (relation, need) in needs(statement) {
                if asked.insert((relation.clone(), need)) {
                    one(ground, &relation, need).await.map_err(|e| e.at(due.place(at)))?;
                }
            }
        }
    }
    Ok(())
}

fn changes_role(statement: &ParsedStatement) -> bool {
    matches!(statement.root(), Some(NodeEnum::VariableSetStmt(set))
        if matches!(set.name.as_str(), "role" | "session_authorization" | "search_path"))
}

/// The relations a statement changes.
pub(super) fn changed(statement: &ParsedStatement) -> Vec<String> {
    needs(statement).into_iter().map(|(relation, _)| relation).collect()
}

fn needs(statement: &ParsedStatement) -> Vec<(String, Need)> {
    let of = |relation: Option<&pb::RangeVar>, need: Need| {
        relation.map(|relation| (leftover::written(relation), need)).into_iter().collect()
    };
    match statement.root() {
        Some(NodeEnum::AlterTableStmt(alter)) => of(alter.relation.as_ref(), Need::Owner),
        Some(NodeEnum::IndexStmt(index)) => of(index.relation.as_ref(), Need::Owner),
        Some(NodeEnum::RenameStmt(rename)) => of(rename.relation.as_ref(), Need::Owner),
        Some(NodeEnum::CreatePolicyStmt(policy)) => of(policy.table.as_ref(), Need::Owner),
        Some(NodeEnum::CreateTrigStmt(trigger)) => {
            of(trigger.relation.as_ref(), Need::Privilege("TRIGGER"))
        }
        Some(NodeEnum::InsertStmt(insert)) => {
            of(insert.relation.as_ref(), Need::Privilege("INSERT"))
        }
        Some(NodeEnum::UpdateStmt(update)) => {
            of(update.relation.as_ref(), Need::Privilege("UPDATE"))
        }
        Some(NodeEnum::DeleteStmt(delete)) => {
            of(delete.relation.as_ref(), Need::Privilege("DELETE"))
        }
        Some(NodeEnum::DropStmt(drop)) => dropped(drop),
        _ => Vec::new(),
    }
}

fn dropped(drop: &pb::DropStmt) -> Vec<(String, Need)> {
    use pb::ObjectType as Object;
    let relations = [
        Object::ObjectTable,
        Object::ObjectIndex,
        Object::ObjectView,
        Object::ObjectMatview,
        Object::ObjectSequence,
    ];
    if !relations.iter().any(|kind| *kind as i32 == drop.remove_type) {
        return Vec::new();
    }
    let name = |node: &pb::Node| {
        let Some(NodeEnum::List(list)) = node.node.as_ref() else { return None };
        let words: Vec<&str> = list.items.iter().filter_map(word).collect();
        match words.as_slice() {
            [name] => Some(quote_ident(name)),
            [schema, name] => Some(quote_qualified(schema, name)),
            _ => None,
        }
    };
    drop.objects.iter().filter_map(name).map(|name| (name, Need::OwnerOrSchema)).collect()
}

fn word(node: &pb::Node) -> Option<&str> {
    match node.node.as_ref() {
        Some(NodeEnum::String(text)) => Some(&text.sval),
        _ => None,
    }
}

async fn one(ground: &Ground, relation: &str, need: Need) -> Result<()> {
    let (condition, privilege) = match need {
        Need::Owner => ("pg_catalog.pg_has_role(c.relowner, 'USAGE')", ""),
        Need::OwnerOrSchema => (
            "pg_catalog.pg_has_role(c.relowner, 'USAGE') \
             OR pg_catalog.pg_has_role(n.nspowner, 'USAGE')",
            "",
        ),
        Need::Privilege(name) => (
            "CASE WHEN $2 IN ('INSERT', 'UPDATE') \
             THEN pg_catalog.has_any_column_privilege(c.oid, $2) \
             ELSE pg_catalog.has_table_privilege(c.oid, $2) END",
            name,
        ),
    };
    let sql = format!(
        "SELECT {condition}, pg_catalog.pg_get_userbyid(c.relowner)::text, current_user::text, $2::text, coalesce((SELECT r.rolsuper OR r.rolcreaterole FROM \
         pg_catalog.pg_roles r WHERE r.oid = c.relowner), false) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = pg_catalog.to_regclass($1)"
    );
    let rows = ground.session.client().query(&sql, &[&relation, &privilege]).await;
    // A schema that may not even be used: the server says so by its own words.
    let rows = rows.map_err(|error| from_server(&error))?;
    let Some(row) = rows.first().filter(|row| !row.get::<_, bool>(0)) else { return Ok(()) };
    let (owner, user): (&str, &str) = (row.get(1), row.get(2));
    let (owner_role, user_role) = (quote_ident(owner), quote_ident(user));
    Err(match need {
        Need::Privilege(name) => Error::new(
            ErrorKind::Denied,
            format!("{user} has no {name} on {relation}; nothing ran"),
        )
        .hint(format!("GRANT {name} ON {relation} TO {user_role}")),
        Need::Owner | Need::OwnerOrSchema => Error::new(
            ErrorKind::Denied,
            format!("{user} may not change {relation}, which belongs to {owner}; nothing ran"),
        )
        .hint(match row.get(4) {
            // Who is a member of a superuser's role may become one.
            true => format!(
                "run it as {owner}, or give it to a role of its own: ALTER … OWNER TO, and run it \
                 as a member of that role"
            ),
            false => format!(
                "run it as {owner}, or make {user} a member: GRANT {owner_role} TO {user_role}"
            ),
        }),
    })
}
