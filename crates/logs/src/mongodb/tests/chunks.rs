//! However a log is cut into chunks, its digest is the same.

use std::sync::Arc;

use marula_core::{Digest, SourceRead};
use proptest::prelude::*;

use crate::generate::mongodb::{Flavour, Options, write};
use crate::sum::Sum;
use crate::tally::{Scope, Tally};
use crate::{Clue, Filter, Format, Place, SortBy, detect};

/// Reads a log as the pipeline does, in chunks of about the given sizes, the last for the rest.
fn digest_in(log: &[u8], format: &dyn Format, sizes: &[usize]) -> Digest {
    let scope = Arc::new(Scope::new(&Filter::default()));
    let mut sum = Sum::default();
    sum.begin_source(SourceRead::default());
    let mut open = None;
    let mut start = 0;
    let mut sizes = sizes.iter().copied();
    while start < log.len() {
        let mut size = sizes.next().unwrap_or(log.len());
        let end = loop {
            let bytes = &log[start..log.len().min(start + size)];
            if start + bytes.len() == log.len() {
                break log.len();
            }
            match format.cut(bytes) {
                0 => size *= 2,
                cut => break start + cut,
            }
        };
        let place = Place { source: 0, offset: start as u64 };
        let mut tally = Tally::new(Arc::clone(&scope), place);
        let edges = format.read(&log[start..end], place, &mut tally);
        let mut seam = Tally::new(Arc::clone(&scope), place);
        open = format.stitch(open.take(), edges, &mut seam);
        sum.add_seam(seam);
        tally.measure(&log[start..end]);
        sum.add(tally);
        start = end;
    }
    let mut seam = Tally::new(scope, Place::default());
    format.finish(open, &mut seam);
    sum.add_seam(seam);
    sum.tell(SortBy::Total, 1000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_do_not_matter(
        which in 0..5usize,
        seed in any::<u64>(),
        sizes in proptest::collection::vec(200..60_000usize, 1..60),
    ) {
        let flavour = [Flavour::Text, Flavour::Json(4), Flavour::Json(8), Flavour::Profile, Flavour::ProfileBson][which];
        let mut log = Vec::new();
        write(&mut log, &Options { seed, flavour, operations: 250, bytes: u64::MAX }).unwrap();
        let clue = Clue { head: &log, prefix: None, written: None };
        let format = detect(&clue).remove(0).format;
        let mut whole = digest_in(&log, format.as_ref(), &[]);
        let mut cut = digest_in(&log, format.as_ref(), &sizes);
        if flavour == Flavour::ProfileBson {
            // It has no lines.
            (whole.sources[0].lines, cut.sources[0].lines) = (0, 0);
        }
        prop_assert!(whole.totals.calls > 200);
        prop_assert_eq!(whole, cut);
    }
}
