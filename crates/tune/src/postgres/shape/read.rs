use std::collections::{BTreeSet, HashMap};

use marula_core::{Plan, PlanNode, RelationalCatalog};
use pg_query::protobuf::{JoinExpr, JoinType, RangeVar, SelectStmt, SetOperation};
use pg_query::protobuf::{SortByDir, SortByNulls, SubLinkType, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::scope::{Entry, Found, Scope};
use super::{Block, Key, Shape, SortKey, Use};

/// Walks a statement and fills its shape.
pub(super) struct Reader<'c> {
    pub catalog: Option<&'c RelationalCatalog>,
    pub shape: Shape,
    pub scope: Scope,
    pub from_plan: bool,
    depth: usize,
}

const AGGREGATES: [&str; 16] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "bool_and",
    "bool_or",
    "every",
    "stddev",
    "variance",
    "percentile_cont",
    "percentile_disc",
];

impl<'c> Reader<'c> {
    pub fn new(catalog: Option<&'c RelationalCatalog>) -> Self {
        let (shape, scope) = (Shape::default(), Scope::default());
        Reader { catalog, shape, scope, from_plan: false, depth: 0 }
    }

    /// Reads a SELECT. Other statements are refused long before.
    pub fn statement(&mut self, statement: &Node) {
        if let Some(select) = ast::as_select(statement) {
            self.select(select, None, None);
        }
    }

    /// Reads a plan's scans with their conditions into one block.
    pub fn plan(&mut self, plan: &Plan) {
        self.from_plan = true;
        self.shape.blocks.push(Block::default());
        let nodes = plan.tree.walk();
        let mut entries = Vec::new();
        for (_, node) in &nodes {
            let Some(relation) = &node.relation else { continue };
            let bare = relation.rsplit('.').next().unwrap_or(relation);
            let alias = node.alias.clone().unwrap_or_else(|| bare.into());
            if entries.iter().any(|entry: &Entry| entry.alias == alias) {
                continue;
            }
            entries.push(self.entry(0, relation, alias));
        }
        let parsed = parse_all(nodes.iter().flat_map(|(_, node)| conditions(node)));
        for (_, node) in &nodes {
            self.scope.levels = vec![(0, entries.clone())];
            let alias = node.alias.as_deref().or(node.relation.as_deref());
            if let Some(own) = entries.iter().find(|entry| Some(entry.alias.as_str()) == alias) {
                self.scope.levels.push((0, vec![own.clone()]));
            }
            for condition in conditions(node).filter_map(|text| parsed.get(text)) {
                for part in ast::conjuncts(condition) {
                    self.condition(part, None);
                }
            }
        }
    }

    fn select(&mut self, select: &SelectStmt, parent: Option<usize>, test: Option<&Node>) {
        if self.depth > ast::MAX_DEPTH / 4 {
            return;
        }
        self.depth += 1;
        let (levels, ctes) = (self.scope.levels.len(), self.scope.ctes.len());
        for cte in select.with_clause.iter().flat_map(|with| &with.ctes) {
            if let Some(NodeEnum::CommonTableExpr(cte)) = &cte.node {
                // A recursive one sees itself.
                self.scope.ctes.push(cte.ctename.clone());
                if let Some(query) = cte.ctequery.as_deref().and_then(ast::as_select) {
                    self.select(query, parent, None);
                }
            }
        }
        if select.op > SetOperation::SetopNone as i32 {
            for side in [&select.larg, &select.rarg].into_iter().flatten() {
                self.select(side, parent, None);
            }
        } else {
            self.block(select, parent, test);
        }
        self.scope.levels.truncate(levels);
        self.scope.ctes.truncate(ctes);
        self.depth -= 1;
    }

