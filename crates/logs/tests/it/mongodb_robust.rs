//! Broken logs: whatever is in them is counted, and nothing is fatal.

use proptest::prelude::*;

use super::mongodb_generated::{FLAVOURS, digest_of, generated};

/// A change to a log.
#[derive(Debug, Clone)]
enum Harm {
    Flip(usize, u8),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    End(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let nasty = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"{\"t\":{\"$date\":\"".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(vec![b'{'; 500]),
        Just(vec![b'['; 500]),
        Just(b"}}}}]]]".to_vec()),
        Just(b"ms".to_vec()),
        Just(vec![0xff, 0, 0xc3]),
        Just(b"2026-01-05T08:00:00.000+0000 I  COMMAND  [".to_vec()),
        proptest::collection::vec(any::<u8>(), 1..40),
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(place, byte)| Harm::Flip(place, byte)),
        (any::<usize>(), nasty).prop_map(|(place, bytes)| Harm::Insert(place, bytes)),
        (any::<usize>(), 1..300usize).prop_map(|(place, length)| Harm::Remove(place, length)),
        any::<usize>().prop_map(Harm::End),
    ]
}

fn harmed(mut log: Vec<u8>, harms: &[Harm]) -> Vec<u8> {
    for harm in harms {
        let place = |place: usize| place % log.len().max(1);
        match harm {
            Harm::Flip(at, byte) => {
                let at = place(*at);
                if let Some(old) = log.get_mut(at) {
                    *old = *byte;
                }
            }
            Harm::Insert(at, bytes) => {
                let at = place(*at).min(log.len());
                log.splice(at..at, bytes.iter().copied());
            }
            Harm::Remove(at, length) => {
                let at = place(*at).min(log.len());
                let end = (at + length).min(log.len());
                log.drain(at..end);
            }
            // Near the end, so that something is left.
            Harm::End(at) => {
                let keep = log.len() - place(*at) / 4;
                log.truncate(keep);
            }
        }
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_harm_is_fatal(which in 0..FLAVOURS.len(), harms in proptest::collection::vec(harm(), 1..12)) {
        let (log, truth) = generated(FLAVOURS[which].0, 60);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), harmed(log, &harms)).unwrap();
        let digest = digest_of(file.path(), 1);
        // Each harm can bring in few entries of its own.
        prop_assert!(digest.totals.calls <= truth.entries + 12);
    }
}

#[test]
fn half_a_line_costs_one_entry() {
    for (flavour, format) in FLAVOURS.into_iter().take(6) {
        let (log, truth) = generated(flavour, 100);
        let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
        let half = lines[lines.len() / 2];
        let mut broken = lines[..lines.len() / 2].concat();
        broken.extend_from_slice(&half[..half.len() / 2]);
        broken.push(b'\n');
        broken.extend_from_slice(&lines[lines.len() / 2 + 1..].concat());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), broken).unwrap();
        let source = digest_of(file.path(), 1).sources.remove(0);
        assert_eq!(source.format.as_deref(), Some(format));
        assert!(source.entries + source.unread >= truth.entries, "{format}: {source:?}");
        assert!(source.entries >= truth.entries - 1, "{format}: {source:?}");
    }
}
