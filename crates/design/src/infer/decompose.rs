//! Taking a table apart into third normal form: from the largest thing it speaks of to the
//! smallest, each judged among its own members and not among the rows that repeat them.

use super::column::Table;
use super::dependency::{self, Determinant, Tally};
use super::grid::{Grid, shuffled};
use super::rank::{self, Cost};
use super::types::Typed;

/// Some columns of a table that speak of one thing, with one row for each member.
#[derive(Debug, Clone)]
pub struct Part {
    /// The columns, by their place in the table; those of the key first.
    pub columns: Vec<usize>,
    /// The columns that tell members apart; empty where a number has to be given out.
    pub key: Vec<usize>,
    /// Further columns that do, alone or together.
    pub unique: Vec<Vec<usize>>,
    /// For each member a row of the table that speaks of it.
    pub rows: Vec<u32>,
    /// The part that refers to this one with its key; none for the table's own rows.
    pub parent: Option<usize>,
    /// How many rows of the part above could have spoken against it.
    pub tests: usize,
    /// How many members the part above has.
    pub of: usize,
}

/// A dependency that holds in every row, and that no table was made of.
#[derive(Debug, Clone)]
pub struct Passed {
    /// The left side, by places in the table.
    pub left: Vec<usize>,
    /// The right side.
    pub right: Vec<usize>,
    /// Why not.
    pub why: &'static str,
}

/// What became of a table.
#[derive(Debug, Default)]
pub struct Decomposed {
    /// Its parts; the first one has a row for each of the table's.
    pub parts: Vec<Part>,
    /// Columns that say in every row what another one says, with that one.
    pub same: Vec<(usize, usize)>,
    /// Columns that say the same in every row.
    pub constant: Vec<usize>,
    /// Dependencies of which no table was made.
    pub passed: Vec<Passed>,
    /// How many dependencies were looked at.
    pub tally: Tally,
}

/// Chance may make one such dependency in so many tables.
const CHANCE: f64 = 1e-3;
/// A new table must not take more than this share of the cells it saves.
const SAVES: f64 = 0.5;
/// The same where the name of what tells its members apart says that it is a thing.
const NAMED_SAVES: f64 = 0.9;
/// So many keys of two columns beside the chosen one are told.
const OTHERS: usize = 3;
/// Two columns are looked at together for no more than so many of the best.
const PAIRED: usize = 40;

struct Work<'t> {
    table: &'t Table,
    typed: &'t [Typed],
    costs: Vec<Cost>,
    out: Decomposed,
}

/// Takes a table apart. `fixed`: columns that lead to the table above, are the key, and take no
/// further part; `declared`: the key somebody declared.
pub fn decompose(
    table: &Table,
    typed: &[Typed],
    fixed: &[usize],
    declared: &[usize],
) -> Decomposed {
    let width = table.columns.len();
    let costs =
        (0..width).map(|at| rank::cost(&table.columns[at].name, &typed[at], at, width)).collect();
    let mut work = Work { table, typed, costs, out: Decomposed::default() };
    let rows = shuffled(table.rows);
    let all: Vec<usize> = (0..width).filter(|at| !fixed.contains(at)).collect();
    let grid = Grid::new(table, all, rows);
    let used = work.set_apart(&grid);
    let grid = Grid::new(table, used, grid.rows);
    work.part(grid, None, 0, fixed, declared);
    work.place_constants();
    work.out
}

