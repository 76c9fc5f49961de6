//! Which columns say what others hold: functional dependencies with one or two columns on the left.
//!
//! Rows stand in an order without meaning. A dependency that does not hold mostly dies within the
//! first hundreds of them, so that all rows are read for the few that may be true. A dependency
//! that holds in the first nine tenths and dies in the last was held out against: how many there
//! are of those says how much is to be thought of the ones that held.

use rustc_hash::FxHashMap;

use super::grid::Grid;

/// Columns that say what others hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Determinant {
    /// One or two columns of the grid.
    pub left: Vec<usize>,
    /// For each column of the grid whether they say what it holds.
    pub right: Vec<bool>,
    /// How many different values the left side has.
    pub groups: usize,
    /// How many rows could have spoken against it: those whose left side came before.
    pub tests: usize,
}

/// How many dependencies were looked at, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Those that could have held.
    pub candidates: u64,
    /// Those that hold in every row.
    pub held: u64,
    /// Those that held in nine tenths of the rows, and not in the last.
    pub failed_held_out: u64,
}

/// Nothing said yet of a group.
const NONE: u32 = u32::MAX;

/// What each single column says. Columns that are the same in every row are said by none.
pub fn unary(grid: &Grid, tally: &mut Tally) -> Vec<Determinant> {
    let constant: Vec<bool> = (0..grid.width()).map(|column| grid.constant(column)).collect();
    (0..grid.width())
        .map(|left| {
            if constant[left] {
                let right = vec![false; grid.width()];
                return Determinant { left: vec![left], right, groups: 1, tests: 0 };
            }
            let live: Vec<usize> =
                (0..grid.width()).filter(|b| *b != left && !constant[*b]).collect();
            let codes = &grid.codes[left];
            let mut first = vec![NONE; grid.distinct[left] + 1];
            let group = |row: usize| (codes[row] as usize, codes[row] == 0);
            follow(grid, vec![left], live, &mut first, group, tally)
        })
        .collect()
}

/// What two columns say together beyond what each says alone; `None` when that is nothing.
pub fn binary(
    grid: &Grid,
    pair: (usize, usize),
    live: Vec<usize>,
    tally: &mut Tally,
) -> Option<Determinant> {
    let (a, b) = (&grid.codes[pair.0], &grid.codes[pair.1]);
    let width = grid.distinct[pair.1] as u64 + 1;
    let left = vec![pair.0, pair.1];
    let cells = (grid.distinct[pair.0] as u64 + 1) * width;
    let found = if cells <= 8 << 20 {
        let mut first = vec![NONE; cells as usize];
        let group = |row: usize| {
            ((u64::from(a[row]) * width + u64::from(b[row])) as usize, a[row] == 0 || b[row] == 0)
        };
        follow(grid, left, live, &mut first, group, tally)
    } else {
        let mut known: FxHashMap<u64, u32> = FxHashMap::default();
        let mut first = vec![NONE; grid.len() + 1];
        let group = |row: usize| {
            let null = a[row] == 0 || b[row] == 0;
            let next = known.len() as u32;
            let at = known.entry(u64::from(a[row]) * width + u64::from(b[row])).or_insert(next);
            (*at as usize, null)
        };
        follow(grid, left, live, &mut first, group, tally)
    };
    found.right.iter().any(|said| *said).then_some(found)
}

/// Reads rows until nothing is left that could hold. Where the left side has no value, nothing on
/// the right may have one: there is nobody of whom it could be said.
fn follow(
    grid: &Grid,
    left: Vec<usize>,
    mut live: Vec<usize>,
    first: &mut [u32],
    mut group: impl FnMut(usize) -> (usize, bool),
    tally: &mut Tally,
) -> Determinant {
    let (mut groups, mut tests) = (0, 0);
    let late = grid.len() - grid.len() / 10;
    tally.candidates += live.len() as u64;
    for row in 0..grid.len() {
        if live.is_empty() {
            break;
        }
        let (at, null) = group(row);
        let before = live.len();
        if null {
            live.retain(|column| grid.codes[*column][row] == 0);
        } else if first[at] == NONE {
            first[at] = row as u32;
            groups += 1;
            continue;
        } else {
            tests += 1;
            let other = first[at] as usize;
            live.retain(|column| grid.codes[*column][row] == grid.codes[*column][other]);
        }
        if row >= late {
            tally.failed_held_out += (before - live.len()) as u64;
        }
    }
    tally.held += live.len() as u64;
    let mut right = vec![false; grid.width()];
    for column in live {
        right[column] = true;
    }
    Determinant { left, right, groups, tests }
}

