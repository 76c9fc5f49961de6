//! Rows for tables of which only the schema is known.

use std::collections::BTreeSet;

use marula_core::{
    Column, ConstraintKind, Progress, Relation, RelationKind, RelationalCatalog, Result,
};
use marula_postgres::Session;
use marula_postgres::sql::{quote_ident, quote_literal, quote_qualified};

use super::failed;

/// Puts `rows` rows into every table that has none, parents first; gives how many there are.
pub(super) async fn rows(
    session: &Session,
    catalog: &RelationalCatalog,
    rows: u64,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<u64> {
    let wanted = |r: &&Relation| {
        matches!(r.kind, RelationKind::Table | RelationKind::PartitionedTable)
            && r.partition_of.is_none()
    };
    let mut open: Vec<&Relation> = catalog.relations.iter().filter(wanted).collect();
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut total = 0;
    while !open.is_empty() {
        // Tables in a ring of foreign keys are tried all the same.
        let next = open.iter().position(|r| parents(r).all(|p| done.contains(p))).unwrap_or(0);
        let relation = open.remove(next);
        done.insert(relation.qualified());
        let table = quote_qualified(&relation.schema, &relation.name);
        let count = format!("SELECT count(*) FROM (SELECT FROM {table} LIMIT 1) x");
        let there: i64 = session.client().query_one(&count, &[]).await.map_err(failed)?.get(0);
        if there == 0 {
            progress.step(&format!("making up rows of {table}"));
            let mut made = fill(session, relation, &table, rows, false).await;
            if made.is_err() {
                // A check that our values do not meet: what may be left out is left out.
                made = fill(session, relation, &table, rows, true).await;
            }
            if let Err(error) = made {
                notes.push(format!("{table} stays empty, no rows could be made up: {error}"));
            }
        }
        let count = format!("SELECT count(*) FROM {table}");
        let count: i64 = session.client().query_one(&count, &[]).await.map_err(failed)?.get(0);
        total += count.unsigned_abs();
    }
    Ok(total)
}

fn parents(relation: &Relation) -> impl Iterator<Item = &String> {
    let own = relation.qualified();
    relation.constraints.iter().filter_map(|c| c.references.as_ref()).filter(move |p| **p != own)
}

async fn fill(
    session: &Session,
    relation: &Relation,
    table: &str,
    rows: u64,
    least: bool,
) -> Result<()> {
    let foreign: Vec<_> =
        relation.constraints.iter().filter(|c| c.kind == ConstraintKind::ForeignKey).collect();
    let mut from = format!("generate_series(1::bigint, {rows}) g");
    let mut taken: Vec<(String, String)> = Vec::new();
    for (at, key) in foreign.iter().enumerate() {
        let Some(parent) = key.references.as_ref().filter(|p| **p != relation.qualified()) else {
            continue;
        };
        let (schema, name) = parent.split_once('.').unwrap_or(("public", parent));
        let parent = quote_qualified(schema, name);
        let columns: Vec<String> = key
            .referenced_columns
            .iter()
            .enumerate()
            .map(|(n, column)| format!("{} AS c{n}", quote_ident(column)))
            .collect();
        from.push_str(&format!(
            " LEFT JOIN (SELECT row_number() OVER () AS n, {} FROM {parent}) f{at} \
             ON f{at}.n = (g - 1) % (SELECT greatest(count(*), 1) FROM {parent}) + 1",
            columns.join(", ")
        ));
        for (n, column) in key.columns.iter().enumerate() {
            taken.push((column.clone(), format!("f{at}.c{n}")));
        }
    }
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in &relation.columns {
        let parent = taken.iter().find(|(name, _)| *name == column.name);
        let value = match parent {
            Some((_, value)) => Some(value.clone()),
            None if column.generated.is_some() => None,
            None if column.default.as_deref().is_some_and(|d| d.contains("nextval(")) => None,
            None if least && (column.default.is_some() || !column.not_null) => None,
            None => value(column, relation.is_unique_over(&[&column.name])),
        };
        if let Some(value) = value {
            names.push(quote_ident(&column.name));
            values.push(value);
        }
    }
    let sql = match names.is_empty() {
        true => format!("INSERT INTO {table} SELECT FROM {from}"),
        false => {
            format!(
                "INSERT INTO {table} ({}) SELECT {} FROM {from}",
                names.join(", "),
                values.join(", ")
            )
        }
    };
    session.client().batch_execute(&sql).await.map_err(failed)
}

/// An expression over the row's number `g`; `None` leaves the column to its default.
fn value(column: &Column, unique: bool) -> Option<String> {
    let of = column.type_name.as_str();
    let length =
        of.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')?.parse::<u32>().ok());
    let number = if unique { "g" } else { "(g * 7919 % 1000 + 1)" };
    let word = quote_literal(&column.name);
    let text = if column.name.contains("mail") {
        "'u' || g || '@example.org'".to_owned()
    } else {
        format!("{word} || ' ' || {number}")
    };
    Some(match of {
        "smallint" => "(g % 30000)::smallint".into(),
        "integer" | "bigint" => format!("{number}::{of}"),
        "real" | "double precision" => format!("{number} / 10.0"),
        _ if of.starts_with("numeric") => match length {
            Some(digits) if digits < 4 => "(g % 9 + 1)".into(),
            _ => number.into(),
        },
        "text" | "citext" => text,
        _ if of.starts_with("character") => match length {
            Some(length) => format!("right({text}, {length})"),
            None => text,
        },
        "boolean" => "g % 2 = 0".into(),
        "date" => "date '2020-01-01' + (g % 2000)::integer".into(),
        _ if of.starts_with("timestamp") => "timestamp '2020-01-01' + g * interval '1 min'".into(),
        _ if of.starts_with("time") => "time '00:00' + g * interval '1 s'".into(),
        "interval" => "g * interval '1 s'".into(),
        "uuid" => "md5(g::text)::uuid".into(),
        "json" | "jsonb" => format!("json_build_object('n', g)::{of}"),
        "bytea" => "decode(md5(g::text), 'hex')".into(),
        "inet" => "inet '10.0.0.0' + g".into(),
        _ if of.ends_with("[]") => format!("'{{}}'::{of}"),
        _ if column.default.is_some() || !column.not_null => return None,
        // An enum, or a type over one that takes the text of a number.
        _ => format!(
            "coalesce((SELECT e[1 + g % array_length(e, 1)] FROM (SELECT array_agg(enumlabel::text \
             ORDER BY enumsortorder) AS e FROM pg_enum WHERE enumtypid = {}::regtype) x), g::text)::{of}",
            quote_literal(of)
        ),
    })
}
