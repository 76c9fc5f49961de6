use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use marula_core::model::Model;

use super::{inferred, read, read_again};

#[path = "../../tpch/wide.rs"]
mod wide;

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
fn judged(model: &Model) -> (BTreeSet<&'static str>, Vec<String>) {
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

#[tokio::test]
async fn the_join_of_eight_tables_is_taken_apart_into_them() {
    let inferred = inferred(vec![read("wide.csv", wide::csv(0.01, usize::MAX, None))], true).await;
    let (found, wrong) = judged(&inferred.model);
    assert!(found.len() >= 7, "{found:?}");
    assert!(wrong.len() <= 1, "{wrong:?}");
    let [rejoined] = inferred.rejoined.as_slice() else { panic!("{:?}", inferred.proof) };
    assert!(rejoined.equal() && rejoined.rows == 60_175, "{rejoined:?}");
    let model = read_again(&inferred);
    let refers = |from: &str, attribute: &str, to: &str| {
        model.relations.iter().any(|r| r.from == from && r.attributes == [attribute] && r.to == to)
    };
    assert!(
        refers("wide", "l_orderkey", "orders") && refers("orders", "o_custkey", "customers") || {
            let names: Vec<_> =
                model.relations.iter().map(|r| (&r.from, &r.attributes, &r.to)).collect();
            panic!("{names:?}")
        }
    );
}

/// 35 columns of lineitem, orders, customer and nation; the limit is generous: the machine that
/// runs tests does other things besides. `bench_infer` prints the time.
#[tokio::test]
async fn a_hundred_thousand_rows_of_35_columns_take_seconds() {
    let columns: Vec<&str> = wide::TABLES[..4]
        .iter()
        .flat_map(|(_, _, columns)| columns.iter().copied())
        .filter(|column| !["o_orderkey", "c_custkey"].contains(column))
        .collect();
    assert_eq!(columns.len(), 35);
    let text = wide::csv(0.017, 100_000, Some(&columns));
    let started = Instant::now();
    let read = read("wide.csv", text);
    assert_eq!((read.source.kept, read.tables[0].columns.len()), (100_000, 35));
    let inferred = inferred(vec![read], false).await;
    let seconds = started.elapsed().as_secs_f64();
    assert!(seconds < 30.0, "{seconds:.1} s");
    let names: Vec<&str> = inferred.model.entities.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["wide", "orders", "customers", "nations"]);
}
