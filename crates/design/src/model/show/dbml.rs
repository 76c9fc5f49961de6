use std::fmt::Write as _;

use marula_core::Json;
use marula_core::model::{Attribute, AttributeType, Entity, Model, OnDelete};

use super::{count, fanout};
use crate::model::types;

/// The model as DBML, with volumes and fan-outs as notes.
pub fn dbml(model: &Model) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "Project {} {{", name(&model.name));
    let _ = writeln!(out, "  database_type: 'PostgreSQL'");
    if let Some(description) = &model.description {
        let _ = writeln!(out, "  Note: {}", text(description));
    }
    out.push_str("}\n");
    for entity in &model.entities {
        for attribute in &entity.attributes {
            if attribute.kind == AttributeType::Enumeration && !attribute.values.is_empty() {
                let _ = writeln!(out, "\nEnum {} {{", name(&enumeration(entity, attribute)));
                for value in &attribute.values {
                    let _ = writeln!(out, "  \"{}\"", value.replace(['"', '\n'], "'"));
                }
                out.push_str("}\n");
            }
        }
    }
    for entity in &model.entities {
        table(&mut out, entity);
    }
    if !model.relations.is_empty() {
        out.push('\n');
    }
    for relation in &model.relations {
        let end = |entity: &str, attributes: &[String]| match attributes {
            [one] => format!("{}.{}", name(entity), name(one)),
            several => {
                let several: Vec<String> = several.iter().map(|one| name(one)).collect();
                format!("{}.({})", name(entity), several.join(", "))
            }
        };
        let key: Vec<String> = model
            .entity(&relation.to)
            .map(|one| one.key().into_iter().map(Into::into).collect())
            .unwrap_or_default();
        if key.is_empty() || relation.attributes.is_empty() {
            continue;
        }
        let action = match relation.on_delete {
            Some(OnDelete::Cascade) => " [delete: cascade]",
            Some(OnDelete::Restrict) => " [delete: restrict]",
            Some(OnDelete::SetNull) => " [delete: set null]",
            None if relation.owned => " [delete: cascade]",
            None => "",
        };
        let (from, to) = (end(&relation.from, &relation.attributes), end(&relation.to, &key));
        let note = relation.fanout.as_ref().map(|known| format!(" // fan-out {}", fanout(known)));
        let _ = writeln!(out, "Ref: {from} > {to}{action}{}", note.unwrap_or_default());
    }
    out
}

fn table(out: &mut String, entity: &Entity) {
    let _ = writeln!(out, "\nTable {} {{", name(&entity.name));
    let key = entity.key();
    for attribute in &entity.attributes {
        let mut settings: Vec<String> = Vec::new();
        if key == [attribute.name.as_str()] {
            settings.push("pk".into());
            if attribute.kind == AttributeType::Id {
                settings.push("increment".into());
            }
        } else if attribute.required {
            settings.push("not null".into());
        }
        if attribute.unique {
            settings.push("unique".into());
        }
        match &attribute.default {
            Some(Json::String(value)) => settings.push(format!("default: {}", text(value))),
            Some(Json::Null) | None => {}
            Some(value @ (Json::Bool(_) | Json::Number(_))) => {
                settings.push(format!("default: {value}"));
            }
            Some(value) => settings.push(format!("default: {}", text(&value.to_string()))),
        }
        settings.extend(attribute.description.as_ref().map(|note| format!("note: {}", text(note))));
        let settings = match settings.is_empty() {
            true => String::new(),
            false => format!(" [{}]", settings.join(", ")),
        };
        let _ = writeln!(out, "  {} {}{settings}", name(&attribute.name), kind(entity, attribute));
    }
    let mut indexes: Vec<String> = Vec::new();
    let columns = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|one| name(one)).collect();
        format!("({})", names.join(", "))
    };
    if key.len() > 1 {
        indexes.push(format!("{} [pk]", columns(&key)));
    }
    for set in entity.unique.iter().filter(|set| !set.is_empty()) {
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        indexes.push(format!("{} [unique]", columns(&set)));
    }
    if !indexes.is_empty() {
        out.push_str("\n  indexes {\n");
        indexes.iter().for_each(|index| out.push_str(&format!("    {index}\n")));
        out.push_str("  }\n");
    }
    let mut notes: Vec<String> = entity.description.iter().cloned().collect();
    if entity.rows.0 > 0 {
        notes.push(format!("{} rows", count(entity.rows.0 as f64)));
    }
    notes.extend(entity.checks.iter().map(|check| format!("check {check}")));
    if !notes.is_empty() {
        let _ = writeln!(out, "\n  Note: {}", text(&notes.join("; ")));
    }
    out.push_str("}\n");
}

fn enumeration(entity: &Entity, attribute: &Attribute) -> String {
    format!("{}_{}", entity.name, attribute.name)
}

/// A type as DBML's tools know it.
fn kind(entity: &Entity, attribute: &Attribute) -> String {
    let one = |kind: AttributeType| match kind {
        AttributeType::Id | AttributeType::Integer => "bigint",
        AttributeType::Uuid | AttributeType::UuidV7 => "uuid",
        AttributeType::Decimal | AttributeType::Money => "numeric",
        AttributeType::Float => "\"double precision\"",
        AttributeType::Timestamp => "timestamptz",
        AttributeType::Duration => "interval",
        AttributeType::Binary => "bytea",
        AttributeType::Json => "jsonb",
        AttributeType::DateRange => "daterange",
        AttributeType::TimestampRange => "tstzrange",
        AttributeType::NumberRange => "numrange",
        AttributeType::Enumeration => "text",
        other => types::name(other),
    };
    match attribute.kind {
        AttributeType::Enumeration if !attribute.values.is_empty() => {
            name(&enumeration(entity, attribute))
        }
        AttributeType::List => format!("\"{}[]\"", one(attribute.element()).replace('"', "")),
        AttributeType::Text if attribute.max_length.is_some() => {
            format!("varchar({})", attribute.max_length.unwrap_or_default())
        }
        AttributeType::Decimal | AttributeType::Money => {
            let scale = attribute.scale.unwrap_or(2);
            match (attribute.precision, attribute.kind) {
                (Some(precision), _) => format!("numeric({precision},{scale})"),
                (None, AttributeType::Money) => "numeric(12,2)".into(),
                (None, _) => "numeric".into(),
            }
        }
        other => one(other).into(),
    }
}

fn name(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if plain { name.into() } else { format!("\"{}\"", name.replace(['"', '\n'], "'")) }
}

fn text(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
