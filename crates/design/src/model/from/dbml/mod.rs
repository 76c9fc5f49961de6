//! DBML as a model: tables, enumerations and references; notes become descriptions.

mod reader;

use std::collections::BTreeMap;

use marula_core::Result;
use marula_core::model::{Attribute, AttributeType, Entity, Model, OnDelete, Relationship};

use super::{finished, kinds, referring};
use crate::model::Made;
use reader::Reader;

/// A model from DBML.
///
/// # Errors
/// `Syntax` with the line; `NotFound` where there are no tables.
pub fn dbml(text: &str, name: &str) -> Result<Made> {
    let mut reader = Reader::new(text, name);
    let mut read = Contents::default();
    while let Some((start, word)) = reader.word()? {
        match word.to_lowercase().as_str() {
            "table" => read.table(&mut reader)?,
            "enum" => read.enumeration(&mut reader)?,
            "ref" => read.reference(&mut reader)?,
            "project" | "tablegroup" | "note" | "tablepartial" | "records" => reader.pass()?,
            _ => {
                let what = format!("{word} is nothing that DBML begins with");
                return Err(reader.error(start, &what));
            }
        }
    }
    read.made(name)
}

/// From, its columns, to, its columns, what happens on delete.
type Reference = (String, Vec<String>, String, Vec<String>, Option<OnDelete>);

#[derive(Default)]
struct Contents {
    entities: Vec<Entity>,
    /// The type of each attribute as it is written, by entity and attribute.
    written: Vec<Vec<String>>,
    enumerations: BTreeMap<String, Vec<String>>,
    references: Vec<Reference>,
    aliases: BTreeMap<String, String>,
    notes: Vec<String>,
}

impl Contents {
    fn enumeration(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let name = reader.qualified()?;
        reader.take('{')?;
        let mut values = Vec::new();
        while reader.peek() != Some('}') {
            values.push(reader.name()?);
            reader.settings()?;
        }
        reader.take('}')?;
        self.enumerations.insert(name, values);
        Ok(())
    }

    fn table(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let start = reader.at;
        let mut entity = Entity { name: reader.qualified()?, ..Entity::default() };
        if self.entities.iter().any(|known| known.name == entity.name) {
            return Err(reader.error(start, &format!("there are two tables {}", entity.name)));
        }
        if reader.peek() == Some('a') || reader.peek() == Some('A') {
            reader.name()?;
            self.aliases.insert(reader.name()?, entity.name.clone());
        }
        reader.settings()?;
        reader.take('{')?;
        let mut written = Vec::new();
        while reader.peek() != Some('}') {
            let word = reader.name()?;
            reader.blank(false);
            match word.to_lowercase().as_str() {
                "note" if reader.rest().starts_with([':', '{']) => {
                    let block = reader.rest().starts_with('{');
                    reader.at += 1;
                    entity.description = Some(reader.name()?);
                    if block {
                        reader.take('}')?;
                    }
                }
                "indexes" | "checks" if reader.rest().starts_with('{') => {
                    match word.to_lowercase() == "indexes" {
                        true => Self::indexes(reader, &mut entity)?,
                        false => reader.pass()?,
                    }
                }
                _ => written.push(self.column(reader, &mut entity, word)?),
            }
        }
        reader.take('}')?;
        self.entities.push(entity);
        self.written.push(written);
        Ok(())
    }

    /// A column after its name; gives its type as written.
    fn column(
        &mut self,
        reader: &mut Reader<'_>,
        entity: &mut Entity,
        name: String,
    ) -> Result<String> {
        let mut kind = reader.qualified()?;
        if reader.rest().starts_with('(') {
            let inner = reader.rest().split(')').next().unwrap_or_default();
            kind += inner;
            kind.push(')');
            reader.at += inner.len() + usize::from(reader.rest().len() > inner.len());
        }
        if reader.rest().starts_with("[]") {
            kind += "[]";
            reader.at += 2;
        }
        let mut attribute = Attribute { name: name.clone(), ..Attribute::default() };
        for setting in reader.settings()? {
            let lower = setting.to_lowercase();
            let value = setting.split_once(':').map(|(_, value)| value.trim());
            match lower.split(':').next().unwrap_or_default().trim() {
                "pk" | "primary key" => entity.key.push(name.clone()),
                "not null" => attribute.required = true,
                "unique" => attribute.unique = true,
                "increment" => attribute.kind = AttributeType::Id,
                "note" => {
                    attribute.description = value.map(|v| v.trim_matches('\'').to_string());
                }
                "default" => {
                    attribute.default = value.map(marula_core::Json::from);
                }
                "ref" => {
                    if let Some(value) = value {
                        self.inline(reader, &entity.name, &name, value)?;
                    }
                }
                _ => {}
            }
        }
        entity.attributes.push(attribute);
        Ok(kind)
    }

    fn indexes(reader: &mut Reader<'_>, entity: &mut Entity) -> Result<()> {
        reader.take('{')?;
        while reader.peek() != Some('}') {
            let mut columns = Vec::new();
            if reader.peek() == Some('(') {
                reader.at += 1;
                while reader.peek() != Some(')') {
                    columns.push(reader.name()?);
                    if reader.peek() == Some(',') {
                        reader.at += 1;
                    }
                }
                reader.take(')')?;
            } else {
                columns.push(reader.name()?);
            }
            for setting in reader.settings()? {
                match setting.to_lowercase().as_str() {
                    "pk" => entity.key = columns.clone(),
                    "unique" => entity.unique.push(columns.clone()),
                    _ => {}
                }
            }
        }
        reader.take('}')
    }

