//! Writing statements.

use marula_core::Result;
use marula_postgres::sql;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

/// A statement as SQL.
pub(super) fn statement(node: NodeEnum) -> Result<String> {
    let raw = pb::RawStmt {
        stmt: Some(Box::new(pb::Node { node: Some(node) })),
        stmt_location: 0,
        stmt_len: 0,
    };
    sql::deparse(&pb::ParseResult { version: 180_000, stmts: vec![raw] })
}

/// ALTER TABLE with one part.
pub(super) fn alter(of: &pb::AlterTableStmt, cmd: pb::AlterTableCmd) -> Result<String> {
    let cmds = vec![pb::Node { node: Some(NodeEnum::AlterTableCmd(Box::new(cmd))) }];
    statement(NodeEnum::AlterTableStmt(pb::AlterTableStmt { cmds, ..of.clone() }))
}

/// A table's name as SQL.
pub(super) fn table(relation: &pb::RangeVar) -> String {
    if relation.schemaname.is_empty() {
        sql::quote_ident(&relation.relname)
    } else {
        sql::quote_qualified(&relation.schemaname, &relation.relname)
    }
}

/// Names as SQL, with commas.
pub(super) fn names(names: &[String]) -> String {
    names.iter().map(|name| sql::quote_ident(name)).collect::<Vec<_>>().join(", ")
}

/// A name of at most 63 bytes, cut in the middle parts as the server does it: roughly.
pub(super) fn short(name: String) -> Option<String> {
    (name.len() <= 63).then_some(name)
}
