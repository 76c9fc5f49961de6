//! What reads a column that is to give way: views that go on over the new name, and what can be
//! neither carried over nor left alone, which is refused by name.

use marula_core::{Error, ErrorKind, Relation, RelationKind, Result};
use marula_postgres::sql::{self, quote_ident, quote_qualified};
use pg_query::protobuf as pb;
use pg_query::{NodeEnum, NodeRef};

use super::Place;
use super::beside::words;

/// Views over the table that read one of the columns, and generated columns made from them.
fn readers<'a>(place: &Place<'a>, columns: &[&str]) -> (Vec<&'a Relation>, Vec<String>) {
    let Some((catalog, table)) = place.catalog.and_then(|c| Some((c, c.find(place.table)?))) else {
        return (Vec::new(), Vec::new());
    };
    let says = |text: &str| words(text).any(|word| columns.contains(&word));
    let reads = |relation: &&Relation| {
        matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
            && relation.definition.as_deref().is_some_and(|definition| {
                says(definition) && words(definition).any(|word| word == table.name)
            })
    };
    let views = catalog.relations.iter().filter(reads).collect();
    let made = table.columns.iter().filter(|column| {
        matches!(column.generated.as_deref(), Some("s" | "v"))
            && column.default.as_deref().is_some_and(says)
    });
    (views, made.map(|column| format!("generated column {}", column.name)).collect())
}

fn called(view: &Relation) -> String {
    let kind = match view.kind {
        RelationKind::MaterializedView => "materialized view",
        _ => "view",
    };
    format!("{kind} {}", view.qualified())
}

fn refused(place: &Place<'_>, readers: &[String]) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("what reads the column would keep the old one: {}", readers.join(", ")),
    )
    .at(place.table.to_string())
    .hint("drop it in a migration before these, and make it again in one behind the last step")
}

/// Fails for whatever reads one of the columns.
pub(super) fn refuse(place: &Place<'_>, columns: &[&str]) -> Result<()> {
    let (views, mut all) = readers(place, columns);
    all.splice(0..0, views.into_iter().map(called));
    if all.is_empty() { Ok(()) } else { Err(refused(place, &all)) }
}

/// The views over a column that gets another name: each as it is to be, and as it is.
pub(super) fn carried(place: &Place<'_>, old: &str, new: &str) -> Result<Vec<(String, String)>> {
    let (views, mut stuck) = readers(place, &[old]);
    let mut all = Vec::new();
    for view in views {
        let definition = view.definition.as_deref().unwrap_or_default();
        let definition = definition.trim().trim_end_matches(';');
        let renamed = match view.kind {
            RelationKind::View => renamed(definition, place.bare(), old, new),
            _ => None,
        };
        let name = quote_qualified(&view.schema, &view.name);
        let replace = |text: &str| format!("CREATE OR REPLACE VIEW {name} AS {text}");
        match renamed {
            // The words were of another table's column.
            Some(text) if text == definition => {}
            Some(text) => all.push((replace(&text), replace(definition))),
            None => stuck.push(called(view)),
        }
    }
    if stuck.is_empty() { Ok(all) } else { Err(refused(place, &stuck)) }
}

/// A query with another name for a table's column, whose results keep their names; `None` where that
/// cannot be told for certain.
fn renamed(query: &str, table: &str, old: &str, new: &str) -> Option<String> {
    let statement = sql::parse(query).ok()?;
    let root = statement.root()?;
    let mut called: Vec<String> = Vec::new();
    let (mut tables, mut certain) = (0, true);
    sql::walk(root.to_ref(), |node| match node {
        NodeRef::RangeVar(relation) => {
            tables += 1;
            if relation.relname == table {
                let alias = relation.alias.as_ref().map(|alias| alias.aliasname.clone());
                called.push(alias.unwrap_or_else(|| relation.relname.clone()));
                certain &= relation.alias.as_ref().is_none_or(|a| a.colnames.is_empty());
            }
        }
        NodeRef::RangeSubselect(_) | NodeRef::CommonTableExpr(_) => certain = false,
        NodeRef::JoinExpr(join) => certain &= join.using_clause.is_empty() && !join.is_natural,
        _ => {}
    })
    .ok()?;
    if !certain {
        return None;
    }
    // Where a name stands, and where a result needs the old one said.
    let mut places: Vec<(usize, bool)> = Vec::new();
    let ours = |column: &pb::ColumnRef| {
        let names = super::super::context::strings(&column.fields);
        match names.as_slice() {
            [name] => name == old && tables == 1,
            [of, name] => name == old && called.contains(of),
            _ => false,
        }
    };
    sql::walk(root.to_ref(), |node| match node {
        NodeRef::ColumnRef(column) if ours(column) => {
            if let Ok(at) = usize::try_from(column.location) {
                places.push((at, false));
            }
        }
        NodeRef::ResTarget(target) if target.name.is_empty() => {
            if let Some(NodeEnum::ColumnRef(column)) =
                target.val.as_deref().and_then(|value| value.node.as_ref())
                && ours(column)
                && let Ok(at) = usize::try_from(column.location)
            {
                places.push((at, true));
            }
        }
        _ => {}
    })
    .ok()?;
    replaced(query, &places, old, new)
}

/// Puts the new name where the old one stands.
fn replaced(text: &str, places: &[(usize, bool)], old: &str, new: &str) -> Option<String> {
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

/// The expressions of an index, or of the constraints an ALTER TABLE adds.
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
    fn results_keep_their_names() {
        for (query, wanted) in [
            (
                "SELECT id, code FROM items WHERE code > 5",
                Some("SELECT id, number AS code FROM items WHERE number > 5"),
            ),
            (
                "SELECT i.\"code\", o.code AS x FROM items i JOIN o ON o.id = i.code",
                Some("SELECT i.number AS code, o.code AS x FROM items i JOIN o ON o.id = i.number"),
            ),
            (
                "SELECT sum(items.code) AS s FROM public.items GROUP BY items.code",
                Some("SELECT sum(items.number) AS s FROM public.items GROUP BY items.number"),
            ),
            ("SELECT code FROM items JOIN o USING (code)", None),
            ("SELECT x.code FROM (SELECT code FROM items) x", None),
        ] {
            assert_eq!(renamed(query, "items", "code", "number").as_deref(), wanted, "{query}");
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
