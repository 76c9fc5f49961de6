use std::sync::Arc;

use marula_core::{Engine, Fingerprint};

use super::*;
use crate::{Run, Shape};

fn statement(calls: u64) -> StatementSum {
    let shape = Shape {
        fingerprint: Fingerprint("f".into()),
        engine: Engine::Postgres,
        text: String::new(),
        operation: String::new(),
        objects: Vec::new(),
        incomplete: false,
    };
    let mut statement = StatementSum::new(Arc::new(shape), 1);
    (0..calls).for_each(|n| statement.cost.add(&Run { micros: n + 1, ..Run::default() }));
    statement
}

fn mixed(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[test]
fn what_comes_again_goes_on_or_is_marked() {
    let mut folded = Folded::default();
    let all = KEPT as u64 + 50_000;
    (0..all).for_each(|n| folded.put(mixed(n), statement(2)));
    assert_eq!(folded.count(std::iter::empty()), all);

    let mut again = statement(0);
    folded.take(mixed(7), &mut again);
    assert_eq!((again.cost.calls, again.cost.micros, again.cost.max), (2, 3, 2));
    assert_eq!(again.partial, Some(Partial::Details));

    // Of all that were dropped none goes unmarked; of new ones hardly any is marked.
    let marked = |from: u64, to: u64, folded: &mut Folded| {
        let one = |n| {
            let mut again = statement(0);
            folded.take(mixed(n), &mut again);
            again.partial == Some(Partial::Load)
        };
        (from..to).map(one).filter(|marked| *marked).count()
    };
    assert_eq!(marked(KEPT as u64, all, &mut folded), 50_000);
    assert!(marked(all, all + 50_000, &mut folded) < 10);
}
