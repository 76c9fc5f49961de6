//! What a SELECT returns: attributes, groups, aggregates, and their order.

use marula_core::Result;
use marula_core::model::{AccessPath, Aggregate, AggregateFunction, Operator, SortKey};
use marula_postgres::access::ast;
use pg_query::protobuf::{FuncCall, SelectStmt, SortBy, SortByDir, SortByNulls, a_const};
use pg_query::{Node, NodeEnum};

use super::conditions::path_of;
use super::tables::Column;
use super::{Reader, called, location};

/// One column of the answer.
#[derive(Clone)]
enum Out {
    /// An attribute.
    Plain(Column),
    /// An aggregate, by its index among the path's.
    Computed(usize),
}

/// A column of the answer and what the statement calls it.
struct Target<'s> {
    out: Out,
    alias: Option<&'s str>,
}

impl Reader<'_> {
    /// Puts what the SELECT returns into the path.
    pub(super) fn output(
        &self,
        select: &SelectStmt,
        prefixes: &[String],
        path: &mut AccessPath,
    ) -> Result<()> {
        let targets = self.targets(select, prefixes, path)?;
        let grouped = self.groups(select, &targets)?;
        let plain: Vec<(&Column, i32)> = targets
            .iter()
            .filter_map(|target| match &target.out {
                Out::Plain(column) => Some((column, 0)),
                Out::Computed(_) => None,
            })
            .collect();
        let mut group = grouped;
        if !select.group_clause.is_empty() || !path.aggregates.is_empty() {
            for (column, at) in &plain {
                self.grouped(column, &mut group, *at)?;
            }
            if plain.is_empty() && !group.is_empty() {
                return Err(self.unsaid("GROUP BY whose groups are not selected", 0));
            }
        }
        // What it is sorted by is judged with the groups known.
        path.group = group.iter().map(|column| path_of(column, prefixes)).collect();
        self.having(select, prefixes, &group, path)?;
        let order = self.order(select, &targets, prefixes, path, &mut group)?;
        if !select.distinct_clause.is_empty() {
            self.distinct(&plain, path, &mut group)?;
        }
        path.select = plain.iter().map(|(column, _)| path_of(column, prefixes)).collect();
        for (at, attribute) in path.select.iter().enumerate() {
            if path.select[..at].contains(attribute) {
                return Err(self.unsaid(&format!("selecting {attribute} twice"), 0));
            }
        }
        path.group = group.iter().map(|column| path_of(column, prefixes)).collect();
        path.sort = order;
        if path.group.is_empty() && self.is_whole(&plain) {
            path.select.clear();
        }
        Ok(())
    }

    /// Whether the columns are all of the first table's, in their order.
    fn is_whole(&self, plain: &[(&Column, i32)]) -> bool {
        let all = self.tables.first().map(|table| &table.entity.attributes);
        all.is_some_and(|all| {
            all.len() == plain.len()
                && all.iter().zip(plain).all(|(attribute, (column, _))| {
                    column.table == 0 && column.attribute == attribute.name
                })
        })
    }

    fn targets<'s>(
        &self,
        select: &'s SelectStmt,
        prefixes: &[String],
        path: &mut AccessPath,
    ) -> Result<Vec<Target<'s>>> {
        let mut targets = Vec::new();
        for target in &select.target_list {
            let Some(NodeEnum::ResTarget(target)) = &target.node else { continue };
            let Some(value) = target.val.as_deref() else { continue };
            let alias = Some(target.name.as_str()).filter(|name| !name.is_empty());
            match &value.node {
                Some(NodeEnum::ColumnRef(reference)) if ast::is_star(value) => {
                    let tables = match reference.fields.as_slice() {
                        [.., table, _] => {
                            let alias = ast::string(table).unwrap_or_default();
                            let at = self.alias(alias, reference.location)?;
                            at..at + 1
                        }
                        _ if self.merged.is_empty() => 0..self.tables.len(),
                        _ => return Err(self.unsaid("* over USING", reference.location)),
                    };
                    for table in tables {
                        for attribute in &self.entity(table)?.attributes {
                            let attribute = attribute.name.clone();
                            let out = Out::Plain(Column { table, attribute });
                            targets.push(Target { out, alias: None });
                        }
                    }
                }
                Some(NodeEnum::ColumnRef(reference)) => {
                    let out = Out::Plain(self.column(reference)?);
                    targets.push(Target { out, alias });
                }
                Some(NodeEnum::FuncCall(call)) => {
                    let aggregate = self.aggregate(call, prefixes)?;
                    let out = Out::Computed(path.aggregates.len());
                    self.add(aggregate, alias.unwrap_or(ast::function(call)), path);
                    targets.push(Target { out, alias });
                }
                _ => {
                    let what = format!("{} in the answer", called(value));
                    return Err(self.unsaid(&what, location(value)));
                }
            }
        }
        Ok(targets)
    }

    /// Adds an aggregate under a name that is free.
    pub(super) fn add(&self, aggregate: Aggregate, wanted: &str, path: &mut AccessPath) {
        let name = self.name(wanted, path);
        path.aggregates.push(Aggregate { name, ..aggregate });
    }

    /// The index of an aggregate that the path has, whatever it is called.
    pub(super) fn known(aggregate: &Aggregate, path: &AccessPath) -> Option<usize> {
        let all = &mut path.aggregates.iter();
        all.position(|known| Aggregate { name: String::new(), ..known.clone() } == *aggregate)
    }

    /// A name for an aggregate that is none of an attribute and of no other aggregate.
    fn name(&self, wanted: &str, path: &AccessPath) -> String {
        let wanted = wanted.replace('.', "_");
        let taken = |name: &str| {
            self.tables.first().is_some_and(|table| table.entity.attribute(name).is_some())
                || path.aggregates.iter().any(|aggregate| aggregate.name == name)
        };
        if !taken(&wanted) {
            return wanted;
        }
        let mut number = 2usize;
        loop {
            let name = format!("{wanted}_{number}");
            if !taken(&name) {
                return name;
            }
            number += 1;
        }
    }

    pub(super) fn aggregate(&self, call: &FuncCall, prefixes: &[String]) -> Result<Aggregate> {
        let at = call.location;
        if call.over.is_some() {
            return Err(self.unsaid("a window function", at));
        }
        let function = match ast::function(call) {
            "count" => AggregateFunction::Count,
            "sum" => AggregateFunction::Sum,
            "avg" => AggregateFunction::Average,
            "min" => AggregateFunction::Min,
            "max" => AggregateFunction::Max,
            other => return Err(self.unsaid(&format!("the function {other}"), at)),
        };
        if call.agg_distinct {
            return Err(self.unsaid("an aggregate over DISTINCT values", at));
        }
        if call.agg_filter.is_some() {
            return Err(self.unsaid("an aggregate with FILTER", at));
        }
        if !call.agg_order.is_empty() || call.agg_within_group {
            return Err(self.unsaid("an aggregate with an order", at));
        }
        let mut aggregate = Aggregate { function, ..Aggregate::default() };
        if call.agg_star {
            return Ok(aggregate);
        }
        let [argument] = call.args.as_slice() else {
            return Err(self.wrong("this aggregate takes one value", at));
        };
        match &argument.node {
            Some(NodeEnum::ColumnRef(reference)) => {
                let column = self.column(reference)?;
                aggregate.attribute = Some(path_of(&column, prefixes));
            }
            Some(NodeEnum::AConst(constant))
                if function == AggregateFunction::Count && !constant.isnull => {}
            Some(NodeEnum::AExpr(e))
                if ast::operator(e) == "*" && function != AggregateFunction::Count =>
            {
                let side = |side: &Option<Box<Node>>| match side.as_deref() {
                    Some(Node { node: Some(NodeEnum::ColumnRef(reference)) }) => {
                        self.column(reference).map(|column| path_of(&column, prefixes))
                    }
                    Some(other) => Err(self.unsaid(called(other), location(other))),
                    None => Err(self.unsaid("this aggregate", at)),
                };
                aggregate.attribute = Some(side(&e.lexpr)?);
                aggregate.times = Some(side(&e.rexpr)?);
            }
            _ => {
                let what = format!("an aggregate over {}", called(argument));
                return Err(self.unsaid(&what, location(argument)));
            }
        }
        Ok(aggregate)
    }

    /// The columns that GROUP BY names.
    fn groups(&self, select: &SelectStmt, targets: &[Target<'_>]) -> Result<Vec<Column>> {
        let mut group = Vec::new();
        for item in &select.group_clause {
            let column = match &item.node {
                Some(NodeEnum::ColumnRef(reference)) => match reference.fields.as_slice() {
                    // An attribute comes before a name that the SELECT gives.
                    [one] => {
                        match self.bare(ast::string(one).unwrap_or_default(), location(item))? {
                            Some(column) => column,
                            None => self.aliased(item, reference, targets)?,
                        }
                    }
                    _ => self.column(reference)?,
                },
                Some(NodeEnum::GroupingSet(_)) => {
                    return Err(self.unsaid("ROLLUP, CUBE or GROUPING SETS", 0));
                }
                _ => match self.ordinal(item, targets)? {
                    Some(Out::Plain(column)) => column,
                    Some(Out::Computed(_)) => {
                        return Err(self.wrong("GROUP BY an aggregate", location(item)));
                    }
                    None => {
                        let what = format!("GROUP BY of {}", called(item));
                        return Err(self.unsaid(&what, location(item)));
                    }
                },
            };
            if !group.contains(&column) {
                group.push(column);
            }
        }
        Ok(group)
    }

    fn aliased(
        &self,
        item: &Node,
        reference: &pg_query::protobuf::ColumnRef,
        targets: &[Target<'_>],
    ) -> Result<Column> {
        let name = reference.fields.last().and_then(ast::string);
        match targets.iter().find(|target| target.alias == name) {
            Some(Target { out: Out::Plain(column), .. }) => Ok(column.clone()),
            Some(_) => Err(self.wrong("GROUP BY an aggregate", location(item))),
            None => self.column(reference),
        }
    }

    /// What `ORDER BY 2` and `GROUP BY 2` mean; `None` for what is no whole number.
    fn ordinal(&self, item: &Node, targets: &[Target<'_>]) -> Result<Option<Out>> {
        let Some(NodeEnum::AConst(constant)) = &item.node else { return Ok(None) };
        let Some(a_const::Val::Ival(number)) = &constant.val else { return Ok(None) };
        let index = usize::try_from(number.ival).ok().and_then(|number| number.checked_sub(1));
        match index.and_then(|index| targets.get(index)) {
            Some(target) => Ok(Some(target.out.clone())),
            None => {
                let what = format!("the answer has no column {}", number.ival);
                Err(self.wrong(&what, location(item)))
            }
        }
    }

    /// A column that is returned or sorted by must be one of the groups', or hang on their key;
    /// then it makes the same groups and is added.
    fn grouped(&self, column: &Column, group: &mut Vec<Column>, at: i32) -> Result<()> {
        if group.contains(column) {
            return Ok(());
        }
        let key = self.entity(column.table)?.key();
        let has = |name: &&str| {
            group.iter().any(|known| known.table == column.table && known.attribute == **name)
        };
        if !key.is_empty() && key.iter().all(has) {
            group.push(column.clone());
            return Ok(());
        }
        let what = format!("{} must be in GROUP BY or in an aggregate", column.attribute);
        Err(self.wrong(&what, at))
    }

    /// DISTINCT makes groups of all that is returned.
    fn distinct(
        &self,
        plain: &[(&Column, i32)],
        path: &AccessPath,
        group: &mut Vec<Column>,
    ) -> Result<()> {
        let returned = |column: &Column| plain.iter().any(|(known, _)| *known == column);
        if group.is_empty() && path.aggregates.is_empty() {
            group.extend(plain.iter().map(|(column, _)| (*column).clone()));
            return Ok(());
        }
        // Rows of different groups differ where all that tells groups apart is returned.
        match group.iter().all(returned) {
            true => Ok(()),
            false => Err(self.unsaid("DISTINCT over groups", 0)),
        }
    }

    fn order(
        &self,
        select: &SelectStmt,
        targets: &[Target<'_>],
        prefixes: &[String],
        path: &AccessPath,
        group: &mut Vec<Column>,
    ) -> Result<Vec<SortKey>> {
        let mut keys: Vec<SortKey> = Vec::new();
        for item in &select.sort_clause {
            let Some(NodeEnum::SortBy(by)) = &item.node else { continue };
            let Some(node) = by.node.as_deref() else { continue };
            let out = self.sorted(node, targets, prefixes, path)?;
            let name = match &out {
                Out::Plain(column) => {
                    if !group.is_empty() || !path.aggregates.is_empty() {
                        self.grouped(column, group, location(node))?;
                    }
                    path_of(column, prefixes)
                }
                Out::Computed(index) => path.aggregates[*index].name.clone(),
            };
            let descending = self.descending(by, &out, prefixes, path, location(node))?;
            if !keys.iter().any(|key| key.by == name) {
                keys.push(SortKey { by: name, descending });
            }
        }
        Ok(keys)
    }

    fn sorted(
        &self,
        node: &Node,
        targets: &[Target<'_>],
        prefixes: &[String],
        path: &AccessPath,
    ) -> Result<Out> {
        match &node.node {
            Some(NodeEnum::ColumnRef(reference)) => {
                // A name that the SELECT gives comes before an attribute.
                if let [one] = reference.fields.as_slice() {
                    let name = ast::string(one);
                    let mut named = targets.iter().filter(|target| target.alias == name);
                    if let Some(target) = named.next() {
                        return Ok(target.out.clone());
                    }
                    // An aggregate without a name is called as its function.
                    if self.bare(name.unwrap_or_default(), reference.location)?.is_none() {
                        let index = path
                            .aggregates
                            .iter()
                            .position(|aggregate| Some(aggregate.name.as_str()) == name);
                        if let Some(index) = index {
                            return Ok(Out::Computed(index));
                        }
                    }
                }
                self.column(reference).map(Out::Plain)
            }
            Some(NodeEnum::FuncCall(call)) => {
                let wanted = self.aggregate(call, prefixes)?;
                match Self::known(&wanted, path) {
                    Some(index) => Ok(Out::Computed(index)),
                    None => Err(self.unsaid("an order by what is not selected", call.location)),
                }
            }
            _ => match self.ordinal(node, targets)? {
                Some(out) => Ok(out),
                None => {
                    let what = format!("an order by {}", called(node));
                    Err(self.unsaid(&what, location(node)))
                }
            },
        }
    }

    /// Whether the greatest comes first. A path puts what is missing before all that is there, and
    /// after it where the greatest comes first; PostgreSQL does the opposite unless it is told.
    fn descending(
        &self,
        by: &SortBy,
        out: &Out,
        prefixes: &[String],
        path: &AccessPath,
        at: i32,
    ) -> Result<bool> {
        let descending = match by.sortby_dir() {
            SortByDir::SortbyDesc => true,
            SortByDir::SortbyUsing => return Err(self.unsaid("ORDER BY … USING", at)),
            _ => false,
        };
        let told = match by.sortby_nulls() {
            SortByNulls::SortbyNullsFirst => !descending,
            SortByNulls::SortbyNullsLast => descending,
            _ => false,
        };
        let there = |name: &str| self.is_there(name, prefixes, path);
        let fine = match out {
            Out::Plain(column) => told || there(&path_of(column, prefixes)),
            Out::Computed(index) => {
                let aggregate = &path.aggregates[*index];
                let counted = aggregate.function == AggregateFunction::Count;
                let of = aggregate.attribute.iter().chain(&aggregate.times);
                let fine =
                    counted || (!path.group.is_empty() && of.into_iter().all(|name| there(name)));
                // MongoDB sorts the sum of nothing as zero.
                if !fine && told && aggregate.function == AggregateFunction::Sum {
                    return Err(self
                        .unsaid("an order by a sum of what may be missing", at)
                        .hint("say required: true in the model, or order by something else"));
                }
                fine || told
            }
        };
        match (fine, descending) {
            (true, _) => Ok(descending),
            (false, true) => Err(self
                .unsaid("an order by what may be missing, without NULLS LAST,", at)
                .hint("write DESC NULLS LAST, or say required: true in the model")),
            (false, false) => Err(self
                .unsaid("an order by what may be missing, without NULLS FIRST,", at)
                .hint("write NULLS FIRST, or say required: true in the model")),
        }
    }

    /// Whether an attribute is there in every row of the answer: it must be, or a condition asks
    /// for it.
    fn is_there(&self, name: &str, prefixes: &[String], path: &AccessPath) -> bool {
        let asked = path
            .conditions
            .iter()
            .any(|condition| condition.attribute == name && condition.is != Operator::Missing);
        let (prefix, attribute) = name.rsplit_once('.').unwrap_or(("", name));
        let behind = |steps: &String| {
            prefix.strip_prefix(steps.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('.'))
        };
        if !asked && path.optional.iter().any(behind) {
            return false;
        }
        let table = prefixes.iter().position(|known| known == prefix);
        let entity = table.and_then(|table| self.tables.get(table)).map(|table| table.entity);
        asked
            || entity.is_some_and(|entity| {
                entity.key().contains(&attribute)
                    || entity.attribute(attribute).is_some_and(|known| known.required)
            })
    }
}
