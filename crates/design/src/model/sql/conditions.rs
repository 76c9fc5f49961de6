use marula_core::model::{AttributeType, Condition, Operator};
use marula_core::{Json, Result};
use marula_postgres::access::ast;
use pg_query::protobuf::{AExpr, AExprKind, BoolExprType, BoolTestType, FuncCall, NullTestType};
use pg_query::{Node, NodeEnum};

use super::tables::{Asked, Column, Pair};
use super::values::Operand;
use super::{Reader, called, location};

/// So many conditions at most come of an OR.
const ALTERNATIVES: usize = 200;

/// What must hold.
#[derive(Default)]
pub(super) struct Conditions {
    /// All of these.
    pub all: Vec<On>,
    /// Of each of these, one at least.
    pub any: Vec<Vec<On>>,
}

/// A condition on one column.
#[derive(Clone)]
pub(super) struct On {
    /// The column.
    pub column: Column,
    /// How it is compared.
    pub is: Operator,
    /// With what.
    pub with: Operand,
}

impl Reader<'_> {
    /// Tells the equalities of two tables from the conditions on one.
    pub(super) fn conditions(&self, asked: Asked<'_>) -> Result<(Vec<Pair>, Conditions)> {
        let (mut pairs, mut conditions) = (asked.pairs, Conditions::default());
        for (node, on) in asked.conjuncts {
            match self.pair(node, on)? {
                Some(pair) => pairs.push(pair),
                None if is_or(node) => self.either(node, &mut conditions)?,
                None => self.condition(node, &mut conditions.all)?,
            }
        }
        Ok((pairs, conditions))
    }

    /// The conditions under the names a path gives to attributes.
    pub(super) fn named(&self, conditions: Vec<On>, prefixes: &[String]) -> Vec<Condition> {
        let name = |on: On| {
            let (parameter, value) = match on.with {
                Operand::Parameter(number) => (Some(number), None),
                Operand::Value(value) => (None, Some(value)),
                Operand::Nothing => (None, None),
            };
            let attribute = path_of(&on.column, prefixes);
            Condition { attribute, is: on.is, parameter, value }
        };
        conditions.into_iter().map(name).collect()
    }

    fn pair(&self, node: &Node, on: Option<usize>) -> Result<Option<Pair>> {
        let Some(NodeEnum::AExpr(e)) = &node.node else { return Ok(None) };
        let column = |side: &Option<Box<Node>>| match side.as_deref().map(|side| &side.node) {
            Some(Some(NodeEnum::ColumnRef(reference))) => Some(reference.clone()),
            _ => None,
        };
        let (Some(left), Some(right)) = (column(&e.lexpr), column(&e.rexpr)) else {
            return Ok(None);
        };
        let (left, right) = (self.column(&left)?, self.column(&right)?);
        let plain = e.kind() == AExprKind::AexprOp && ast::operator(e) == "=";
        if !plain || left.table == right.table {
            return Err(self.unsaid("a comparison of two attributes", location(node)));
        }
        if on.is_some_and(|table| left.table != table && right.table != table) {
            return Err(self.unsaid("a left join with a condition", location(node)));
        }
        Ok(Some(Pair { left, right, on, location: location(node) }))
    }

    pub(super) fn condition(&self, node: &Node, into: &mut Vec<On>) -> Result<()> {
        match &node.node {
            Some(NodeEnum::AExpr(e)) => self.comparison(node, e, into),
            Some(NodeEnum::NullTest(test)) => {
                let column = self.plain_column(test.arg.as_deref(), node)?;
                let is = match test.nulltesttype() {
                    NullTestType::IsNull => Operator::Missing,
                    _ => Operator::Present,
                };
                into.push(On { column, is, with: Operand::Nothing });
                Ok(())
            }
            Some(NodeEnum::BooleanTest(test)) => {
                let wanted = match test.booltesttype() {
                    BoolTestType::IsTrue => true,
                    BoolTestType::IsFalse => false,
                    BoolTestType::IsUnknown | BoolTestType::IsNotUnknown => {
                        return Err(self.unsaid("IS UNKNOWN", location(node)));
                    }
                    _ => return Err(self.unsaid("IS NOT TRUE or IS NOT FALSE", location(node))),
                };
                self.boolean(test.arg.as_deref(), wanted, node, into)
            }
            Some(NodeEnum::ColumnRef(_)) => self.boolean(Some(node), true, node, into),
            Some(NodeEnum::BoolExpr(e)) if e.boolop() == BoolExprType::NotExpr => {
                match e.args.first() {
                    Some(arg) if matches!(arg.node, Some(NodeEnum::ColumnRef(_))) => {
                        self.boolean(Some(arg), false, node, into)
                    }
                    _ => Err(self.unsaid("NOT", location(node))),
                }
            }
            Some(NodeEnum::FuncCall(call)) if ast::function(call) == "starts_with" => {
                let [subject, prefix] = call.args.as_slice() else {
                    return Err(self.wrong("starts_with takes two values", call.location));
                };
                let column = self.plain_column(Some(subject), node)?;
                self.push(column, Operator::StartsWith, prefix, into)
            }
            Some(NodeEnum::SubLink(_)) => Err(self.unsaid("a subquery", location(node))),
            _ => Err(self.unsaid(called(node), location(node))),
        }
    }

    /// The column that an operand is; anything else is refused by name.
    fn plain_column(&self, operand: Option<&Node>, whole: &Node) -> Result<Column> {
        match operand.map(|node| (&node.node, node)) {
            Some((Some(NodeEnum::ColumnRef(reference)), _)) => self.column(reference),
            Some((Some(NodeEnum::TypeCast(_)), node)) => {
                Err(self.unsaid("a cast of an attribute", location(node)))
            }
            Some((_, node)) => Err(self.unsaid(called(node), location(node))),
            None => Err(self.unsaid("this condition", location(whole))),
        }
    }

    fn boolean(
        &self,
        arg: Option<&Node>,
        wanted: bool,
        node: &Node,
        into: &mut Vec<On>,
    ) -> Result<()> {
        let column = self.plain_column(arg, node)?;
        if self.of(&column).is_some_and(|a| a.kind != AttributeType::Boolean) {
            let what = format!("{} is no boolean", column.attribute);
            return Err(self.wrong(&what, location(node)));
        }
        into.push(On { column, is: Operator::Equal, with: Operand::Value(Json::Bool(wanted)) });
        Ok(())
    }

    fn comparison(&self, node: &Node, e: &AExpr, into: &mut Vec<On>) -> Result<()> {
        let (left, right) = (e.lexpr.as_deref(), e.rexpr.as_deref());
        let right = right.ok_or_else(|| self.unsaid("this condition", location(node)))?;
        let at = location(node);
        match e.kind() {
            AExprKind::AexprOp => {
                let operator = ast::operator(e);
                let (subject, is, with) = match (left, compared(operator)) {
                    (Some(left), Some(is)) if is_column(left) => (left, is, right),
                    (Some(left), Some(is)) if is_column(right) => {
                        let flipped = flip(is).ok_or_else(|| {
                            self.unsaid(&format!("{operator} the other way round"), at)
                        })?;
                        (right, flipped, left)
                    }
                    (Some(left), Some(_)) => {
                        return Err(self.unsaid(called(left), location(left)));
                    }
                    (Some(left), None) => return self.special(operator, left, right, at, into),
                    (None, _) => return Err(self.unsaid(called(node), at)),
                };
                let column = self.plain_column(Some(subject), node)?;
                self.push(column, is, with, into)
            }
            AExprKind::AexprIn => {
                let column = self.plain_column(left, node)?;
                let Some(NodeEnum::List(list)) = &right.node else {
                    return Err(self.unsaid("this IN", at));
                };
                let one = list.items.len() == 1;
                if ast::operator(e) == "<>" {
                    for item in &list.items {
                        self.push(column.clone(), Operator::NotEqual, item, into)?;
                    }
                    return Ok(());
                }
                if one && let Some(item) = list.items.first() {
                    return self.push(column, Operator::Equal, item, into);
                }
                let values = self.list(&column, &list.items)?;
                into.push(On { column, is: Operator::In, with: Operand::Value(values) });
                Ok(())
            }
            AExprKind::AexprBetween => {
                let column = self.plain_column(left, node)?;
                match &right.node {
                    Some(NodeEnum::List(bounds)) if bounds.items.len() == 2 => {
                        self.push(column.clone(), Operator::AtLeast, &bounds.items[0], into)?;
                        self.push(column, Operator::AtMost, &bounds.items[1], into)
                    }
                    _ => Err(self.unsaid("this BETWEEN", at)),
                }
            }
            AExprKind::AexprLike if ast::operator(e) == "~~" => {
                let column = self.plain_column(left, node)?;
                self.like(column, right, into)
            }
            AExprKind::AexprOpAny => self.any(left, e, right, at, into),
            AExprKind::AexprOpAll if ast::operator(e) == "<>" => {
                let column = self.plain_column(left, node)?;
                match &right.node {
                    Some(NodeEnum::AArrayExpr(array)) => {
                        for item in &array.elements {
                            self.push(column.clone(), Operator::NotEqual, item, into)?;
                        }
                        Ok(())
                    }
                    _ => Err(self.unsaid("<> ALL of a parameter", at)),
                }
            }
            AExprKind::AexprLike => Err(self.unsaid("NOT LIKE", at)),
            AExprKind::AexprIlike => Err(self.unsaid("ILIKE", at)),
            AExprKind::AexprSimilar => Err(self.unsaid("SIMILAR TO", at)),
            AExprKind::AexprDistinct | AExprKind::AexprNotDistinct => {
                Err(self.unsaid("IS DISTINCT FROM", at))
            }
            AExprKind::AexprNotBetween
            | AExprKind::AexprBetweenSym
            | AExprKind::AexprNotBetweenSym => Err(self.unsaid("this kind of BETWEEN", at)),
            _ => Err(self.unsaid(called(node), at)),
        }
    }

    /// Operators of lists, texts and searches.
    fn special(
        &self,
        operator: &str,
        left: &Node,
        right: &Node,
        at: i32,
        into: &mut Vec<On>,
    ) -> Result<()> {
        match operator {
            "@>" => {
                let column = self.plain_column(Some(left), left)?;
                match &right.node {
                    Some(NodeEnum::AArrayExpr(array)) if self.is_list(&column) => {
                        for item in &array.elements {
                            self.push(column.clone(), Operator::Contains, item, into)?;
                        }
                        Ok(())
                    }
                    _ => Err(self.unsaid("@> with anything but ARRAY[…]", at)),
                }
            }
            "^@" => {
                let column = self.plain_column(Some(left), left)?;
                self.push(column, Operator::StartsWith, right, into)
            }
            "@@" => self.words(left, right, at, into),
            "->" | "->>" | "#>" | "#>>" => Err(self.unsaid("a part of a document", at)),
            "~" | "~*" | "!~" | "!~*" => Err(self.unsaid("a regular expression", at)),
            other => Err(self.unsaid(&format!("the operator {other}"), at)),
        }
    }

    /// `to_tsvector('simple', column) @@ plainto_tsquery('simple', value)`.
    fn words(&self, left: &Node, right: &Node, at: i32, into: &mut Vec<On>) -> Result<()> {
        let call = |node: &Node, name: &str| match &node.node {
            Some(NodeEnum::FuncCall(call)) if ast::function(call) == name => Some(call.clone()),
            _ => None,
        };
        let simple = |call: &FuncCall| {
            let configuration = call.args.first().and_then(ast::string_constant);
            configuration == Some("simple") && call.args.len() == 2
        };
        match (call(left, "to_tsvector"), call(right, "plainto_tsquery")) {
            (Some(vector), Some(query)) if simple(&vector) && simple(&query) => {
                let column = self.plain_column(vector.args.get(1), left)?;
                match query.args.get(1) {
                    Some(words) => self.push(column, Operator::Matches, words, into),
                    None => Err(self.wrong("plainto_tsquery takes two values", at)),
                }
            }
            _ => Err(self.unsaid("this full-text search", at).hint(
                "only to_tsvector('simple', attribute) @@ plainto_tsquery('simple', value) means \
                 the same everywhere",
            )),
        }
    }

    /// `column = ANY (…)` and `value = ANY (column)`.
    fn any(
        &self,
        left: Option<&Node>,
        e: &AExpr,
        right: &Node,
        at: i32,
        into: &mut Vec<On>,
    ) -> Result<()> {
        let left = left.ok_or_else(|| self.unsaid("this condition", at))?;
        if ast::operator(e) != "=" {
            return Err(self.unsaid("ANY with anything but =", at));
        }
        if is_column(right) {
            let column = self.plain_column(Some(right), right)?;
            return self.push(column, Operator::Contains, left, into);
        }
        let column = self.plain_column(Some(left), left)?;
        match &right.node {
            Some(NodeEnum::AArrayExpr(array)) => {
                let values = self.list(&column, &array.elements)?;
                into.push(On { column, is: Operator::In, with: Operand::Value(values) });
                Ok(())
            }
            Some(NodeEnum::ParamRef(parameter)) => {
                let with = self.parameter(parameter)?;
                into.push(On { column, is: Operator::In, with });
                Ok(())
            }
            Some(NodeEnum::TypeCast(cast)) => match cast.arg.as_deref().map(|arg| &arg.node) {
                Some(Some(NodeEnum::ParamRef(parameter))) => {
                    let with = self.parameter(parameter)?;
                    into.push(On { column, is: Operator::In, with });
                    Ok(())
                }
                _ => Err(self.unsaid("this ANY", at)),
            },
            Some(NodeEnum::SubLink(_)) => Err(self.unsaid("a subquery", at)),
            _ => Err(self.unsaid("this ANY", at)),
        }
    }

    /// An OR: equalities of one attribute with constants are a list, all else alternatives.
    fn either(&self, node: &Node, into: &mut Conditions) -> Result<()> {
        for group in self.alternatives(node)? {
            match as_list(&group) {
                Some(list) => into.all.push(list),
                None if group.len() == 1 => into.all.extend(group),
                None => into.any.push(group),
            }
        }
        Ok(())
    }

    /// A condition as groups of alternatives, of each of which one must hold: `a AND b OR c` is
    /// `(a OR c) AND (b OR c)`, also where they are unknown.
    fn alternatives(&self, node: &Node) -> Result<Vec<Vec<On>>> {
        let mut groups: Vec<Vec<On>> = Vec::new();
        match &node.node {
            Some(NodeEnum::BoolExpr(e)) if e.boolop() == BoolExprType::AndExpr => {
                for arg in &e.args {
                    groups.extend(self.alternatives(arg)?);
                }
            }
            Some(NodeEnum::BoolExpr(_)) if is_or(node) => {
                let Some(NodeEnum::BoolExpr(e)) = &node.node else { return Ok(groups) };
                groups.push(Vec::new());
                for arg in &e.args {
                    let own = self.alternatives(arg)?;
                    let both = |group: &Vec<On>, more: &Vec<On>| {
                        group.iter().chain(more).cloned().collect::<Vec<On>>()
                    };
                    groups = groups
                        .iter()
                        .flat_map(|group| own.iter().map(move |more| both(group, more)))
                        .collect();
                    if groups.iter().map(Vec::len).sum::<usize>() > ALTERNATIVES {
                        return Err(self.unsaid("an OR of this many parts", location(node)));
                    }
                }
            }
            _ => {
                let mut all = Vec::new();
                self.condition(node, &mut all)?;
                groups.extend(all.into_iter().map(|on| vec![on]));
            }
        }
        Ok(groups)
    }

    /// `LIKE 'abc%'` begins with, `LIKE 'abc'` is.
    fn like(&self, column: Column, pattern: &Node, into: &mut Vec<On>) -> Result<()> {
        let at = location(pattern);
        if self.of(&column).is_none_or(|a| a.kind != AttributeType::Text) {
            return Err(self.unsaid("a search in what is no text", at));
        }
        let Some(text) = ast::string_constant(pattern) else {
            return Err(self
                .unsaid("LIKE with a pattern that is computed or a parameter", at)
                .hint("write starts_with(attribute, $1) for what begins with it"));
        };
        let mut plain = String::new();
        let mut letters = text.chars();
        let mut open = false;
        while let Some(letter) = letters.next() {
            match letter {
                '%' if letters.as_str().is_empty() => open = true,
                '%' | '_' => return Err(self.unsaid("a pattern with % or _ before its end", at)),
                '\\' => match letters.next() {
                    Some(escaped) => plain.push(escaped),
                    None => return Err(self.wrong("the pattern ends with its escape", at)),
                },
                other => plain.push(other),
            }
        }
        let is = if open { Operator::StartsWith } else { Operator::Equal };
        into.push(On { column, is, with: Operand::Value(Json::String(plain)) });
        Ok(())
    }
}

