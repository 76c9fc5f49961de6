//! A join to a table nothing is taken from, by a foreign key → no join.

use marula_core::{Constraint, ConstraintKind};
use pg_query::protobuf::SelectStmt;
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::{flat, is_whole};
use super::names::{Known, Names, each_select};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "unused-join",
    title: "without the join to a table nothing is taken from",
    clears: &["better-wording"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    each_select(statement, &mut |select, names| {
        // One at a time: what a join hung on may be the next.
        for _ in 0..8 {
            let Some((new, found)) = rewritten(input, names, select) else { break };
            *select = new;
            conditions.push(found);
        }
    });
    conditions
}

fn rewritten(
    input: &Input<'_>,
    names: &Names,
    select: &SelectStmt,
) -> Option<(SelectStmt, String)> {
    let flat = flat(select)?;
    if flat.tables.len() < 2 || !safe::is_stable(select) || !select.locking_clause.is_empty() {
        return None;
    }
    flat.tables.iter().find_map(|(alias, _)| {
        let entry = names.own().iter().find(|entry| &entry.alias == alias)?;
        let parent = input.catalog.find(entry.relation.as_deref()?)?;
        is_whole(input.catalog, parent).then_some(())?;
        // The conditions that name it: equalities with the columns of one other table.
        let mut pairs: Vec<(Known<'_>, String)> = Vec::new();
        let mut kept = Vec::new();
        for condition in &flat.conditions {
            match equality(input, names, condition, alias) {
                Some((own, other)) => pairs.push((other, own)),
                None => kept.push(condition.clone()),
            }
        }
        let (first, _) = pairs.first()?;
        let child = first.alias.clone();
        let relation = first.relation;
        let key = relation.constraints.iter().find(|constraint| {
            is_key(constraint, &parent.qualified()) && covers(constraint, &pairs, &child)
        })?;
        is_whole(input.catalog, relation).then_some(())?;
        // Nobody else may look at it.
        let mut rest = select.clone();
        rest.from_clause.clear();
        rest.where_clause = make::all_of(kept);
        let mut untouched = true;
        ast::select_children(&rest, &mut |part| {
            untouched = untouched && !looks_at(part, alias, parent);
        });
        untouched.then_some(())?;
        let nullable: Vec<Node> = pairs
            .iter()
            .filter(|(known, _)| !known.is_never_null())
            .map(|(known, _)| {
                make::null_test(ast::column_node(Some(&child), &known.column.name), false)
            })
            .collect();
        let guarded = !nullable.is_empty();
        let mut new = select.clone();
        let mut moved = Vec::new();
        let is_pair = |condition: &Node| equality(input, names, condition, alias).is_some();
        new.from_clause = std::mem::take(&mut new.from_clause)
            .into_iter()
            .filter_map(|item| without(item, alias, &mut moved))
            .collect();
        let own = new.where_clause.take();
        let own: Vec<Node> =
            own.as_deref().map(ast::conjuncts).unwrap_or_default().into_iter().cloned().collect();
        let all = moved.into_iter().chain(own).filter(|part| !is_pair(part));
        new.where_clause = make::all_of(all.chain(nullable).collect());
        // A condition on the join of others may have held one of the pairs.
        let mut gone = true;
        ast::select_children(&new, &mut |part| gone = gone && !looks_at(part, alias, parent));
        gone.then_some(())?;
        let which = match guarded {
            true => "and rows where it is NULL, which matched nothing, are left out",
            false => "and NOT NULL",
        };
        Some((
            new,
            format!(
                "{}'s foreign key {} to {} is validated and not deferrable: every row has exactly \
                 one match, {which}; nothing is taken from {}",
                relation.name, key.name, parent.name, parent.name
            ),
        ))
    })
}

fn is_key(constraint: &Constraint, parent: &str) -> bool {
    constraint.kind == ConstraintKind::ForeignKey
        && constraint.validated
        && constraint.references.as_deref() == Some(parent)
        && !constraint.definition.contains("DEFERRABLE")
}

/// Whether the equalities are those of the foreign key, all of them and no others.
fn covers(constraint: &Constraint, pairs: &[(Known<'_>, String)], child: &str) -> bool {
    pairs.len() == constraint.columns.len()
        && constraint.columns.iter().zip(&constraint.referenced_columns).all(|(own, other)| {
            pairs.iter().any(|(known, parent)| {
                known.alias == child && known.column.name == *own && parent == other
            })
        })
}

/// The column of `alias` and the other side of an equality.
fn equality<'c>(
    input: &Input<'c>,
    names: &Names,
    condition: &Node,
    alias: &str,
) -> Option<(String, Known<'c>)> {
    let Some(NodeEnum::AExpr(e)) = &condition.node else { return None };
    let plain = e.kind == pg_query::protobuf::AExprKind::AexprOp as i32
        && e.name.len() == 1
        && ast::operator(e) == "=";
    plain.then_some(())?;
    let left = names.column(input.catalog, e.lexpr.as_deref()?)?;
    let right = names.column(input.catalog, e.rexpr.as_deref()?)?;
    if left.level > 0 || right.level > 0 || left.alias == right.alias {
        return None;
    }
    if left.alias == alias {
        Some((left.column.name.clone(), right))
    } else if right.alias == alias {
        Some((right.column.name.clone(), left))
    } else {
        None
    }
}

/// Whether anything below `node` may mean the table.
fn looks_at(node: &Node, alias: &str, parent: &marula_core::Relation) -> bool {
    ast::all(node).iter().any(|below| match &below.node {
        Some(NodeEnum::ColumnRef(column)) => match ast::column(below) {
            Some((Some(qualifier), _)) => qualifier == alias,
            Some((None, name)) => name == alias || parent.column(name).is_some(),
            None => match column.fields.as_slice() {
                [qualifier, _] => ast::string(qualifier).is_none_or(|of| of == alias),
                _ => true,
            },
        },
        _ => false,
    })
}

/// A FROM item without the table; the conditions of the join it stood in are moved out.
fn without(item: Node, alias: &str, moved: &mut Vec<Node>) -> Option<Node> {
    match item.node {
        Some(NodeEnum::RangeVar(ref table)) => {
            let name = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname);
            (name != alias).then_some(item)
        }
        Some(NodeEnum::JoinExpr(mut join)) => {
            let left = join.larg.take().and_then(|side| without(*side, alias, moved));
            let right = join.rarg.take().and_then(|side| without(*side, alias, moved));
            match (left, right) {
                (Some(left), Some(right)) => {
                    join.larg = Some(Box::new(left));
                    join.rarg = Some(Box::new(right));
                    Some(ast::node(NodeEnum::JoinExpr(join)))
                }
                (one, other) => {
                    if let Some(quals) = join.quals.as_deref() {
                        moved.extend(ast::conjuncts(quals).into_iter().cloned());
                    }
                    one.or(other)
                }
            }
        }
        _ => Some(item),
    }
}
