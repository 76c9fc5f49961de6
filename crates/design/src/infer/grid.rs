use super::column::Table;

/// Some columns of a table, and different rows of it, in an order without meaning: whatever
/// stands first is a sample.
#[derive(Debug)]
pub struct Grid {
    /// Each column's place in the table.
    pub ids: Vec<usize>,
    /// Each row's place in the table.
    pub rows: Vec<u32>,
    /// For each column the values' numbers, counted anew from 1; 0 for none.
    pub codes: Vec<Vec<u32>>,
    /// For each column how many different values there are.
    pub distinct: Vec<usize>,
    /// For each column how many rows have none.
    pub nulls: Vec<usize>,
}

impl Grid {
    /// Those columns and rows of a table.
    pub fn new(table: &Table, ids: Vec<usize>, rows: Vec<u32>) -> Self {
        let mut grid = Grid { ids, rows, codes: vec![], distinct: vec![], nulls: vec![] };
        for id in &grid.ids {
            let column = &table.columns[*id];
            let mut known = vec![0_u32; column.dictionary.len() + 1];
            let (mut next, mut nulls) = (0, 0);
            let codes = grid
                .rows
                .iter()
                .map(|row| {
                    let code = column.codes.get(*row as usize).copied().unwrap_or(0) as usize;
                    if code == 0 {
                        nulls += 1;
                        return 0;
                    }
                    if known[code] == 0 {
                        next += 1;
                        known[code] = next;
                    }
                    known[code]
                })
                .collect();
            grid.codes.push(codes);
            grid.distinct.push(next as usize);
            grid.nulls.push(nulls);
        }
        grid
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.ids.len()
    }

    /// Whether the column says the same in every row.
    pub fn constant(&self, column: usize) -> bool {
        self.distinct[column] + usize::from(self.nulls[column] > 0) <= 1
    }

    /// The chance that two rows agree in the column.
    pub fn agreement(&self, column: usize) -> f64 {
        let mut counts = vec![0_u64; self.distinct[column] + 1];
        for code in &self.codes[column] {
            counts[*code as usize] += 1;
        }
        let squares: f64 = counts.iter().map(|count| (*count as f64).powi(2)).sum();
        squares / (self.len() as f64).powi(2).max(1.0)
    }

    /// The chance that two different rows agree in the column.
    pub fn meeting(&self, column: usize) -> f64 {
        let rows = self.len() as f64;
        (self.agreement(column) * rows - 1.0).max(0.0) / (rows - 1.0).max(1.0)
    }
}

/// Numbers 0 to `rows`, shuffled, always in the same way.
pub fn shuffled(rows: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for at in (1..order.len()).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        order.swap(at, (mixed % (at as u64 + 1)) as usize);
    }
    order
}
