//! A model's check, an SQL expression, as a tree that an engine without SQL can take.

use marula_postgres::sql::{self, Node};
use pg_query::protobuf::{AExpr, AExprKind, BoolExprType, NullTestType, a_const};

/// What has to hold; negations are within the comparisons.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// All of them.
    All(Vec<Condition>),
    /// One of them at least.
    Any(Vec<Condition>),
    /// A comparison; it holds, too, where one side is missing.
    Compare(Comparison, Term, Term),
    /// Whether something is missing.
    Missing(Term, bool),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    Attribute(String),
    Number(String),
    Text(String),
    Boolean(bool),
    Calculated(char, Box<Term>, Box<Term>),
    /// Letters of a text.
    Length(Box<Term>),
}

/// So deep a check may nest.
const DEEP: usize = 100;

/// Reads a check. Else what of it cannot be said.
pub(crate) fn read(text: &str) -> Result<Condition, String> {
    let statement =
        sql::parse(&format!("SELECT (\n{text}\n)")).map_err(|error| error.message().to_owned())?;
    let select = statement.select().ok_or("it is not a condition")?;
    let [target] = select.target_list.as_slice() else {
        return Err("it is not a condition".into());
    };
    let value = match &target.node {
        Some(Node::ResTarget(target)) if select.from_clause.is_empty() => target.val.as_deref(),
        _ => None,
    };
    condition(value.and_then(|value| value.node.as_ref()), false, 0)
}

fn unknown<T>(what: &str) -> Result<T, String> {
    Err(format!("{what} cannot be said in a validator"))
}

fn condition(node: Option<&Node>, not: bool, depth: usize) -> Result<Condition, String> {
    if depth > DEEP {
        return unknown("a condition so deep");
    }
    match node {
        Some(Node::BoolExpr(expression)) => {
            let each = |not: bool| -> Result<Vec<Condition>, String> {
                let parts = expression.args.iter();
                parts.map(|part| condition(part.node.as_ref(), not, depth + 1)).collect()
            };
            match (BoolExprType::try_from(expression.boolop), not) {
                (Ok(BoolExprType::AndExpr), false) | (Ok(BoolExprType::OrExpr), true) => {
                    Ok(Condition::All(each(not)?))
                }
                (Ok(BoolExprType::AndExpr), true) | (Ok(BoolExprType::OrExpr), false) => {
                    Ok(Condition::Any(each(not)?))
                }
                (Ok(BoolExprType::NotExpr), _) => Ok(Condition::All(each(!not)?)),
                _ => unknown("a condition of that form"),
            }
        }
        Some(Node::AExpr(expression)) => comparison(expression, not, depth),
        Some(Node::NullTest(test)) => {
            let term = term(test.arg.as_deref().and_then(|arg| arg.node.as_ref()), depth)?;
            let missing = NullTestType::try_from(test.nulltesttype) == Ok(NullTestType::IsNull);
            Ok(Condition::Missing(term, missing != not))
        }
        Some(Node::ColumnRef(_) | Node::AConst(_)) => {
            let term = term(node, depth)?;
            let wanted = Term::Boolean(!not);
            Ok(Condition::Compare(Comparison::Equal, term, wanted))
        }
        _ => unknown("a condition of that form"),
    }
}

