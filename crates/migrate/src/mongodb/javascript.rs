//! migrate-mongo's files, where they are plain: calls on `db`, one after the other, with constants.
//! They are parsed and never run; everything beyond that is refused by name.

use std::path::Path;

use marula_core::{Error, ErrorKind, Marked, Result};
use marula_mongodb::shell::{self, Purpose};
use oxc_allocator::Allocator;
use oxc_ast::ast::{
    ArrowFunctionBody, AssignmentTarget, BindingPattern, Declaration, Expression, FunctionBody,
    ObjectPropertyKind, Statement,
};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType, Span};

use crate::migration::{Step, StepKind, line_of};

/// What to do about what would have to be run.
const WRITE_OUT: &str = "write the commands out, one call on db after the other";

/// The steps of `up` and `down`.
pub(super) fn parts(path: &Path, text: &str) -> Result<(Vec<Step>, Option<Vec<Step>>)> {
    // The parser's recursion needs room for what people nest.
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn_scoped(scope, || here(path, text))
            .map_err(Error::from)?
            .join()
            .unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Internal, "the parser stopped unexpectedly"))
            })
    })
}

fn here(path: &Path, text: &str) -> Result<(Vec<Step>, Option<Vec<Step>>)> {
    let source = Source { path, text };
    if text.matches(['(', '[', '{']).count() > 20_000 {
        return Err(Error::new(ErrorKind::Unsupported, "the file nests too deeply"));
    }
    let allocator = Allocator::default();
    let kind = SourceType::unambiguous();
    let parsed = Parser::new(&allocator, text, kind).parse();
    if let Some(problem) = parsed.diagnostics.errors().next() {
        let at = problem.labels.first().map_or(text.len(), |label| label.offset() as usize);
        return Err(source.error(ErrorKind::Syntax, &problem.message, at, at + 1));
    }
    let mut up = None;
    let mut down = None;
    for statement in &parsed.program.body {
        source.export(statement, &mut up, &mut down)?;
    }
    let Some(up) = up else {
        return Err(Error::new(ErrorKind::Syntax, "no 'up' is exported")
            .at(path.display().to_string())
            .hint(
                "write module.exports = { async up(db, client) {…}, async down(db, client) {…} }",
            ));
    };
    Ok((up, down))
}

struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

type Part = Option<Vec<Step>>;

