use marula_design::infer::read::{Read, What};

use super::{inferred, read};

/// What was wrong, where first, and the counts: read, kept, set aside.
fn told(read: &Read) -> (Vec<(What, u64, u64)>, [u64; 3]) {
    let source = &read.source;
    let trouble = source.trouble.iter().map(|one| (one.what, one.count, one.places[0].0)).collect();
    assert_eq!(source.read, source.kept + source.set_aside + source.beyond, "{source:?}");
    (trouble, [source.read, source.kept, source.set_aside])
}

#[test]
fn what_is_broken_is_named_with_its_place_and_the_rest_is_used() {
    let deep =
        format!("{{\"a\": 1, \"b\": {}{}}}\n{{\"a\": 2}}\n", "[".repeat(200), "]".repeat(200));
    type Case = (&'static str, Vec<u8>, Vec<(What, u64, u64)>, [u64; 3]);
    let cases: Vec<Case> = vec![
        (
            "lines.jsonl",
            b"{\"a\":1}\n{\"a\":2,\"b\n{\"a\":3}\n".to_vec(),
            vec![(What::CutOff, 1, 2)],
            [3, 2, 1],
        ),
        ("array.json", b"[{\"a\":1},\n{\"a\":2".to_vec(), vec![(What::CutOff, 1, 2)], [2, 1, 1]),
        ("open.json", b"[{\"a\":1},\n{\"a\":2}\n".to_vec(), vec![(What::CutOff, 1, 1)], [2, 2, 0]),
        (
            "mixed.json",
            b"[{\"a\":1}, 7, {\"a\" 2}]".to_vec(),
            vec![(What::NoObject, 1, 1), (What::Malformed, 1, 1)],
            [3, 1, 2],
        ),
        (
            "twice.json",
            b"{\"a\":1,\"a\":2}".to_vec(),
            vec![(What::DuplicateField, 1, 1)],
            [1, 1, 0],
        ),
        ("deep.jsonl", deep.into_bytes(), vec![(What::TooDeep, 1, 1)], [2, 2, 0]),
        (
            "ragged.csv",
            b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n0,0,0\n".to_vec(),
            vec![(What::Ragged, 2, 3)],
            [4, 2, 2],
        ),
        ("header.csv", b"a,a\n1,2\n".to_vec(), vec![(What::DuplicateField, 1, 1)], [1, 1, 0]),
        (
            "latin.csv",
            b"name,city\nJos\xe9,x\nAnn,y\n".to_vec(),
            vec![(What::NotUtf8, 1, 2)],
            [2, 1, 1],
        ),
        ("quote.csv", b"a,b\n1,\"x\n2,y\n".to_vec(), vec![(What::CutOff, 1, 2)], [2, 1, 1]),
        ("empty.json", Vec::new(), vec![(What::Empty, 1, 1)], [0, 0, 0]),
        ("names.csv", b"a,b\n".to_vec(), vec![(What::Empty, 1, 1)], [0, 0, 0]),
        ("wide.csv", b"\xff\xfea\0,\0b\0".to_vec(), vec![(What::NotUtf8, 1, 1)], [0, 0, 0]),
        ("cut.bson", vec![5, 0, 0, 0, 0, 12, 0, 0], vec![(What::CutOff, 1, 2)], [2, 1, 1]),
    ];
    for (name, content, trouble, counts) in cases {
        let read = read(name, content);
        assert_eq!(told(&read), (trouble, counts), "{name}: {:?}", read.source.trouble);
    }
}

#[tokio::test]
async fn values_of_several_types_are_named_with_their_line() {
    let mut text = String::from("id,amount\n");
    for id in 1..=30 {
        text.push_str(&format!(
            "{id},{}\n",
            if id == 17 { "n/a".into() } else { format!("{id}.50") }
        ));
    }
    let inferred = inferred(vec![read("bills.csv", text)], true).await;
    let [finding] = inferred.report.findings.as_slice() else { panic!("{:?}", inferred.report) };
    assert_eq!((finding.rule.as_str(), finding.place.line), ("data-mixed-types", Some(18)));
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
}

#[test]
fn beyond_the_bounds_rows_are_counted_and_not_kept() {
    let text: String = (0..100).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    let limits = marula_design::infer::read::Limits { rows: 60, ..Default::default() };
    let read = marula_design::infer::read::stream_of(text.as_bytes(), "a.jsonl", limits).unwrap();
    let source = &read.source;
    assert_eq!((source.read, source.kept, source.beyond), (100, 60, 40));
    assert!(read.tables[0].sampled);
}
