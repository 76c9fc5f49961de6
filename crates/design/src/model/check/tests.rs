//! Files with mistakes: each is named with its place, and the rest is used.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::model::read;

/// The mistakes as `line:column what (hint)`.
fn told(text: &str) -> Vec<String> {
    let read = read(text, "model.yaml").unwrap();
    let told = |mistake: &crate::model::Mistake| {
        let hint = mistake.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
        let place = (mistake.line.unwrap(), mistake.column.unwrap());
        format!("{}:{} {}{hint}", place.0, place.1, mistake.what)
    };
    read.mistakes.iter().map(told).collect()
}

const HEAD: &str = "name: m
entities:
- name: a
  rows: 10
  attributes: [{name: id, type: id}, {name: kind, type: enumeration, values: [x, y]}]
- name: b
  rows: 20
  attributes: [{name: id, type: id}, {name: a_id, type: id}, {name: n, type: integer}]
";

fn with(rest: &str) -> Vec<String> {
    told(&format!("{HEAD}{rest}"))
}

#[test]
fn a_sound_model_has_no_mistakes() {
    let none: Vec<String> = Vec::new();
    assert_eq!(with("relations: [{from: b, to: a}]\n"), none);
}

#[test]
fn every_mistake_is_told_not_the_first_alone() {
    assert_eq!(
        with(
            "relations:
- {from: b, to: c}
- {from: b, to: a, fanout: {max: 4000}}
queries:
- {name: q, sql: SELECT id FROM aa, rate: 1/s}
- {name: r, sql: 'SELECT m FROM b WHERE a_id = $1', rate: 1/s}
- {name: r, sql: SELECT id FROM a, rate: 1/fortnight}
- {name: s, acces: {from: b}, rate: 1/s}
"
        ),
        [
            "10:17 there is no entity c; the relation is left out",
            "11:34 the fan-out of a to b is above its volume: the most have 4000, but there are 20 b",
            "13:33 in the SQL of q: the model has no entity aa; left out (did you mean a?)",
            "14:26 in the SQL of r: no entity in FROM has m; left out",
            "15:3 there are two queries called r; the first counts (give one of them another name, or \
             leave it out)",
            "15:42 how often, such as 300/s, 5/min, 10/h or 2/day, is expected, not the text \
             1/fortnight; taken as 1/s",
            "16:3 s does not say what is read; left out (write sql: SELECT …, or access: with from, \
             where and select)",
            "16:13 a query has no acces (did you mean access?)",
        ]
    );
}

/// What is required cannot become nothing; of several attributes those do that are not.
#[test]
fn only_what_is_not_required_becomes_nothing_on_delete() {
    let part = "- name: c
  rows: 20
  key: [id, n]
  attributes: [{name: id, type: id}, {name: n, type: integer}]
- name: d
  rows: 20
  attributes: [{name: no, type: id}, {name: id, type: id, required: true}, {name: n, type: integer}]
- name: e
  rows: 20
  attributes: [{name: no, type: id}, {name: id, type: id, required: true}]
relations:
- {from: d, to: c, attributes: [id, n], on_delete: set_null}
- {from: e, to: a, attributes: [id], on_delete: set_null}
";
    assert_eq!(
        with(part),
        ["21:49 id is required, and cannot become nothing on delete (write on_delete: cascade or \
          restrict, or make it not required)"]
    );
}

#[test]
fn unknown_types_are_named_with_what_was_meant() {
    let text = "name: m
entities:
- name: a
  attributes:
  - {name: id, type: id}
  - {name: b, type: varchar(20)}
  - {name: c, type: intger}
  - {name: d, type: enumeration}
  - {name: e}
  - {nmae: f, type: text}
";
    assert_eq!(
        told(text),
        [
            "6:21 varchar(20) is no type (did you mean text?)",
            "7:21 intger is no type; taken as text (did you mean integer?)",
            "8:5 d is an enumeration without values; taken as text (write values: [open, paid, \
             shipped], the most frequent first)",
            "9:5 the type of e is not said; taken as text (write type: text, or what it is)",
            "10:5 this attribute has no name; left out",
            "10:6 an attribute has no nmae (did you mean max or name?)",
        ]
    );
    let model = read(text, "m.yaml").unwrap().model;
    assert_eq!(model.entities[0].attributes.len(), 5);
}