fn comparison(expression: &AExpr, not: bool, depth: usize) -> Result<Condition, String> {
    let side = |side: &Option<Box<pg_query::protobuf::Node>>| {
        term(side.as_deref().and_then(|node| node.node.as_ref()), depth + 1)
    };
    let list = || -> Result<Vec<Term>, String> {
        match expression.rexpr.as_deref().and_then(|node| node.node.as_ref()) {
            Some(Node::List(list)) => {
                list.items.iter().map(|item| term(item.node.as_ref(), depth + 1)).collect()
            }
            _ => unknown("a list of that form"),
        }
    };
    let operator = match expression.name.last().and_then(|name| name.node.as_ref()) {
        Some(Node::String(name)) => name.sval.as_str(),
        _ => "",
    };
    match AExprKind::try_from(expression.kind) {
        Ok(AExprKind::AexprOp) => {
            let compared = match operator {
                "=" => Comparison::Equal,
                "<>" | "!=" => Comparison::NotEqual,
                "<" => Comparison::Less,
                "<=" => Comparison::AtMost,
                ">" => Comparison::Greater,
                ">=" => Comparison::AtLeast,
                other => return unknown(&format!("the operator {other}")),
            };
            let compared = if not { compared.opposite() } else { compared };
            let sides = [&expression.lexpr, &expression.rexpr]
                .map(|side| side.as_deref().and_then(|node| node.node.as_ref()));
            if sides.iter().copied().any(is_condition) {
                return agreement(sides, compared, depth);
            }
            Ok(Condition::Compare(compared, side(&expression.lexpr)?, side(&expression.rexpr)?))
        }
        Ok(AExprKind::AexprIn) => {
            // `x NOT IN (…)` is written with `<>`.
            let is_in = (operator == "=") != not;
            let left = side(&expression.lexpr)?;
            let compared = if is_in { Comparison::Equal } else { Comparison::NotEqual };
            let each =
                list()?.into_iter().map(|one| Condition::Compare(compared, left.clone(), one));
            let each = each.collect();
            Ok(if is_in { Condition::Any(each) } else { Condition::All(each) })
        }
        Ok(kind @ (AExprKind::AexprBetween | AExprKind::AexprNotBetween)) => {
            let [least, most] = <[Term; 2]>::try_from(list()?).map_err(|_| "BETWEEN takes two")?;
            let left = side(&expression.lexpr)?;
            Ok(match (kind == AExprKind::AexprBetween) != not {
                true => Condition::All(vec![
                    Condition::Compare(Comparison::AtLeast, left.clone(), least),
                    Condition::Compare(Comparison::AtMost, left, most),
                ]),
                false => Condition::Any(vec![
                    Condition::Compare(Comparison::Less, left.clone(), least),
                    Condition::Compare(Comparison::Greater, left, most),
                ]),
            })
        }
        _ => unknown(&format!("a comparison with {operator}")),
    }
}

/// Whether a side of a comparison is a condition itself: `(a IS NULL) = (b IS NULL)`.
fn is_condition(node: Option<&Node>) -> bool {
    const SIGNS: [&str; 7] = ["=", "<>", "!=", "<", "<=", ">", ">="];
    match node {
        Some(Node::BoolExpr(_) | Node::NullTest(_)) => true,
        Some(Node::AExpr(expression)) => {
            let sign = expression.name.last().and_then(|name| name.node.as_ref());
            AExprKind::try_from(expression.kind) != Ok(AExprKind::AexprOp)
                || matches!(sign, Some(Node::String(name)) if SIGNS.contains(&name.sval.as_str()))
        }
        _ => false,
    }
}

/// That two conditions hold together or neither does, or that one of them does alone.
fn agreement(
    sides: [Option<&Node>; 2],
    compared: Comparison,
    depth: usize,
) -> Result<Condition, String> {
    // Each doubles what is written: few may stand within each other.
    let depth = depth + DEEP / 3;
    let both = |not: [bool; 2]| -> Result<Condition, String> {
        Ok(Condition::All(vec![
            condition(sides[0], not[0], depth)?,
            condition(sides[1], not[1], depth)?,
        ]))
    };
    match compared {
        Comparison::Equal => Ok(Condition::Any(vec![both([false, false])?, both([true, true])?])),
        Comparison::NotEqual => {
            Ok(Condition::Any(vec![both([true, false])?, both([false, true])?]))
        }
        _ => unknown("an order of conditions"),
    }
}

