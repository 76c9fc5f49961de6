use marula_core::model::{Attribute, Entity};
use marula_core::{Result, nearest};
use marula_postgres::access::ast;
use pg_query::protobuf::{ColumnRef, JoinExpr, JoinType, RangeVar, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::{Reader, location};

/// Something that FROM names.
pub(super) struct Table<'a> {
    /// What the statement calls it.
    pub alias: String,
    /// The entity.
    pub entity: &'a Entity,
    /// Whether it need not be there: a LEFT JOIN brings it in, and nothing asks for it.
    pub outer: bool,
    /// Where it is named, in bytes.
    pub location: i32,
}

/// An attribute of something that FROM names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// The index among the tables.
    pub table: usize,
    /// The attribute's name.
    pub attribute: String,
}

/// Two columns that must be equal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// One.
    pub left: Column,
    /// The other.
    pub right: Column,
    /// The table whose LEFT JOIN says it, if one does.
    pub on: Option<usize>,
    /// Where that is said, in bytes.
    pub location: i32,
}

/// What FROM and WHERE ask for.
#[derive(Default)]
pub(super) struct Asked<'s> {
    /// The conditions, and of each the table whose LEFT JOIN says it, if one does.
    pub conjuncts: Vec<(&'s Node, Option<usize>)>,
    /// Equalities that USING says.
    pub pairs: Vec<Pair>,
}

