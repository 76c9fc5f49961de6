use marula_core::RelationalCatalog;
use pg_query::protobuf::{
    CommonTableExpr, CteMaterialize, SelectStmt, SetOperation, SubLink, SubLinkType,
};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::predicate::{Predicate, Side};
use super::scope::{Found, Output, Scope};
use super::{Block, Operator, Shape, Value};

/// Walks a statement and fills its shape.
pub(super) struct Reader<'c> {
    pub catalog: Option<&'c RelationalCatalog>,
    pub shape: Shape,
    pub scope: Scope,
    pub from_plan: bool,
    /// Where conditions go that hold on one side of an OR only.
    pub side_of_or: Option<Vec<(Found, Predicate)>>,
    depth: usize,
}

/// What stands around a block.
#[derive(Clone, Copy, Default)]
struct Around<'a> {
    /// The block it stands in.
    parent: Option<usize>,
    /// What `x IN (SELECT …)` compares its output with.
    test: &'a [Side],
    /// It is the subquery of an IN or EXISTS that must hold: a join, as far as finding rows goes.
    semi: bool,
}

impl<'c> Reader<'c> {
    pub fn new(catalog: Option<&'c RelationalCatalog>) -> Self {
        let (shape, scope) = (Shape::new(catalog), Scope::default());
        Reader { catalog, shape, scope, from_plan: false, side_of_or: None, depth: 0 }
    }

    /// Reads a SELECT. Other statements are refused long before.
    pub fn statement(&mut self, statement: &Node) {
        if let Some(select) = ast::as_select(statement) {
            self.select(select, Around::default());
        }
    }

    /// Reads what stands in a FROM; gives its columns.
    pub fn derived_table(&mut self, select: &SelectStmt, block: usize) -> Vec<Output> {
        self.select(select, Around { parent: Some(block), ..Around::default() })
    }

    fn select(&mut self, select: &SelectStmt, around: Around<'_>) -> Vec<Output> {
        if self.depth > ast::MAX_DEPTH / 4 {
            return Vec::new();
        }
        self.depth += 1;
        let (levels, ctes) = (self.scope.levels.len(), self.scope.ctes.len());
        for cte in select.with_clause.iter().flat_map(|with| &with.ctes) {
            if let Some(NodeEnum::CommonTableExpr(cte)) = &cte.node {
                self.cte(cte, select, around.parent);
            }
        }
        let outputs = if select.op > SetOperation::SetopNone as i32 {
            let sides = [&select.larg, &select.rarg].into_iter().flatten();
            let around = Around { parent: around.parent, ..Around::default() };
            let outputs: Vec<Vec<Output>> = sides.map(|side| self.select(side, around)).collect();
            // Conditions on a set operation's output are left outside.
            outputs.into_iter().take(1).flatten().map(|(name, _)| (name, None)).collect()
        } else {
            self.block(select, around)
        };
        self.scope.levels.truncate(levels);
        self.scope.ctes.truncate(ctes);
        self.depth -= 1;
        outputs
    }

    /// Reads a CTE. Conditions reach into one that is used once: the server merges it with its
    /// surroundings, or a rewrite makes it do so.
    fn cte(&mut self, cte: &CommonTableExpr, select: &SelectStmt, parent: Option<usize>) {
        let recursive = select.with_clause.as_ref().is_some_and(|with| with.recursive);
        let at = self.scope.ctes.len();
        // A recursive one sees itself.
        self.scope.ctes.push((cte.ctename.clone(), None));
        let Some(query) = cte.ctequery.as_deref().and_then(ast::as_select) else { return };
        let outputs = self.select(query, Around { parent, ..Around::default() });
        let often = cte.ctematerialized != CteMaterialize::Never as i32
            && references(select, &cte.ctename) > 1;
        if !recursive && !often && cte.aliascolnames.is_empty() {
            self.scope.ctes[at].1 = Some(outputs);
        }
    }

