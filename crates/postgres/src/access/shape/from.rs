use std::collections::BTreeSet;
use std::ops::Range;

use marula_core::RelationKind;
use pg_query::protobuf::{JoinExpr, JoinType, LimitOption, RangeVar, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::super::naming;
use super::Use;
use super::read::Reader;
use super::scope::{Entry, Found, Output, Source};

/// Join conditions, with the names of the FROM clause each filters; all of them when `None`.
type Ons<'a> = Vec<(&'a Node, Option<Vec<usize>>)>;

impl Reader<'_> {
    /// Reads an item of a FROM clause.
    pub(super) fn from<'a>(
        &mut self,
        item: &'a Node,
        block: usize,
        nullable: bool,
        ons: &mut Ons<'a>,
    ) {
        match &item.node {
            Some(NodeEnum::RangeVar(table)) => self.table(table, block, nullable),
            Some(NodeEnum::JoinExpr(join)) => self.join(join, block, nullable, ons),
            Some(NodeEnum::RangeSubselect(sub)) => {
                let select = sub.subquery.as_deref().and_then(ast::as_select);
                let outputs = select.map(|select| self.derived_table(select, block));
                let renamed = sub.alias.as_ref().is_some_and(|alias| !alias.colnames.is_empty());
                let alias = sub.alias.as_ref().map(|alias| alias.aliasname.clone());
                self.derived(alias.unwrap_or_default(), outputs.filter(|_| !renamed));
            }
            Some(NodeEnum::RangeFunction(function)) => {
                let alias = function.alias.as_ref().map(|alias| alias.aliasname.clone());
                self.derived(alias.unwrap_or_default(), None);
                function.functions.iter().for_each(|node| self.expression(node, block));
            }
            _ => {}
        }
    }

    fn join<'a>(&mut self, join: &'a JoinExpr, block: usize, nullable: bool, ons: &mut Ons<'a>) {
        let kind = JoinType::try_from(join.jointype).unwrap_or(JoinType::JoinInner);
        let start = self.entries();
        if let Some(left) = join.larg.as_deref() {
            let left_nullable = matches!(kind, JoinType::JoinRight | JoinType::JoinFull);
            self.from(left, block, nullable || left_nullable, ons);
        }
        let middle = self.entries();
        if let Some(right) = join.rarg.as_deref() {
            let right_nullable = matches!(kind, JoinType::JoinLeft | JoinType::JoinFull);
            self.from(right, block, nullable || right_nullable, ons);
        }
        let end = self.entries();
        if let Some(quals) = join.quals.as_deref() {
            let filters = match kind {
                JoinType::JoinLeft => Some((middle..end).collect()),
                JoinType::JoinRight => Some((start..middle).collect()),
                JoinType::JoinFull => Some(Vec::new()),
                _ => None,
            };
            ons.push((quals, filters));
        }
        for column in join.using_clause.iter().filter_map(ast::string) {
            self.using(block, column, start..middle, middle..end);
        }
    }

    /// `USING (column)`: an equality between the two sides' relations that have it.
    fn using(&mut self, block: usize, column: &str, left: Range<usize>, right: Range<usize>) {
        let Some((_, entries)) = self.scope.levels.last() else { return };
        let has = |number: &usize| match entries.get(*number).map(|entry| &entry.source) {
            Some(Source::Use(_, name)) => {
                let relation = self.catalog.and_then(|catalog| catalog.find(name));
                relation.is_none_or(|relation| relation.column(column).is_some())
            }
            Some(Source::Derived(outputs)) => outputs.iter().any(|(name, _)| name == column),
            Some(Source::Opaque) | None => false,
        };
        let alias = |number: usize| entries.get(number).map(|entry| entry.alias.clone());
        let left = left.clone().find(has).and_then(alias);
        let right = right.clone().find(has).and_then(alias);
        if let (Some(left), Some(right)) = (left, right) {
            let side = |alias: &str| ast::column_node(Some(alias), column);
            let equality = ast::binary(side(&left), "=", side(&right));
            self.condition(&equality, None);
            self.expression(&equality, block);
        }
    }

    /// How many names the FROM clause has so far.
    fn entries(&self) -> usize {
        self.scope.levels.last().map_or(0, |(_, entries)| entries.len())
    }

    fn table(&mut self, table: &RangeVar, block: usize, nullable: bool) {
        let alias = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname).clone();
        let renamed = table.alias.as_ref().is_some_and(|alias| !alias.colnames.is_empty());
        if table.schemaname.is_empty()
            && let Some((_, outputs)) = self.scope.cte(&table.relname)
        {
            let outputs = outputs.clone().filter(|_| !renamed);
            return self.derived(alias, outputs);
        }
        let written = match table.schemaname.as_str() {
            "" => table.relname.clone(),
            schema => format!("{schema}.{}", table.relname),
        };
        if let Some(outputs) = self.view(&written, block) {
            return self.derived(alias, Some(outputs).filter(|_| !renamed));
        }
        let entry = self.entry(block, &written, alias);
        if let Some(used) = self.shape.blocks[block].uses.last_mut() {
            used.nullable = nullable;
        }
        if let Some((_, entries)) = self.scope.levels.last_mut() {
            entries.push(entry);
        }
    }

    /// Reads a view's query; `None` for what is no view, or cannot be read.
    fn view(&mut self, written: &str, block: usize) -> Option<Vec<Output>> {
        let view = self.catalog?.find(written)?;
        if view.kind != RelationKind::View {
            return None;
        }
        let parsed = crate::sql::parse(view.definition.as_deref()?).ok()?;
        let select = parsed.select()?;
        let root = Node { node: parsed.root().cloned() };
        // Names of the statement, CTEs above all, mean nothing inside a view.
        (!ast::too_deep(&root)).then_some(())?;
        let around = std::mem::take(&mut self.scope);
        let outputs = self.derived_table(select, block);
        self.scope = around;
        Some(outputs)
    }

    pub(super) fn entry(&mut self, block: usize, written: &str, alias: String) -> Entry {
        let known = self.catalog.and_then(|catalog| catalog.find(written));
        let relation = known.map_or_else(|| written.to_owned(), |known| known.qualified());
        let uses = &mut self.shape.blocks[block].uses;
        uses.push(Use {
            relation: relation.clone(),
            alias: alias.clone(),
            columns: Some(BTreeSet::new()),
            ..Use::default()
        });
        Entry { alias, source: Source::Use(uses.len() - 1, relation) }
    }

    fn derived(&mut self, alias: String, outputs: Option<Vec<Output>>) {
        if let Some((block, entries)) = self.scope.levels.last_mut() {
            self.shape.blocks[*block].derived += 1;
            let source = outputs.map_or(Source::Opaque, Source::Derived);
            entries.push(Entry { alias, source });
        }
    }

    /// Whether a condition on the output of `select` may as well be checked on its rows.
    pub(super) fn takes_conditions(&self, select: &SelectStmt) -> bool {
        let first = select.distinct_clause.iter().any(|node| node.node.is_some());
        let windows = select.target_list.iter().any(|target| {
            ast::all(target).iter().any(|below| match &below.node {
                Some(NodeEnum::FuncCall(call)) => call.over.is_some(),
                _ => false,
            })
        });
        let sets = select
            .group_clause
            .iter()
            .any(|node| matches!(node.node, Some(NodeEnum::GroupingSet(_))));
        select.limit_count.is_none()
            && select.limit_offset.is_none()
            && select.limit_option <= LimitOption::Default as i32
            && select.values_lists.is_empty()
            && !(first || windows || sets)
    }

    /// The columns a block gives, each with the relation's column that it plainly is.
    pub(super) fn outputs(&self, select: &SelectStmt, block: usize) -> Vec<Output> {
        let open = self.takes_conditions(select);
        let groups: Option<Vec<Found>> =
            (!select.group_clause.is_empty() || ast::aggregates(select)).then(|| {
                let items = select.group_clause.iter();
                let keys = items.map(|node| super::order::output(select, node, false));
                keys.filter_map(|node| self.plain(node)).collect()
            });
        let reaches = |found: &Found| {
            let same = |group: &Found| group.same_use(found) && group.column == found.column;
            open && found.level == block
                && groups.as_ref().is_none_or(|groups| groups.iter().any(same))
        };
        let mut outputs = Vec::new();
        for target in &select.target_list {
            let Some(NodeEnum::ResTarget(item)) = &target.node else { continue };
            let Some(value) = item.val.as_deref() else { continue };
            if ast::is_star(value) {
                let all = self.star(value);
                outputs.extend(all.into_iter().map(|(name, found)| (name, found.filter(reaches))));
                continue;
            }
            let name = match item.name.as_str() {
                "" => naming::implied(value),
                name => name.into(),
            };
            outputs.push((name, self.plain(value).filter(reaches)));
        }
        outputs
    }

    fn plain(&self, node: &Node) -> Option<Found> {
        let (qualifier, name) = ast::column(node)?;
        self.scope.resolve(self.catalog, qualifier, name)
    }

    /// What `*` or `alias.*` stands for.
    fn star(&self, star: &Node) -> Vec<Output> {
        let qualifier = match &star.node {
            Some(NodeEnum::ColumnRef(column)) if column.fields.len() > 1 => {
                column.fields.get(column.fields.len() - 2).and_then(ast::string)
            }
            _ => None,
        };
        let Some((level, entries)) = self.scope.levels.last() else { return Vec::new() };
        let mut outputs = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            if qualifier.is_some_and(|qualifier| entry.alias != qualifier) {
                continue;
            }
            let names: Vec<&str> = match &entry.source {
                Source::Use(_, name) => {
                    let relation = self.catalog.and_then(|catalog| catalog.find(name));
                    let columns = relation.into_iter().flat_map(|relation| &relation.columns);
                    columns.map(|column| column.name.as_str()).collect()
                }
                Source::Derived(outputs) => outputs.iter().map(|(name, _)| name.as_str()).collect(),
                Source::Opaque => Vec::new(),
            };
            let found = |name: &str| (name.to_owned(), entry.column(*level, number, name));
            outputs.extend(names.into_iter().map(found));
        }
        outputs
    }
}