    fn block(&mut self, select: &SelectStmt, parent: Option<usize>, test: Option<&Node>) {
        let block = self.shape.blocks.len();
        self.shape.blocks.push(Block {
            parent,
            distinct: !select.distinct_clause.is_empty(),
            limited: select.limit_count.is_some(),
            ordered: !select.sort_clause.is_empty(),
            aggregates: !select.group_clause.is_empty() || aggregates(select),
            ..Block::default()
        });
        self.scope.levels.push((block, Vec::new()));
        let mut ons = Vec::new();
        for item in &select.from_clause {
            self.from(item, block, false, &mut ons);
        }
        for (quals, only) in ons {
            for part in ast::conjuncts(quals) {
                self.condition(part, only.as_deref());
            }
            self.expression(quals, block);
        }
        if let Some(condition) = select.where_clause.as_deref() {
            for part in ast::conjuncts(condition) {
                self.condition(part, None);
            }
        }
        if let (Some(test), Some(target)) = (test, only_target(select)) {
            // `x IN (SELECT y …)` asks `y = x` of the subquery's relations.
            self.condition(&ast::binary(target.clone(), "=", test.clone()), None);
        }
        self.order(select, block);
        self.group(select, block);
        self.expressions(select, block);
    }

    fn expressions(&mut self, select: &SelectStmt, block: usize) {
        let lists = [
            &select.target_list,
            &select.distinct_clause,
            &select.group_clause,
            &select.sort_clause,
            &select.window_clause,
        ];
        for node in lists.into_iter().flatten() {
            self.expression(node, block);
        }
        for node in [&select.where_clause, &select.having_clause].into_iter().flatten() {
            self.expression(node, block);
        }
    }

    fn from<'a>(
        &mut self,
        item: &'a Node,
        block: usize,
        nullable: bool,
        ons: &mut Vec<(&'a Node, Option<Vec<usize>>)>,
    ) {
        match &item.node {
            Some(NodeEnum::RangeVar(table)) => self.table(table, block, nullable),
            Some(NodeEnum::JoinExpr(join)) => self.join(join, block, nullable, ons),
            Some(NodeEnum::RangeSubselect(sub)) => {
                if let Some(select) = sub.subquery.as_deref().and_then(ast::as_select) {
                    self.select(select, Some(block), None);
                }
                let alias = sub.alias.as_ref().map(|alias| alias.aliasname.clone());
                self.derived(alias.unwrap_or_default());
            }
            Some(NodeEnum::RangeFunction(function)) => {
                let alias = function.alias.as_ref().map(|alias| alias.aliasname.clone());
                self.derived(alias.unwrap_or_default());
                function.functions.iter().for_each(|node| self.expression(node, block));
            }
            _ => {}
        }
    }

    fn join<'a>(
        &mut self,
        join: &'a JoinExpr,
        block: usize,
        nullable: bool,
        ons: &mut Vec<(&'a Node, Option<Vec<usize>>)>,
    ) {
        let kind = JoinType::try_from(join.jointype).unwrap_or(JoinType::JoinInner);
        let start = self.uses(block);
        if let Some(left) = join.larg.as_deref() {
            let left_nullable = matches!(kind, JoinType::JoinRight | JoinType::JoinFull);
            self.from(left, block, nullable || left_nullable, ons);
        }
        let middle = self.uses(block);
        if let Some(right) = join.rarg.as_deref() {
            let right_nullable = matches!(kind, JoinType::JoinLeft | JoinType::JoinFull);
            self.from(right, block, nullable || right_nullable, ons);
        }
        let end = self.uses(block);
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
    fn using(
        &mut self,
        block: usize,
        column: &str,
        left: std::ops::Range<usize>,
        right: std::ops::Range<usize>,
    ) {
        let has = |reader: &Self, number: &usize| {
            let used = &reader.shape.blocks[block].uses[*number];
            let relation = reader.catalog.and_then(|catalog| catalog.find(&used.relation));
            relation.is_none_or(|relation| relation.column(column).is_some())
        };
        let left = left.clone().find(|number| has(self, number));
        let right = right.clone().find(|number| has(self, number));
        if let (Some(left), Some(right)) = (left, right) {
            let alias = |number: usize| self.shape.blocks[block].uses[number].alias.clone();
            let side = |alias: &str| ast::column_node(Some(alias), column);
            let equality = ast::binary(side(&alias(left)), "=", side(&alias(right)));
            self.condition(&equality, None);
            self.expression(&equality, block);
        }
    }

    fn uses(&self, block: usize) -> usize {
        self.shape.blocks[block].uses.len()
    }

    fn table(&mut self, table: &RangeVar, block: usize, nullable: bool) {
        let alias = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname).clone();
        if table.schemaname.is_empty() && self.scope.ctes.contains(&table.relname) {
            return self.derived(alias);
        }
        let written = match table.schemaname.as_str() {
            "" => table.relname.clone(),
            schema => format!("{schema}.{}", table.relname),
        };
        let entry = self.entry(block, &written, alias);
        if let Some(used) = entry.number.and_then(|n| self.shape.blocks[block].uses.get_mut(n)) {
            used.nullable = nullable;
        }
        if let Some((_, entries)) = self.scope.levels.last_mut() {
            entries.push(entry);
        }
    }

