//! Keys that stand twice.

use super::{entity, inferred, read, read_again};

/// The duplicate keys that were told: the line and the words; and the counts.
fn told(inferred: &marula_design::infer::Inferred) -> (Vec<(u64, String)>, [u64; 3], u64) {
    let data = inferred.report.data.as_ref().unwrap();
    let source = &data["sources"][0];
    let count = |name: &str| source[name].as_u64().unwrap();
    let trouble = source["trouble"].as_array().unwrap();
    let own = trouble.iter().find(|one| one["what"] == "duplicate-key");
    let places = own.map_or(vec![], |own| own["places"].as_array().unwrap().clone());
    let places =
        places.iter().map(|one| (one[0].as_u64().unwrap(), one[1].as_str().unwrap().to_owned()));
    let all = own.map_or(0, |own| own["count"].as_u64().unwrap());
    (places.collect(), [count("read"), count("kept"), count("set_aside")], all)
}

#[tokio::test]
async fn a_key_that_stands_twice_is_named_with_its_line_and_stays_the_key() {
    let mut text = String::from("id,name,city\n");
    for id in 1..=999 {
        text.push_str(&format!("{id},n{},c{}\n", id * 7 % 700, id % 9));
    }
    text.push_str("500,other,c1\n");
    let inferred = inferred(vec![read("people.csv", text)], true).await;
    let (places, counts, _) = told(&inferred);
    assert_eq!(places, [(1001, "id 500 is that of line 501".to_owned())]);
    assert_eq!(counts, [1000, 999, 1]);
    let model = read_again(&inferred);
    assert_eq!(entity(&model, "people").key(), ["id"]);
    let [finding] = inferred.report.findings.as_slice() else { panic!("{:?}", inferred.report) };
    assert_eq!((finding.rule.as_str(), finding.place.line), ("data-duplicate-key", Some(1001)));
    assert!(inferred.proof.reason.contains("the 1 set aside took no part"), "{:?}", inferred.proof);
    assert!(inferred.rejoined.iter().all(|one| one.equal() && one.rows == 999));
}

#[tokio::test]
async fn a_small_file_and_many_duplicates_are_told_and_counted() {
    let inferred_small =
        inferred(vec![read("dup.csv", "id,name\n1,a\n1,b\n2,c\n3,d\n")], false).await;
    assert_eq!(entity(&inferred_small.model, "dup").key(), ["id"]);
    assert_eq!(told(&inferred_small).1, [4, 3, 1]);
    // Of many only the first are told, and the rest are counted.
    let mut text = String::new();
    for n in 0..1000 {
        let id = if n % 100 == 99 { n - 1 } else { n };
        text.push_str(&format!("{{\"_id\": \"u{id}\", \"items\": [{{\"q\": {n}}}]}}\n"));
    }
    let many = inferred(vec![read("users.jsonl", text)], true).await;
    let (places, counts, all) = told(&many);
    assert_eq!((places.len(), counts, all), (5, [1000, 990, 10], 10));
    assert_eq!(places[0], (100, "_id u98 is that of line 99".to_owned()));
    assert_eq!(entity(&many.model, "users_items").rows.0, 990);
    assert!(many.rejoined.iter().all(|one| one.equal()), "{:?}", many.proof);
}

/// What stands for another thing comes again as often as that has it; so do the two halves of a
/// pair.
#[tokio::test]
async fn what_refers_is_no_key_that_stands_twice() {
    let mut lines = String::from("order_id,line,sku,note\n");
    let mut members = String::from("user_id,group_id,since\n");
    for n in 0..1000 {
        let order = if n % 200 == 199 { n - 1 } else { n };
        lines.push_str(&format!("{order},{},S{},x{n}\n", 1 + u32::from(order != n), n * 7 % 90));
        members.push_str(&format!("{order},{},{}\n", n % 30, 2000 + n % 20));
    }
    for (name, text) in [("order_lines.csv", lines), ("members.csv", members)] {
        let inferred = inferred(vec![read(name, text)], false).await;
        assert_eq!(told(&inferred).2, 0, "{name}");
        assert_eq!(inferred.model.entities[0].key().len(), 2, "{name}: {:#?}", inferred.model);
    }
}
