//! `from:` in a model's file: entities and relations that a schema or data beside it says. What the
//! model's own file says of them goes before.

use std::ops::Range;
use std::path::Path;

use futures_util::FutureExt;
use marula_core::{Error, ErrorKind, Quiet, Result, Verdict};
use serde_json::Value;

use super::mistake::{Mistake, Way};
use super::read::tree_of;
use super::tree::{Key, Kind, Tree, shown};
use super::{Made, from};
use crate::infer::{InferOptions, infer, read};

/// What a file that is named says.
pub(super) type Load<'a> = &'a dyn Fn(&str) -> Result<Made>;

/// Reads the file that `from:` names, and puts what it says into the tree.
pub(super) fn include(tree: &mut Tree, load: Option<Load<'_>>, mistakes: &mut Vec<Mistake>) {
    let Kind::Map(parts) = &mut tree.value else { return };
    let Some(at) = parts.iter().position(|(key, _)| key.name == "from") else { return };
    let (_, said) = parts.remove(at);
    let range = said.range.clone();
    let mut say = |mut mistake: Mistake| {
        mistake.offset = Some(range.start);
        mistakes.push(mistake);
    };
    let way = Way::root().to("from");
    let Kind::Text(name) = &said.value else {
        let what = format!("the name of a file is expected, not {}", said.called());
        return say(Mistake::new(way, what).hint("write from: schema.sql"));
    };
    let Some(load) = load else {
        let what = format!("{} is left out: no files are read here", shown(name));
        return say(Mistake::new(way, what).hint("say the entities themselves"));
    };
    let made = match load(name) {
        Ok(made) => made,
        Err(error) => {
            let name = marula_core::redact(name);
            let what = format!("nothing comes from {}: {}", shown(&name), error.message());
            let mut mistake = Mistake::new(way, what);
            mistake.hint = error.hints().first().cloned();
            return say(mistake);
        }
    };
    for note in &made.notes {
        say(Mistake::new(way.clone(), format!("{}: {note}", shown(name))).low());
    }
    let Ok(Value::Object(mut base)) = serde_json::to_value(&made.model) else { return };
    for (list, same) in [("entities", one_name as Same), ("relations", one_reference as Same)] {
        let Some(Value::Array(base)) = base.remove(list) else { continue };
        let base = base.into_iter().map(|item| tree_of(item, &range)).collect();
        match parts.iter_mut().find(|(key, _)| key.name == list) {
            Some((_, own)) => {
                if own.value == Kind::Null {
                    own.value = Kind::List(Vec::new());
                }
                // What is no list is told as that.
                if let Kind::List(items) = &mut own.value {
                    *items = merged(base, std::mem::take(items), same);
                }
            }
            None => parts.push(part(list, Kind::List(merged(base, Vec::new(), same)), &range)),
        }
    }
}

fn part(name: &str, value: Kind, range: &Range<usize>) -> (Key, Tree) {
    (Key { name: name.into(), range: range.clone() }, Tree::new(value, range.clone()))
}

/// Whether two items are about the same thing.
type Same = fn(&Tree, &Tree) -> bool;

fn text<'t>(tree: &'t Tree, name: &str) -> Option<&'t str> {
    match tree.get(name).map(|part| &part.value) {
        Some(Kind::Text(text)) => Some(text),
        _ => None,
    }
}

fn one_name(a: &Tree, b: &Tree) -> bool {
    text(a, "name").is_some_and(|name| text(b, "name") == Some(name))
}

fn one_reference(base: &Tree, own: &Tree) -> bool {
    let list = |tree: &Tree| tree.get("attributes").map(Tree::json);
    let both = |name| text(base, name).is_some_and(|is| text(own, name) == Some(is));
    both("from") && both("to") && list(own).is_none_or(|own| Some(own) == list(base))
}

