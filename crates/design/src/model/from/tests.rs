//! Schemas of other tools as models.
#![allow(clippy::unwrap_used, clippy::panic)]

use marula_core::model::{AttributeType, OnDelete};
use serde_json::json;

use super::{dbml, sql};
use crate::model::{check, read, show};

const DDL: &str = r"
\restrict abc
CREATE TYPE public.order_status AS ENUM ('open', 'paid');
CREATE TABLE public.customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email character varying(254) NOT NULL UNIQUE,
  balance numeric(12,2) NOT NULL DEFAULT 0,
  tags text[],
  weird ltree
);
CREATE TABLE public.orders (
  id serial NOT NULL,
  customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
  status public.order_status NOT NULL DEFAULT 'open',
  placed timestamp(3) with time zone NOT NULL DEFAULT now(),
  CHECK (placed > '2000-01-01')
);
CREATE TABLE lines (order_id int, line int, quantity int CHECK (quantity > 0), PRIMARY KEY (order_id, line));
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
ALTER TABLE lines ADD FOREIGN KEY (order_id) REFERENCES orders (id);
CREATE UNIQUE INDEX ON orders (customer_id, placed);
COMMENT ON TABLE orders IS 'What was bought.';
COPY public.customers (id) FROM stdin;
1
\.
CREATE VIEW v AS SELECT 1;
";

#[test]
fn a_dumped_schema_becomes_a_model() {
    let made = sql(DDL, "dir/shop.sql").unwrap();
    let model = &made.model;
    assert_eq!(model.name, "shop");
    assert_eq!(made.notes, ["customers.weird is ltree, which is taken as text"]);
    let customers = model.entity("customers").unwrap();
    let kinds: Vec<AttributeType> = customers.attributes.iter().map(|a| a.kind).collect();
    use AttributeType::{Id, List, Money, Text, Timestamp};
    assert_eq!(kinds, [Id, Text, Money, List, Text]);
    assert_eq!(customers.attributes[1].max_length, Some(254));
    assert_eq!(customers.attributes[2].default, Some(json!(0)));
    let orders = model.entity("orders").unwrap();
    assert_eq!(orders.key(), ["id"]);
    assert_eq!(orders.attributes[2].values, ["open", "paid"]);
    assert_eq!(orders.attributes[2].default, Some(json!("open")));
    assert_eq!((orders.attributes[3].kind, &orders.attributes[3].default), (Timestamp, &None));
    assert_eq!(orders.unique, [["customer_id", "placed"]]);
    assert_eq!(orders.description.as_deref(), Some("What was bought."));
    assert_eq!(orders.checks.len(), 1);
    let lines = model.entity("lines").unwrap();
    assert_eq!((lines.attributes[0].kind, lines.key()), (Id, vec!["order_id", "line"]));
    assert_eq!(model.relations.len(), 2);
    assert_eq!(model.relations[0].on_delete, Some(OnDelete::Cascade));
    assert!(model.relations[1].owned);
    assert_eq!(check(model), []);
    let back = read(&made.written(), "shop.yaml").unwrap();
    assert_eq!((back.mistakes.len(), &back.model), (0, model));
}

#[test]
fn dbml_is_written_and_read_back() {
    let model = sql(DDL, "shop.sql").unwrap().model;
    let text = show::dbml(&model);
    let back = dbml(&text, "shop.dbml").unwrap();
    let names = |model: &marula_core::model::Model| -> Vec<(String, Vec<(String, AttributeType)>)> {
        let all = model.entities.iter();
        all.map(|e| {
            let attributes = e.attributes.iter().map(|a| (a.name.clone(), a.kind));
            (e.name.clone(), attributes.collect())
        })
        .collect()
    };
    assert_eq!(names(&back.model), names(&model), "{text}");
    let ends = |model: &marula_core::model::Model| -> Vec<(String, Vec<String>, String)> {
        let all = model.relations.iter();
        all.map(|r| (r.from.clone(), r.attributes.clone(), r.to.clone())).collect()
    };
    assert_eq!(ends(&back.model), ends(&model), "{text}");
}

#[test]
fn broken_schemas_are_errors_with_their_place() {
    let error = sql("CREATE TABLE a (id int;", "a.sql").unwrap_err();
    assert_eq!(error.marked().unwrap().name, "a.sql");
    assert!(sql("SELECT 1", "a.sql").is_err());
    for text in
        ["Table a {", "Table a { id int [pk", "Ref: a.b", "Tabel a {}", "Table a { 'x }", ""]
    {
        assert!(dbml(text, "a.dbml").is_err(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_mutation_of_dbml_panics(at in 0usize..2000, with in "[\\[\\]{}():'\"`.,<> -]{0,3}", cut in 0usize..40) {
        let text = show::dbml(&sql(DDL, "shop.sql").unwrap().model);
        let start = text.floor_char_boundary(at.min(text.len()));
        let end = text.floor_char_boundary((start + cut).min(text.len())).max(start);
        let _ = dbml(&format!("{}{with}{}", &text[..start], &text[end..]), "a.dbml");
    }
}
