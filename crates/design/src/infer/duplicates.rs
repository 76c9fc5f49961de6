//! Keys that stand twice: a column that is a table's key but for a few rows stays its key, and those
//! rows are named and set aside. Otherwise some other columns that happen to differ would become it.

use super::build::one_number_each;
use super::column::{Column, Table};
use super::naming::{self, singular};
use super::rank;
use super::read::{SourceRead, What};
use super::types::{self, Class};
use crate::names;

/// Of so many rows one may repeat the table's own key.
const OWN: usize = 50;
/// Of so many rows one may repeat what only looks like a key.
const LIKE: usize = 100;

/// Rows, each with the first that has the same key.
type Pairs = Vec<(usize, usize)>;

/// A key and the rows that repeat it.
struct Repeated {
    column: usize,
    rows: Pairs,
}

/// Sets aside the rows of each table that repeat its key, with what belongs to them.
pub fn set_aside(tables: &mut [Table], sources: &mut [SourceRead]) {
    for at in 0..tables.len() {
        let table = &tables[at];
        let Some(found) = repeated(table) else { continue };
        if let Some(source) = sources.iter_mut().find(|source| source.name == table.source) {
            let place = |row: usize| table.places.get(row).copied().unwrap_or(0);
            for (row, first) in &found.rows {
                let column = &table.columns[found.column];
                let value: String =
                    column.text(*row).unwrap_or_default().chars().take(40).collect();
                let alone = !tables
                    .iter()
                    .any(|below| below.parent.as_ref().is_some_and(|parent| parent.table == at));
                let all = alone
                    && table.columns.iter().all(|column| column.text(*row) == column.text(*first));
                let detail = format!(
                    "{} {value} is that of {} {}{}",
                    column.name,
                    source.form.place(),
                    place(*first),
                    if all { ", as all else is" } else { "" }
                );
                source.trouble(What::DuplicateKey, place(*row), detail);
            }
            let many = found.rows.len() as u64;
            source.kept = source.kept.saturating_sub(many);
            source.set_aside += many;
        }
        let mut gone = vec![false; table.rows];
        found.rows.iter().for_each(|(row, _)| gone[*row] = true);
        take_out(tables, at, &gone);
    }
}

/// The column that is a table's key but for a few rows, where there is one and no other is its key.
fn repeated(table: &Table) -> Option<Repeated> {
    if table.parent.is_some() || !table.declared_key.is_empty() || table.rows < 4 {
        return None;
    }
    let mut near: Vec<(bool, usize, Pairs)> = Vec::new();
    let like: Vec<usize> = (0..table.columns.len())
        .filter(|at| {
            let column = &table.columns[*at];
            rank::is_like_id(&column.name) && !column.codes.contains(&0)
        })
        .collect();
    for at in &like {
        let mut column = table.columns[*at].clone();
        let class = types::of(&column).class;
        if !matches!(class, Class::Integer | Class::Text | Class::Uuid | Class::ObjectId) {
            continue;
        }
        one_number_each(&mut column, class);
        let own = is_own(table, &column.name);
        let most = if own { (table.rows / OWN).max(1) } else { table.rows / LIKE };
        match again(&column, most) {
            // What is different in all is the key.
            Some(rows) if rows.is_empty() => near.push((own, *at, rows)),
            Some(rows) if own || *at == 0 => near.push((own, *at, rows)),
            _ => {}
        }
    }
    let (own, column, rows) = near
        .iter()
        .max_by_key(|(own, at, rows)| (*own, rows.is_empty(), std::cmp::Reverse(*at)))?;
    let another = |other: &usize| other != column && tells_apart(table, *column, *other);
    let part_of_a_key = !own && like.iter().chain(&positions(table)).any(another);
    (!rows.is_empty() && !part_of_a_key).then(|| Repeated { column: *column, rows: rows.clone() })
}

/// `id`, `uuid`, and in a table of orders `order_id`.
fn is_own(table: &Table, name: &str) -> bool {
    let words = names::words(name);
    matches!(words.as_slice(), [only] if ["id", "uuid", "guid", "pk", "key"].contains(&only.as_str()))
        || naming::stem(name) == singular(&table.name)
}

/// The rows whose value stands before, each with the first that has it; `None` for more than `most`.
fn again(column: &Column, most: usize) -> Option<Pairs> {
    let mut first: Vec<Option<usize>> = vec![None; column.dictionary.len() + 1];
    let mut rows = Vec::new();
    for (row, code) in column.codes.iter().enumerate() {
        match first.get_mut(*code as usize)? {
            Some(first) => rows.push((row, *first)),
            unseen => *unseen = Some(row),
        }
        if rows.len() > most {
            return None;
        }
    }
    Some(rows)
}

fn positions(table: &Table) -> Vec<usize> {
    let names = table.columns.iter().enumerate();
    names.filter(|(_, column)| rank::is_position(&column.name)).map(|(at, _)| at).collect()
}

/// Whether two columns together are different in all rows.
fn tells_apart(table: &Table, a: usize, b: usize) -> bool {
    let mut seen = rustc_hash::FxHashSet::default();
    let (a, b) = (&table.columns[a].codes, &table.columns[b].codes);
    a.iter().zip(b).all(|pair| seen.insert(pair))
}

/// Takes rows out of a table, and what belongs to them out of the tables below.
fn take_out(tables: &mut [Table], at: usize, gone: &[bool]) {
    let mut next = 0;
    let numbers: Vec<u32> = gone
        .iter()
        .map(|gone| {
            let number = next;
            next += u32::from(!gone);
            number
        })
        .collect();
    for below in at + 1..tables.len() {
        let Some(parent) = &mut tables[below].parent else { continue };
        if parent.table != at {
            continue;
        }
        let rows = parent.rows.iter();
        let lost: Vec<bool> =
            rows.map(|row| gone.get(*row as usize).copied().unwrap_or(false)).collect();
        for row in &mut parent.rows {
            *row = numbers.get(*row as usize).copied().unwrap_or(*row);
        }
        take_out(tables, below, &lost);
    }
    let table = &mut tables[at];
    keep(&mut table.places, gone);
    for column in &mut table.columns {
        keep(&mut column.codes, gone);
        let none = column.codes.iter().filter(|code| **code == 0).count() as u64;
        column.nulls = column.nulls.min(none);
        column.missing = none - column.nulls;
    }
    if let Some(parent) = &mut table.parent {
        keep(&mut parent.rows, gone);
        keep(&mut parent.ordinals, gone);
    }
    table.rows = next as usize;
}

fn keep<T>(values: &mut Vec<T>, gone: &[bool]) {
    let mut at = 0;
    values.retain(|_| {
        at += 1;
        !gone.get(at - 1).copied().unwrap_or(false)
    });
}