    /// `ref: > users.id` of a column.
    fn inline(
        &mut self,
        reader: &Reader<'_>,
        table: &str,
        column: &str,
        value: &str,
    ) -> Result<()> {
        let value = value.trim();
        let (sign, target) =
            value.split_at(value.len() - value.trim_start_matches(['<', '>', '-']).len());
        let mut parts: Vec<&str> = target.trim().split('.').collect();
        let (Some(to_column), Some(to)) = (parts.pop(), parts.pop()) else {
            let what = format!("the reference of {table}.{column} names no column");
            return Err(reader.error(reader.at, &what));
        };
        let clean = |text: &str| text.trim().trim_matches('"').to_string();
        let (here, there) =
            ((table.to_string(), vec![column.to_string()]), (clean(to), vec![clean(to_column)]));
        self.refer(sign, here, there, None);
        Ok(())
    }

    fn reference(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        if !matches!(reader.peek(), Some(':' | '{')) {
            reader.name()?;
        }
        let block = reader.peek() == Some('{');
        reader.at += 1;
        loop {
            let left = Self::end(reader)?;
            reader.blank(true);
            let start = reader.at;
            let rest = reader.rest();
            let sign = &rest[..rest.len() - rest.trim_start_matches(['<', '>', '-']).len()];
            if sign.is_empty() {
                return Err(reader.error(start, "one of > < - <> is expected"));
            }
            reader.at += sign.len();
            let right = Self::end(reader)?;
            let mut on_delete = None;
            for setting in reader.settings()? {
                on_delete = match setting.to_lowercase().replace(' ', "").as_str() {
                    "delete:cascade" => Some(OnDelete::Cascade),
                    "delete:setnull" => Some(OnDelete::SetNull),
                    "delete:restrict" => Some(OnDelete::Restrict),
                    _ => on_delete,
                };
            }
            self.refer(sign, left, right, on_delete);
            if !block {
                return Ok(());
            }
            if reader.peek() == Some('}') {
                return reader.take('}');
            }
        }
    }

    /// `orders.user_id` or `lines.(order_id, line)`.
    fn end(reader: &mut Reader<'_>) -> Result<(String, Vec<String>)> {
        let start = reader.at;
        let mut parts = vec![reader.name()?];
        while reader.rest().starts_with('.') {
            reader.at += 1;
            if reader.rest().starts_with('(') {
                reader.at += 1;
                let mut columns = Vec::new();
                while reader.peek() != Some(')') {
                    columns.push(reader.name()?);
                    if reader.peek() == Some(',') {
                        reader.at += 1;
                    }
                }
                reader.take(')')?;
                let table = parts.pop().unwrap_or_default();
                return Ok((table, columns));
            }
            parts.push(reader.name()?);
        }
        match (parts.pop(), parts.pop()) {
            (Some(column), Some(table)) => Ok((table, vec![column])),
            _ => Err(reader.error(start, "table.column is expected")),
        }
    }

    fn refer(
        &mut self,
        sign: &str,
        left: (String, Vec<String>),
        right: (String, Vec<String>),
        on_delete: Option<OnDelete>,
    ) {
        match sign {
            "<>" => self.notes.push(format!(
                "{} and {} are many-to-many: make an entity of its own of it",
                left.0, right.0
            )),
            "<" => self.references.push((right.0, right.1, left.0, left.1, on_delete)),
            _ => self.references.push((left.0, left.1, right.0, right.1, on_delete)),
        }
    }

    fn made(self, name: &str) -> Result<Made> {
        let Contents { mut entities, written, enumerations, references, aliases, mut notes } = self;
        for (entity, kinds) in entities.iter_mut().zip(&written) {
            for (attribute, kind) in entity.attributes.iter_mut().zip(kinds) {
                let counted = attribute.kind == AttributeType::Id;
                if let Some(values) = enumerations.get(kind) {
                    attribute.kind = AttributeType::Enumeration;
                    attribute.values = values.clone();
                } else if !kinds::set(attribute, kind) {
                    let what = format!(
                        "{}.{} is {kind}, which is taken as text",
                        entity.name, attribute.name
                    );
                    notes.push(what);
                }
                if counted && attribute.kind == AttributeType::Integer {
                    attribute.kind = AttributeType::Id;
                }
                let default = attribute.default.take();
                if let Some(marula_core::Json::String(text)) = default {
                    attribute.default = kinds::constant(attribute.kind, &text);
                }
            }
            if entity.key == ["id"] {
                entity.key.clear();
            }
        }
        let known = |table: &String| aliases.get(table).unwrap_or(table).clone();
        let mut relations: Vec<Relationship> = Vec::new();
        for (from, attributes, to, columns, on_delete) in &references {
            let (mut from, mut to) = (known(from), known(to));
            let (mut attributes, mut columns) = (attributes.clone(), columns.clone());
            let key = |name: &String| -> Vec<String> {
                let entity = entities.iter().find(|entity| entity.name == *name);
                entity
                    .map(|e| e.key().iter().map(ToString::to_string).collect())
                    .unwrap_or_default()
            };
            // `-` says one to one, in either direction.
            if key(&to) != columns && key(&from) == attributes {
                std::mem::swap(&mut from, &mut to);
                std::mem::swap(&mut attributes, &mut columns);
            }
            if key(&to) != columns && !key(&to).is_empty() {
                notes.push(format!(
                    "the reference of {from} to {to} is left out: it is not to the key"
                ));
                continue;
            }
            relations.push(Relationship {
                from,
                attributes,
                to,
                on_delete: *on_delete,
                ..Relationship::default()
            });
        }
        referring(&mut entities, &relations);
        let stem = name.rsplit('/').next().unwrap_or(name).split('.').next().unwrap_or("model");
        let model = Model { name: stem.into(), entities, relations, ..Model::default() };
        finished(model, name, notes)
    }
}
