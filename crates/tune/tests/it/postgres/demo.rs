//! The demo's slow join, at a small scale.

use marula_core::{Quiet, Verdict};
use marula_lab::shop::{self, Scale};
use marula_tune::ProveMode;

use super::{explained, fresh, shown};

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_join_becomes_many_times_faster() {
    let session = fresh(15).await;
    shop::load_postgres(&session, Scale::new(0.03).unwrap(), 42, &Quiet).await.unwrap();
    let sql = include_str!("../../../../../demo/slow-join.sql");
    let report = explained(&session, sql, ProveMode::Lab).await;
    let best = report.best.as_ref().unwrap_or_else(|| panic!("{}", shown(&report)));
    assert_eq!(best.proof.verdict, Verdict::Proven, "{}", shown(&report));
    assert_eq!(best.proof.results_equal, Some(true), "{}", shown(&report));
    assert!(best.proof.speedup.unwrap() > 20.0, "{}", shown(&report));
}