    fn entry(&mut self, block: usize, written: &str, alias: String) -> Entry {
        let known = self.catalog.and_then(|catalog| catalog.find(written));
        let relation = known.map_or_else(|| written.to_owned(), |known| known.qualified());
        let uses = &mut self.shape.blocks[block].uses;
        uses.push(Use {
            relation: relation.clone(),
            alias: alias.clone(),
            columns: Some(BTreeSet::new()),
            ..Use::default()
        });
        Entry { alias, number: Some(uses.len() - 1), relation }
    }

    fn derived(&mut self, alias: String) {
        if let Some((block, entries)) = self.scope.levels.last_mut() {
            self.shape.blocks[*block].derived += 1;
            entries.push(Entry { alias, number: None, relation: String::new() });
        }
    }

    /// Notes the columns an expression needs, and reads the subqueries in it.
    fn expression(&mut self, node: &Node, block: usize) {
        if self.depth > ast::MAX_DEPTH {
            return;
        }
        match &node.node {
            Some(NodeEnum::ColumnRef(reference)) => match ast::column(node) {
                Some((qualifier, name)) => {
                    if let Some(found) = self.scope.resolve(self.catalog, qualifier, name) {
                        self.need(&found);
                    }
                }
                None => {
                    let qualifier = reference.fields.first().and_then(ast::string);
                    for used in &mut self.shape.blocks[block].uses {
                        if qualifier.is_none_or(|qualifier| used.alias == qualifier) {
                            used.columns = None;
                        }
                    }
                }
            },
            Some(NodeEnum::SubLink(link)) => {
                let test = link.testexpr.as_deref();
                test.into_iter().for_each(|test| self.expression(test, block));
                let any = link.sub_link_type == SubLinkType::AnySublink as i32;
                if let Some(select) = link.subselect.as_deref().and_then(ast::as_select) {
                    self.select(select, Some(block), test.filter(|_| any));
                }
            }
            Some(NodeEnum::SelectStmt(select)) => self.select(select, Some(block), None),
            _ => {
                self.depth += 1;
                ast::children(node, &mut |child| self.expression(child, block));
                self.depth -= 1;
            }
        }
    }

    fn need(&mut self, found: &Found) {
        let block = self.shape.blocks.get_mut(found.block);
        let used = block.and_then(|block| block.uses.get_mut(found.number));
        if let Some(columns) = used.and_then(|used| used.columns.as_mut()) {
            columns.insert(found.column.clone());
        }
    }

    /// The ORDER BY: as sort keys when all of it is over one relation.
    fn order(&mut self, select: &SelectStmt, block: usize) {
        let mut keys: Vec<(Found, SortKey)> = Vec::new();
        let mut all = true;
        for item in &select.sort_clause {
            let Some(NodeEnum::SortBy(sort)) = &item.node else { return };
            let Some(node) = sort.node.as_deref() else { return };
            let Some((found, key)) = self.key(output(select, node, true)) else {
                all = false;
                continue;
            };
            if found.block == block
                && let Some(column) = &key.column
            {
                let used = &mut self.shape.blocks[block].uses[found.number];
                used.ordered_by.insert(column.clone());
            }
            let descending = sort.sortby_dir == SortByDir::SortbyDesc as i32;
            let nulls_first = match SortByNulls::try_from(sort.sortby_nulls) {
                Ok(SortByNulls::SortbyNullsFirst) => true,
                Ok(SortByNulls::SortbyNullsLast) => false,
                _ => descending,
            };
            keys.push((found, SortKey { key, descending, nulls_first }));
        }
        let Some((first, _)) = keys.first() else { return };
        let number = first.number;
        if all && keys.iter().all(|(found, _)| found.block == block && found.number == number) {
            self.shape.blocks[block].uses[number].sort =
                keys.into_iter().map(|(_, key)| key).collect();
        }
    }

