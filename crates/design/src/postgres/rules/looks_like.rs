//! Texts that were meant to be something else: one question, and a rule for each answer.

use super::support::*;

/// Findings about texts that all look alike.
fn texts_that_look(
    catalog: &RelationalCatalog,
    like: Looks,
    to: &str,
    title: &str,
    why: &str,
) -> Vec<Draft> {
    columns(catalog)
        .filter(|(_, column)| texts(column) == Some(like))
        .filter(|(_, column)| like != Looks::Number || !names::is_code(&column.name))
        .map(|(table, column)| {
            let example = values(column).first().map_or(String::new(), ToString::to_string);
            retype(Severity::Medium, table, column, to, title, why).word("such as", example)
        })
        .collect()
}

/// UUIDs as texts
pub static UUID: Check = rule(
    "uuid-as-text",
    "UUIDs as texts",
    Severity::Medium,
    "A UUID takes 37 bytes as a text and 16 as what it is; indexes on it are twice as large, and \
     upper and lower case are two values. Use `uuid`.",
    "pg_column_size of both",
    &[
        bad(
            "texts",
            "CREATE TABLE carts (id bigint PRIMARY KEY, token text);
INSERT INTO carts SELECT i, gen_random_uuid()::text FROM generate_series(1, 200) i;",
        ),
        good(
            "uuid",
            "CREATE TABLE carts (id bigint PRIMARY KEY, token uuid);
INSERT INTO carts SELECT i, gen_random_uuid() FROM generate_series(1, 200) i;",
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            Looks::Uuid,
            "uuid",
            "holds UUIDs as texts",
            "They take more than twice the space, in the table and in each index.",
        )
    },
);

/// Days as texts
pub static DATE: Check = rule(
    "date-as-text",
    "Days as texts",
    Severity::Medium,
    "'2026-02-31' is stored without a word, ranges compare letters, and the planner knows nothing of \
     how far two days lie apart. Use `date`.",
    "the server takes any text for a text",
    &[
        bad(
            "texts",
            "CREATE TABLE people (id bigint PRIMARY KEY, born text);
INSERT INTO people SELECT i, (date '2000-01-01' + i)::text FROM generate_series(1, 200) i;",
        ),
        good(
            "date",
            "CREATE TABLE people (id bigint PRIMARY KEY, born date);
INSERT INTO people SELECT i, date '2000-01-01' + i FROM generate_series(1, 200) i;",
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            Looks::Date,
            "date",
            "holds days as texts",
            "Days that do not exist are stored, and ranges compare letters.",
        )
    },
);

/// Moments as texts
pub static TIMESTAMP: Check = rule(
    "timestamp-as-text",
    "Moments as texts",
    Severity::Medium,
    "Two spellings of one moment are two values, sorting is right by luck, and arithmetic needs a cast \
     that no index serves. Use `timestamptz`.",
    "the server takes any text for a text",
    &[
        bad(
            "texts",
            "CREATE TABLE visits (id bigint PRIMARY KEY, at text);
INSERT INTO visits SELECT i, to_char(timestamp '2026-01-01' + i * interval '1 hour', 'YYYY-MM-DD HH24:MI:SS') FROM generate_series(1, 200) i;",
        ),
        good(
            "timestamptz",
            "CREATE TABLE visits (id bigint PRIMARY KEY, at timestamptz);
INSERT INTO visits SELECT i, now() FROM generate_series(1, 200) i;",
        ),
    ],
    |catalog| {
        texts_that_look(catalog, Looks::Timestamp, "timestamptz", "holds moments as texts",
            "One moment in two spellings is two values, and no index serves arithmetic on it.")
    },
);

/// Numbers as texts
pub static NUMBER: Check = rule(
    "number-as-text",
    "Numbers as texts",
    Severity::Medium,
    "'10' sorts before '9', sums need a cast of every row, and '1O' is stored like any other. Use \
     `bigint` or `numeric`.\n\nCodes of digits (with zeros in front, a plus, or called a code) are \
     texts, and left alone.",
    "'10' < '9' is true of texts",
    &[
        bad(
            "texts",
            "CREATE TABLE readings (id bigint PRIMARY KEY, value text);
INSERT INTO readings SELECT i, (i * 1.5)::text FROM generate_series(1, 200) i;",
        ),
        good(
            "zeros in front",
            "CREATE TABLE readings (id bigint PRIMARY KEY, label text);
INSERT INTO readings SELECT i, lpad(i::text, 6, '0') FROM generate_series(1, 200) i;",
        ),
        good(
            "codes",
            "CREATE TABLE places (id bigint PRIMARY KEY, postal_code text);
INSERT INTO places SELECT i, (10000 + i)::text FROM generate_series(1, 200) i;",
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            Looks::Number,
            "numeric",
            "holds numbers as texts",
            "'10' sorts before '9', and sums cast every row.",
        )
    },
);

