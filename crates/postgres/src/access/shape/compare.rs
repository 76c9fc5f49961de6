//! Conditions, taken apart: which relation each is about, and what an index could do with it.

use pg_query::protobuf::{
    AExpr, AExprKind, BoolExprType, BoolTestType, List, NullTestType, SubLinkType,
};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::predicate::Side;
use super::read::Reader;
use super::scope::Found;
use super::{Between, Key, Operator, Shape, Value, types};

impl Reader<'_> {
    /// Takes one condition and hands it to the relations it is about. `only` are the names of
    /// the FROM clause the condition filters; `None` when it filters all.
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
            Some(NodeEnum::BoolExpr(e)) if e.boolop == BoolExprType::OrExpr as i32 => {
                self.either(&e.args, only);
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
            // `x IN (SELECT …)`: the rows of the subquery may lead to those of x.
            Some(NodeEnum::SubLink(link))
                if link.sub_link_type == SubLinkType::AnySublink as i32
                    && ast::is_equality(link) =>
            {
                for part in link.testexpr.as_deref().map(ast::row).unwrap_or_default() {
                    if let Side::Key(found, key) = self.side(part) {
                        self.add(found, key, Operator::Equal, Value::Subquery, condition, only);
                    }
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
        if matches!(left.node, Some(NodeEnum::RowExpr(_))) {
            return self.rows(e, left, right, only);
        }
        let Some(operator) = self.operator(e, left, right) else { return };
        let (mine, theirs) = (self.converted(left, right), self.converted(right, left));
        match (mine, theirs) {
            (Side::Key(found, key), Side::Constant(text)) => {
                self.add(found, key, operator, Value::Constant(text), condition, only);
            }
            (Side::Constant(text), Side::Key(found, key)) if !is_pattern(operator) => {
                self.add(found, key, operator, Value::Constant(text), condition, only);
            }
            (Side::Key(found, key), Side::Key(other, other_key)) => {
                if found.same_use(&other) {
                    return self.between(&found, [&key, &other_key], condition, only);
                }
                let (here, there) = (
                    Side::Key(found.clone(), key.clone()).value(),
                    Side::Key(other.clone(), other_key.clone()).value(),
                );
                self.add(found, key, operator, there, condition, only);
                if !is_pattern(operator) {
                    self.add(other, other_key, operator, here, condition, only);
                }
            }
            (Side::Key(found, key), other @ Side::Mixed(_))
            | (other @ Side::Mixed(_), Side::Key(found, key)) => {
                self.add(found, key, operator, other.value(), condition, only);
            }
            _ => {}
        }
    }

    /// `(a, b) = (1, 2)` and its like: a condition on each column, or on the first.
    fn rows(&mut self, e: &AExpr, left: &Node, right: &Node, only: Option<&[usize]>) {
        let (left, operator) = (ast::row(left), ast::operator(e));
        let others: Vec<Vec<&Node>> = match (AExprKind::try_from(e.kind), &right.node) {
            (Ok(AExprKind::AexprOp), Some(NodeEnum::RowExpr(_))) => vec![ast::row(right)],
            (Ok(AExprKind::AexprIn), Some(NodeEnum::List(list))) => {
                list.items.iter().map(ast::row).collect()
            }
            _ => return,
        };
        let kind = e.kind;
        for (number, part) in left.into_iter().enumerate() {
            let Some(values) =
                others.iter().map(|row| row.get(number).copied()).collect::<Option<Vec<_>>>()
            else {
                return;
            };
            let single = match (kind == AExprKind::AexprIn as i32, values.as_slice()) {
                (true, values) if operator == "=" => {
                    let items = values.iter().map(|value| (*value).clone()).collect();
                    let list = ast::node(NodeEnum::List(List { items }));
                    ast::node(NodeEnum::AExpr(Box::new(AExpr {
                        lexpr: Some(Box::new(part.clone())),
                        rexpr: Some(Box::new(list)),
                        ..e.clone()
                    })))
                }
                (false, [value]) if operator == "=" => {
                    ast::binary(part.clone(), "=", (*value).clone())
                }
                // Of a comparison by order only the first column is sure to lie on that side.
                (false, [value]) if number == 0 && matches!(operator, "<" | ">" | "<=" | ">=") => {
                    let open = if operator.starts_with('<') { "<=" } else { ">=" };
                    ast::binary(part.clone(), open, (*value).clone())
                }
                _ => return,
            };
            self.condition(&single, only);
        }
    }

    /// A side of a comparison as the server compares it: a column of whole numbers against a
    /// number with a fraction is converted, row by row.
    fn converted(&self, node: &Node, other: &Node) -> Side {
        let side = self.side(node);
        let Side::Key(found, Key { column: Some(column), .. }) = &side else { return side };
        let types = self.type_of(node).zip(self.type_of(other));
        let to = types.and_then(|(own, other)| types::converted(&own, &other));
        let Some(to) = to else { return side };
        let cast = ast::cast(ast::column_node(None, column), to);
        match Key::expression(&cast, vec![column.clone()]) {
            Some(key) => Side::Key(found.clone(), key),
            None => Side::Mixed(Some(found.clone())),
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
                _ => {
                    let on_left = self.holder(left).and_then(|k| types::asked(&k, name, true));
                    on_left
                        .or_else(|| self.holder(right).and_then(|k| types::asked(&k, name, false)))
                }
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

    /// The type of a side that depends on rows.
    fn holder(&self, node: &Node) -> Option<String> {
        if ast::is_constant(node) { None } else { self.type_of(node) }
    }

    /// A condition between two columns of one relation and of one type.
    fn between(
        &mut self,
        found: &Found,
        keys: [&Key; 2],
        condition: &Node,
        only: Option<&[usize]>,
    ) {
        let here = self.scope.levels.last().map(|(block, _)| *block);
        let filters = only.is_none_or(|only| only.contains(&found.entry));
        let (Some(left), Some(right)) = (&keys[0].column, &keys[1].column) else { return };
        let text = ast::sql(&self.bare(condition));
        let relation = |shape: &Shape| {
            let used = shape.blocks.get(found.block)?.uses.get(found.number)?;
            self.catalog?.find(&used.relation)
        };
        let type_of = |column: &str| Some(&relation(&self.shape)?.column(column)?.type_name);
        let same = type_of(left).is_some_and(|own| Some(own) == type_of(right));
        if self.side_of_or.is_some() || here != Some(found.level) || !filters || !same {
            return;
        }
        let columns = [left.clone(), right.clone()];
        let block = self.shape.blocks.get_mut(found.block);
        if let (Some(used), Some(text)) =
            (block.and_then(|block| block.uses.get_mut(found.number)), text)
            && !used.between.iter().any(|known| known.text == text)
        {
            used.between.push(Between { text, columns });
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
        let Some(text) = ast::sql(condition) else { return };
        let bare = match &value {
            Value::Constant(_) => Key::expression(&self.bare(condition), Vec::new())
                .filter(|condition| condition.immutable)
                .map(|condition| condition.text),
            _ => None,
        };
        self.put(found, key, operator, value, (text, bare), only);
    }
}

/// Whether only the left side can be looked for.
fn is_pattern(operator: Operator) -> bool {
    matches!(operator, Operator::Prefix | Operator::Pattern)
}

fn like(pattern: &Node) -> Operator {
    match ast::string_constant(pattern) {
        Some(text) if text.starts_with(['%', '_']) => Operator::Pattern,
        Some(text) if !text.contains(['%', '_']) => Operator::Equal,
        _ => Operator::Prefix,
    }
}
