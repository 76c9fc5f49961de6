//! SQL and comments as they are written into files.

use marula_core::Result;
use marula_postgres::sql;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

/// The most letters of a line of comment.
const WIDTH: usize = 96;

/// A statement as SQL.
///
/// # Errors
/// `Internal` when it cannot be written.
pub(super) fn statement(node: NodeEnum) -> Result<String> {
    let raw = pb::RawStmt {
        stmt: Some(Box::new(pb::Node { node: Some(node) })),
        stmt_location: 0,
        stmt_len: 0,
    };
    sql::deparse(&pb::ParseResult { version: 180_000, stmts: vec![raw] })
}

/// An expression as SQL.
///
/// # Errors
/// As [`statement`].
pub(super) fn expression(node: &pb::Node) -> Result<String> {
    let target = pb::ResTarget { val: Some(Box::new(node.clone())), ..pb::ResTarget::default() };
    let select = pb::SelectStmt {
        target_list: vec![pb::Node { node: Some(NodeEnum::ResTarget(Box::new(target))) }],
        limit_option: pb::LimitOption::Default as i32,
        op: pb::SetOperation::SetopNone as i32,
        ..pb::SelectStmt::default()
    };
    let text = statement(NodeEnum::SelectStmt(Box::new(select)))?;
    Ok(text.trim_start_matches("SELECT ").trim().to_string())
}

/// Words as comments, broken into lines, the last without its end.
pub(super) fn comment(text: &str) -> String {
    let mut out = String::new();
    let mut line = String::from("--");
    for word in text.split_whitespace() {
        if line.len() + word.len() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = String::from("--");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out
}
