use std::time::Instant;

use super::{inferred, read, read_again};

#[path = "../../tpch/mod.rs"]
mod source;

use source::{judge, wide};

#[tokio::test]
async fn the_join_of_eight_tables_is_taken_apart_into_them() {
    let inferred = inferred(vec![read("wide.csv", wide::csv(0.01, usize::MAX, None))], true).await;
    let (found, wrong) = judge::judged(&inferred.model);
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
    let columns = wide::of_four();
    assert_eq!(columns.len(), 35);
    let text = wide::csv(0.017, 100_000, Some(&columns));
    let started = Instant::now();
    let read = read("wide.csv", text);
    assert_eq!((read.source.kept, read.tables[0].columns.len()), (100_000, 35));
    let inferred = inferred(vec![read], false).await;
    let seconds = started.elapsed().as_secs_f64();
    assert!(seconds < 90.0, "{seconds:.1} s");
    let names: Vec<&str> = inferred.model.entities.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["wide", "orders", "customers", "nations"]);
}
