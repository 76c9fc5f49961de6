//! `UNION` of branches that share no row and repeat none → `UNION ALL`.

use pg_query::protobuf::{AConst, AExprKind, SelectStmt, SetOperation, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::{Output, flat, key_within, outputs};
use super::names::{Names, each_set};
use super::{Input, Rewrite};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "union-to-union-all",
    title: "UNION ALL, since no row can come twice",
    clears: &["better-wording"],
    apply,
};

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    let mut conditions = Vec::new();
    each_set(statement, &mut |select, names| {
        if let Some(found) = disjoint(input, names, select) {
            all(select);
            conditions.extend(found);
        }
    });
    conditions
}

/// A branch as far as it matters.
struct Branch {
    relation: String,
    outputs: Vec<Output>,
    constants: Vec<Option<String>>,
    /// Where the key's columns stand among the outputs.
    key: Vec<(usize, String)>,
    /// `column = constant` that every row of it meets.
    fixed: Vec<(String, String)>,
}

fn disjoint(input: &Input<'_>, names: &Names, select: &SelectStmt) -> Option<Vec<String>> {
    let mut sides = Vec::new();
    sides_of(select, &mut sides)?;
    if sides.len() < 2 {
        return None;
    }
    let branches: Option<Vec<Branch>> =
        sides.iter().map(|side| branch(input, names, side)).collect();
    let branches = branches?;
    let mut branches = branches;
    only_shared(&mut branches);
    let mut reasons = Vec::new();
    for (number, one) in branches.iter().enumerate() {
        for other in &branches[number + 1..] {
            reasons.push(apart(one, other)?);
        }
    }
    for branch in &branches {
        let key: Vec<&str> = branch.key.iter().map(|(_, column)| column.as_str()).collect();
        reasons.push(format!(
            "{}'s key ({}) is returned, so no branch repeats a row",
            branch.relation,
            key.join(", ")
        ));
    }
    reasons.sort();
    reasons.dedup();
    Some(reasons)
}

/// The branches of a chain of UNION without ALL.
fn sides_of<'a>(select: &'a SelectStmt, sides: &mut Vec<&'a SelectStmt>) -> Option<()> {
    if select.op <= SetOperation::SetopNone as i32 {
        sides.push(select);
        return Some(());
    }
    (select.op == SetOperation::SetopUnion as i32 && !select.all).then_some(())?;
    for side in [select.larg.as_deref()?, select.rarg.as_deref()?] {
        // A branch that is cut or sorted by itself is a block of its own.
        let bare = side.op <= SetOperation::SetopNone as i32
            || (side.limit_count.is_none()
                && side.limit_offset.is_none()
                && side.with_clause.is_none());
        bare.then_some(())?;
        sides_of(side, sides)?;
    }
    Some(())
}

fn branch(input: &Input<'_>, names: &Names, select: &SelectStmt) -> Option<Branch> {
    if !ast::is_plain(select) || !select.distinct_clause.is_empty() {
        return None;
    }
    let flat = flat(select)?;
    let [(alias, _)] = flat.tables.as_slice() else { return None };
    let inside = names.inside(select);
    let entry = inside.own().iter().find(|entry| &entry.alias == alias)?;
    let relation = input.catalog.find(entry.relation.as_deref()?)?;
    if select.target_list.iter().any(super::flat::gathers) {
        return None;
    }
    let outputs = outputs(input.catalog, &inside, select)?;
    let columns: Vec<String> =
        outputs.iter().filter_map(|output| Some(output.column.as_ref()?.1.clone())).collect();
    let key = key_within(input.catalog, relation, &columns)?;
    let key: Option<Vec<(usize, String)>> = key
        .iter()
        .map(|name| {
            let is_it = |output: &Output| output.column.as_ref().is_some_and(|(_, c)| c == name);
            Some((outputs.iter().position(is_it)?, (*name).to_owned()))
        })
        .collect();
    let star = ast::all_targets(select).any(ast::is_star);
    let constants = match star {
        true => vec![None; outputs.len()],
        false => ast::all_targets(select).map(constant).collect(),
    };
    let fixed = flat.conditions.iter().filter_map(|condition| {
        let Some(NodeEnum::AExpr(e)) = &condition.node else { return None };
        (e.kind == AExprKind::AexprOp as i32 && ast::operator(e) == "=").then_some(())?;
        let known = inside.column(input.catalog, e.lexpr.as_deref()?)?;
        let value = constant(e.rexpr.as_deref()?)?;
        let kind = known.column.type_name.as_str();
        let integers = matches!(kind, "smallint" | "integer" | "bigint");
        let texts = (kind == "text" || kind.starts_with("character varying"))
            && known.column.collation.is_none();
        let own = if value.starts_with('\'') { texts } else { integers };
        (own && known.level == 0).then(|| (known.column.name.clone(), value))
    });
    Some(Branch {
        relation: relation.name.clone(),
        fixed: fixed.collect(),
        outputs,
        constants,
        key: key?,
    })
}

/// Forgets the constants at places where not every branch has one of the same sort: there another
/// branch's type decides what they are, and `'1'` and `'01'` may be one number.
fn only_shared(branches: &mut [Branch]) {
    let width = branches.iter().map(|branch| branch.constants.len()).min().unwrap_or(0);
    for at in 0..width {
        let text = |branch: &Branch| branch.constants[at].as_ref().map(|c| c.starts_with('\''));
        let first = branches.first().and_then(text);
        if first.is_none() || branches.iter().any(|branch| text(branch) != first) {
            branches.iter_mut().for_each(|branch| branch.constants[at] = None);
        }
    }
}

/// Why two branches share no row.
fn apart(one: &Branch, other: &Branch) -> Option<String> {
    if one.outputs.len() != other.outputs.len() {
        return None;
    }
    let same_sort = |a: &str, b: &str| a.starts_with('\'') == b.starts_with('\'');
    for (a, b) in one.constants.iter().zip(&other.constants) {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
            && same_sort(a, b)
        {
            return Some(format!("one branch returns {a} where the other returns {b}"));
        }
    }
    // Different rows of one table differ in its key.
    if one.relation != other.relation || one.key != other.key {
        return None;
    }
    one.fixed.iter().find_map(|(column, a)| {
        let (_, b) = other.fixed.iter().find(|(c, b)| c == column && b != a && same_sort(a, b))?;
        Some(format!("a row of {} has {column} = {a} or {column} = {b}, not both", one.relation))
    })
}

/// A whole number or a text without a cast.
fn constant(node: &Node) -> Option<String> {
    match &node.node {
        Some(NodeEnum::AConst(AConst {
            val: Some(a_const::Val::Ival(_) | a_const::Val::Sval(_)),
            isnull: false,
            ..
        })) => ast::sql(node),
        _ => None,
    }
}

fn all(select: &mut SelectStmt) {
    if select.op <= SetOperation::SetopNone as i32 {
        return;
    }
    select.all = true;
    for side in [&mut select.larg, &mut select.rarg].into_iter().flatten() {
        all(side);
    }
}
