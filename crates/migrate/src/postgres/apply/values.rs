//! Values that would not become what a migration makes of them, found before it begins.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::sql::quote_ident;
use marula_postgres::{from_server, guard};
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::{Ground, leftover};
use crate::postgres::context::strings;
use crate::postgres::written::expression;

/// Columns that statements before this one add: the table, the column and its type, as SQL.
#[derive(Debug, Default)]
pub(super) struct Added(Vec<(String, String, String)>);

impl Added {
    /// Notes what a statement adds.
    pub fn note(&mut self, node: &NodeEnum) {
        let NodeEnum::AlterTableStmt(alter) = node else { return };
        let Some(relation) = &alter.relation else { return };
        for cmd in &alter.cmds {
            let Some(NodeEnum::AlterTableCmd(cmd)) = cmd.node.as_ref() else { continue };
            if cmd.subtype != pb::AlterTableType::AtAddColumn as i32 {
                continue;
            }
            if let Some(NodeEnum::ColumnDef(column)) =
                cmd.def.as_deref().and_then(|def| def.node.as_ref())
                && let Some(kind) = column.type_name.clone().and_then(typed)
            {
                self.0.push((leftover::written(relation), quote_ident(&column.colname), kind));
            }
        }
    }
}

/// Refuses an UPDATE, or another type for a column, that a row there is would make fail. What takes
/// longer to look at than `patience` lets it, or does more than read, is not looked at.
pub(super) async fn check(
    ground: &Ground,
    node: &NodeEnum,
    added: &Added,
    patience: &str,
) -> Result<()> {
    for text in questions(node, added) {
        let Ok(statement) = guard::check(&text) else { continue };
        if guard::check_in_catalog(&ground.session, &statement).await.is_err() {
            continue;
        }
        let client = ground.session.client();
        let begun = client.batch_execute(&format!("BEGIN READ ONLY; {patience}")).await;
        let found = match begun {
            Ok(()) => client.query_one(&text, &[]).await.map(|_| ()),
            Err(_) => Ok(()),
        };
        let _ = client.batch_execute("ROLLBACK").await;
        let Err(error) = found else { continue };
        let error = from_server(&error);
        let code = error.server_code().unwrap_or_default();
        if code.starts_with("22") || code == "23514" {
            let what = format!("a row does not take what this makes of it: {}", error.message());
            return Err(Error::new(ErrorKind::Refused, format!("{what}; nothing ran"))
                .hint("mend the rows first, or the expression")
                .hint("or run it all the same: --no-data-check"));
        }
    }
    Ok(())
}

/// Queries that compute of every row what a statement would.
fn questions(node: &NodeEnum, added: &Added) -> Vec<String> {
    match node {
        NodeEnum::UpdateStmt(update) => of_update(update, added).into_iter().collect(),
        NodeEnum::AlterTableStmt(alter) => {
            let table = alter.relation.as_ref().map(leftover::written).unwrap_or_default();
            let of = |cmd: &pb::Node| match cmd.node.as_ref() {
                Some(NodeEnum::AlterTableCmd(cmd)) => retyped(cmd, &table),
                _ => None,
            };
            alter.cmds.iter().filter_map(of).collect()
        }
        _ => Vec::new(),
    }
}

fn of_update(update: &pb::UpdateStmt, added: &Added) -> Option<String> {
    if !update.from_clause.is_empty() || update.with_clause.is_some() {
        return None;
    }
    let relation = update.relation.as_ref()?;
    let table = leftover::written(relation);
    let alias = relation.alias.as_ref().map_or(&relation.relname, |alias| &alias.aliasname);
    let values: Option<Vec<String>> = update
        .target_list
        .iter()
        .map(|target| match target.node.as_ref()? {
            NodeEnum::ResTarget(target) => {
                let value = target.val.as_deref()?;
                // DEFAULT, and several columns from one row.
                let apart = matches!(
                    value.node.as_ref()?,
                    NodeEnum::SetToDefault(_) | NodeEnum::MultiAssignRef(_)
                );
                if apart { None } else { expression(value).ok() }
            }
            _ => None,
        })
        .collect();
    let counted: Vec<String> = values?.iter().map(|value| format!("count({value})")).collect();
    let mut columns = vec!["*".to_string()];
    let own = added.0.iter().filter(|(of, ..)| *of == table);
    columns.extend(own.map(|(_, column, kind)| format!("NULL::{kind} AS {column}")));
    let condition = match update.where_clause.as_deref() {
        Some(condition) => format!(" WHERE {}", expression(condition).ok()?),
        None => String::new(),
    };
    Some(format!(
        "SELECT {} FROM (SELECT {} FROM {table}) AS {}{condition}",
        counted.join(", "),
        columns.join(", "),
        quote_ident(alias)
    ))
}

