use marula_core::{Change, ChangeId, ChangeKind, Digest, Engine, Proof};
use marula_postgres::sql::quote_ident;

use crate::wish::Proposed;

/// The longest identifier PostgreSQL keeps, in bytes.
const LONGEST: usize = 63;

/// The change that makes the index. `share` is the part of all time that its statements take.
pub(super) fn change(id: ChangeId, proposed: &Proposed, share: f64, digest: &Digest) -> Change {
    let wish = &proposed.wish;
    let (schema, table) = match wish.namespace.rsplit_once('.') {
        Some((schema, table)) => (Some(schema), table),
        None => (None, wish.namespace.as_str()),
    };
    let keys = proposed.keys();
    let columns: Vec<String> = keys
        .iter()
        .map(|(key, way)| if *way < 0 { format!("{key} DESC") } else { key.clone() })
        .collect();
    let name = quote_ident(&name(table, &keys));
    let quoted = quote_ident(table);
    let (on, dropped) = match schema {
        Some(schema) => {
            let schema = quote_ident(schema);
            (format!("{schema}.{quoted}"), format!("{schema}.{name}"))
        }
        None => (quoted, name.clone()),
    };
    let statements = proposed.statements.len();
    Change {
        id,
        kind: ChangeKind::Index,
        engine: Engine::Postgres,
        title: format!(
            "index on {} ({}) for {statements} {} with {:.0} % of the time: {}",
            wish.namespace,
            columns.join(", "),
            if statements == 1 { "statement" } else { "statements" },
            share * 100.0,
            wish.order,
        ),
        relation: Some(wish.namespace.clone()),
        up: vec![format!("CREATE INDEX CONCURRENTLY {name} ON {on} ({});", columns.join(", "))],
        down: vec![format!("DROP INDEX CONCURRENTLY {dropped};")],
        hazards: hazards(&wish.namespace, digest),
        conditions: conditions(proposed),
        proof: Proof::not_tried(
            "read from the log alone, which does not tell the indexes there are; with --target the \
             lab measures it on the table's data",
        ),
    }
}

/// `table_column_column_idx`, as PostgreSQL would call it, cut to what it keeps.
fn name(table: &str, keys: &[(String, i32)]) -> String {
    let words: Vec<String> = keys
        .iter()
        .map(|(key, _)| {
            let key = key.strip_suffix(" text_pattern_ops").unwrap_or(key);
            let plain = |letter: char| if letter.is_alphanumeric() { letter } else { '_' };
            key.chars().map(plain).collect::<String>().trim_matches('_').to_owned()
        })
        .collect();
    let mut name = format!("{table}_{}", words.join("_"));
    let end = (0..=(LONGEST - 4).min(name.len())).rev().find(|at| name.is_char_boundary(*at));
    name.truncate(end.unwrap_or(0));
    name + "_idx"
}

fn hazards(relation: &str, digest: &Digest) -> Vec<String> {
    let writes: u64 = digest
        .statements
        .iter()
        .filter(|one| one.engine == Engine::Postgres)
        .filter(|one| one.objects.first().is_some_and(|first| first == relation))
        .filter(|one| matches!(one.operation.as_str(), "INSERT" | "UPDATE" | "DELETE" | "MERGE"))
        .map(|one| one.load.calls)
        .sum();
    if writes == 0 {
        return Vec::new();
    }
    vec![format!(
        "{writes} statements wrote to it in the log's time: each write keeps one more index"
    )]
}

fn conditions(proposed: &Proposed) -> Vec<String> {
    let mut found =
        vec!["the log does not tell which indexes the table has: look before making it".to_owned()];
    if let Some(instead) = &proposed.wish.instead {
        found.push(format!("the order {instead} may be better: it depends on the values"));
    }
    found
}