impl<'a> Reader<'a> {
    /// Reads FROM and gathers the conditions of its joins and of WHERE.
    pub(super) fn from<'s>(&mut self, select: &'s SelectStmt) -> Result<Asked<'s>> {
        let mut asked = Asked::default();
        for item in &select.from_clause {
            self.item(item, &mut asked)?;
        }
        if self.tables.is_empty() {
            return Err(self.unsaid("a SELECT without FROM", 0));
        }
        if let Some(condition) = select.where_clause.as_deref() {
            let all = ast::conjuncts(condition).into_iter();
            asked.conjuncts.extend(all.map(|node| (node, None)));
        }
        Ok(asked)
    }

    fn item<'s>(&mut self, item: &'s Node, asked: &mut Asked<'s>) -> Result<()> {
        match &item.node {
            Some(NodeEnum::RangeVar(table)) => self.table(table),
            Some(NodeEnum::JoinExpr(join)) => self.join(join, asked),
            Some(NodeEnum::RangeSubselect(_)) => Err(self.unsaid("a subquery in FROM", 0)),
            Some(NodeEnum::RangeFunction(_)) => Err(self.unsaid("a function in FROM", 0)),
            Some(NodeEnum::RangeTableSample(_)) => Err(self.unsaid("TABLESAMPLE", 0)),
            _ => Err(self.unsaid("this FROM", location(item))),
        }
    }

    fn join<'s>(&mut self, join: &'s JoinExpr, asked: &mut Asked<'s>) -> Result<()> {
        let outer = match JoinType::try_from(join.jointype) {
            Ok(JoinType::JoinInner) => false,
            Ok(JoinType::JoinLeft) => true,
            Ok(JoinType::JoinRight) => return Err(self.unsaid("a right join", 0)),
            _ => return Err(self.unsaid("a full join", 0)),
        };
        if join.is_natural {
            return Err(self.unsaid("a natural join", 0));
        }
        if let Some(alias) = &join.alias {
            let what = format!("a join with a name of its own ({})", alias.aliasname);
            return Err(self.unsaid(&what, 0));
        }
        if let Some(left) = join.larg.as_deref() {
            self.item(left, asked)?;
        }
        let middle = self.tables.len();
        if let Some(right) = join.rarg.as_deref() {
            self.item(right, asked)?;
        }
        if outer {
            if self.tables.len() != middle + 1 {
                return Err(self.unsaid("a left join of a join", 0));
            }
            self.tables[middle].outer = true;
        }
        if let Some(quals) = join.quals.as_deref() {
            let conjuncts = ast::conjuncts(quals);
            if outer && let Some(filter) = conjuncts.iter().find(|node| !self.is_pair(node)) {
                return Err(self.unsaid("a left join with a condition", location(filter)));
            }
            let on = outer.then_some(middle);
            asked.conjuncts.extend(conjuncts.into_iter().map(|node| (node, on)));
        }
        for name in join.using_clause.iter().filter_map(ast::string) {
            let side = |range: std::ops::Range<usize>| {
                let mut having = range.filter(|at| self.attribute(*at, name).is_some());
                (having.next(), having.next())
            };
            let (left, right) = (side(0..middle), side(middle..self.tables.len()));
            let (Some(left), Some(right)) = (left.0, right.0) else {
                let what = format!("USING ({name}): not both sides have an attribute {name}");
                return Err(self.missing(what, &[], 0));
            };
            let column = |table| Column { table, attribute: name.into() };
            let (left, right, on) = (column(left), column(right), outer.then_some(middle));
            asked.pairs.push(Pair { left, right, on, location: 0 });
            self.merged.push(name.into());
        }
        Ok(())
    }

    fn is_pair(&self, node: &Node) -> bool {
        match &node.node {
            Some(NodeEnum::AExpr(e)) => {
                let column = |side: &Option<Box<Node>>| {
                    side.as_deref().is_some_and(|side| ast::column(side).is_some())
                };
                ast::operator(e) == "=" && column(&e.lexpr) && column(&e.rexpr)
            }
            _ => false,
        }
    }

    fn table(&mut self, table: &RangeVar) -> Result<()> {
        let schema = table.schemaname.as_str();
        if !matches!(schema, "" | "public") || !table.catalogname.is_empty() {
            let what = format!("{schema}.{}: a model's entities are in no schema", table.relname);
            return Err(self.missing(what, &[], table.location));
        }
        let Some(entity) = self.model.entity(&table.relname) else {
            let known = self.model.entities.iter().map(|entity| entity.name.as_str());
            let near = nearest(&table.relname, known);
            let what = format!("the model has no entity {}", table.relname);
            return Err(self.missing(what, &near, table.location));
        };
        if let Some(alias) = &table.alias
            && !alias.colnames.is_empty()
        {
            return Err(self.unsaid("new names for columns in FROM", table.location));
        }
        let alias = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname).clone();
        if self.tables.iter().any(|known| known.alias == alias) {
            let what = format!("{alias} is named twice in FROM");
            return Err(self.wrong(&what, table.location));
        }
        self.tables.push(Table { alias, entity, outer: false, location: table.location });
        Ok(())
    }

    /// The entity of a table.
    pub(super) fn entity(&self, table: usize) -> Result<&'a Entity> {
        match self.tables.get(table) {
            Some(table) => Ok(table.entity),
            None => Err(self.unsaid("a SELECT without FROM", 0)),
        }
    }

    fn attribute(&self, table: usize, name: &str) -> Option<&'a Attribute> {
        self.tables.get(table)?.entity.attribute(name)
    }

    /// The attribute that a column is.
    pub(super) fn of(&self, column: &Column) -> Option<&'a Attribute> {
        self.attribute(column.table, &column.attribute)
    }

    /// The table called `alias`.
    pub(super) fn alias(&self, alias: &str, location: i32) -> Result<usize> {
        match self.tables.iter().position(|table| table.alias == alias) {
            Some(at) => Ok(at),
            None => {
                let near = nearest(alias, self.tables.iter().map(|t| t.alias.as_str()));
                Err(self.missing(format!("FROM names nothing {alias}"), &near, location))
            }
        }
    }

    /// The column that a reference means; `None` where no table has it and `lenient` says that
    /// something else may.
    pub(super) fn column(&self, reference: &ColumnRef) -> Result<Column> {
        let at = reference.location;
        let fields: Option<Vec<&str>> = reference.fields.iter().map(ast::string).collect();
        match fields.as_deref() {
            Some([name]) => match self.bare(name, at)? {
                Some(column) => Ok(column),
                None => {
                    let all = self.tables.iter().flat_map(|t| &t.entity.attributes);
                    let near = nearest(name, all.map(|attribute| attribute.name.as_str()));
                    Err(self.missing(format!("no entity in FROM has {name}"), &near, at))
                }
            },
            Some([.., alias, name]) => {
                let table = self.alias(alias, at)?;
                let entity = self.entity(table)?;
                if entity.attribute(name).is_none() {
                    let all = entity.attributes.iter().map(|attribute| attribute.name.as_str());
                    let near = nearest(name, all);
                    let what = format!("{} has no attribute {name}", entity.name);
                    return Err(self.missing(what, &near, at));
                }
                Ok(Column { table, attribute: (*name).into() })
            }
            _ => Err(self.unsaid("this reference", at)),
        }
    }

    /// The column called `name` without a table before it, where there is one.
    pub(super) fn bare(&self, name: &str, at: i32) -> Result<Option<Column>> {
        let mut having = (0..self.tables.len()).filter(|t| self.attribute(*t, name).is_some());
        let Some(table) = having.next() else { return Ok(None) };
        if having.next().is_some() && !self.merged.iter().any(|merged| merged == name) {
            let what = format!("{name} is ambiguous: several entities in FROM have it");
            return Err(self.wrong(&what, at));
        }
        Ok(Some(Column { table, attribute: name.into() }))
    }
}
