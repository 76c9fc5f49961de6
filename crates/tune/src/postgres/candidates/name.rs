use std::collections::HashSet;

use marula_core::{Relation, RelationalCatalog};
use marula_postgres::sql::quote_ident;

use super::{Candidate, CandidateKey};

/// The longest identifier PostgreSQL keeps, in bytes.
const LIMIT: usize = 63;

/// Names that are in use.
pub(super) fn taken(catalog: &RelationalCatalog) -> HashSet<String> {
    catalog
        .relations
        .iter()
        .flat_map(|relation| {
            relation.indexes.iter().map(|index| index.name.clone()).chain([relation.name.clone()])
        })
        .collect()
}

/// The name PostgreSQL would choose: `table_column_column_idx`, cut to 63 bytes, with a number
/// where it is taken. Quoted where need be.
pub(super) fn choose(
    table: &Relation,
    candidate: &Candidate,
    keys: &[CandidateKey],
    taken: &mut HashSet<String>,
) -> String {
    let mut columns: Vec<String> = keys.iter().map(|key| column(&key.column, &key.text)).collect();
    columns.extend(candidate.include.iter().cloned());
    let columns = columns.join("_");
    let mut number = 0;
    loop {
        let label = if number == 0 { "idx".into() } else { format!("idx{number}") };
        let name = object_name(&table.name, &columns, &label);
        if taken.insert(name.clone()) {
            return quote_ident(&name);
        }
        number += 1;
    }
}

fn column(column: &Option<String>, text: &str) -> String {
    match column {
        Some(column) => column.clone(),
        // A function gives its name, any other expression the word `expr`.
        None => {
            let inner = text.trim_start_matches('(');
            match inner.split_once('(') {
                Some((name, _))
                    if !name.is_empty()
                        && name.chars().all(|c| c.is_alphanumeric() || c == '_') =>
                {
                    name.to_lowercase()
                }
                _ => "expr".into(),
            }
        }
    }
}

/// Shortens the longer of the two parts until all fits, as the server does.
fn object_name(table: &str, columns: &str, label: &str) -> String {
    let room = LIMIT.saturating_sub(label.len() + 2);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room {
        if first > second { first -= 1 } else { second -= 1 }
    }
    format!("{}_{}_{label}", cut(table, first), cut(columns, second))
}

fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