/// Whether no two rows agree in all of `columns`, and all have a value.
pub fn is_key(grid: &Grid, columns: &[usize]) -> bool {
    if columns.iter().any(|column| grid.nulls[*column] > 0) {
        return false;
    }
    if let [only] = columns {
        return grid.distinct[*only] == grid.len();
    }
    let most: f64 = columns.iter().map(|column| grid.distinct[*column] as f64).product();
    if most < grid.len() as f64 {
        return false;
    }
    let mut seen = rustc_hash::FxHashSet::default();
    (0..grid.len()).all(|row| {
        let mut key = 0_u128;
        for column in columns {
            key = (key << 32) | u128::from(grid.codes[*column][row]);
        }
        seen.insert(key)
    })
}

/// The chance that two rows that agree in `given` agree in `column`.
pub fn agreement_given(grid: &Grid, given: usize, column: usize) -> f64 {
    let mut groups = vec![0_u64; grid.distinct[given] + 1];
    let mut both: FxHashMap<u64, u64> = FxHashMap::default();
    for (a, b) in grid.codes[given].iter().zip(&grid.codes[column]) {
        groups[*a as usize] += 1;
        *both.entry(u64::from(*a) << 32 | u64::from(*b)).or_default() += 1;
    }
    // Pairs of different rows alone: a row always agrees with itself.
    let pairs = |count: &u64| (*count * count.saturating_sub(1)) as f64;
    let all: f64 = groups.iter().map(pairs).sum();
    let alike: f64 = both.values().map(pairs).sum();
    if all == 0.0 { 1.0 } else { alike / all }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::infer::column::{Column, Dictionary, Kind, Table};
    use crate::infer::grid::shuffled;

    /// A grid from rows of words; `-` is no value.
    fn grid(rows: &[&str]) -> Grid {
        let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split(' ').collect()).collect();
        let columns = (0..cells[0].len())
            .map(|at| {
                let mut dictionary = Dictionary::default();
                let code = |row: &Vec<&str>, dictionary: &mut Dictionary| match row[at] {
                    "-" => 0,
                    text => dictionary.code(Kind::Text, text),
                };
                let codes = cells.iter().map(|row| code(row, &mut dictionary)).collect();
                let dictionary = Arc::new(dictionary);
                let name = format!("c{at}");
                Column { name, path: vec![], codes, dictionary, nulls: 0, missing: 0 }
            })
            .collect();
        let table = Table { columns, rows: rows.len(), ..Table::default() };
        Grid::new(&table, (0..cells[0].len()).collect(), shuffled(rows.len()))
    }

    #[test]
    fn one_column_says_another() {
        let grid = grid(&["1 a x", "1 a y", "2 a x", "3 b y"]);
        let found = unary(&grid, &mut Tally::default());
        assert_eq!(found[0].right, [false, true, false]);
        assert_eq!((found[0].groups, found[0].tests), (3, 1));
        assert_eq!(found[1].right, [false; 3]);
    }

    #[test]
    fn without_a_left_side_there_is_no_right_one() {
        let found = unary(&grid(&["1 a", "- -", "1 a", "2 b"]), &mut Tally::default());
        assert!(found[0].right[1]);
        let found = unary(&grid(&["1 a", "- a", "1 a", "2 b"]), &mut Tally::default());
        assert!(!found[0].right[1]);
    }

    #[test]
    fn two_columns_say_what_neither_does() {
        let one = grid(&["1 a x", "1 b y", "2 a y", "1 a x", "2 a y"]);
        let found = binary(&one, (0, 1), vec![2], &mut Tally::default());
        assert_eq!(found.map(|one| (one.right[2], one.groups, one.tests)), Some((true, 3, 2)));
        assert!(!is_key(&one, &[0, 1]));
        let other = grid(&["1 a x", "1 a y"]);
        assert!(binary(&other, (0, 1), vec![2], &mut Tally::default()).is_none());
    }
}
