//! A short stable name for all commands of one shape. The server's own `queryHash` differs
//! between versions for the same shape, so this one is computed here.

use std::fmt::Write;

use bson::{Bson, Document};
use marula_core::Fingerprint;

use super::{Command, Operation};

impl Command {
    /// The shape's name: the same for the same namespace, operation, and shape of filter, sort,
    /// projection or pipeline, whatever the literals are. 16 hexadecimal digits.
    pub fn fingerprint(&self) -> Fingerprint {
        let shape = self.shape();
        // FNV-1a: short, the same on every machine and version; not a defence against anyone.
        let hash = shape.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Fingerprint(format!("{hash:016x}"))
    }

    /// The shape itself, as text: what the fingerprint is computed from.
    pub fn shape(&self) -> String {
        let mut out = String::new();
        if let Some(database) = &self.database {
            out.push_str(database);
            out.push('.');
        }
        let _ = write!(out, "{} {}", self.collection, self.name());
        match &self.operation {
            Operation::Find(find) => {
                part(&mut out, " filter", Some(&find.filter), Kind::Value);
                part(&mut out, " sort", find.sort.as_ref(), Kind::Order);
                part(&mut out, " projection", find.projection.as_ref(), Kind::Order);
                flag(&mut out, " skip", find.skip.is_some_and(|n| n != 0));
                flag(&mut out, " limit", find.limit.is_some_and(|n| n != 0));
            }
            Operation::Aggregate(aggregate) => {
                for stage in &aggregate.pipeline {
                    out.push(' ');
                    document(&mut out, stage, Kind::Value);
                }
            }
            Operation::FindAndModify(modify) => {
                part(&mut out, " filter", Some(&modify.filter), Kind::Value);
                part(&mut out, " sort", modify.sort.as_ref(), Kind::Order);
                if let Some(update) = &modify.update {
                    value(&mut out, update, Kind::Value);
                }
            }
            Operation::Update(update) => {
                part(&mut out, " filter", Some(&update.filter), Kind::Value);
                value(&mut out, &update.update, Kind::Value);
                flag(&mut out, " upsert", update.upsert);
            }
            Operation::Distinct(distinct) => {
                let _ = write!(out, " {}", distinct.key);
                part(&mut out, " filter", Some(&distinct.filter), Kind::Value);
            }
            other => {
                if let Some(filter) = self.filter() {
                    part(&mut out, " filter", Some(filter), Kind::Value);
                } else {
                    // Definitions have no literals to abstract from.
                    let _ = write!(out, " {other:?}");
                }
            }
        }
        part(&mut out, " collation", self.collation(), Kind::Order);
        out
    }
}

/// Whether numbers and booleans are literals, or say what is done (1, −1, true).
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Value,
    Order,
}

fn part(out: &mut String, name: &str, shape: Option<&Document>, kind: Kind) {
    if let Some(shape) = shape.filter(|shape| !shape.is_empty()) {
        out.push_str(name);
        document(out, shape, kind);
    }
}

fn flag(out: &mut String, name: &str, set: bool) {
    if set {
        out.push_str(name);
    }
}

/// Stages and operators whose numbers say what is done rather than which value is meant.
fn kind_below(key: &str, kind: Kind) -> Kind {
    match key {
        "$sort" | "$project" | "$unset" | "sortBy" => Kind::Order,
        "$match" => Kind::Value,
        _ => kind,
    }
}

fn document(out: &mut String, shape: &Document, kind: Kind) {
    out.push('{');
    for (key, inner) in shape {
        let _ = write!(out, "{key:?}:");
        value(out, inner, kind_below(key, kind));
        out.push(',');
    }
    out.push('}');
}

fn value(out: &mut String, shape: &Bson, kind: Kind) {
    match shape {
        Bson::Document(inner) => document(out, inner, kind),
        Bson::Array(items) => {
            // A list of plain literals is one shape whatever its length: `$in` with 3 or 300.
            if items.iter().all(|item| is_literal(item, kind)) {
                out.push_str("[?]");
                return;
            }
            out.push('[');
            for item in items {
                value(out, item, kind);
                out.push(',');
            }
            out.push(']');
        }
        // A path or a variable is part of the shape.
        Bson::String(text) if text.starts_with('$') => {
            let _ = write!(out, "{text:?}");
        }
        other if kind == Kind::Order => {
            let _ = match (other.as_f64(), other) {
                (Some(number), _) => write!(out, "{number}"),
                (None, Bson::Int32(number)) => write!(out, "{number}"),
                (None, Bson::Int64(number)) => write!(out, "{number}"),
                (None, Bson::Boolean(yes)) => write!(out, "{}", i32::from(*yes)),
                (None, other) => write!(out, "{other}"),
            };
        }
        _ => out.push('?'),
    }
}

fn is_literal(item: &Bson, kind: Kind) -> bool {
    match item {
        Bson::Document(_) | Bson::Array(_) => false,
        Bson::String(text) => kind == Kind::Value && !text.starts_with('$'),
        _ => true,
    }
}
