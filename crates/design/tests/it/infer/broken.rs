use marula_core::{Evidence, EvidenceValue};
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
        ("header.csv", b"a,a\n1,2\n".to_vec(), vec![(What::DuplicateName, 1, 1)], [1, 1, 0]),
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
        ("mac.csv", b"a,b\r1,2\r3,4\r".to_vec(), vec![(What::Malformed, 1, 1)], [0, 0, 0]),
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

fn text_of(evidence: &Evidence) -> &str {
    match &evidence.value {
        EvidenceValue::Text(text) => text,
        _ => "",
    }
}

/// A mistake's column is that in the line, also where other documents stand before it on the line.
#[test]
fn columns_are_counted_from_the_lines_beginning() {
    for (name, text, line, words) in [
        ("a.json", "[{\"a\":1}, {\"a\":NaN}]", 1, "column 16: "),
        ("a.json", "[{\"ä\":1}, {\"a\":NaN}]", 1, "column 16: "),
        ("a.json", "[{\"a\":1},\n  {\"a\":NaN}]", 2, "column 8: "),
        ("a.jsonl", "{\"a\":1}\n{\"a\":NaN}\n", 2, "column 6: "),
    ] {
        let read = read(name, text);
        let (at, detail) = &read.source.trouble[0].places[0];
        assert_eq!((*at, detail.starts_with(words)), (line, true), "{text}: {detail}");
    }
}

/// What cannot be kept as it is is told with its place, and the proof does not hide it.
#[tokio::test]
async fn characters_that_are_replaced_are_told() {
    let text = "[{\"id\":1,\"n\\u0000x\":\"a\\u0000b\"},\n {\"id\":2,\"n\\u0000x\":\"c\"},\n\
                {\"id\":3,\"s\":\"\\ud800\"}]";
    let inferred = inferred(vec![read("nul.json", text)], true).await;
    let [finding] = inferred.report.findings.as_slice() else { panic!("{:?}", inferred.report) };
    assert_eq!((finding.rule.as_str(), finding.place.line), ("data-replaced", Some(1)));
    let told: Vec<String> =
        finding.evidence.iter().map(|one| format!("{}: {}", one.name, text_of(one))).collect();
    assert_eq!(
        told,
        [
            "line 1: a zero character in a field's name; 2 in all",
            "line 2: a zero character in a field's name",
            "line 3: s: half a character (a lone surrogate)",
        ]
    );
    assert!(inferred.rejoined.iter().all(|one| one.equal()));
    let reason = &inferred.proof.reason;
    assert!(
        reason.ends_with("but for 3 of them in which characters were replaced when they were read"),
        "{reason}"
    );
}

/// A number that no double holds is kept exactly; one that is no number anybody holds makes a text.
#[tokio::test]
async fn numbers_beyond_a_double_are_kept_and_told() {
    let text = "[{\"id\":1,\"v\":1.5},\n{\"id\":2,\"v\":1e400},\n{\"id\":3,\"v\":-0.0},\n\
                {\"id\":4,\"v\":9223372036854775808},\n{\"id\":5,\"v\":1e-400}]";
    let inferred = inferred(vec![read("nums.json", text)], true).await;
    let [finding] = inferred.report.findings.as_slice() else { panic!("{:?}", inferred.report) };
    assert_eq!((finding.rule.as_str(), finding.place.line), ("data-beyond-double", Some(2)));
    let shown = text_of(&finding.evidence[0]);
    assert_eq!(shown, "v: 1e400 is the first of 2 that no double holds");
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
    assert_eq!(inferred.rejoined.len(), 1, "{:?}", inferred.proof);

    let text = "[{\"id\":1,\"v\":1.5},\n{\"id\":2,\"v\":1e40000000},\n{\"id\":3,\"v\":2}]";
    let inferred = super::inferred(vec![read("nums.json", text)], true).await;
    let [finding] = inferred.report.findings.as_slice() else { panic!("{:?}", inferred.report) };
    assert_eq!((finding.rule.as_str(), finding.place.line), ("data-mixed-types", Some(2)));
    assert!(inferred.rejoined.iter().all(|one| one.equal()), "{:?}", inferred.proof);
    assert_eq!(inferred.rejoined.len(), 1, "{:?}", inferred.proof);
}