/// Yes and no as texts
pub static BOOLEAN: Check = rule(
    "boolean-as-text",
    "Yes and no as texts",
    Severity::Low,
    "'Y', 'y', 'yes' and 'J' are four values for one. Use `boolean`: one byte, two values, and \
     conditions without quotes.",
    WIKI,
    &[
        bad(
            "Y and N",
            "CREATE TABLE users (id bigint PRIMARY KEY, active text);
INSERT INTO users SELECT i, CASE WHEN i % 3 = 0 THEN 'N' ELSE 'Y' END FROM generate_series(1, 200) i;",
        ),
        good(
            "boolean",
            "CREATE TABLE users (id bigint PRIMARY KEY, active boolean);
INSERT INTO users SELECT i, i % 3 = 0 FROM generate_series(1, 200) i;",
        ),
    ],
    |catalog| {
        texts_that_look(catalog, Looks::Boolean, "boolean", "says yes and no in words",
            "A third spelling of yes is neither.")
    },
);

/// JSON as texts
pub static JSON: Check = rule(
    "json-as-text",
    "JSON as texts",
    Severity::Medium,
    "Nothing checks that it is JSON, and each question parses it anew. Use `jsonb`, which is checked, \
     parsed once, and can be indexed.",
    "PostgreSQL manual, JSON types",
    &[
        bad(
            "texts",
            "CREATE TABLE events (id bigint PRIMARY KEY, body text);
INSERT INTO events SELECT i, format('{\"n\": %s}', i) FROM generate_series(1, 200) i;",
        ),
        good(
            "jsonb",
            "CREATE TABLE events (id bigint PRIMARY KEY, body jsonb);
INSERT INTO events SELECT i, jsonb_build_object('n', i) FROM generate_series(1, 200) i;",
        ),
    ],
    |catalog| {
        texts_that_look(
            catalog,
            Looks::Json,
            "jsonb",
            "holds JSON as texts",
            "It is parsed anew by each question, and nothing keeps broken JSON out.",
        )
    },
);

/// Several values in one text
pub static LIST: Check = rule(
    "list-in-text",
    "Several values in one text",
    Severity::High,
    "'red,blue' is two values: no foreign key can check them, counting and joining take them apart row \
     by row, and `LIKE '%red%'` finds 'infrared'. A table with one row for each value says it; an \
     array, where nothing refers to them.",
    "first normal form",
    &[
        bad(
            "tags",
            "CREATE TABLE posts (id bigint PRIMARY KEY, tags text);
INSERT INTO posts SELECT i, 'red,blue,t' || i FROM generate_series(1, 200) i;",
        ),
        good(
            "an array",
            "CREATE TABLE posts (id bigint PRIMARY KEY, tags text[]);
INSERT INTO posts SELECT i, ARRAY['red','blue','t' || i] FROM generate_series(1, 200) i;",
        ),
        good(
            "sentences",
            "CREATE TABLE posts (id bigint PRIMARY KEY, body text);
INSERT INTO posts SELECT i, 'Hello, this is number ' || i || ', as you see' FROM generate_series(1, 200) i;",
        ),
    ],
    lists,
);

fn lists(catalog: &RelationalCatalog) -> Vec<Draft> {
    columns(catalog)
        .filter(|(_, column)| texts(column) == Some(Looks::List))
        .map(|(table, column)| {
            let title =
                format!("{}.{} holds several values in one text", shown(table), column.name);
            let why = format!(
                "No key can check them, and each question takes them apart. A table with a row for \
                 each of them, or an array: {}",
                change_type(table, column, "text[]")
            );
            let example = values(column).first().map_or(String::new(), ToString::to_string);
            Draft::new(Severity::High, table.qualified(), title, why)
                .at(column.name.clone())
                .word("such as", example)
        })
        .collect()
}