impl Source<'_> {
    fn error(&self, kind: ErrorKind, what: &str, start: usize, end: usize) -> Error {
        let floor = |at: usize| {
            let at = at.min(self.text.len());
            (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
        };
        let start = floor(start);
        Error::new(kind, what.to_string())
            .at(format!("{}:{}", self.path.display(), line_of(self.text, start)))
            .mark(Marked {
                name: self.path.display().to_string(),
                text: self.text.into(),
                start,
                end: floor(end.max(start)),
            })
    }

    fn refuse(&self, what: &str, span: Span) -> Error {
        let what = format!("{what} would have to be run, and migrations are only read");
        self.error(ErrorKind::Refused, &what, span.start as usize, span.end as usize)
            .hint(WRITE_OUT)
    }

    fn export(&self, statement: &Statement<'_>, up: &mut Part, down: &mut Part) -> Result<()> {
        match statement {
            Statement::ExpressionStatement(statement) => match &statement.expression {
                Expression::AssignmentExpression(set) => {
                    let left = set.left.span();
                    let name = self.text.get(left.start as usize..left.end as usize);
                    let member = matches!(set.left, AssignmentTarget::StaticMemberExpression(_));
                    match (name.unwrap_or_default(), &set.right) {
                        ("module.exports", Expression::ObjectExpression(object)) => {
                            for property in &object.properties {
                                let ObjectPropertyKind::ObjectProperty(property) = property else {
                                    return Err(self.refuse("a spread", property.span()));
                                };
                                let key = property.key.static_name();
                                self.bind(
                                    key.as_deref().unwrap_or_default(),
                                    &property.value,
                                    up,
                                    down,
                                )?;
                            }
                            Ok(())
                        }
                        (name, value) if member => {
                            let name = name.rsplit('.').next().unwrap_or_default();
                            self.bind(name, value, up, down)
                        }
                        _ => Err(self.refuse("an assignment", statement.span)),
                    }
                }
                _ => Err(self.refuse("a statement outside up and down", statement.span)),
            },
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::FunctionDeclaration(function) => {
                    let name = function.id.as_ref().map(|id| id.name.as_str()).unwrap_or_default();
                    match &function.body {
                        Some(body) => self.place(name, body, function.span, up, down),
                        None => Err(self.refuse("a function without a body", function.span)),
                    }
                }
                Declaration::VariableDeclaration(declaration) => {
                    for declarator in &declaration.declarations {
                        match (&declarator.id, &declarator.init) {
                            (BindingPattern::BindingIdentifier(name), Some(value)) => {
                                self.bind(name.name.as_str(), value, up, down)?;
                            }
                            _ => return Err(self.refuse("destructuring", declarator.span)),
                        }
                    }
                    Ok(())
                }
                _ => Err(self.refuse("this export", export.span)),
            },
            Statement::EmptyStatement(_) => Ok(()),
            other => Err(self.refuse(kind(other), other.span())),
        }
    }

    fn bind(
        &self,
        name: &str,
        value: &Expression<'_>,
        up: &mut Part,
        down: &mut Part,
    ) -> Result<()> {
        match value {
            Expression::FunctionExpression(function) => match &function.body {
                Some(body) => self.place(name, body, function.span, up, down),
                None => Err(self.refuse("a function without a body", function.span)),
            },
            Expression::ArrowFunctionExpression(arrow) => match &arrow.body {
                ArrowFunctionBody::FunctionBody(body) => {
                    self.place(name, body, arrow.span, up, down)
                }
                other => match other.as_expression() {
                    Some(one) => {
                        let steps = vec![self.call("", one)?];
                        if name == "up" {
                            *up = Some(steps)
                        } else {
                            *down = Some(steps)
                        }
                        Ok(())
                    }
                    None => Err(self.refuse("this function", arrow.span)),
                },
            },
            other => Err(self.refuse("a value that is no function", other.span())),
        }
    }

    fn place(
        &self,
        name: &str,
        body: &FunctionBody<'_>,
        span: Span,
        up: &mut Part,
        down: &mut Part,
    ) -> Result<()> {
        match name {
            "up" => *up = Some(self.body(body)?),
            "down" => *down = Some(self.body(body)?),
            _ => return Err(self.refuse(&format!("the function '{name}'"), span)),
        }
        Ok(())
    }

    fn body(&self, body: &FunctionBody<'_>) -> Result<Vec<Step>> {
        let mut constants = String::new();
        let mut steps = Vec::new();
        for statement in &body.statements {
            match statement {
                Statement::EmptyStatement(_) => {}
                Statement::ExpressionStatement(statement) => {
                    steps.push(self.call(&constants, &statement.expression)?);
                }
                Statement::ReturnStatement(statement) => match &statement.argument {
                    Some(argument) => steps.push(self.call(&constants, argument)?),
                    None => break,
                },
                Statement::VariableDeclaration(declaration) => {
                    let span = declaration.span;
                    let own = self.text.get(span.start as usize..span.end as usize);
                    let own = own.unwrap_or_default();
                    if own.contains("await") || own.contains("db.") {
                        return Err(self.refuse("a variable that holds a result", span));
                    }
                    constants.push_str(own);
                    constants.push('\n');
                }
                other => return Err(self.refuse(kind(other), other.span())),
            }
        }
        Ok(steps)
    }

    fn call(&self, constants: &str, expression: &Expression<'_>) -> Result<Step> {
        let inner = match expression {
            Expression::AwaitExpression(wait) => &wait.argument,
            other => other,
        };
        let Expression::CallExpression(call) = inner else {
            return Err(self.refuse("this", inner.span()));
        };
        let (start, end) = (call.span.start as usize, call.span.end as usize);
        let own = self.text.get(start..end).unwrap_or_default();
        let Some(rest) = own.strip_prefix("db.") else {
            let hint = match own.starts_with("Promise.") {
                true => "leave it out: a function without a call does nothing",
                false => "the first parameter is called db: write one call on it after the other",
            };
            let what = "a call on something other than db";
            return Err(self.refuse(what, call.span).instead(WRITE_OUT, hint));
        };
        let script = match rest.strip_prefix("collection(") {
            Some(rest) => format!("{constants}db.getCollection({rest}"),
            None => format!("{constants}db.{rest}"),
        };
        let commands = shell::parse_many_for(&script, Purpose::Migration).map_err(|error| {
            let mut placed = self.error(error.kind(), error.message(), start, end);
            for hint in error.hints() {
                placed = placed.hint(hint.clone());
            }
            placed
        })?;
        match commands.as_slice() {
            [command] => Ok(Step {
                kind: StepKind::Command(command.to_command()),
                text: own.into(),
                start,
                end,
                line: line_of(self.text, start),
            }),
            _ => Err(self.refuse("this", call.span)),
        }
    }
}

fn kind(statement: &Statement<'_>) -> &'static str {
    match statement {
        Statement::ForStatement(_)
        | Statement::ForInStatement(_)
        | Statement::ForOfStatement(_)
        | Statement::WhileStatement(_)
        | Statement::DoWhileStatement(_) => "a loop",
        Statement::IfStatement(_) | Statement::SwitchStatement(_) => "a branch",
        Statement::TryStatement(_) | Statement::ThrowStatement(_) => "exception handling",
        Statement::FunctionDeclaration(_) => "a function",
        Statement::ImportDeclaration(_) => "an import",
        Statement::VariableDeclaration(_) => "a variable",
        Statement::BlockStatement(_) => "a block",
        _ => "this statement",
    }
}
