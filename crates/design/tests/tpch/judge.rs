//! Which of TPC-H's tables were found, and what was found that is not true.

use std::collections::{BTreeMap, BTreeSet};

use marula_core::model::Model;

use super::wide;

/// The column that says in every row what another says stands for it.
fn same(column: &str) -> &str {
    match column {
        "o_orderkey" => "l_orderkey",
        "c_custkey" => "o_custkey",
        "n_nationkey" => "c_nationkey",
        "r_regionkey" => "n_regionkey",
        "p_partkey" | "ps_partkey" => "l_partkey",
        "s_suppkey" | "ps_suppkey" => "l_suppkey",
        other => other,
    }
}

/// What the specification says of columns beside the keys: a brand's first digit is its
/// manufacturer's (4.2.3).
const ALSO: [(&str, &str); 1] = [("p_brand", "p_mfgr")];

/// How many of the true tables were found with their keys and all their columns, and the
/// dependencies that were kept and are not true.
pub fn judged(model: &Model) -> (BTreeSet<&'static str>, Vec<String>) {
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    let entities: Vec<(BTreeSet<&str>, BTreeSet<&str>)> = model
        .entities
        .iter()
        .map(|entity| {
            let key = entity.key().into_iter().map(same).collect();
            (key, entity.attributes.iter().map(|one| same(&one.name)).collect())
        })
        .collect();
    let said: BTreeMap<&str, &str> = ALSO.iter().map(|(left, right)| (*right, *left)).collect();
    for (name, key, columns) in wide::TABLES {
        let wanted: BTreeSet<&str> = columns[..key].iter().map(|column| same(column)).collect();
        let holds = |all: &BTreeSet<&str>| {
            columns.iter().map(|column| same(column)).all(|column| {
                all.contains(column) || said.get(column).is_some_and(|left| all.contains(left))
            })
        };
        if entities.iter().any(|(key, all)| *key == wanted && holds(all)) {
            found.insert(name);
        }
    }
    for (key, all) in &entities {
        let true_ones = closure(key);
        wrong.extend(all.difference(&true_ones).map(|column| format!("{key:?} → {column}")));
    }
    (found, wrong)
}

/// All that a key says, by the true tables.
fn closure<'k>(key: &BTreeSet<&'k str>) -> BTreeSet<&'k str> {
    let mut out: BTreeSet<&str> = key.clone();
    loop {
        let before = out.len();
        for (_, key, columns) in wide::TABLES {
            if columns[..key].iter().all(|column| out.contains(same(column))) {
                out.extend(columns.iter().map(|column| same(column)));
            }
        }
        for (left, right) in ALSO {
            if out.contains(left) {
                out.insert(right);
            }
        }
        if out.len() == before {
            return out;
        }
    }
}