fn term(node: Option<&Node>, depth: usize) -> Result<Term, String> {
    if depth > DEEP {
        return unknown("a condition so deep");
    }
    match node {
        Some(Node::ColumnRef(column)) => match column.fields.as_slice() {
            [one] => match &one.node {
                Some(Node::String(name)) => Ok(Term::Attribute(name.sval.clone())),
                _ => unknown("a name of that form"),
            },
            _ => unknown("a name with a table"),
        },
        Some(Node::AConst(constant)) => match &constant.val {
            Some(a_const::Val::Ival(number)) => Ok(Term::Number(number.ival.to_string())),
            Some(a_const::Val::Fval(number)) => Ok(Term::Number(number.fval.clone())),
            Some(a_const::Val::Sval(text)) => Ok(Term::Text(text.sval.clone())),
            Some(a_const::Val::Boolval(yes)) => Ok(Term::Boolean(yes.boolval)),
            _ => unknown("a constant of that form"),
        },
        Some(Node::AExpr(expression)) => {
            let operator = match expression.name.as_slice() {
                [one] => match &one.node {
                    Some(Node::String(name)) => name.sval.as_str(),
                    _ => "",
                },
                _ => "",
            };
            let mut letters = operator.chars();
            let (Some(sign @ ('+' | '-' | '*' | '/')), None) = (letters.next(), letters.next())
            else {
                return unknown(&format!("the operator {operator}"));
            };
            let side = |side: &Option<Box<pg_query::protobuf::Node>>| {
                term(side.as_deref().and_then(|node| node.node.as_ref()), depth + 1)
            };
            let right = Box::new(side(&expression.rexpr)?);
            match (&expression.lexpr, sign) {
                (None, '-') => Ok(Term::Calculated('-', Box::new(Term::Number("0".into())), right)),
                (None, _) => Ok(*right),
                _ => Ok(Term::Calculated(sign, Box::new(side(&expression.lexpr)?), right)),
            }
        }
        Some(Node::FuncCall(call)) => {
            let name = match call.funcname.last().and_then(|name| name.node.as_ref()) {
                Some(Node::String(name)) => name.sval.as_str(),
                _ => "",
            };
            match (name, call.args.as_slice()) {
                ("char_length" | "length" | "character_length", [text]) => {
                    Ok(Term::Length(Box::new(term(text.node.as_ref(), depth + 1)?)))
                }
                _ => unknown(&format!("{name}()")),
            }
        }
        _ => unknown("an expression of that form"),
    }
}

impl Comparison {
    fn opposite(self) -> Self {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::AtLeast,
            Comparison::AtMost => Comparison::Greater,
            Comparison::Greater => Comparison::AtMost,
            Comparison::AtLeast => Comparison::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn attribute(name: &str) -> Term {
        Term::Attribute(name.into())
    }

    #[test]
    fn negations_move_into_the_comparisons() {
        let less = |name| Condition::Compare(Comparison::Less, attribute(name), attribute("z"));
        assert_eq!(
            read("NOT (a >= z OR b >= z)"),
            Ok(Condition::All(vec![Condition::All(vec![less("a"), less("b")])]))
        );
        assert_eq!(read("a NOT IN (1, 2)"), read("a <> 1 AND a <> 2"));
        assert_eq!(read("a NOT BETWEEN 1 AND 2"), read("a < 1 OR a > 2"));
        assert_eq!(
            read("NOT a IS NULL"),
            Ok(Condition::All(vec![Condition::Missing(attribute("a"), false)]))
        );
    }

    /// Either both or neither, and one of two.
    #[test]
    fn conditions_are_compared_with_each_other() {
        let missing = |name, yes| Condition::Missing(attribute(name), yes);
        let both = |a, b| Condition::All(vec![missing("a", a), missing("b", b)]);
        assert_eq!(
            read("(a IS NULL) = (b IS NULL)"),
            Ok(Condition::Any(vec![both(true, true), both(false, false)]))
        );
        assert_eq!(
            read("(a IS NULL) <> (b IS NULL)"),
            Ok(Condition::Any(vec![both(false, true), both(true, false)]))
        );
        assert_eq!(
            read("NOT (a IS NULL) = (b IS NULL)"),
            Ok(Condition::All(vec![read("(a IS NULL) <> (b IS NULL)").unwrap()]))
        );
        assert!(read("(kind = 'x') = (a IS NOT NULL)").is_ok());
        assert!(read("(a IS NULL) < (b IS NULL)").is_err());
        let nested =
            (0..40).fold("a IS NULL".to_owned(), |text, _| format!("({text}) = (b IS NULL)"));
        assert!(read(&nested).is_err());
    }

    #[test]
    fn what_cannot_be_said_is_named() {
        for (text, why) in [
            ("a ~ 'x'", "the operator ~"),
            ("a > (SELECT 1)", "an expression"),
            ("lower(a) = a", "lower()"),
            ("1=1); DROP TABLE t; --", ""),
            ("a > ", ""),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
