//! Constants: literals, constructors, arithmetic, names bound before.

use std::cell::Cell;
use std::collections::HashMap;

use bson::raw::CString;
use bson::{Bson, Document, Regex};
use marula_core::{ErrorKind, Result};
use oxc_ast::ast::{
    ArrayExpressionElement, Expression, ObjectPropertyKind, PropertyKey, PropertyKind, RegExpFlags,
};
use oxc_span::{GetSpan, Span};
use oxc_syntax::operator::{BinaryOperator, UnaryOperator};

use super::refuse::Source;
use super::{fits_int32, types};

/// A constant. Numbers stay JavaScript numbers until they are stored.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A JavaScript number.
    Number(f64),
    /// `undefined`, which is stored as null.
    Undefined,
    /// Anything else.
    Bson(Bson),
}

impl Value {
    /// As mongosh stores it: whole numbers that fit become int32, others double.
    pub fn into_bson(self) -> Bson {
        match self {
            Value::Number(number) if fits_int32(number) => Bson::Int32(number as i32),
            Value::Number(number) => Bson::Double(number),
            Value::Undefined => Bson::Null,
            Value::Bson(value) => value,
        }
    }

    /// As a number, where JavaScript's arithmetic would see one.
    fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Bson(Bson::DateTime(at)) => Some(at.timestamp_millis() as f64),
            Value::Bson(Bson::Boolean(yes)) => Some(f64::from(u8::from(*yes))),
            _ => None,
        }
    }
}

/// Names bound by `const`, `let` and `var`, and the text they stand in.
pub(super) struct Scope<'t> {
    /// The text, for marking.
    pub source: Source<'t>,
    /// What the names stand for.
    names: HashMap<String, Value>,
    /// Bytes that names may still be copied to: `b = [a, a]; c = [b, b] …` doubles each time.
    budget: Cell<usize>,
}

/// What all uses of bound names together may copy, in bytes.
const COPIES: usize = 64 << 20;

impl<'t> Scope<'t> {
    /// No names bound yet.
    pub fn new(source: Source<'t>) -> Self {
        Scope { source, names: HashMap::new(), budget: Cell::new(COPIES) }
    }

    /// Binds a name, unless the value is too deep to be stored.
    pub fn bind(&mut self, name: &str, value: Value, span: Span) -> Result<()> {
        if let Value::Bson(value) = &value {
            let (_, depth) = measure(value);
            if depth > super::MAX_DEPTH {
                return Err(self.source.usage("the value nests too deep", span));
            }
        }
        self.names.insert(name.to_string(), value);
        Ok(())
    }

