use std::collections::BTreeMap;

use marula_core::{Engine, ObjectDigest};

use super::statement::StatementSum;
use crate::objects::{in_order, read_by};
use crate::tally::Cost;

/// How long reads of each collection or table take. Shapes that are not kept in full, the
/// cheapest of very many, are left out.
pub(super) fn tell(statements: &[StatementSum], all: u128) -> Vec<ObjectDigest> {
    let mut sums: BTreeMap<(Engine, &str), (u64, Cost)> = BTreeMap::new();
    for one in statements {
        for name in read_by(one.shape.engine, &one.shape.operation, &one.shape.objects) {
            let sum = sums.entry((one.shape.engine, name)).or_default();
            sum.0 += 1;
            sum.1.merge(&one.cost);
        }
    }
    in_order(sums.into_iter().map(|((engine, name), (statements, cost))| ObjectDigest {
        engine,
        name: name.to_owned(),
        statements,
        share: if all == 0 { 0.0 } else { cost.micros as f64 / all as f64 },
        load: cost.load(),
    }))
}
