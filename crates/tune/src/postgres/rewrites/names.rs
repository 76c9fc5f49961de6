//! Which relation a name means at a place of a statement, for rewrites: with what they need to
//! know of it, and a walk that keeps it true.

use marula_core::{Column, ConstraintKind, Relation, RelationKind, RelationalCatalog};
use pg_query::protobuf::{JoinType, SelectStmt, SetOperation};
use pg_query::{Node, NodeEnum};

use super::super::ast;

/// A name of a FROM clause.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The name it goes by.
    pub alias: String,
    /// The relation, as written; `None` for subqueries, CTEs and functions.
    pub relation: Option<String>,
    /// Whether an outer join may fill it with NULL.
    pub nullable: bool,
}

/// The names in sight.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    levels: Vec<Vec<Entry>>,
    ctes: Vec<String>,
}

/// A column reference that was understood.
#[derive(Debug, Clone)]
pub(super) struct Known<'c> {
    /// The name its relation goes by.
    pub alias: String,
    /// Its relation.
    pub relation: &'c Relation,
    /// The column.
    pub column: &'c Column,
    /// Whether an outer join may make it NULL.
    pub nullable: bool,
    /// How many levels out it was found: 0 in the block itself.
    pub level: usize,
}

impl Known<'_> {
    /// Whether it can never be NULL here: the catalogue says so, the server enforces it, and no
    /// outer join comes between.
    pub fn is_never_null(&self) -> bool {
        let enforced = matches!(
            self.relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
        );
        // Since 18 a NOT NULL may be NOT VALID: then old rows may break it.
        let unproved = self.relation.constraints.iter().any(|constraint| {
            constraint.kind == ConstraintKind::NotNull
                && !constraint.validated
                && constraint.columns.contains(&self.column.name)
        });
        enforced && self.column.not_null && !self.nullable && !unproved
    }
}

impl Names {
    /// What a column reference means. `None` when it is anything but a plain column of a known
    /// table.
    pub fn column<'c>(&self, catalog: &'c RelationalCatalog, node: &Node) -> Option<Known<'c>> {
        let (qualifier, name) = ast::column(node)?;
        for (level, entries) in self.levels.iter().rev().enumerate() {
            let mut matching = entries.iter().filter(|entry| match qualifier {
                Some(qualifier) => entry.alias == qualifier,
                None => relation(catalog, entry).is_some_and(|r| r.column(name).is_some()),
            });
            if let Some(entry) = matching.next() {
                let relation = relation(catalog, entry)?;
                return Some(Known {
                    alias: entry.alias.clone(),
                    relation,
                    column: relation.column(name)?,
                    nullable: entry.nullable,
                    level,
                });
            }
            // The name may belong to something whose columns are not known here.
            if qualifier.is_none()
                && entries.iter().any(|entry| relation_is_unknown(catalog, entry))
            {
                return None;
            }
        }
        None
    }

    /// The names of the innermost block.
    pub fn own(&self) -> &[Entry] {
        self.levels.last().map_or(&[], Vec::as_slice)
    }

    /// The same names with those of `select` inside them.
    pub fn inside(&self, select: &SelectStmt) -> Names {
        let mut names = self.clone();
        names.levels.push(entries(select, &names.ctes));
        names
    }
}

fn relation<'c>(catalog: &'c RelationalCatalog, entry: &Entry) -> Option<&'c Relation> {
    catalog.find(entry.relation.as_deref()?)
}

fn relation_is_unknown(catalog: &RelationalCatalog, entry: &Entry) -> bool {
    relation(catalog, entry).is_none()
}

fn entries(select: &SelectStmt, ctes: &[String]) -> Vec<Entry> {
    let mut found = Vec::new();
    for item in &select.from_clause {
        from_item(item, ctes, false, &mut found);
    }
    found
}

fn from_item(item: &Node, ctes: &[String], nullable: bool, found: &mut Vec<Entry>) {
    match &item.node {
        Some(NodeEnum::RangeVar(table)) => {
            let alias = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname);
            let renamed = table.alias.as_ref().is_some_and(|alias| !alias.colnames.is_empty());
            let cte = table.schemaname.is_empty() && ctes.contains(&table.relname);
            let written = match table.schemaname.as_str() {
                "" => table.relname.clone(),
                schema => format!("{schema}.{}", table.relname),
            };
            let relation = (!cte && !renamed).then_some(written);
            found.push(Entry { alias: alias.clone(), relation, nullable });
        }
        Some(NodeEnum::JoinExpr(join)) => {
            let kind = JoinType::try_from(join.jointype).unwrap_or(JoinType::JoinFull);
            let left = matches!(kind, JoinType::JoinRight | JoinType::JoinFull);
            let right = matches!(kind, JoinType::JoinLeft | JoinType::JoinFull);
            let from = found.len();
            if let Some(side) = join.larg.as_deref() {
                from_item(side, ctes, nullable || left, found);
            }
            if let Some(side) = join.rarg.as_deref() {
                from_item(side, ctes, nullable || right, found);
            }
            // An alias of the join hides the names below it.
            if let Some(alias) = &join.alias {
                found.truncate(from);
                found.push(Entry { alias: alias.aliasname.clone(), relation: None, nullable });
            }
        }
        Some(NodeEnum::RangeSubselect(sub)) => {
            let alias = sub.alias.as_ref().map(|alias| alias.aliasname.clone());
            found.push(Entry { alias: alias.unwrap_or_default(), relation: None, nullable });
        }
        Some(NodeEnum::RangeFunction(function)) => {
            let alias = function.alias.as_ref().map(|alias| alias.aliasname.clone());
            found.push(Entry { alias: alias.unwrap_or_default(), relation: None, nullable });
        }
        _ => found.push(Entry { alias: String::new(), relation: None, nullable }),
    }
}

