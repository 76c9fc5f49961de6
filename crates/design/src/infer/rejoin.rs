//! Whether the parts of each table, put together again, give the table: looked at here on the
//! values, and by [`super::prove`] on a server.

use rustc_hash::FxHashMap;

use super::world::World;

/// How many rows of a table its parts do not give back.
pub fn lost(world: &World, at: usize) -> u64 {
    let table = &world.tables[at];
    let all = &world.decomposed[at];
    let mut lost = vec![false; table.rows];
    for part in all.parts.iter().skip(1) {
        let key = |row: usize| -> Vec<u32> {
            part.key.iter().map(|column| table.columns[*column].codes[row]).collect()
        };
        let members: FxHashMap<Vec<u32>, usize> =
            part.rows.iter().map(|row| (key(*row as usize), *row as usize)).collect();
        for (row, lost) in lost.iter_mut().enumerate() {
            let key = key(row);
            let member = members.get(&key).filter(|_| !key.contains(&0));
            let same = part.columns.iter().all(|column| {
                let codes = &table.columns[*column].codes;
                codes[row] == member.map_or(0, |member| codes[*member])
            });
            *lost |= !same;
        }
    }
    for (same, other) in &all.same {
        let (a, b) = (&table.columns[*same], &table.columns[*other]);
        for (row, lost) in lost.iter_mut().enumerate() {
            *lost |= a.text(row) != b.text(row);
        }
    }
    lost.iter().filter(|lost| **lost).count() as u64
}
