//! Values for `$1`, `$2` …

use std::collections::HashMap;

use marula_core::{
    Column, Error, ErrorKind, Parameter, ParameterOrigin, RelationalCatalog, Result,
};
use pg_query::{Node, NodeEnum, NodeRef, protobuf as pb};

use crate::sql::{self, ParsedStatement};
use crate::{Session, error};

/// How a parameter is used, as far as the tree tells.
#[derive(Debug, Clone, PartialEq)]
enum Use {
    /// Compared with a column: `=`, `<`, `~~` …
    Compared { column: Vec<String>, operator: String },
    /// The count of LIMIT or FETCH.
    Limit,
    /// The rows OFFSET leaves out.
    Offset,
}

/// A value for each `$n` of the statement: the given one, or one that the statistics of the
/// column it is compared with make likely (the most common value for `=`, the middle of the
/// histogram for a range), or else a plain one of its type.
///
/// # Errors
/// `Usage` when more values are given than the statement has places; the server's own when it
/// cannot tell the types.
pub async fn fill(
    session: &Session,
    statement: &ParsedStatement,
    given: &[Option<String>],
    catalog: &RelationalCatalog,
) -> Result<Vec<Parameter>> {
    let count = statement.parameter_count();
    if given.len() > count {
        return Err(Error::new(
            ErrorKind::Usage,
            match count {
                0 => format!("{} values are given, the statement takes none", given.len()),
                _ => format!("{} values are given, the statement takes {count}", given.len()),
            },
        )
        .hint("give one --param for each $n, in order"));
    }
    let mut filled: Vec<Parameter> = given
        .iter()
        .map(|value| Parameter { value: value.clone(), origin: ParameterOrigin::Given })
        .collect();
    if filled.len() == count {
        return Ok(filled);
    }
    let prepared = session
        .client()
        .prepare(statement.text())
        .await
        .map_err(|e| error::from_statement(&e, statement.text(), 0))?;
    let uses = uses(statement);
    for number in filled.len() + 1..=count {
        let kind = prepared.params().get(number - 1);
        let kind = kind.map_or("text", |kind| kind.name());
        let value = match uses.get(&number) {
            Some(Use::Limit) => Some("10".to_string()),
            Some(Use::Offset) => Some("0".to_string()),
            Some(Use::Compared { column, operator }) => find(statement, catalog, column)
                .and_then(|column| likely(column, operator, kind.starts_with('_'))),
            None => None,
        };
        let value = value.unwrap_or_else(|| of_type(kind).to_string());
        filled.push(Parameter { value: Some(value), origin: ParameterOrigin::Statistics });
    }
    Ok(filled)
}

/// The first telling use of each parameter.
fn uses(statement: &ParsedStatement) -> HashMap<usize, Use> {
    let mut found = HashMap::new();
    let Some(root) = statement.root() else { return found };
    sql::walk_all(root.to_ref(), |node| match node {
        NodeRef::SelectStmt(select) => {
            for (place, used) in
                [(&select.limit_count, Use::Limit), (&select.limit_offset, Use::Offset)]
            {
                if let Some(number) = place.as_deref().and_then(parameter) {
                    found.entry(number).or_insert(used);
                }
            }
        }
        NodeRef::AExpr(expression) => compare(expression, &mut found),
        _ => {}
    });
    found
}

fn compare(expression: &pb::AExpr, found: &mut HashMap<usize, Use>) {
    let operator = expression
        .name
        .iter()
        .rev()
        .find_map(|part| match &part.node {
            Some(NodeEnum::String(string)) => Some(string.sval.clone()),
            _ => None,
        })
        .unwrap_or_default();
    let (left, right) = (expression.lexpr.as_deref(), expression.rexpr.as_deref());
    for (value, other, operator) in
        [(right, left, operator.clone()), (left, right, mirrored(&operator))]
    {
        let Some(column) = other.and_then(column) else { continue };
        // IN ($1, $2) and BETWEEN $1 AND $2 hold a list.
        let values: Vec<&Node> = match value.and_then(|value| value.node.as_ref()) {
            Some(NodeEnum::List(list)) => list.items.iter().collect(),
            _ => value.into_iter().collect(),
        };
        let between = operator.contains("BETWEEN") && values.len() == 2;
        for (at, value) in values.into_iter().enumerate() {
            if let Some(number) = parameter(value) {
                let operator = match (between, at) {
                    (true, 0) => ">=".to_string(),
                    (true, _) => "<=".to_string(),
                    _ => operator.clone(),
                };
                found.entry(number).or_insert(Use::Compared { column: column.clone(), operator });
            }
        }
    }
}

