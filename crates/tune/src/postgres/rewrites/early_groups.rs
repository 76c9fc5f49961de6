//! `SELECT d.g, sum(f.x) FROM f JOIN d … GROUP BY d.g` → the sums of `f` for each of its join keys
//! first, then joined and summed up: rows with the same keys meet the same rows of the other
//! tables, so what they come to together can be known before.

mod later;

use std::collections::BTreeSet;

use marula_core::{Relation, Version};
use pg_query::protobuf::{AExprKind, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::flat::{Flat, flat, is_exact, refers};
use super::names::{Names, replace_each};
use super::naming::{implied, taken};
use super::{Input, Rewrite, make, safe};

pub(super) static REWRITE: Rewrite = Rewrite {
    name: "aggregate-before-join",
    title: "rows with the same join key aggregated before they are joined",
    clears: &["better-wording", "aggregate-spill"],
    apply,
};

/// The server does so by itself from here on.
const BY_ITSELF: Version = Version::new(19, 0, 0);
/// With fewer rows for each key than this there is little to gather.
const ROWS: f64 = 3.0;

fn apply(input: &Input<'_>, statement: &mut Node) -> Vec<String> {
    if input.catalog.version >= BY_ITSELF {
        return Vec::new();
    }
    let taken = taken(statement);
    replace_each(statement, |select, names| {
        let (keys, parts) = (BTreeSet::new(), Vec::new());
        Early { input, names, taken: &taken, keys, shown: None, parts }.rewritten(select)
    })
}

/// A block under way.
struct Early<'e> {
    input: &'e Input<'e>,
    names: &'e Names,
    taken: &'e BTreeSet<String>,
    /// The columns of the gathered table that the rest of the block needs.
    keys: BTreeSet<String>,
    /// Those of them that are grouped by, once the rest is known.
    shown: Option<BTreeSet<String>>,
    /// What is computed early, as SQL, with its name.
    parts: Vec<(String, Node, String)>,
}

impl<'e> Early<'e> {
    fn rewritten(mut self, select: &SelectStmt) -> Option<(SelectStmt, Vec<String>)> {
        let mut bare = select.clone();
        bare.group_clause.clear();
        bare.having_clause = None;
        let fits = !select.group_clause.is_empty()
            && ast::is_plain(&bare)
            && select.distinct_clause.is_empty()
            && !select.group_distinct
            && safe::is_stable(select);
        fits.then_some(())?;
        let flat = flat(select)?;
        let main = self.main(select)?;
        let relation = self.relation(&main)?;
        for item in &select.group_clause {
            let item = super::super::shape::output(select, item, false);
            let known = self.names.column(self.input.catalog, item)?;
            (known.level == 0).then_some(())?;
            if known.alias == main {
                self.key(relation, &known.column.name)?;
            }
        }
        let grouped = self.keys.clone();
        let (inner, outer) = self.conditions(&flat, &main)?;
        // From here on no more: what depends on a grouped key does so of a table only.
        self.shown = Some(grouped);
        let mut new = select.clone();
        for item in &mut new.target_list {
            let Some(NodeEnum::ResTarget(item)) = &mut item.node else { return None };
            let value = item.val.as_deref_mut()?;
            let before = implied(value);
            self.replace(value, &main, 0)?;
            if item.name.is_empty() && implied(value) != before {
                item.name = before;
            }
        }
        if let Some(having) = new.having_clause.as_deref_mut() {
            self.replace(having, &main, 0)?;
        }
        for item in &mut new.sort_clause {
            let Some(NodeEnum::SortBy(sort)) = &mut item.node else { return None };
            let node = sort.node.as_deref_mut()?;
            // A place or a name of the output means the same as before.
            let meant = super::super::shape::output(select, node, true);
            if ast::sql(meant) == ast::sql(node) {
                self.replace(node, &main, 0)?;
            }
        }
        for item in &mut new.group_clause {
            let named = super::super::shape::output(select, item, false);
            if ast::sql(named) == ast::sql(item) {
                self.replace(item, &main, 0)?;
            }
        }
        (!self.parts.is_empty() && self.gathers(relation)).then_some(())?;
        let own = |column: &String| ast::column_node(Some(&main), column);
        let keys: Vec<Node> = self.keys.iter().map(own).collect();
        let table = &flat.tables.iter().find(|(alias, _)| *alias == main)?.1;
        let parts = self.parts.iter().map(|(_, part, name)| make::target(part.clone(), name));
        let early = SelectStmt {
            target_list: keys
                .iter()
                .map(|key| make::target(key.clone(), ""))
                .chain(parts)
                .collect(),
            from_clause: vec![table.clone()],
            where_clause: make::all_of(inner),
            group_clause: keys,
            ..make::select()
        };
        new.from_clause = flat
            .tables
            .iter()
            .map(|(alias, table)| match *alias == main {
                true => make::derived(early.clone(), alias, false),
                false => table.clone(),
            })
            .collect();
        new.where_clause = make::all_of(outer);
        let keys = self.keys.iter().cloned().collect::<Vec<_>>().join(", ");
        let checked = vec![
            format!("rows of {} with the same ({keys}) meet the same rows", relation.name),
            "only sum, count, min and max of that table are computed, none of them over \
             floating-point numbers"
                .into(),
        ];
        Some((new, checked))
    }