fn retyped(cmd: &pb::AlterTableCmd, table: &str) -> Option<String> {
    if cmd.subtype != pb::AlterTableType::AtAlterColumnType as i32 {
        return None;
    }
    let Some(NodeEnum::ColumnDef(column)) = cmd.def.as_deref()?.node.as_ref() else { return None };
    let kind = typed(column.type_name.clone()?)?;
    let value = match column.raw_default.as_deref() {
        Some(using) => expression(using).ok()?,
        None => quote_ident(&cmd.name),
    };
    Some(format!("SELECT count(({value})::{kind}) FROM {table}"))
}

/// A type as SQL.
fn typed(name: pb::TypeName) -> Option<String> {
    if strings(&name.names).last().is_some_and(|name| name.ends_with("serial")) {
        return None;
    }
    let value = pb::AConst { isnull: true, ..pb::AConst::default() };
    let cast = pb::TypeCast {
        arg: Some(Box::new(pb::Node { node: Some(NodeEnum::AConst(value)) })),
        type_name: Some(name),
        location: -1,
    };
    let text = expression(&pb::Node { node: Some(NodeEnum::TypeCast(Box::new(cast))) }).ok()?;
    text.split_once("::").map(|(_, kind)| kind.to_string())
}

/// Whether the text of a DO says anything that may change rows or run what does.
pub(super) fn may_write(text: &str) -> bool {
    const WORDS: [&str; 15] = [
        "insert", "update", "delete", "merge", "truncate", "execute", "perform", "call", "copy",
        "create", "alter", "drop", "set", "commit", "rollback",
    ];
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.map(str::to_ascii_lowercase).any(|word| WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use marula_postgres::sql;

    use super::*;

    fn asked(before: &str, text: &str) -> Vec<String> {
        let mut added = Added::default();
        for text in [before, text] {
            if let Ok(statement) = sql::parse(text)
                && let Some(node) = statement.root()
            {
                added.note(node);
            }
        }
        let statement = sql::parse(text).ok();
        let node = statement.as_ref().and_then(|statement| statement.root());
        node.map(|node| questions(node, &added)).unwrap_or_default()
    }

    #[test]
    fn what_a_statement_would_compute_is_asked() {
        let added = "ALTER TABLE t ADD COLUMN v_new varchar(5)";
        assert_eq!(
            asked(added, "UPDATE t AS o SET v_new = v::date WHERE v_new IS NULL"),
            [
                "SELECT count(v::date) FROM (SELECT *, NULL::varchar(5) AS v_new FROM t) AS o WHERE v_new IS NULL"
            ]
        );
        assert_eq!(
            asked("", "ALTER TABLE s.t ALTER a TYPE int USING length(a), ALTER b TYPE date"),
            ["SELECT count((length(a))::int) FROM s.t", "SELECT count((b)::date) FROM s.t"]
        );
        assert!(asked("", "UPDATE t SET (a, b) = (SELECT 1, 2)").is_empty());
        assert!(asked("", "UPDATE t SET a = DEFAULT").is_empty());
        assert!(!may_write("SELECT tgname INTO later FROM pg_trigger; RAISE EXCEPTION 'no'"));
        assert!(may_write("BEGIN EXECUTE format('x'); END"));
    }
}