/// The items of both lists; those about the same thing as one.
fn merged(base: Vec<Tree>, mut own: Vec<Tree>, same: Same) -> Vec<Tree> {
    let mut all: Vec<Tree> = base
        .into_iter()
        .enumerate()
        .map(|(at, mut base)| {
            base.item = at;
            match own.iter().position(|own| same(&base, own)) {
                Some(at) => over(base, own.remove(at)),
                None => base,
            }
        })
        .collect();
    all.append(&mut own);
    all
}

/// An item with what the other says beside it; what is said of both is its own.
fn over(base: Tree, mut own: Tree) -> Tree {
    let (Kind::Map(said), Kind::Map(parts)) = (base.value, &mut own.value) else { return own };
    for (key, value) in said {
        match parts.iter_mut().find(|(known, _)| known.name == key.name) {
            None => parts.push((key, value)),
            Some((_, own)) if key.name == "attributes" => {
                if let (Kind::List(base), Kind::List(items)) = (value.value, &mut own.value)
                    && base.iter().all(|item| item.get("name").is_some())
                {
                    *items = merged(base, std::mem::take(items), one_name);
                }
            }
            Some(_) => {}
        }
    }
    own
}

/// What a file in a folder says, by the kind that its name tells.
pub(super) fn beside(folder: &Path, name: &str) -> Result<Made> {
    let path = folder.join(name);
    let wrong = |what: &str, hint: &str| Err(Error::new(ErrorKind::Usage, what).hint(hint));
    if name.contains("://") || !path.exists() {
        let hint = format!(
            "write the name of a file; of a live target, marula model from {name} writes the model"
        );
        return Err(Error::new(ErrorKind::NotFound, "there is no such file beside the model")
            .hint(marula_core::redact(&hint)));
    }
    let lower = name.to_lowercase();
    let kind = lower.strip_suffix(".gz").unwrap_or(&lower).rsplit('.').next().unwrap_or_default();
    match kind {
        "sql" | "ddl" => from::sql(&text_of(&path)?, name),
        "dbml" => from::dbml(&text_of(&path)?, name),
        "csv" | "tsv" | "json" | "jsonl" | "ndjson" | "bson" => data(&path),
        "yaml" | "yml" => wrong("it is a model itself", "name a schema or data: .sql, .dbml, .csv"),
        _ => wrong(
            "its name does not say what it is",
            "call it .sql, .dbml, .csv, .tsv, .json, .jsonl or .bson",
        ),
    }
}

fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::new(ErrorKind::Usage, format!("it cannot be read: {error}")))
}