    /// The one table that all aggregates are over.
    fn main(&self, select: &SelectStmt) -> Option<String> {
        let mut over = BTreeSet::new();
        let places = ast::all_targets(select).chain(select.having_clause.as_deref());
        for below in places.flat_map(ast::all) {
            if let Some(NodeEnum::FuncCall(call)) = &below.node
                && ast::AGGREGATES.contains(&ast::function(call))
            {
                for argument in &call.args {
                    over.extend(refers(self.input.catalog, self.names, argument)?);
                }
            }
        }
        let mut over = over.into_iter();
        match (over.next(), over.next()) {
            (Some(main), None) => Some(main),
            // What is only counted are the rows of the largest.
            (None, _) => {
                let rows = |alias: &String| {
                    self.relation(alias).and_then(|relation| relation.rows).unwrap_or(0.0)
                };
                let all = self.names.own().iter().map(|entry| entry.alias.clone());
                all.max_by(|a, b| rows(a).total_cmp(&rows(b)).then(b.cmp(a)))
            }
            _ => None,
        }
    }

    fn relation(&self, alias: &str) -> Option<&'e Relation> {
        let entry = self.names.own().iter().find(|entry| entry.alias == alias)?;
        self.input.catalog.find(entry.relation.as_deref()?)
    }

    /// A column that is carried on: equal values have to look alike.
    fn key(&mut self, relation: &Relation, column: &str) -> Option<()> {
        is_exact(relation.column(column)?).then_some(())?;
        self.keys.insert(column.to_owned());
        Some(())
    }

    /// What is asked of the table alone, and all the rest.
    fn conditions(&mut self, flat: &Flat, main: &str) -> Option<(Vec<Node>, Vec<Node>)> {
        let (mut inner, mut outer, mut joined) = (Vec::new(), Vec::new(), false);
        for condition in &flat.conditions {
            let of = refers(self.input.catalog, self.names, condition)?;
            if of.len() == 1 && of.contains(main) {
                inner.push(condition.clone());
                continue;
            }
            let mut condition = condition.clone();
            if of.contains(main) {
                joined = true;
                // Any other condition between the two would ask for more columns than it is worth.
                let Some(NodeEnum::AExpr(e)) = &condition.node else { return None };
                let plain = e.kind == AExprKind::AexprOp as i32 && ast::operator(e) == "=";
                let sides = [e.lexpr.as_deref()?, e.rexpr.as_deref()?];
                (plain && sides.iter().all(|side| ast::column(side).is_some())).then_some(())?;
            }
            self.replace(&mut condition, main, 0)?;
            outer.push(condition);
        }
        (joined && flat.tables.len() > 1).then_some((inner, outer))
    }

    /// Whether many rows share their keys, as far as is known.
    fn gathers(&self, relation: &Relation) -> bool {
        let Some(rows) = relation.rows else { return true };
        let distinct = |name: &String| {
            let distinct = relation.column(name)?.statistics.as_ref()?.distinct;
            Some(if distinct < 0.0 { -distinct * rows } else { distinct })
        };
        let all: Option<Vec<f64>> = self.keys.iter().map(distinct).collect();
        all.is_none_or(|all| all.iter().product::<f64>() * ROWS <= rows)
    }

    /// Writes every column with its table, and every aggregate over what was gathered.
    fn replace(&mut self, node: &mut Node, main: &str, depth: usize) -> Option<()> {
        match &node.node {
            Some(NodeEnum::ColumnRef(_)) => {
                let known = self.names.column(self.input.catalog, node)?;
                if known.level == 0 {
                    if known.alias == main {
                        let shown = self.shown.as_ref();
                        shown.is_none_or(|all| all.contains(&known.column.name)).then_some(())?;
                        let (relation, column) = (known.relation, known.column.name.clone());
                        self.key(relation, &column)?;
                    }
                    *node = ast::column_node(Some(&known.alias), &known.column.name);
                }
                Some(())
            }
            Some(NodeEnum::FuncCall(call)) if ast::AGGREGATES.contains(&ast::function(call)) => {
                *node = self.later(node, call, main)?;
                Some(())
            }
            Some(NodeEnum::FuncCall(call)) if call.over.is_some() => None,
            Some(NodeEnum::SubLink(_) | NodeEnum::GroupingFunc(_)) => None,
            _ if depth >= ast::MAX_DEPTH || ast::is_star(node) => None,
            _ => {
                let mut fine = Some(());
                ast::children_mut(node, &mut |child| {
                    if fine.is_some() {
                        fine = self.replace(child, main, depth + 1);
                    }
                });
                fine
            }
        }
    }
}