    fn spend(&self, bytes: usize, span: Span) -> Result<()> {
        match self.budget.get().checked_sub(bytes) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => Err(self.source.usage("the values grow too large", span)),
        }
    }

    /// The constant an expression stands for.
    pub fn value(&self, expression: &Expression<'_>) -> Result<Value> {
        let span = expression.span();
        Ok(match expression {
            Expression::NumericLiteral(literal) => Value::Number(literal.value),
            Expression::StringLiteral(literal) => {
                if literal.lone_surrogates {
                    return Err(self.source.usage("half a surrogate pair is no character", span));
                }
                Value::Bson(Bson::String(literal.value.to_string()))
            }
            Expression::BooleanLiteral(literal) => Value::Bson(Bson::Boolean(literal.value)),
            Expression::NullLiteral(_) => Value::Bson(Bson::Null),
            Expression::BigIntLiteral(literal) => match literal.value.parse() {
                Ok(number) => Value::Bson(Bson::Int64(number)),
                Err(_) => return Err(self.source.usage("the number does not fit 64 bits", span)),
            },
            Expression::RegExpLiteral(literal) => {
                let flags = regex_options(literal.regex.flags);
                self.regex(literal.regex.pattern.text.as_str(), flags, span)?
            }
            Expression::TemplateLiteral(literal) => self.template(literal)?,
            Expression::ArrayExpression(array) => {
                let mut items = Vec::with_capacity(array.elements.len());
                for element in &array.elements {
                    match element {
                        ArrayExpressionElement::SpreadElement(spread) => {
                            match self.value(&spread.argument)?.into_bson() {
                                Bson::Array(more) => items.extend(more),
                                _ => {
                                    return Err(self
                                        .source
                                        .usage("only an array can be spread here", spread.span));
                                }
                            }
                        }
                        ArrayExpressionElement::Elision(_) => items.push(Bson::Null),
                        element => match element.as_expression() {
                            Some(inner) => items.push(self.value(inner)?.into_bson()),
                            None => return Err(self.source.not_constant("this element", span)),
                        },
                    }
                }
                Value::Bson(Bson::Array(items))
            }
            Expression::ObjectExpression(object) => {
                let mut document = Document::new();
                for property in &object.properties {
                    self.property(property, &mut document)?;
                }
                Value::Bson(Bson::Document(document))
            }
            Expression::Identifier(name) => self.name(name.name.as_str(), span)?,
            Expression::ParenthesizedExpression(inner) => self.value(&inner.expression)?,
            Expression::UnaryExpression(unary) => {
                let inner = self.value(&unary.argument)?;
                match (unary.operator, inner.number(), &inner) {
                    (UnaryOperator::UnaryNegation, Some(number), _) => Value::Number(-number),
                    (UnaryOperator::UnaryNegation, _, Value::Bson(Bson::Int64(number))) => {
                        Value::Bson(Bson::Int64(number.wrapping_neg()))
                    }
                    (UnaryOperator::UnaryPlus, Some(number), _) => Value::Number(number),
                    (UnaryOperator::LogicalNot, _, Value::Bson(Bson::Boolean(yes))) => {
                        Value::Bson(Bson::Boolean(!yes))
                    }
                    (UnaryOperator::Void, ..) => Value::Undefined,
                    _ => return Err(self.source.not_constant("this operator", span)),
                }
            }
            Expression::BinaryExpression(_) => self.binary(expression)?,
            Expression::CallExpression(call) => {
                types::call(self, &call.callee, &call.arguments, span)?
            }
            Expression::NewExpression(call) => {
                types::call(self, &call.callee, &call.arguments, span)?
            }
            Expression::StaticMemberExpression(member) => types::constant(self, member)?,
            other => return Err(self.source.not_constant(kind_of(other), span)),
        })
    }

    /// A document, or what stands there instead is named.
    pub fn document(&self, expression: &Expression<'_>, what: &str) -> Result<Document> {
        match self.value(expression)? {
            Value::Bson(Bson::Document(document)) => Ok(document),
            Value::Undefined | Value::Bson(Bson::Null) => Ok(Document::new()),
            _ => Err(self.source.usage(format!("{what} is a document, {{…}}"), expression.span())),
        }
    }

    fn property(&self, property: &ObjectPropertyKind<'_>, document: &mut Document) -> Result<()> {
        let property = match property {
            ObjectPropertyKind::ObjectProperty(property) => property,
            ObjectPropertyKind::SpreadProperty(spread) => {
                return match self.value(&spread.argument)?.into_bson() {
                    Bson::Document(more) => {
                        document.extend(more);
                        Ok(())
                    }
                    _ => Err(self.source.usage("only a document can be spread here", spread.span)),
                };
            }
        };
        if property.method || property.kind != PropertyKind::Init {
            return Err(self.source.not_constant("a function", property.span));
        }
        let key = match &property.key {
            PropertyKey::StaticIdentifier(name) => name.name.to_string(),
            PropertyKey::PrivateIdentifier(name) => {
                return Err(self.source.usage("a field cannot begin with #", name.span));
            }
            other => match other.as_expression().map(|key| self.value(key)).transpose()? {
                Some(Value::Bson(Bson::String(key))) => key,
                Some(Value::Number(number)) => format!("{number}"),
                _ => return Err(self.source.not_constant("this field name", other.span())),
            },
        };
        if key.contains('\0') {
            return Err(self
                .source
                .usage("a field name cannot hold a null character", property.key.span()));
        }
        // A repeated name keeps its first place and takes the last value, as in JavaScript.
        document.insert(key, self.value(&property.value)?.into_bson());
        Ok(())
    }

    fn name(&self, name: &str, span: Span) -> Result<Value> {
        if let Some(value) = self.names.get(name) {
            if let Value::Bson(value) = value {
                self.spend(measure(value).0, span)?;
            }
            return Ok(value.clone());
        }
        Ok(match name {
            "undefined" => Value::Undefined,
            "Infinity" => Value::Number(f64::INFINITY),
            "NaN" => Value::Number(f64::NAN),
            "MinKey" => Value::Bson(Bson::MinKey),
            "MaxKey" => Value::Bson(Bson::MaxKey),
            _ => {
                return Err(self
                    .source
                    .error(ErrorKind::Refused, format!("'{name}' is not bound to a value"), span)
                    .hint(format!("write the value itself, or bind it first: const {name} = …")));
            }
        })
    }

    /// A chain of binary operators is as deep on its left as it is long: no recursion there.
    fn binary(&self, expression: &Expression<'_>) -> Result<Value> {
        let mut pending = Vec::new();
        let mut left = expression;
        while let Expression::BinaryExpression(binary) = left {
            pending.push((binary.operator, &binary.right, binary.span));
            left = &binary.left;
        }
        let mut result = self.value(left)?;
        while let Some((operator, right, span)) = pending.pop() {
            let right = self.value(right)?;
            result = self.apply(operator, result, right, span)?;
        }
        Ok(result)
    }

    fn apply(&self, op: BinaryOperator, left: Value, right: Value, span: Span) -> Result<Value> {
        if op == BinaryOperator::Addition
            && let (Some(left), Some(right)) = (text_of(&left), text_of(&right))
            && (left.1 || right.1)
        {
            self.spend(right.0.len(), span)?;
            return Ok(Value::Bson(Bson::String(left.0 + &right.0)));
        }
        // A date plus a number is a string in JavaScript, never what was meant.
        let date = |value: &Value| matches!(value, Value::Bson(Bson::DateTime(_)));
        if op == BinaryOperator::Addition && (date(&left) || date(&right)) {
            return Err(self
                .source
                .usage("adding to a date gives a string in JavaScript", span)
                .hint("write new Date(date.getTime() + milliseconds)"));
        }
        let (Some(a), Some(b)) = (left.number(), right.number()) else {
            return Err(self.source.not_constant("this operation", span));
        };
        Ok(Value::Number(match op {
            BinaryOperator::Addition => a + b,
            BinaryOperator::Subtraction => a - b,
            BinaryOperator::Multiplication => a * b,
            BinaryOperator::Division => a / b,
            BinaryOperator::Remainder => a % b,
            BinaryOperator::Exponential => a.powf(b),
            _ => return Err(self.source.not_constant("this operator", span)),
        }))
    }

    fn template(&self, literal: &oxc_ast::ast::TemplateLiteral<'_>) -> Result<Value> {
        let mut text = String::new();
        let mut inner = literal.expressions.iter();
        for part in &literal.quasis {
            match &part.value.cooked {
                Some(cooked) if !part.lone_surrogates => text.push_str(cooked.as_str()),
                _ => return Err(self.source.usage("this text has a bad escape", part.span)),
            }
            if let Some(expression) = inner.next() {
                match text_of(&self.value(expression)?) {
                    Some((piece, _)) => text.push_str(&piece),
                    None => {
                        return Err(self.source.not_constant("this in a text", expression.span()));
                    }
                }
            }
        }
        Ok(Value::Bson(Bson::String(text)))
    }

    /// A regular expression; the server's options are the letters i, m, s and x.
    pub fn regex(&self, pattern: &str, options: String, span: Span) -> Result<Value> {
        // Options are stored in alphabetical order.
        let mut letters: Vec<char> = options.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        let options: String = letters.into_iter().collect();
        match (CString::try_from(pattern), CString::try_from(options)) {
            (Ok(pattern), Ok(options)) => {
                Ok(Value::Bson(Bson::RegularExpression(Regex { pattern, options })))
            }
            _ => Err(self.source.usage("a pattern cannot hold a null character", span)),
        }
    }
}

