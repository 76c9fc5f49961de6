use marula_design::infer::read::{Limits, stream_of};
use proptest::prelude::*;

use super::{inferred, read_again};

/// Real files of every form, small.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let document = bson::doc! {
        "_id": 1, "name": "Ann", "when": bson::DateTime::from_millis(1_700_000_000_000),
        "lines": [{"sku": "a", "n": 1.5}, {"sku": "b", "n": 2}], "deep": {"er": {"x": [[1, 2], []]}},
    };
    let mut dump = Vec::new();
    for _ in 0..5 {
        document.to_writer(&mut dump).unwrap();
    }
    let rows: String =
        (0..20).map(|n| format!("{n},\"a \"\"b\"\" {n}\",{}.5,2026-01-02\n", n % 3)).collect();
    let lines: String = (0..20)
        .map(|n| {
            format!(
                "{{\"id\": {n}, \"a\": {{\"b\": [{n}, {{\"c\": \"\\u00e9\"}}]}}, \"t\": null}}\n"
            )
        })
        .collect();
    vec![
        ("a.csv", format!("id,name,price,day\n{rows}").into_bytes()),
        ("a.jsonl", lines.clone().into_bytes()),
        ("a.json", format!("[{}]", lines.trim().replace('\n', ",\n")).into_bytes()),
        ("a.bson", dump),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_and_every_row_is_counted(
        seed in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..12),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        const TELLING: &[u8] = b"{}[]\",:\\\n\r\t;|0\0\xff\xe9-.eE";
        let (name, mut bytes) = seeds().swap_remove(seed);
        for (place, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes[at] = TELLING[byte as usize % TELLING.len()],
                2 => { bytes.remove(at); }
                _ => bytes.insert(at, TELLING[byte as usize % TELLING.len()]),
            }
        }
        if cuts && !bytes.is_empty() {
            let at = cut.index(bytes.len());
            bytes.truncate(at);
        }
        let read = stream_of(bytes.as_slice(), name, Limits::default()).unwrap();
        let source = &read.source;
        prop_assert_eq!(source.read, source.kept + source.set_aside + source.beyond);
        prop_assert_eq!(source.kept, read.tables[0].rows as u64);
        for table in &read.tables {
            for column in &table.columns {
                prop_assert_eq!(column.codes.len(), table.rows);
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let inferred = runtime.block_on(inferred(vec![read], false));
        prop_assert!(inferred.proof.reason.contains("every row back"), "{}", inferred.proof.reason);
        read_again(&inferred);
    }
}

/// What is damaged is still accepted by a server, value by value, and nothing is lost.
#[tokio::test]
async fn what_damaged_files_hold_is_loaded_and_joined_again() {
    let mut reads = Vec::new();
    for (name, mut bytes) in seeds() {
        let third = bytes.len() / 3;
        bytes[third] = b'"';
        bytes.remove(2 * third);
        reads.push(stream_of(bytes.as_slice(), name, Limits::default()).unwrap());
    }
    let inferred = inferred(reads, true).await;
    assert!(!inferred.rejoined.is_empty(), "{:?}", inferred.proof);
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.rejoined);
}