    fn block(&mut self, select: &SelectStmt, around: Around<'_>) -> Vec<Output> {
        let block = self.shape.blocks.len();
        self.shape.blocks.push(Block {
            parent: around.parent,
            semi: around.semi,
            distinct: !select.distinct_clause.is_empty(),
            limited: select.limit_count.is_some(),
            ordered: !select.sort_clause.is_empty(),
            aggregates: !select.group_clause.is_empty() || ast::aggregates(select),
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
        let having = select.having_clause.as_deref().map(ast::conjuncts).unwrap_or_default();
        let condition = select.where_clause.as_deref().map(ast::conjuncts).unwrap_or_default();
        // The server moves what HAVING says of a group's own columns to where the rows are read.
        let moved = having.iter().filter(|part| !ast::has_aggregate(part));
        for part in condition.iter().chain(moved) {
            self.condition(part, None);
        }
        let outputs = self.outputs(select, block);
        self.test(select, &outputs, around.test);
        self.order(select, block);
        self.group(select, block);
        self.expressions(select, block, &condition);
        outputs
    }

    /// `x IN (SELECT y …)` asks `y = x` of the subquery's relations.
    fn test(&mut self, select: &SelectStmt, outputs: &[Output], test: &[Side]) {
        if test.len() != select.target_list.len() || !self.takes_conditions(select) {
            return;
        }
        for (number, (target, test)) in select.target_list.iter().zip(test).enumerate() {
            let Some(target) = super::order::value(target) else { continue };
            let grouped = !select.group_clause.is_empty() || ast::aggregates(select);
            if grouped && outputs.get(number).is_none_or(|(_, found)| found.is_none()) {
                continue;
            }
            let (side, text) = (self.side(target), ast::sql(target).unwrap_or_default());
            if let Side::Key(found, key) = side {
                let value = test.value();
                let condition = format!("{text} = {}", test.words());
                self.put(found, key, Operator::Equal, value, (condition, None), None);
            }
        }
    }

    fn expressions(&mut self, select: &SelectStmt, block: usize, condition: &[&Node]) {
        let lists = [
            &select.target_list,
            &select.distinct_clause,
            &select.group_clause,
            &select.sort_clause,
        ];
        for node in lists.into_iter().flatten() {
            self.expression(node, block);
        }
        for part in condition {
            match &part.node {
                Some(NodeEnum::SubLink(link)) => self.sublink(link, block, true),
                _ => self.expression(part, block),
            }
        }
        select.having_clause.as_deref().into_iter().for_each(|node| self.expression(node, block));
    }

    /// Notes the columns an expression needs, and reads the subqueries in it.
    pub(super) fn expression(&mut self, node: &Node, block: usize) {
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
            Some(NodeEnum::SubLink(link)) => self.sublink(link, block, false),
            Some(NodeEnum::SelectStmt(select)) => {
                self.derived_table(select, block);
            }
            _ => {
                self.depth += 1;
                ast::children(node, &mut |child| self.expression(child, block));
                self.depth -= 1;
            }
        }
    }

    /// Reads a subquery of an expression. `holds` when it is a condition that must hold.
    fn sublink(&mut self, link: &SubLink, block: usize, holds: bool) {
        let test = link.testexpr.as_deref();
        test.into_iter().for_each(|test| self.expression(test, block));
        let any = link.sub_link_type == SubLinkType::AnySublink as i32;
        let exists = link.sub_link_type == SubLinkType::ExistsSublink as i32;
        // Told here, since inside a name may mean the subquery's own column.
        let test: Vec<Side> = match test {
            Some(test) if any && ast::is_equality(link) => {
                ast::row(test).into_iter().map(|part| self.side(part)).collect()
            }
            _ => Vec::new(),
        };
        if let Some(select) = link.subselect.as_deref().and_then(ast::as_select) {
            let semi = holds && (any || exists);
            self.select(select, Around { parent: Some(block), test: &test, semi });
        }
    }

    fn need(&mut self, found: &Found) {
        let block = self.shape.blocks.get_mut(found.block);
        let used = block.and_then(|block| block.uses.get_mut(found.number));
        if let Some(columns) = used.and_then(|used| used.columns.as_mut()) {
            columns.insert(found.column.clone());
        }
    }
}

impl Side {
    /// What a condition compares with when this is its other side.
    pub fn value(&self) -> Value {
        match self {
            Side::Constant(text) => Value::Constant(text.clone()),
            Side::Key(found, _) | Side::Mixed(Some(found)) => Value::Column {
                block: found.block,
                number: found.number,
                column: found.column.clone(),
            },
            Side::Mixed(None) => Value::Subquery,
        }
    }

    fn words(&self) -> &str {
        match self {
            Side::Constant(text) => text,
            Side::Key(_, key) => &key.text,
            Side::Mixed(_) => "(…)",
        }
    }
}

/// How often a statement's FROM clauses name a CTE.
fn references(select: &SelectStmt, name: &str) -> usize {
    let mut count = 0;
    ast::select_children(select, &mut |child| {
        let named = |node: &&Node| match &node.node {
            Some(NodeEnum::RangeVar(table)) => table.schemaname.is_empty() && table.relname == name,
            _ => false,
        };
        count += ast::all(child).into_iter().filter(named).count();
    });
    count
}