/// The text a value has when it is joined to a string, and whether it is a string itself.
fn text_of(value: &Value) -> Option<(String, bool)> {
    match value {
        Value::Bson(Bson::String(text)) => Some((text.clone(), true)),
        Value::Number(number) if number.abs() < 1e21 && !number.is_nan() => {
            Some((format!("{number}"), false))
        }
        Value::Bson(Bson::Boolean(yes)) => Some((yes.to_string(), false)),
        _ => None,
    }
}

/// As the shell's BSON library maps JavaScript's flags; `g` becomes `s` there.
fn regex_options(flags: RegExpFlags) -> String {
    let mut options = String::new();
    if flags.contains(RegExpFlags::I) {
        options.push('i');
    }
    if flags.contains(RegExpFlags::M) {
        options.push('m');
    }
    if flags.contains(RegExpFlags::S) || flags.contains(RegExpFlags::G) {
        options.push('s');
    }
    options
}

/// What a person calls the construct.
pub(super) fn kind_of(expression: &Expression<'_>) -> &'static str {
    match expression {
        Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => "a function",
        Expression::ClassExpression(_) => "a class",
        Expression::AssignmentExpression(_) => "an assignment",
        Expression::ConditionalExpression(_) => "a conditional",
        Expression::LogicalExpression(_) => "a logical operator",
        Expression::UpdateExpression(_) => "++ or --",
        Expression::AwaitExpression(_) => "await",
        Expression::TaggedTemplateExpression(_) => "a tagged template",
        Expression::ThisExpression(_) => "'this'",
        Expression::SequenceExpression(_) => "a sequence",
        Expression::ComputedMemberExpression(_) | Expression::StaticMemberExpression(_) => {
            "looking up a property"
        }
        Expression::ImportExpression(_) => "import",
        Expression::YieldExpression(_) => "yield",
        _ => "this expression",
    }
}

/// Roughly how many bytes the value takes, and how deep it nests.
fn measure(value: &Bson) -> (usize, usize) {
    match value {
        Bson::Document(document) => document
            .iter()
            .map(|(key, inner)| (key.len(), measure(inner)))
            .fold((32, 1), |(bytes, depth), (key, (inner, below))| {
                (bytes + key + inner, depth.max(below + 1))
            }),
        Bson::Array(items) => items
            .iter()
            .map(measure)
            .fold((32, 1), |(bytes, depth), (inner, below)| (bytes + inner, depth.max(below + 1))),
        Bson::String(text) => (32 + text.len(), 0),
        _ => (32, 0),
    }
}