fn data(path: &Path) -> Result<Made> {
    let read = read::file(path, read::Limits::default())?;
    // Without a proof nothing is waited for.
    let options = InferOptions { name: String::new(), prove: false };
    let Some(inferred) = infer(vec![read], &options, &Quiet).now_or_never() else {
        return Err(Error::new(ErrorKind::Internal, "inferring waited for something"));
    };
    let inferred = inferred?;
    let mut notes: Vec<String> =
        inferred.report.findings.iter().map(|finding| finding.title.clone()).collect();
    if inferred.proof.verdict == Verdict::Refuted {
        notes.push(inferred.proof.reason);
    }
    Ok(Made { model: inferred.model, notes, ..Made::default() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::read::read_with;
    use super::*;

    const SCHEMA: &str = "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, name text);
        CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers,
          total numeric(9,2));";

    fn told(text: &str) -> (marula_core::model::Model, Vec<String>) {
        let load = |name: &str| match name {
            "schema.sql" => from::sql(SCHEMA, name),
            other => beside(Path::new("/nowhere"), other),
        };
        let read = read_with(text, "shop.yaml", Some(&load)).unwrap();
        let told = |m: &Mistake| format!("{}: {}: {}", m.line.unwrap_or(0), m.way, m.what);
        let mistakes = read.mistakes.iter().map(told).collect();
        (read.model, mistakes)
    }

    #[test]
    fn entities_come_from_another_file_and_this_one_goes_before() {
        let (model, mistakes) = told(
            "name: shop
from: schema.sql
entities:
- {name: orders, rows: 20k, attributes: [{name: total, type: money, required: true}]}
- {name: notes, attributes: [{name: id, type: id}, {name: order_id, type: id}]}
- {name: customers, rows: 500}
relations:
- {from: notes, to: orders}
- {from: orders, to: customers, fanout: {average: 40, max: 300}}
queries:
- {name: orders_of, rate: 10, sql: 'SELECT id, total FROM orders WHERE customer_id = $1'}
",
        );
        assert_eq!(mistakes, Vec::<String>::new());
        assert_eq!(model.from, None);
        let names: Vec<&str> = model.entities.iter().map(|entity| entity.name.as_str()).collect();
        assert_eq!(names, ["customers", "orders", "notes"]);
        let orders = model.entity("orders").unwrap();
        assert_eq!((orders.rows.0, orders.attributes.len()), (20_000, 3));
        assert!(orders.attribute("total").unwrap().required);
        assert_eq!(model.entity("customers").unwrap().attributes.len(), 3);
        let [to_customers, to_orders] = model.relations.as_slice() else { panic!("{model:#?}") };
        assert_eq!(to_customers.fanout.unwrap().max, Some(300));
        assert_eq!(to_customers.attributes, ["customer_id"]);
        assert_eq!((to_orders.from.as_str(), to_orders.to.as_str()), ("notes", "orders"));
    }

    #[test]
    fn what_cannot_come_from_a_file_is_told_at_its_line() {
        let head = "name: m\nentities: [{name: a, attributes: [{name: id, type: id}]}]\n";
        for (from, told_is) in [
            (
                "gone.sql",
                "3: from: nothing comes from gone.sql: there is no such file beside the model",
            ),
            (
                "postgresql://ann:secret@host/shop",
                "3: from: nothing comes from postgresql://ann:***@host/shop: there is no such \
                 file beside the model",
            ),
            ("[a]", "3: from: the name of a file is expected, not a list"),
        ] {
            let (model, mistakes) = told(&format!("{head}from: {from}\n"));
            assert_eq!((model.entities.len(), mistakes), (1, vec![told_is.to_string()]));
        }
        let (model, mistakes) =
            told("name: m\nfrom: schema.sql\nrelations: [{from: orders, to: gone}]\n");
        assert_eq!(model.entities.len(), 2);
        assert_eq!(
            mistakes,
            ["3: relations[0].to: there is no entity gone; the relation is left out",]
        );
        let none = super::super::read("name: m\nfrom: schema.sql\n", "m.yaml").unwrap();
        let told = |mistake: &Mistake| mistake.what.contains("no files are read here");
        assert!(none.mistakes.iter().any(told), "{:?}", none.mistakes);
    }

    /// Data is read as `model infer` reads it; what is broken in it is told, and nothing is waited
    /// for.
    #[test]
    fn entities_come_from_data() {
        let folder = std::env::temp_dir().join(format!("marula-from-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let rows: String = (1..=60).map(|id| format!("{id},{},7.50\n", id % 20)).collect();
        let text = format!("order_id,customer_id,total\n{rows}61,1\n");
        std::fs::write(folder.join("orders.csv"), text).unwrap();
        let text = "name: m\nfrom: orders.csv\nentities: [{name: orders, growth: 5%/month}]\n";
        let read = super::super::read_beside(text, "m.yaml", &folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let [mistake] = read.mistakes.as_slice() else { panic!("{:?}", read.mistakes) };
        assert_eq!(mistake.severity, marula_core::Severity::Low);
        assert!(mistake.what.contains("1 with another number of fields"), "{mistake:?}");
        let orders = read.model.entity("orders").unwrap();
        assert_eq!(
            (orders.rows.0, orders.key(), orders.growth.is_some()),
            (60, vec!["order_id"], true)
        );
    }
}
