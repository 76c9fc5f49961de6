//! Statements: bindings of constants, and calls on `db`.

use marula_core::{Error, ErrorKind, Result};
use oxc_allocator::Allocator;
use oxc_ast::ast::{BindingPattern, Expression, Statement};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType};

use super::chain;
use super::refuse::Source;
use super::value::{Scope, kind_of};
use super::{Purpose, depth, marked};
use crate::Command;

/// The place a parser's label names, or the end of the text.
macro_rules! place {
    ($problem:expr, $text:expr, $shift:expr) => {
        $problem.labels.first().map_or(($text.len(), $text.len()), |label| {
            let start = (label.offset() as usize).saturating_sub($shift);
            (start, start + label.len() as usize)
        })
    };
}

/// The commands in `text`, in order.
pub(super) fn commands(text: &str, purpose: Purpose) -> Result<Vec<Command>> {
    depth::check(text)?;
    let (database, script) = use_lines(text);
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &script, SourceType::script()).parse();
    if let Some(problem) = parsed.diagnostics.errors().next() {
        let at = place!(problem, text, 0);
        return Err(syntax_error(text, &problem.message, problem.help.as_deref(), at));
    }
    let mut scope = Scope::new(Source { text, shift: 0, purpose });
    let mut found = Vec::new();
    if let Some(directive) = parsed.program.directives.first() {
        return Err(scope
            .source
            .error(ErrorKind::Syntax, "a text alone is no command", directive.span)
            .hint("write a call on db, such as db.orders.find({…})"));
    }
    for statement in &parsed.program.body {
        match statement {
            Statement::EmptyStatement(_) => {}
            Statement::ExpressionStatement(statement) => {
                found.push(command(&scope, &statement.expression, database.as_deref())?);
            }
            Statement::VariableDeclaration(declaration) => {
                for declarator in &declaration.declarations {
                    let BindingPattern::BindingIdentifier(name) = &declarator.id else {
                        return Err(scope.source.not_constant("destructuring", declarator.span));
                    };
                    match &declarator.init {
                        // `const result = db.orders.find()`: the call is the statement.
                        Some(init) if chain::begins_at_db(init) => {
                            found.push(command(&scope, init, database.as_deref())?);
                        }
                        Some(init) => {
                            let value = scope.value(init)?;
                            scope.bind(name.name.as_str(), value, declarator.span)?;
                        }
                        None => {
                            let value = super::value::Value::Undefined;
                            scope.bind(name.name.as_str(), value, declarator.span)?;
                        }
                    }
                }
            }
            other => {
                let what = statement_kind(other);
                return Err(scope.source.not_constant(what, other.span()));
            }
        }
    }
    Ok(found)
}

/// The one literal that is the whole of `text`.
pub(super) fn literal(text: &str) -> Result<bson::Bson> {
    depth::check(text)?;
    let allocator = Allocator::default();
    // In brackets, so that a document is not taken for a block.
    let script = format!("({text}\n)");
    let parsed = Parser::new(&allocator, &script, SourceType::script()).parse();
    if let Some(problem) = parsed.diagnostics.errors().next() {
        let at = place!(problem, text, 1);
        return Err(syntax_error(text, &problem.message, problem.help.as_deref(), at));
    }
    let scope = Scope::new(Source { text, shift: 1, purpose: Purpose::Query });
    match parsed.program.body.as_slice() {
        [Statement::ExpressionStatement(statement)] => {
            Ok(scope.value(&statement.expression)?.into_bson())
        }
        _ => Err(marked(ErrorKind::Syntax, "this is not one value".into(), text, 0, text.len())),
    }
}

fn command(
    scope: &Scope<'_>,
    expression: &Expression<'_>,
    database: Option<&str>,
) -> Result<Command> {
    let mut command = chain::command(scope, expression)?;
    if command.database.is_none() {
        command.database = database.map(str::to_string);
    }
    Ok(command)
}

/// `use shop` lines at the beginning are the shell's own: blanked out, so that offsets stay.
fn use_lines(text: &str) -> (Option<String>, String) {
    let mut database = None;
    let mut script = String::with_capacity(text.len());
    let mut at_start = true;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let name = bare.strip_prefix("use ").map(|name| name.trim().trim_end_matches(';'));
        match name {
            Some(name)
                if at_start
                    && !name.is_empty()
                    && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) =>
            {
                database = Some(name.to_string());
                script.extend(line.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            }
            _ => {
                at_start &= bare.is_empty() || bare.starts_with("//");
                script.push_str(line);
            }
        }
    }
    (database, script)
}

fn syntax_error(text: &str, message: &str, help: Option<&str>, at: (usize, usize)) -> Error {
    let error = marked(ErrorKind::Syntax, message.to_string(), text, at.0, at.1);
    match help {
        Some(help) => error.hint(help),
        None => error,
    }
}

/// What a person calls the statement.
fn statement_kind(statement: &Statement<'_>) -> &'static str {
    match statement {
        Statement::ForStatement(_)
        | Statement::ForInStatement(_)
        | Statement::ForOfStatement(_)
        | Statement::WhileStatement(_)
        | Statement::DoWhileStatement(_) => "a loop",
        Statement::IfStatement(_) | Statement::SwitchStatement(_) => "a branch",
        Statement::FunctionDeclaration(_) => "a function",
        Statement::ClassDeclaration(_) => "a class",
        Statement::BlockStatement(_) => "a block",
        Statement::TryStatement(_) | Statement::ThrowStatement(_) => "exception handling",
        Statement::ReturnStatement(_) => "return",
        Statement::LabeledStatement(_) => "a label",
        Statement::ExpressionStatement(statement) => kind_of(&statement.expression),
        _ => "this statement",
    }
}