impl Work<'_> {
    /// Sets columns apart that say nothing of their own, and gives the others.
    fn set_apart(&mut self, grid: &Grid) -> Vec<usize> {
        let mut used: Vec<usize> = Vec::new();
        for at in 0..grid.width() {
            if grid.constant(at) {
                self.out.constant.push(grid.ids[at]);
                continue;
            }
            // The codes count from the first row on: columns that say the same have the same.
            let same = used.iter().copied().find(|other| {
                grid.distinct[at] == grid.distinct[*other]
                    && grid.distinct[at] > 1
                    && grid.codes[at] == grid.codes[*other]
                    && self.alike(grid.ids[at], grid.ids[*other])
            });
            match same {
                Some(other) => self.out.same.push((grid.ids[at], grid.ids[other])),
                None => used.push(at),
            }
        }
        used.into_iter().map(|at| grid.ids[at]).collect()
    }

    /// Whether two columns have the same values in all rows.
    fn alike(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.table.columns[a], &self.table.columns[b]);
        let mut known = vec![false; a.dictionary.len() + 1];
        a.codes.iter().zip(&b.codes).all(|(x, y)| {
            let seen = std::mem::replace(&mut known[*x as usize], true);
            seen || a.dictionary.get(*x) == b.dictionary.get(*y)
        })
    }

    /// Makes a part of a grid, and takes out of it what speaks of something else.
    fn part(
        &mut self,
        grid: Grid,
        parent: Option<usize>,
        tests: usize,
        fixed: &[usize],
        declared: &[usize],
    ) -> usize {
        let of = parent.map_or(grid.len(), |parent| self.out.parts[parent].rows.len());
        let index = self.out.parts.len();
        self.out.parts.push(Part {
            columns: Vec::new(),
            key: Vec::new(),
            unique: Vec::new(),
            rows: grid.rows.clone(),
            parent,
            tests,
            of,
        });
        let mut left: Vec<bool> = vec![true; grid.width()];
        let candidates = self.candidates(&grid);
        let may: Vec<f64> = candidates.iter().map(|one| self.may(&grid, one)).collect();
        let mut given_up: Vec<bool> = vec![false; candidates.len()];
        // What leads to a part stays, also where a later one says it.
        let mut leads: Vec<bool> = vec![false; grid.width()];
        while let Some(at) = best(&candidates, &may, &given_up, &left, &grid) {
            given_up[at] = true;
            let candidate = &candidates[at];
            let moved: Vec<usize> = (0..grid.width())
                .filter(|column| {
                    left[*column] && (candidate.right[*column] || candidate.left.contains(column))
                })
                .collect();
            let below = self.project(&grid, &candidate.left, &moved);
            let key = self.key(&below, 2);
            let Some(key) = key.filter(|key| self.acceptable(key)) else {
                self.pass(&grid, candidate, &left, "nothing in it has the looks of a key");
                continue;
            };
            for column in moved {
                leads[column] |= key.contains(&grid.ids[column]);
                left[column] = leads[column];
            }
            self.part(below, Some(index), candidate.tests, &[], &[]);
        }
        let kept: Vec<usize> =
            (0..grid.width()).filter(|at| left[*at]).map(|at| grid.ids[at]).collect();
        let grid = Grid::new(self.table, kept, grid.rows);
        let declared = Some(declared)
            .filter(|all| !all.is_empty() && all.iter().all(|id| grid.ids.contains(id)));
        let key = match (fixed, declared) {
            ([], Some(declared)) => declared.to_vec(),
            ([], None) => self.key(&grid, 3).filter(|key| self.acceptable(key)).unwrap_or_default(),
            (fixed, _) => fixed.to_vec(),
        };
        let single: Vec<usize> = (0..grid.width())
            .filter(|at| grid.len() > 1 && dependency::is_key(&grid, &[*at]))
            .collect();
        let mut unique: Vec<Vec<usize>> = single
            .iter()
            .map(|at| grid.ids[*at])
            .filter(|id| key.as_slice() != [*id] && self.costs[*id].0 <= rank::MOST)
            .map(|id| vec![id])
            .collect();
        unique.extend(self.pairs(&grid, &single, &key));
        let part = &mut self.out.parts[index];
        part.columns = key.clone();
        part.columns.extend(grid.ids.iter().filter(|id| !key.contains(id)));
        part.key = key;
        part.unique = unique;
        index
    }

    /// Dependencies that are worth a table of their own.
    fn candidates(&mut self, grid: &Grid) -> Vec<Determinant> {
        let width = grid.width();
        let mut unary = dependency::unary(grid, &mut self.out.tally);
        let agreement: Vec<f64> = (0..width).map(|column| grid.agreement(column)).collect();
        let needed = ((width * width) as f64 / CHANCE).ln();
        let mut weak: Vec<Vec<bool>> = Vec::new();
        for one in &mut unary {
            let full = one.right.clone();
            for (column, said) in one.right.iter_mut().enumerate() {
                *said = *said && one.tests as f64 * -agreement[column].ln() >= needed;
            }
            weak.push(full);
        }
        let mut found: Vec<Determinant> = Vec::new();
        for (one, full) in unary.iter().zip(&weak) {
            if full.iter().any(|said| *said) && saves(one, &one.right, grid, self.may(grid, one)) {
                found.push(one.clone());
            }
        }
        // Of columns that say one another, one speaks for all.
        let speaks = |column: usize| {
            !(0..width).any(|other| {
                weak[other][column]
                    && weak[column][other]
                    && (self.cost(grid, other), other) < (self.cost(grid, column), column)
            })
        };
        let mut paired: Vec<usize> = (0..width)
            .filter(|column| {
                let class = self.typed[grid.ids[*column]].class;
                let cost = self.costs[grid.ids[*column]];
                !grid.constant(*column)
                    && grid.distinct[*column] * 2 <= grid.len()
                    && (rank::acceptable(&[(cost, class)])
                        || rank::acceptable(&[
                            (cost, class),
                            (Cost(0.0), super::types::Class::Integer),
                        ]))
                    && speaks(*column)
            })
            .collect();
        paired.sort_by(|a, b| self.cost(grid, *a).total_cmp(&self.cost(grid, *b)));
        paired.truncate(PAIRED);
        let needed = ((width * paired.len() * paired.len()) as f64 / CHANCE).max(1.0).ln();
        for (at, a) in paired.iter().enumerate() {
            for b in &paired[at + 1..] {
                if weak[*a][*b] || weak[*b][*a] {
                    continue;
                }
                let live: Vec<usize> = (0..width)
                    .filter(|c| {
                        c != a && c != b && !grid.constant(*c) && !weak[*a][*c] && !weak[*b][*c]
                    })
                    .collect();
                let Some(mut pair) = dependency::binary(grid, (*a, *b), live, &mut self.out.tally)
                else {
                    continue;
                };
                let own = pair.right.clone();
                if !saves(&pair, &own, grid, SAVES) {
                    continue;
                }
                for (column, said) in pair.right.iter_mut().enumerate() {
                    let alike = |given: usize| dependency::agreement_given(grid, given, column);
                    *said = *said && {
                        let chance = agreement[column].max(alike(*a)).max(alike(*b));
                        pair.tests as f64 * -chance.ln() >= needed
                    };
                }
                let own = pair.right.clone();
                if own.iter().any(|said| *said) && saves(&pair, &own, grid, SAVES) {
                    for column in 0..width {
                        pair.right[column] |= unary[*a].right[column] || unary[*b].right[column];
                    }
                    found.push(pair);
                }
            }
        }
        found
    }

    /// What share of the cells it saves a table of its own may take.
    fn may(&self, grid: &Grid, one: &Determinant) -> f64 {
        let named = match one.left.as_slice() {
            [only] => {
                let id = grid.ids[*only];
                rank::is_like_id(&self.table.columns[id].name) && self.costs[id].0 <= rank::MOST
            }
            _ => false,
        };
        if named { NAMED_SAVES } else { SAVES }
    }

    /// Further keys of two columns, both with the names of keys, that are none by chance.
    fn pairs(&self, grid: &Grid, single: &[usize], key: &[usize]) -> Vec<Vec<usize>> {
        let named: Vec<usize> = (0..grid.width())
            .filter(|at| {
                let name = &self.table.columns[grid.ids[*at]].name;
                !single.contains(at)
                    && grid.nulls[*at] == 0
                    && (rank::is_like_id(name) || rank::is_position(name))
            })
            .take(8)
            .collect();
        let mut found = Vec::new();
        for (at, a) in named.iter().enumerate() {
            for b in &named[at + 1..] {
                let ids = vec![grid.ids[*a], grid.ids[*b]];
                // So many pairs of rows would agree in both if these had nothing to do with
                // one another.
                let rows = grid.len() as f64;
                let met = rows * (rows - 1.0) / 2.0 * grid.meeting(*a) * grid.meeting(*b);
                let needed = ((named.len() * named.len()) as f64 / CHANCE).ln();
                let known = ids.iter().all(|id| key.contains(id)) && key.len() == 2;
                if !known && met >= needed && dependency::is_key(grid, &[*a, *b]) {
                    found.push(ids);
                }
            }
        }
        found.truncate(OTHERS);
        found
    }

    fn cost(&self, grid: &Grid, column: usize) -> f64 {
        self.costs[grid.ids[column]].0
    }

    fn acceptable(&self, key: &[usize]) -> bool {
        let columns: Vec<_> =
            key.iter().map(|id| (self.costs[*id], self.typed[*id].class)).collect();
        rank::acceptable(&columns)
    }

    /// One row for each value of the left side.
    fn project(&self, grid: &Grid, left: &[usize], columns: &[usize]) -> Grid {
        let mut seen = rustc_hash::FxHashSet::default();
        let rows = (0..grid.len())
            .filter(|row| {
                let mut key = 0_u64;
                for column in left {
                    let code = grid.codes[*column][*row];
                    if code == 0 {
                        return false;
                    }
                    key = (key << 32) | u64::from(code);
                }
                seen.insert(key)
            })
            .map(|row| grid.rows[row])
            .collect();
        let ids = columns.iter().map(|column| grid.ids[*column]).collect();
        Grid::new(self.table, ids, rows)
    }

    /// The key that looks most like one, of at most so many columns.
    fn key(&self, grid: &Grid, most: usize) -> Option<Vec<usize>> {
        if grid.len() == 0 {
            return None;
        }
        let mut columns: Vec<usize> = (0..grid.width()).collect();
        columns.sort_by(|a, b| self.cost(grid, *a).total_cmp(&self.cost(grid, *b)));
        let mut best: Option<(f64, Vec<usize>)> = None;
        let mut take = |found: Vec<usize>| {
            let several = found.len() > 1;
            let cost = rank::of_key(found.iter().map(|column| {
                let id = grid.ids[*column];
                match several && rank::is_position(&self.table.columns[id].name) {
                    true => Cost(rank::POSITION.min(self.costs[id].0)),
                    false => self.costs[id],
                }
            }));
            if best.as_ref().is_none_or(|(known, _)| cost < *known) {
                best = Some((cost, found));
            }
        };
        let single: Vec<usize> =
            columns.iter().copied().filter(|c| dependency::is_key(grid, &[*c])).collect();
        if let Some(first) = single.first() {
            take(vec![*first]);
        }
        let pairable: Vec<usize> = columns
            .iter()
            .copied()
            .filter(|column| !single.contains(column) && grid.nulls[*column] == 0)
            .take(12)
            .collect();
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (at, a) in pairable.iter().enumerate() {
            for b in &pairable[at + 1..] {
                if dependency::is_key(grid, &[*a, *b]) {
                    pairs.push((*a, *b));
                    take(vec![*a, *b]);
                }
            }
        }
        if most > 2 && pairs.is_empty() && single.is_empty() {
            let few = &pairable[..pairable.len().min(8)];
            for (i, a) in few.iter().enumerate() {
                for (j, b) in few.iter().enumerate().skip(i + 1) {
                    for c in &few[j + 1..] {
                        if dependency::is_key(grid, &[*a, *b, *c]) {
                            take(vec![*a, *b, *c]);
                        }
                    }
                }
            }
        }
        let mut key: Vec<usize> = best?.1.into_iter().map(|column| grid.ids[column]).collect();
        key.sort_unstable();
        Some(key)
    }

    fn pass(&mut self, grid: &Grid, one: &Determinant, left: &[bool], why: &'static str) {
        let right: Vec<usize> = (0..grid.width())
            .filter(|column| left[*column] && one.right[*column])
            .map(|column| grid.ids[column])
            .collect();
        let left: Vec<usize> = one.left.iter().map(|column| grid.ids[*column]).collect();
        self.out.passed.push(Passed { left, right, why });
    }

    /// A column that says the same everywhere goes where most columns have a name that begins as
    /// its own does.
    fn place_constants(&mut self) {
        for constant in self.out.constant.clone() {
            let prefix = |at: usize| -> String {
                crate::names::words(&self.table.columns[at].name).into_iter().take(1).collect()
            };
            let own = prefix(constant);
            let share = |part: &Part| {
                let alike = part.columns.iter().filter(|at| prefix(**at) == own).count();
                alike * 1000 / part.columns.len().max(1)
            };
            let mut best = (0, 0);
            for (at, part) in self.out.parts.iter().enumerate() {
                if share(part) > best.1 {
                    best = (at, share(part));
                }
            }
            // It must be said of every row: below, rows without a key have nothing.
            let whole = |part: &Part| {
                part.key.iter().all(|at| {
                    let column = &self.table.columns[*at];
                    column.nulls + column.missing == 0
                })
            };
            let at = if best.0 > 0 && whole(&self.out.parts[best.0]) { best.0 } else { 0 };
            self.out.parts[at].columns.push(constant);
        }
    }
}