/// Calls `act` for every block below `node`, outer ones first, with the names it sees.
pub(super) fn each_select(node: &mut Node, act: &mut dyn FnMut(&mut SelectStmt, &Names)) {
    let mut act = |select: &mut SelectStmt, names: &Names| {
        if !is_set(select) {
            act(select, names);
        }
    };
    below(node, &mut Names::default(), &mut act, 0);
}

/// Puts what `new` makes of a block in its place, for every block below `node`, outer ones first;
/// gives what was checked.
pub(super) fn replace_each(
    node: &mut Node,
    mut new: impl FnMut(&SelectStmt, &Names) -> Option<(SelectStmt, Vec<String>)>,
) -> Vec<String> {
    let mut conditions = Vec::new();
    each_select(node, &mut |select, names| {
        if let Some((new, checked)) = new(select, names) {
            *select = new;
            conditions.extend(checked);
        }
    });
    conditions
}

/// Calls `act` for every set operation below `node`, outer ones first, with the names around it.
pub(super) fn each_set(node: &mut Node, act: &mut dyn FnMut(&mut SelectStmt, &Names)) {
    let mut act = |select: &mut SelectStmt, names: &Names| {
        if is_set(select) {
            act(select, names);
        }
    };
    below(node, &mut Names::default(), &mut act, 0);
}

fn is_set(select: &SelectStmt) -> bool {
    select.op > SetOperation::SetopNone as i32
}

fn below(
    node: &mut Node,
    names: &mut Names,
    act: &mut dyn FnMut(&mut SelectStmt, &Names),
    depth: usize,
) {
    if depth > ast::MAX_DEPTH {
        return;
    }
    match &mut node.node {
        Some(NodeEnum::SelectStmt(inner)) => select(inner, names, act, depth + 1),
        // What is not LATERAL does not see its neighbours.
        Some(NodeEnum::RangeSubselect(sub)) if !sub.lateral => {
            let own = names.levels.pop();
            if let Some(query) = sub.subquery.as_deref_mut() {
                below(query, names, act, depth + 1);
            }
            names.levels.extend(own);
        }
        Some(_) => ast::children_mut(node, &mut |child| below(child, names, act, depth + 1)),
        None => {}
    }
}

fn select(
    inner: &mut SelectStmt,
    names: &mut Names,
    act: &mut dyn FnMut(&mut SelectStmt, &Names),
    depth: usize,
) {
    if depth > ast::MAX_DEPTH {
        return;
    }
    let ctes = names.ctes.len();
    if let Some(with) = inner.with_clause.as_mut() {
        for cte in &mut with.ctes {
            if let Some(NodeEnum::CommonTableExpr(cte)) = &mut cte.node {
                names.ctes.push(cte.ctename.clone());
                if let Some(query) = cte.ctequery.as_deref_mut() {
                    below(query, names, act, depth + 1);
                }
            }
        }
    }
    if is_set(inner) {
        act(inner, names);
        sides(inner, names, act, depth);
    } else {
        names.levels.push(entries(inner, &names.ctes));
        act(inner, names);
        if is_set(inner) {
            // What was a block is now several, each with names of its own.
            names.levels.pop();
            sides(inner, names, act, depth);
        } else {
            // The rewrite may have added names.
            if let Some(level) = names.levels.last_mut() {
                *level = entries(inner, &names.ctes);
            }
            let with = inner.with_clause.take();
            ast::select_children_mut(inner, &mut |child| below(child, names, act, depth + 1));
            inner.with_clause = with;
            names.levels.pop();
        }
    }
    names.ctes.truncate(ctes);
}

fn sides(
    inner: &mut SelectStmt,
    names: &mut Names,
    act: &mut dyn FnMut(&mut SelectStmt, &Names),
    depth: usize,
) {
    for side in [&mut inner.larg, &mut inner.rarg].into_iter().flatten() {
        select(side, names, act, depth + 1);
    }
}