/// What is no question is told as what it is; what it does is done by no design.
#[test]
fn a_query_that_writes_waits_or_locks_is_told() {
    let queries = [
        "DELETE FROM a",
        "COPY a TO PROGRAM 'id'",
        "SET work_mem = '1GB'",
        "WITH x AS (INSERT INTO a VALUES (1) RETURNING *) SELECT * FROM x",
        "SELECT id INTO z FROM a",
        "SELECT id FROM a FOR UPDATE",
        "SELECT id, pg_sleep(1) FROM a",
        "SELECT lo_import('/etc/passwd') FROM a",
        "SELECT id FROM a WHERE kind IN (SELECT x FROM c)",
    ];
    let many: Vec<String> = queries
        .iter()
        .enumerate()
        .map(|(at, sql)| format!("- {{name: q{at}, rate: 1, sql: \"{sql}\"}}\n"))
        .collect();
    let write = "(a query is a SELECT; what changes rows belongs under writes: {name: …, does: \
                 insert, update or delete, entity: …, rate: …})";
    let read = "(a query only reads; what changes rows belongs under writes:)";
    assert_eq!(
        with(&format!("queries:\n{}", many.concat())),
        [
            format!("10:29 q0 is no question, but DELETE; left out {write}"),
            format!("11:29 q1 is no question, but COPY; left out {write}"),
            format!("12:29 q2 is no question, but SET; left out {write}"),
            format!("13:34 q3 does more than read: WITH x holds an INSERT; left out {read}"),
            format!("14:44 q4 does more than read: SELECT INTO makes a table; left out {read}"),
            format!(
                "15:29 q5 does more than read: FOR UPDATE and FOR SHARE lock rows; left out {read}"
            ),
            format!("16:40 q6 does more than read: pg_sleep() waits; left out {read}"),
            format!(
                "17:36 q7 does more than read: lo_import() reads or writes large objects and files; \
                 left out {read}"
            ),
            "18:75 in the SQL of q8: there is no entity c; left out".into(),
        ]
    );
}

/// The way to a mistake is the one in the file, whatever was left out before it.
#[test]
fn what_is_left_out_moves_no_ways() {
    let text = format!(
        "{HEAD}writes:
- {{name: w1, does: explode, entity: a, rate: 1}}
- {{name: w2, does: delete, entity: zz, rate: 1}}
- {{name: w3, does: update, entity: b, set: [nope], rate: 1}}
- {{name: w4, does: update, entity: b, set: [n, nope], rate: 1}}
transactions: [{{name: t, writes: [none, w4, none], rate: 1}}]
"
    );
    let read = read(&text, "model.yaml").unwrap();
    let told: Vec<String> =
        read.mistakes.iter().map(|mistake| format!("{}: {}", mistake.way, mistake.what)).collect();
    assert_eq!(
        told,
        [
            "writes[0].does: explode is no deed; the write is left out",
            "writes[1].entity: there is no entity zz; w2 is left out",
            "writes[2]: w3 does not say what it changes; left out",
            "writes[2].set[0]: b has no attribute nope",
            "writes[3].set[1]: b has no attribute nope",
            "transactions[0].writes[0]: there is no write none",
            "transactions[0].writes[2]: there is no write none",
        ]
    );
    assert_eq!(read.model.writes.len(), 1);
}

/// SQL with a comma, not in quotes, within braces.
#[test]
fn a_text_that_a_comma_ends_is_to_be_put_in_quotes() {
    let told = with("queries:\n- {name: q, sql: SELECT id, kind FROM a WHERE id = $1, rate: 1}\n");
    let last = told.last().unwrap();
    assert!(
        last.ends_with("(put the text before it in quotes: within braces a comma ends it)"),
        "{told:?}"
    );
}
