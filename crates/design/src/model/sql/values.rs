use marula_core::model::{Attribute, AttributeType, Operator};
use marula_core::{Json, Result};
use marula_postgres::access::ast;
use pg_query::protobuf::{AConst, ParamRef, TypeName, a_const};
use pg_query::{Node, NodeEnum};

use super::conditions::On;
use super::tables::Column;
use super::{Reader, called, location};

/// What an attribute is compared with.
#[derive(Clone)]
pub(super) enum Operand {
    /// A parameter, by its number.
    Parameter(u32),
    /// A constant.
    Value(Json),
    /// Nothing: whether it is there.
    Nothing,
}

impl Reader<'_> {
    /// Adds the comparison of a column with an operand.
    pub(super) fn push(
        &self,
        column: Column,
        is: Operator,
        operand: &Node,
        into: &mut Vec<On>,
    ) -> Result<()> {
        let at = location(operand);
        let list = self.is_list(&column);
        if list != (is == Operator::Contains) {
            return Err(match list {
                true => self.unsaid("a comparison of a whole list", at),
                false => self.wrong(&format!("{} is no list", column.attribute), at),
            });
        }
        let textual = matches!(is, Operator::StartsWith | Operator::Matches);
        let text = self.of(&column).is_some_and(|a| a.kind == AttributeType::Text);
        if textual && !text {
            return Err(self.unsaid("a search in what is no text", at));
        }
        let with = self.operand(&column, operand)?;
        into.push(On { column, is, with });
        Ok(())
    }

    pub(super) fn is_list(&self, column: &Column) -> bool {
        self.of(column).is_some_and(|attribute| attribute.kind == AttributeType::List)
    }

    pub(super) fn parameter(&self, parameter: &ParamRef) -> Result<Operand> {
        match u32::try_from(parameter.number) {
            Ok(number) if number > 0 => Ok(Operand::Parameter(number)),
            _ => Err(self.wrong("parameters are $1, $2, …", parameter.location)),
        }
    }

    /// Several constants as a list.
    pub(super) fn list(&self, column: &Column, items: &[Node]) -> Result<Json> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match self.operand(column, item)? {
                Operand::Value(value) => values.push(value),
                _ => {
                    return Err(self
                        .unsaid("a list of several parameters", location(item))
                        .hint("write = ANY ($1) with a list as the parameter"));
                }
            }
        }
        Ok(Json::Array(values))
    }

    /// What a column is compared with: a parameter or a constant of the column's kind.
    fn operand(&self, column: &Column, node: &Node) -> Result<Operand> {
        let kind = self.of(column).map_or(AttributeType::Text, Attribute::element);
        match &node.node {
            Some(NodeEnum::ParamRef(parameter)) => self.parameter(parameter),
            Some(NodeEnum::AConst(constant)) => {
                self.constant(&column.attribute, kind, constant, node).map(Operand::Value)
            }
            Some(NodeEnum::TypeCast(cast)) => {
                let (Some(arg), Some(name)) = (cast.arg.as_deref(), &cast.type_name) else {
                    return Err(self.unsaid("this cast", location(node)));
                };
                let inner = self.operand(column, arg)?;
                let cut = matches!(&inner, Operand::Value(Json::Number(n)) if n.as_i64().is_none())
                    && matches!(kind, AttributeType::Id | AttributeType::Integer);
                if cut || !same(kind, name) {
                    return Err(self.unsaid("a cast to another type", location(node)));
                }
                Ok(inner)
            }
            Some(NodeEnum::ColumnRef(_)) => {
                Err(self.unsaid("a comparison of two attributes", location(node)))
            }
            Some(NodeEnum::FuncCall(call))
                if matches!(ast::function(call), "now" | "clock_timestamp") =>
            {
                Err(self.clock(node))
            }
            Some(NodeEnum::SqlvalueFunction(_)) => Err(self.clock(node)),
            Some(NodeEnum::AExpr(_)) if ast::is_constant(node) => {
                Err(self.unsaid("a computed value", location(node)).hint("use a parameter"))
            }
            _ => Err(self.unsaid(called(node), location(node))),
        }
    }

    fn clock(&self, node: &Node) -> marula_core::Error {
        self.unsaid("the server's clock", location(node)).hint("use a parameter")
    }

    /// A constant that something called `name` is compared with, as a value of its kind.
    pub(super) fn constant(
        &self,
        name: &str,
        kind: AttributeType,
        constant: &AConst,
        node: &Node,
    ) -> Result<Json> {
        let at = location(node);
        let unfit = |what: &str| self.wrong(&format!("{name} is compared with {what}"), at);
        let numeric = is_number(kind);
        match &constant.val {
            None => Err(self
                .unsaid("a comparison with NULL, which is never true,", at)
                .hint("write IS NULL or IS NOT NULL")),
            Some(a_const::Val::Ival(number)) if numeric => Ok(number.ival.into()),
            Some(a_const::Val::Fval(number)) if numeric => self.number(&number.fval, at),
            Some(a_const::Val::Sval(text)) if numeric => match text.sval.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => self.number(text.sval.trim(), at),
                _ => Err(unfit("what is no number")),
            },
            Some(a_const::Val::Ival(_) | a_const::Val::Fval(_)) => Err(unfit("a number")),
            Some(a_const::Val::Boolval(value)) if kind == AttributeType::Boolean => {
                Ok(value.boolval.into())
            }
            Some(a_const::Val::Boolval(_)) => Err(unfit("true or false")),
            Some(a_const::Val::Sval(text)) if kind == AttributeType::Boolean => {
                match text.sval.trim().to_lowercase().as_str() {
                    "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true.into()),
                    "false" | "f" | "no" | "n" | "off" | "0" => Ok(false.into()),
                    _ => Err(unfit("what is neither true nor false")),
                }
            }
            Some(a_const::Val::Sval(text)) => Ok(Json::String(text.sval.clone())),
            Some(a_const::Val::Bsval(_)) => Err(self.unsaid("a bit string", at)),
        }
    }

    /// A number that JSON holds without loss.
    fn number(&self, text: &str, at: i32) -> Result<Json> {
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(whole.into());
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        match text.parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
            Some(number) if digits <= 15 => Ok(Json::Number(number)),
            _ => Err(self.unsaid("a number of so many digits", at)),
        }
    }
}

/// Whether values of this kind are numbers.
pub fn is_number(kind: AttributeType) -> bool {
    use AttributeType::{Decimal, Float, Id, Integer, Money};
    matches!(kind, Id | Integer | Decimal | Money | Float)
}

/// Whether a cast to the type leaves a value of the kind as it is.
fn same(kind: AttributeType, name: &TypeName) -> bool {
    use AttributeType as Kind;
    if !name.typmods.is_empty() || !name.array_bounds.is_empty() {
        return false;
    }
    let name = name.names.last().and_then(ast::string).unwrap_or_default();
    match kind {
        Kind::Id | Kind::Integer => matches!(name, "int8" | "int4" | "int2"),
        Kind::Uuid | Kind::UuidV7 => name == "uuid",
        Kind::Decimal | Kind::Money => name == "numeric",
        Kind::Float => name == "float8",
        Kind::Boolean => name == "bool",
        Kind::Text => matches!(name, "text" | "varchar"),
        Kind::Enumeration => name == "text",
        Kind::Date => name == "date",
        Kind::Time => name == "time",
        Kind::Timestamp => name == "timestamptz",
        Kind::Duration => name == "interval",
        Kind::Json => name == "jsonb",
        Kind::Binary => name == "bytea",
        _ => false,
    }
}
