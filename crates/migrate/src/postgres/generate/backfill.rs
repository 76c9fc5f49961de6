//! Rows brought up to date.

use marula_core::Result;
use marula_postgres::sql::quote_ident;

use super::{parsed, quoted};

/// Rows brought up to date in batches.
///
/// # Errors
/// `Syntax` when an expression makes no SQL.
pub fn backfill(
    table: &str,
    assignments: &[String],
    condition: Option<&str>,
    batch: u64,
) -> Result<String> {
    let set: Vec<String> = assignments
        .iter()
        .map(|one| match one.split_once('=') {
            Some((column, value)) => format!("{} = {}", quote_ident(column.trim()), value.trim()),
            None => one.clone(),
        })
        .collect();
    let columns: Vec<String> = assignments
        .iter()
        .filter_map(|one| one.split_once('='))
        .map(|(column, _)| quote_ident(column.trim()))
        .collect();
    let values: Vec<&str> =
        assignments.iter().filter_map(|one| one.split_once('=')).map(|(_, v)| v.trim()).collect();
    // Without a condition of its own, a row that has its value is left alone.
    let condition = condition.map_or_else(
        || format!("({}) IS DISTINCT FROM ({})", columns.join(", "), values.join(", ")),
        String::from,
    );
    let text = format!(
        "-- migrate:up transaction:false batch:{batch}\nUPDATE {} SET {} WHERE {condition};\n\n-- \
         There is no way back: the values from before are not kept.\n",
        quoted(table),
        set.join(", ")
    );
    parsed(&text)?;
    Ok(text)
}
