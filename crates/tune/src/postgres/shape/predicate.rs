use pg_query::protobuf::{AExpr, AExprKind, BoolExprType, BoolTestType, NullTestType};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::Key;
use super::read::Reader;
use super::scope::Found;

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`, or a bare boolean column.
    Equal,
    /// `IN (…)`, `= ANY (…)`.
    In,
    /// `<`, `<=`, `>`, `>=`, `BETWEEN`.
    Range,
    /// `LIKE 'x%'`.
    Prefix,
    /// `LIKE '%x%'`, `ILIKE`, a regular expression: what trigrams can answer.
    Pattern,
    /// `IS NULL`.
    IsNull,
    /// `IS NOT NULL`.
    IsNotNull,
    /// `<>`, `NOT IN`, `NOT LIKE`.
    Differs,
    /// `@>`, `?`, `@?`, `@@`: containment and existence in jsonb.
    JsonContains,
    /// `@>`, `<@`, `&&` over an array.
    ArrayContains,
}

/// What a condition compares with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Something without columns, as SQL.
    Constant(String),
    /// A column of another relation: its block, its number among the block's uses, its name.
    Column {
        /// The block of the other use.
        block: usize,
        /// Its number among the block's uses.
        number: usize,
        /// Its column.
        column: String,
    },
    /// The rows of a subquery.
    Subquery,
}

/// One condition on one relation.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    /// What is compared.
    pub key: Key,
    /// How.
    pub operator: Operator,
    /// With what.
    pub value: Value,
    /// The condition as SQL.
    pub text: String,
    /// The condition on this relation alone without its alias, as a partial index could have
    /// it; `None` when it depends on other relations or on parameters.
    pub bare: Option<String>,
}

impl Predicate {
    /// Whether it is a condition on this relation alone.
    pub fn is_filter(&self) -> bool {
        matches!(self.value, Value::Constant(_))
    }

    /// Whether it joins by equality.
    pub fn is_join(&self) -> bool {
        self.operator == Operator::Equal && !self.is_filter()
    }
}

/// What stands on one side of an operator.
enum Side {
    Constant(String),
    Key(Found, Key),
    /// Columns of several relations, or a subquery.
    Mixed(Option<Found>),
}

impl Reader<'_> {
    /// Takes one condition and hands it to the relations it is about. `only` are the uses of
    /// this block the condition filters; `None` when it filters all.
    pub(super) fn condition(&mut self, condition: &Node, only: Option<&[usize]>) {
        match &condition.node {
            Some(NodeEnum::AExpr(e)) => self.comparison(e, condition, only),
            Some(NodeEnum::NullTest(test)) => {
                let operator = match test.nulltesttype == NullTestType::IsNull as i32 {
                    true => Operator::IsNull,
                    false => Operator::IsNotNull,
                };
                if let Some(Side::Key(found, key)) = test.arg.as_deref().map(|arg| self.side(arg)) {
                    self.add(found, key, operator, Value::Constant(String::new()), condition, only);
                }
            }
            Some(NodeEnum::ColumnRef(_)) => self.boolean(condition, "true", condition, only),
            Some(NodeEnum::BoolExpr(e)) if e.boolop == BoolExprType::NotExpr as i32 => {
                if let [arg] = e.args.as_slice()
                    && ast::column(arg).is_some()
                {
                    self.boolean(arg, "false", condition, only);
                }
            }
            Some(NodeEnum::BooleanTest(test)) => {
                let value = match BoolTestType::try_from(test.booltesttype) {
                    Ok(BoolTestType::IsTrue) => "true",
                    Ok(BoolTestType::IsFalse) => "false",
                    _ => return,
                };
                if let Some(arg) = test.arg.as_deref() {
                    self.boolean(arg, value, condition, only);
                }
            }
            _ => {}
        }
    }

    fn boolean(&mut self, arg: &Node, value: &str, condition: &Node, only: Option<&[usize]>) {
        if let Side::Key(found, key) = self.side(arg) {
            let value = Value::Constant(value.into());
            self.add(found, key, Operator::Equal, value, condition, only);
        }
    }

    fn comparison(&mut self, e: &AExpr, condition: &Node, only: Option<&[usize]>) {
        let (Some(left), Some(right)) = (e.lexpr.as_deref(), e.rexpr.as_deref()) else { return };
        let Some(operator) = self.operator(e, left, right) else { return };
        let (left, right) = (self.side(left), self.side(right));
        match (left, right) {
            (Side::Key(found, key), Side::Constant(text))
            | (Side::Constant(text), Side::Key(found, key)) => {
                self.add(found, key, operator, Value::Constant(text), condition, only);
            }
            (Side::Key(found, key), Side::Key(other, other_key)) => {
                if found.block == other.block && found.number == other.number {
                    return;
                }
                let value = |side: &Found| Value::Column {
                    block: side.block,
                    number: side.number,
                    column: side.column.clone(),
                };
                let (here, there) = (value(&found), value(&other));
                self.add(found, key, operator, there, condition, only);
                self.add(other, other_key, operator, here, condition, only);
            }
            (Side::Key(found, key), Side::Mixed(other))
            | (Side::Mixed(other), Side::Key(found, key)) => {
                let value = other.map_or(Value::Subquery, |other| Value::Column {
                    block: other.block,
                    number: other.number,
                    column: other.column,
                });
                self.add(found, key, operator, value, condition, only);
            }
            _ => {}
        }
    }

    fn operator(&self, e: &AExpr, left: &Node, right: &Node) -> Option<Operator> {
        let name = ast::operator(e);
        match AExprKind::try_from(e.kind).ok()? {
            AExprKind::AexprOp => match name {
                "=" => Some(Operator::Equal),
                "<" | ">" | "<=" | ">=" => Some(Operator::Range),
                "<>" | "!=" => Some(Operator::Differs),
                "~~" => Some(like(right)),
                "~" | "~*" | "~~*" => Some(Operator::Pattern),
                "!~~" | "!~" | "!~*" => Some(Operator::Differs),
                "?" | "?|" | "?&" | "@?" | "@@" => self.holds("jsonb", left),
                "@>" | "<@" | "&&" => self.holds("jsonb", left).or_else(|| self.holds("[]", left)),
                _ => None,
            },
            AExprKind::AexprIn => Some(match name {
                "=" => Operator::In,
                _ => Operator::Differs,
            }),
            AExprKind::AexprOpAny if name == "=" && ast::is_constant(right) => Some(Operator::In),
            AExprKind::AexprLike if name == "~~" => Some(like(right)),
            AExprKind::AexprIlike if name == "~~*" => Some(Operator::Pattern),
            AExprKind::AexprLike | AExprKind::AexprIlike => Some(Operator::Differs),
            AExprKind::AexprBetween => Some(Operator::Range),
            _ => None,
        }
    }

    /// Whether `node` is a column of a type that ends like `kind`.
    fn holds(&self, kind: &str, node: &Node) -> Option<Operator> {
        let (qualifier, name) = ast::column(node)?;
        let found = self.scope.resolve(self.catalog, qualifier, name)?;
        let relation = &self.shape.blocks.get(found.block)?.uses.get(found.number)?.relation;
        let column = self.catalog?.find(relation)?.column(name)?;
        match (column.type_name.ends_with(kind), kind) {
            (true, "jsonb") => Some(Operator::JsonContains),
            (true, _) => Some(Operator::ArrayContains),
            _ => None,
        }
    }

    fn side(&self, node: &Node) -> Side {
        let node = match self.from_plan {
            true => strip_text_cast(node),
            false => node,
        };
        let mut found: Vec<Found> = Vec::new();
        for below in ast::all(node) {
            match &below.node {
                Some(NodeEnum::SubLink(_)) => return Side::Mixed(None),
                Some(NodeEnum::ColumnRef(_)) => {
                    let column = ast::column(below)
                        .and_then(|(q, name)| self.scope.resolve(self.catalog, q, name));
                    match column {
                        Some(column) => found.push(column),
                        None => return Side::Mixed(None),
                    }
                }
                _ => {}
            }
        }
        let Some(first) = found.first().cloned() else {
            return ast::sql(node).map_or(Side::Mixed(None), Side::Constant);
        };
        if found.iter().any(|other| (other.block, other.number) != (first.block, first.number)) {
            return Side::Mixed(Some(first));
        }
        if ast::column(node).is_some() {
            let key = Key::column(&first.column);
            return Side::Key(first, key);
        }
        let mut columns: Vec<String> = found.into_iter().map(|found| found.column).collect();
        columns.dedup();
        match Key::expression(node, columns) {
            Some(key) => Side::Key(first, key),
            None => Side::Mixed(Some(first)),
        }
    }

    /// The key `node` is, when all of it belongs to one use.
    pub(super) fn key(&self, node: &Node) -> Option<(Found, Key)> {
        match self.side(node) {
            Side::Key(found, key) => Some((found, key)),
            _ => None,
        }
    }

    fn add(
        &mut self,
        found: Found,
        key: Key,
        operator: Operator,
        value: Value,
        condition: &Node,
        only: Option<&[usize]>,
    ) {
        let here = self.scope.levels.last().map(|(block, _)| *block);
        // What a subquery asks of an outer relation is asked per outer row: no way to find it.
        if here != Some(found.block) || only.is_some_and(|only| !only.contains(&found.number)) {
            return;
        }
        let Some(text) = ast::sql(condition) else { return };
        let bare = match &value {
            Value::Constant(_) => Key::expression(condition, Vec::new())
                .filter(|condition| condition.immutable)
                .map(|condition| condition.text),
            _ => None,
        };
        let block = self.shape.blocks.get_mut(found.block);
        if let Some(used) = block.and_then(|block| block.uses.get_mut(found.number)) {
            let predicate = Predicate { key, operator, value, text, bare };
            if !used.predicates.contains(&predicate) {
                used.predicates.push(predicate);
            }
        }
    }
}

fn like(pattern: &Node) -> Operator {
    match ast::string_constant(pattern) {
        Some(text) if text.starts_with(['%', '_']) => Operator::Pattern,
        Some(text) if !text.contains(['%', '_']) => Operator::Equal,
        _ => Operator::Prefix,
    }
}

/// `(status)::text`, as EXPLAIN prints a varchar column, is the column for an index too.
fn strip_text_cast(node: &Node) -> &Node {
    match &node.node {
        Some(NodeEnum::TypeCast(cast)) => match cast.arg.as_deref() {
            Some(arg) if ast::column(arg).is_some() => {
                let names = cast.type_name.as_ref().map(|name| name.names.as_slice());
                let last = names.and_then(|names| names.last()).and_then(ast::string);
                if matches!(last, Some("text" | "bpchar")) { arg } else { node }
            }
            _ => node,
        },
        _ => node,
    }
}