fn mirrored(operator: &str) -> String {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
    .to_string()
}

/// The number of a bare parameter, also under a cast.
fn parameter(node: &Node) -> Option<usize> {
    match node.node.as_ref()? {
        NodeEnum::ParamRef(parameter) => usize::try_from(parameter.number).ok().filter(|n| *n > 0),
        NodeEnum::TypeCast(cast) => cast.arg.as_deref().and_then(parameter),
        _ => None,
    }
}

/// The parts of a bare column's name, also under a cast or a function of one argument.
fn column(node: &Node) -> Option<Vec<String>> {
    match node.node.as_ref()? {
        NodeEnum::ColumnRef(column) => column
            .fields
            .iter()
            .map(|field| match &field.node {
                Some(NodeEnum::String(string)) => Some(string.sval.clone()),
                _ => None,
            })
            .collect(),
        NodeEnum::TypeCast(cast) => cast.arg.as_deref().and_then(column),
        _ => None,
    }
}

/// The column a name means: through the aliases of the statement, or the only relation of the
/// statement that has it.
fn find<'a>(
    statement: &ParsedStatement,
    catalog: &'a RelationalCatalog,
    name: &[String],
) -> Option<&'a Column> {
    let (column, qualifier) = name.split_last()?;
    let mut aliases: Vec<(String, String)> = Vec::new();
    sql::walk_all(statement.root()?.to_ref(), |node| {
        if let NodeRef::RangeVar(relation) = node {
            let alias = relation.alias.as_ref().map_or(&relation.relname, |a| &a.aliasname);
            let full = match relation.schemaname.as_str() {
                "" => relation.relname.clone(),
                schema => format!("{schema}.{}", relation.relname),
            };
            aliases.push((alias.clone(), full));
        }
    });
    aliases
        .iter()
        .filter(|(alias, _)| qualifier.last().is_none_or(|qualifier| qualifier == alias))
        .filter_map(|(_, relation)| catalog.find(relation))
        .find_map(|relation| relation.column(column))
}

/// A value that rows of the column are likely to meet.
fn likely(column: &Column, operator: &str, array: bool) -> Option<String> {
    let statistics = column.statistics.as_ref()?;
    let at = |share: f64| -> Option<&String> {
        let last = statistics.histogram.len().checked_sub(1)?;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let place = (last as f64 * share).round() as usize;
        statistics.histogram.get(place)
    };
    let common = statistics.common_values.first();
    let value = match operator {
        // A quarter from the end each: a range that keeps some rows and leaves some.
        "<" | "<=" => at(0.75).or(common),
        ">" | ">=" => at(0.25).or(common),
        "~~" | "~~*" | "LIKE" | "ILIKE" => {
            let text = common.or_else(|| at(0.5))?;
            let start: String = text.chars().take(3).collect();
            return Some(format!("{start}%"));
        }
        _ => common.or_else(|| at(0.5)),
    }?;
    Some(if array {
        format!("{{\"{}\"}}", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        value.clone()
    })
}

/// A plain value of a type, for a parameter nothing is known of.
fn of_type(kind: &str) -> &'static str {
    match kind {
        "bool" => "true",
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "oid" | "money" => "10",
        "date" => "2025-01-01",
        "timestamp" | "timestamptz" => "2025-01-01 00:00:00+00",
        "time" | "timetz" => "12:00:00",
        "interval" => "1 day",
        "uuid" => "00000000-0000-0000-0000-000000000000",
        "json" | "jsonb" => "{}",
        "inet" | "cidr" => "127.0.0.1",
        kind if kind.starts_with('_') => "{}",
        kind if kind.ends_with("range") => "empty",
        _ => "a",
    }
}
