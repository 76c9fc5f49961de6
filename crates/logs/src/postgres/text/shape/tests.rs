#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn shown(text: &str) -> String {
    shape(text.as_bytes(), key(text.as_bytes())).text
}

fn name(text: &str) -> String {
    shape(text.as_bytes(), key(text.as_bytes())).fingerprint.0
}

#[test]
fn one_key_over_values_blanks_comments_and_case() {
    let all = [
        "select a.id, count(*) from orders a where a.status = 'new' and total > 10 limit 5",
        "SELECT a.id,count( * ) FROM Orders a\n\tWHERE a.status='it''s' AND total>10.5e3 LIMIT 500;",
        "/* app:web */ SELECT a.id, count(*) -- all\nFROM orders a where a.status = E'a\\'b' and total > 1 limit 1",
    ];
    for text in all {
        assert_eq!(key(text.as_bytes()), key(all[0].as_bytes()), "{text}");
    }
    assert_eq!(
        shown(all[1]),
        "SELECT a.id, count(*) FROM orders a WHERE a.status = $1 AND total > $2 LIMIT $3"
    );
    assert_ne!(key(b"select 1 from a"), key(b"select 1 from b"));
    assert_ne!(key(b"select 1 from \"a\""), key(b"select 1 from \"A\""));
}

#[test]
fn lists_and_rows_of_any_length_are_one() {
    let lists = ["select * from t where id in (1, 2)", "select * from t where id IN (1,2,3,-4,5)"];
    assert_eq!(key(lists[0].as_bytes()), key(lists[1].as_bytes()));
    assert_eq!(shown(lists[1]), "SELECT * FROM t WHERE id IN ($1 /*, ... */)");
    assert_eq!(name("select * from t where id in (7)"), name(lists[1]));
    let casts = [
        "select * from t where u in ('a'::uuid, 'b'::uuid) and (x, y) in ((1,2),(3,4))",
        "select * from t where u in ('a'::uuid, 'b'::uuid, 'c'::uuid) and (x,y) in ((1,2),(3,4),(5,6))",
    ];
    assert_eq!(key(casts[0].as_bytes()), key(casts[1].as_bytes()));
    assert_eq!(shown("select array[1,2,3], f(1, 2)"), "SELECT ARRAY[$1 /*, ... */], f($2, $3)");
    let rows = [
        "insert into t (a, b) values (1, 'x'), (2, now()) returning id",
        "insert into t (a, b) values (1, 'x'), (2, 'y'), (3, default) returning id",
    ];
    assert_eq!(key(rows[0].as_bytes()), key(rows[1].as_bytes()));
    assert_eq!(shown(rows[0]), "INSERT INTO t(a, b) VALUES ($1, $2) /*, ... */ RETURNING id");
    // A column in the list is no value.
    assert_eq!(
        shown("select 1 where 1 in (1, 2, c, 3)"),
        "SELECT $1 WHERE $2 IN ($3 /*, ... */, c)"
    );
}

#[test]
fn the_name_is_the_parsers() {
    for text in [
        "select * from orders o where o.id = -1 and x = any('{1,2}') order by 1",
        "insert into t values (1, 2), (3, 4)",
        "update t set a = a + 1 where b = interval '1 day' and c = $1 and d = 5",
        "with x as (delete from t where a < now() returning *) insert into u select * from x",
        "set statement_timeout = '5s'",
        "create index i on t (a, lower(b)) where c > 10",
        "select date '2020-01-01', 'x'::varchar(10), 1::numeric(10,2), b'101'",
        "comment on table t is 'x'",
        "begin",
        "commit",
        "vacuum (analyze) t",
        "copy t from stdin with (format csv)",
    ] {
        let parsed = sql::parse(text).unwrap();
        let shape = shape(text.as_bytes(), key(text.as_bytes()));
        assert_eq!(shape.fingerprint, *parsed.fingerprint(), "{text} as {}", shape.text);
        assert!(!shape.incomplete, "{text}");
    }
}

#[test]
fn parameters_keep_their_numbers() {
    assert_eq!(
        shown("select $2, $1, 5 from t where a = $1 and b = 'x'"),
        "SELECT $2, $1, $3 FROM t WHERE a = $1 AND b = $4"
    );
}

#[test]
fn cut_text_is_marked() {
    for text in ["select * from t where a = 'abc", "select * from t where a = (", "select /* x"] {
        assert!(shape(text.as_bytes(), key(text.as_bytes())).incomplete, "{text}");
    }
}

#[test]
fn operations_and_objects() {
    let text = b"with x as (select 1 from a) insert into s.b select * from x join c on true";
    let shape = shape(text, key(text));
    assert_eq!(
        (shape.operation.as_str(), shape.objects),
        ("INSERT", vec!["s.b".into(), "a".into(), "c".into()])
    );
}

#[test]
fn relations_whose_names_differ_in_digits_are_apart() {
    // libpg_query's own fingerprint leaves digits out.
    let of = |table: &str| name(&format!("select * from {table} where id = 5"));
    assert_ne!(of("t_10"), of("t_116"));
    assert_ne!(of("orders_2024_01"), of("orders_2024_02"));
    assert_ne!(of("t1 a join t2 b on a.x = b.y"), of("t2 a join t1 b on a.x = b.y"));
    assert_eq!(of("t_10"), name("SELECT * FROM T_10\nWHERE id = 7"));
    let parsed = sql::parse("select * from t_10 where id = $1").unwrap();
    assert_eq!(parsed.fingerprint().0, of("t_10"));
}
