//! Files that are cut off, broken, too deep or too large: named, and the rest is used.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::blueprint::ALL;
use super::{check, read, show};

fn told(text: &str, name: &str) -> (usize, Vec<String>) {
    let read = read(text, name).unwrap();
    let told = read
        .mistakes
        .iter()
        .map(|m| format!("{}:{} {}", m.line.unwrap_or(0), m.column.unwrap_or(0), m.what));
    (read.model.entities.len(), told.collect())
}

#[test]
fn json_that_is_cut_off_keeps_what_stands_before() {
    let text = r#"{"name": "m", "entities": [
  {"name": "a", "attributes": [{"name": "id", "type": "id"}]},
  {"name": "b", "attributes": [{"name": "id", "type": "id"}, {"name": "x", "ty"#;
    let (entities, told) = told(text, "m.json");
    assert_eq!(
        (entities, told),
        (
            2,
            vec![
                "3:62 the type of x is not said; taken as text".to_string(),
                "3:79 the file is cut off here".into()
            ]
        )
    );
}

#[test]
fn yaml_that_is_broken_keeps_what_stands_before() {
    let text = "name: m\nentities:\n- {name: a, attributes: [{name: id, type: id}]}\n- {name: b, attributes: [";
    let (entities, told) = told(text, "m.yaml");
    assert_eq!(
        (entities, told),
        (1, vec!["4:25 this is not YAML: unclosed bracket '['".to_string()])
    );
}

#[test]
fn what_nests_two_hundred_deep_is_named_and_left_out() {
    for (open, close, name) in
        [("[", "]", "m.json"), ("{\"a\":", "}", "m.json"), ("[", "]", "m.yaml")]
    {
        let deep = format!("{}1{}", open.repeat(200), close.repeat(200));
        let text = format!(
            "{{\"name\": \"m\", \"entities\": [{{\"name\": \"a\", \"attributes\": [{{\"name\": \"id\", \
             \"type\": \"id\"}}, {{\"name\": \"d\", \"type\": \"json\", \"default\": {deep}}}]}}]}}"
        );
        let (entities, told) = told(&text, name);
        assert_eq!(entities, 1, "{told:?}");
        assert!(told[0].contains("nested more than 64 levels deep"), "{name}: {told:?}");
    }
}

#[test]
fn ten_megabytes_are_read_in_a_bounded_time() {
    let mut text = String::from("name: large\nentities:\n");
    let mut at = 0;
    while text.len() < 10_000_000 {
        text += &format!(
            "- {{name: e{at}, rows: 1k, attributes: [{{name: id, type: id}}, {{name: x, tipe: text}}]}}\n"
        );
        at += 1;
    }
    let start = Instant::now();
    let read = read(&text, "large.yaml").unwrap();
    assert_eq!(read.model.entities.len(), 5000);
    let last = read.mistakes.last().unwrap();
    assert!(read.mistakes.iter().any(|m| m.what.contains("more than 5000 items")), "{last:?}");
    // Some seconds on a busy machine; what is quadratic takes minutes.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn what_is_no_model_at_all_is_an_error_with_its_place() {
    for text in ["", "[]", "42", "just words", "{\"name\"", "\u{feff}", "--- \n...\n"] {
        for name in ["m.yaml", "m.json", "stdin"] {
            match read(text, name) {
                Ok(read) => assert!(read.is_faulty(), "{text}"),
                Err(error) => assert!(error.marked().is_some(), "{text}"),
            }
        }
    }
}

#[test]
fn a_circle_of_what_must_be_there_is_named_and_loosened() {
    let text = "name: m
entities:
- {name: a, attributes: [{name: id, type: id}, {name: b_id, required: true}]}
- {name: b, attributes: [{name: id, type: id}, {name: a_id, required: true}]}
relations:
- {from: a, to: b}
- {from: b, to: a}
";
    let read = read(text, "m.yaml").unwrap();
    assert_eq!(read.mistakes.len(), 1, "{:#?}", read.mistakes);
    assert!(read.mistakes[0].what.contains("a → b → a"), "{:?}", read.mistakes);
    assert_eq!(check(&read.model), []);
    assert_eq!(read.model.relations.len(), 2);
}

#[test]
fn the_published_schema_knows_every_part_of_the_blueprints() {
    let schema = super::schema().to_string();
    for word in ["entities", "fanout", "p99_ms", "append_only", "\"in\"", "starts with"] {
        assert!(schema.contains(word), "{word}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Real files with pieces cut out, put in and doubled: never a panic; what is left is sound.
    #[test]
    fn no_mutation_of_a_real_file_panics(
        which in 0usize..10,
        at in 0usize..12_000,
        cut in 0usize..200,
        put in "[\\[\\]{}:,'\"&*!|>%@`#\\n \\t-]{0,4}|[a-z]{0,6}|\\PC{0,3}",
        json in any::<bool>(),
    ) {
        let text = match json {
            true => serde_json::to_string(&read(ALL[which].text, "b.yaml").unwrap().model).unwrap(),
            false => ALL[which].text.to_string(),
        };
        let start = text.floor_char_boundary(at.min(text.len()));
        let end = text.floor_char_boundary((start + cut).min(text.len())).max(start);
        let text = format!("{}{put}{}", &text[..start], &text[end..]);
        if let Ok(read) = read(&text, if json { "m.json" } else { "m.yaml" }) {
            let grave = check(&read.model).into_iter().filter(|m| !m.cures.is_empty()).count();
            prop_assert_eq!(grave, 0, "{:#?}", check(&read.model));
            show::svg(&read.model);
            show::mermaid(&read.model);
            show::dbml(&read.model);
        }
    }
}