    /// The GROUP BY or DISTINCT, when it is plain columns of one relation.
    fn group(&mut self, select: &SelectStmt, block: usize) {
        let items: Vec<&Node> = match select.group_clause.is_empty()
            && !select.distinct_clause.is_empty()
        {
            true => select.target_list.iter().filter_map(value).collect(),
            false => select.group_clause.iter().map(|node| output(select, node, false)).collect(),
        };
        let keys: Option<Vec<(Found, Key)>> =
            items.into_iter().map(|node| self.key(node)).collect();
        let Some(keys) = keys.filter(|keys| !keys.is_empty()) else { return };
        let number = keys[0].0.number;
        if keys.iter().all(|(found, _)| found.block == block && found.number == number) {
            let columns: Option<Vec<String>> =
                keys.into_iter().map(|(_, key)| key.column).collect();
            self.shape.blocks[block].uses[number].group = columns.unwrap_or_default();
        }
    }
}

pub(in super::super) fn value(target: &Node) -> Option<&Node> {
    match &target.node {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref(),
        _ => None,
    }
}

fn only_target(select: &SelectStmt) -> Option<&Node> {
    match select.target_list.as_slice() {
        [only] => value(only),
        _ => None,
    }
}

/// What an ORDER BY or GROUP BY item stands for: an output column by number or (in ORDER BY) by
/// name, or itself.
pub(in super::super) fn output<'a>(
    select: &'a SelectStmt,
    node: &'a Node,
    by_name: bool,
) -> &'a Node {
    if let Some(NodeEnum::AConst(constant)) = &node.node
        && let Some(a_const::Val::Ival(number)) = &constant.val
    {
        let number = usize::try_from(number.ival).unwrap_or(0);
        return number
            .checked_sub(1)
            .and_then(|at| select.target_list.get(at))
            .and_then(value)
            .unwrap_or(node);
    }
    if by_name && let Some((None, name)) = ast::column(node) {
        for target in &select.target_list {
            if let Some(NodeEnum::ResTarget(target)) = &target.node
                && target.name == name
                && let Some(value) = target.val.as_deref()
            {
                return value;
            }
        }
    }
    node
}

fn aggregates(select: &SelectStmt) -> bool {
    select.target_list.iter().chain(select.having_clause.as_deref()).any(|node| {
        ast::all(node).iter().any(|below| match &below.node {
            Some(NodeEnum::FuncCall(call)) => {
                call.over.is_none() && AGGREGATES.contains(&ast::function(call))
            }
            _ => false,
        })
    })
}

/// The conditions of a plan's node, as EXPLAIN prints them.
fn conditions(node: &PlanNode) -> impl Iterator<Item = &str> {
    ["Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter"]
        .into_iter()
        .filter_map(|key| node.native.get(key)?.as_str())
        // What names a subplan is not SQL.
        .filter(|text| !text.contains("SubPlan") && !text.contains("InitPlan"))
}

/// Parses many conditions in few calls: a parse has a price of its own.
fn parse_all<'a>(texts: impl Iterator<Item = &'a str>) -> HashMap<&'a str, Node> {
    let unique: Vec<&str> = texts.collect::<BTreeSet<&str>>().into_iter().collect();
    let mut parsed = HashMap::new();
    for batch in unique.chunks(200) {
        match ast::parse_conditions(batch) {
            Some(nodes) => parsed.extend(batch.iter().copied().zip(nodes)),
            // One of them is no SQL: one by one, as long as that is quick.
            None => {
                let single = |text: &&'a str| Some((*text, ast::parse_conditions(&[text])?.pop()?));
                parsed.extend(batch.iter().take(50).filter_map(single));
            }
        }
    }
    parsed
}
