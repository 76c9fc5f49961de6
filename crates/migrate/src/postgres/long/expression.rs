//! Texts of the server with another name for a column.

use marula_postgres::sql::{self, quote_ident};
use pg_query::protobuf as pb;
use pg_query::{NodeEnum, NodeRef};

/// Puts the new name where the old one stands.
pub(super) fn replaced(
    text: &str,
    places: &[(usize, bool)],
    old: &str,
    new: &str,
) -> Option<String> {
    let mut places = places.to_vec();
    places.sort_unstable();
    let mut out = text.to_string();
    let mut at = places.len();
    while at > 0 {
        at -= 1;
        let (start, mut named) = places[at];
        if at > 0 && places[at - 1].0 == start {
            // Once as a column, once as a result.
            named |= places[at - 1].1;
            at -= 1;
        }
        let (from, to) = last_name(text, start)?;
        let alias = if named { format!(" AS {}", quote_ident(old)) } else { String::new() };
        out.replace_range(from..to, &format!("{}{alias}", quote_ident(new)));
    }
    Some(out)
}

/// The last part of the dotted name that begins at `start`.
fn last_name(text: &str, start: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let from = at;
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            while let Some(byte) = bytes.get(at) {
                at += 1;
                if *byte == b'"' {
                    if bytes.get(at) != Some(&b'"') {
                        break;
                    }
                    at += 1;
                }
            }
        } else {
            let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') || *b >= 0x80;
            while bytes.get(at).is_some_and(part) {
                at += 1;
            }
        }
        if at == from {
            return None;
        }
        if bytes.get(at) != Some(&b'.') {
            return Some((from, at));
        }
        at += 1;
    }
}

/// A text, such as a constraint's or an index's definition, with another name for a column. `None`
/// when it does not parse.
pub(super) fn with_column(text: &str, new_of: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let statement = sql::parse(text).ok()?;
    let mut places: Vec<(usize, String)> = Vec::new();
    for expression in expressions(statement.root()?) {
        sql::walk(expression.node.as_ref()?.to_ref(), |node| {
            if let NodeRef::ColumnRef(column) = node
                && let Some(name) = super::super::context::strings(&column.fields).pop()
                && let Some(new) = new_of(&name)
                && let Ok(at) = usize::try_from(column.location)
            {
                places.push((at, new));
            }
        })
        .ok()?;
    }
    places.sort_unstable();
    let mut out = text.to_string();
    for (start, new) in places.iter().rev() {
        let (from, to) = last_name(text, *start)?;
        out.replace_range(from..to, &quote_ident(new));
    }
    Some(out)
}

/// An expression over a table with another name for a column; `None` where that cannot be told for
/// certain.
pub(super) fn in_expression(text: &str, table: &str, old: &str, new: &str) -> Option<String> {
    let query = format!("SELECT {text}");
    let statement = sql::parse(&query).ok()?;
    let root = statement.root()?;
    let (mut others, mut own) = (false, false);
    let mut columns: Vec<(Vec<String>, i32)> = Vec::new();
    sql::walk(root.to_ref(), |node| match node {
        NodeRef::RangeVar(relation) => {
            others = true;
            let alias = relation.alias.as_ref().map(|alias| alias.aliasname.as_str());
            // The table once more, or another of its name: which column is meant is for a person.
            own |= relation.relname == table || alias == Some(table);
        }
        NodeRef::ColumnRef(column) => {
            columns.push((super::super::context::strings(&column.fields), column.location));
        }
        _ => {}
    })
    .ok()?;
    if own {
        return None;
    }
    let mut places = Vec::new();
    for (names, at) in columns {
        let ours = match names.as_slice() {
            // With another relation around, the server says whose a column is.
            [name] if name == old && others => return None,
            [name] => name == old,
            [of, name] => name == old && of == table,
            [_, of, name] => name == old && of == table,
            _ => false,
        };
        if ours {
            places.push((usize::try_from(at).ok()?, false));
        }
    }
    replaced(&query, &places, old, new)?.strip_prefix("SELECT ").map(str::to_string)
}

/// The expressions of an index, of a trigger, of statistics, or of the constraints an ALTER TABLE adds.
fn expressions(root: &NodeEnum) -> Vec<&pb::Node> {
    match root {
        NodeEnum::IndexStmt(index) => {
            let keys = index.index_params.iter().filter_map(|node| match node.node.as_ref() {
                Some(NodeEnum::IndexElem(element)) => element.expr.as_deref(),
                _ => None,
            });
            keys.chain(index.where_clause.as_deref()).collect()
        }
        NodeEnum::AlterTableStmt(alter) => alter.cmds.iter().filter_map(checked).collect(),
        NodeEnum::CreateTrigStmt(trigger) => trigger.when_clause.as_deref().into_iter().collect(),
        NodeEnum::CreateStatsStmt(stats) => stats
            .exprs
            .iter()
            .filter_map(|node| match node.node.as_ref() {
                Some(NodeEnum::StatsElem(element)) => element.expr.as_deref(),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn checked(node: &pb::Node) -> Option<&pb::Node> {
    let Some(NodeEnum::AlterTableCmd(cmd)) = node.node.as_ref() else { return None };
    match cmd.def.as_deref()?.node.as_ref() {
        Some(NodeEnum::Constraint(constraint)) => constraint.raw_expr.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_policies_take_the_new_name() {
        for (text, wanted) in [
            ("(code > 5)", Some("(number > 5)")),
            ("(items.code = length(CURRENT_USER))", Some("(number = length(CURRENT_USER))")),
            (
                "(EXISTS ( SELECT 1 FROM kinds k WHERE (k.code = items.code)))",
                Some("(EXISTS ( SELECT 1 FROM kinds k WHERE (k.code = items.number)))"),
            ),
            ("(EXISTS ( SELECT 1 FROM items i WHERE (i.code = items.code)))", None),
            ("(id IN ( SELECT code FROM kinds))", None),
        ] {
            let found = in_expression(text, "items", "code", "number");
            let wanted =
                wanted.map(|text| text.replace("(number = length", "(items.number = length"));
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn definitions_take_the_new_name() {
        let new = |name: &str| (name == "code").then(|| "code new".to_string());
        let text = "ALTER TABLE t ADD CONSTRAINT c CHECK (code > 0 AND \"code\" <> length(note))";
        assert_eq!(
            with_column(text, &new).as_deref(),
            Some(
                "ALTER TABLE t ADD CONSTRAINT c CHECK (\"code new\" > 0 AND \"code new\" <> length(note))"
            )
        );
    }
}