/// Equalities of one attribute with constants: it is one of several.
fn as_list(group: &[On]) -> Option<On> {
    let column = &group.first()?.column;
    let mut values = Vec::new();
    for on in group {
        match (on.is, &on.with) {
            _ if on.column != *column || group.len() == 1 => return None,
            (Operator::Equal, Operand::Value(value)) => values.push(value.clone()),
            (Operator::In, Operand::Value(Json::Array(all))) => values.extend(all.iter().cloned()),
            _ => return None,
        }
    }
    let with = Operand::Value(Json::Array(values));
    Some(On { column: column.clone(), is: Operator::In, with })
}

fn is_or(node: &Node) -> bool {
    matches!(&node.node, Some(NodeEnum::BoolExpr(e)) if e.boolop() == BoolExprType::OrExpr)
}

fn is_column(node: &Node) -> bool {
    matches!(node.node, Some(NodeEnum::ColumnRef(_)))
}

/// An attribute of a table as a path names it.
pub(super) fn path_of(column: &Column, prefixes: &[String]) -> String {
    match prefixes.get(column.table).filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => format!("{prefix}.{}", column.attribute),
        None => column.attribute.clone(),
    }
}

pub(super) fn compared(operator: &str) -> Option<Operator> {
    Some(match operator {
        "=" => Operator::Equal,
        "<>" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::AtMost,
        ">" => Operator::Greater,
        ">=" => Operator::AtLeast,
        _ => return None,
    })
}

pub(super) fn flip(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::Equal => Operator::Equal,
        Operator::NotEqual => Operator::NotEqual,
        Operator::Less => Operator::Greater,
        Operator::AtMost => Operator::AtLeast,
        Operator::Greater => Operator::Less,
        Operator::AtLeast => Operator::AtMost,
        _ => return None,
    })
}