/// Whether a table of its own takes clearly fewer cells than it saves.
fn saves(one: &Determinant, own: &[bool], grid: &Grid, most: f64) -> bool {
    let columns = own.iter().filter(|said| **said).count();
    let removed = columns * grid.len();
    let added = (columns + one.left.len()) * one.groups;
    columns > 0 && added as f64 <= most * removed as f64
}

/// The candidate that says the most: none other that is left says all that it does and more.
fn best(
    found: &[Determinant],
    may: &[f64],
    given_up: &[bool],
    left: &[bool],
    grid: &Grid,
) -> Option<usize> {
    let says = |one: &Determinant| -> Vec<bool> {
        (0..left.len())
            .map(|column| left[column] && (one.right[column] || one.left.contains(&column)))
            .collect()
    };
    let open: Vec<(usize, Vec<bool>, usize)> = found
        .iter()
        .enumerate()
        .filter(|(at, one)| !given_up[*at] && one.left.iter().all(|column| left[*column]))
        .filter_map(|(at, one)| {
            let all = says(one);
            let own: Vec<bool> = all
                .iter()
                .enumerate()
                .map(|(column, said)| *said && !one.left.contains(&column))
                .collect();
            let saved = own.iter().filter(|said| **said).count() * (grid.len() - one.groups);
            saves(one, &own, grid, may[at]).then_some((at, all, saved))
        })
        .collect();
    let within = |a: &[bool], b: &[bool]| a != b && a.iter().zip(b).all(|(x, y)| !*x || *y);
    open.iter()
        .filter(|(_, all, _)| !open.iter().any(|(_, other, _)| within(all, other)))
        .max_by_key(|(at, _, saved)| (*saved, std::cmp::Reverse(*at)))
        .map(|(at, ..)| *at)
}
