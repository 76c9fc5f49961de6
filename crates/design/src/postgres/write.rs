//! What a write does to a structure, as SQL.

use marula_core::model::{AttributeType, Model, OnDelete};
use marula_postgres::sql::{quote_ident, quote_literal};

pub use super::bound::Bound;
use super::bound::{json, text};
use super::schema::SchemaOptions;
use super::statement::cast;
use crate::schema::nullable;
use crate::structure::{Layout, Store, Structure, reference_name};
use crate::synth::{Value, World};
use crate::work::{Effect, FieldValue, Record, Tree};

/// The statements of an effect.
pub fn statements(
    world: &World<'_>,
    structure: &Structure,
    layout: &Layout,
    options: &SchemaOptions,
    effect: &Effect,
) -> Vec<Bound> {
    let writer = Writer { world, model: world.model, structure, layout, options };
    writer.write(effect)
}

struct Writer<'a> {
    world: &'a World<'a>,
    model: &'a Model,
    structure: &'a Structure,
    layout: &'a Layout,
    options: &'a SchemaOptions,
}

impl Writer<'_> {
    fn write(&self, effect: &Effect) -> Vec<Bound> {
        match effect {
            Effect::Insert { trees } => self.insert(trees).into_iter().collect(),
            Effect::Push { relation, one, tree } => {
                self.push(*relation, one, tree).into_iter().collect()
            }
            Effect::Change { entity, by, set, add } => {
                self.change(*entity, by, set, add).into_iter().collect()
            }
            Effect::Recopy { relation, one, set } => {
                self.recopy(*relation, one, set).into_iter().collect()
            }
            Effect::Tally { computed, one, by } => {
                self.tally(*computed, one, by).into_iter().collect()
            }
            Effect::Remove { entity, by } => self.remove(*entity, by).into_iter().collect(),
            Effect::Leave { relation, ones, fate } => self.leave(*relation, ones, *fate),
            // The search keeps no subsets and no buckets here.
            Effect::Append { .. }
            | Effect::Hold { .. }
            | Effect::Rehold { .. }
            | Effect::Refill { .. }
            | Effect::RecopyHeld { .. } => Vec::new(),
        }
    }

    fn insert(&self, trees: &[Tree]) -> Option<Bound> {
        let entity = &self.world.entity(&trees.first()?.member).name;
        let store = self.layout.store(entity)?;
        let mut bound = Bound::new();
        let mut rows = Vec::new();
        for tree in trees {
            let record = Record::new(self.world, self.structure, store, tree);
            let places: Vec<String> =
                record.fields.iter().map(|(_, value)| self.field(&mut bound, value)).collect();
            rows.push(format!("({})", places.join(", ")));
        }
        let names: Vec<String> =
            store.fields.iter().map(|field| quote_ident(&field.name)).collect();
        bound.sql = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {}",
            quote_ident(entity),
            names.join(", "),
            rows.join(", ")
        );
        Some(bound)
    }

    fn push(&self, relation: usize, one: &[Value], tree: &Tree) -> Option<Bound> {
        let r = &self.model.relations[relation];
        let (top, field, store) = self.array(relation)?;
        let record = Record::new(self.world, self.structure, store, tree);
        let mut bound = Bound::new();
        let added = self.object(&mut bound, &record);
        let key = self.model.entity(&r.to)?.key();
        let found = bound.equal(key.iter().copied().zip(one));
        let field = quote_ident(field);
        bound.sql =
            format!("UPDATE {} SET {field} = {field} || {added} WHERE {found}", quote_ident(top));
        Some(bound)
    }

    /// A field's value as an expression: what is copied is read where it stands.
    fn field(&self, bound: &mut Bound, value: &FieldValue) -> String {
        match value {
            FieldValue::Copied { entity, key, attribute, .. } => {
                self.copied(bound, entity, key, attribute)
            }
            FieldValue::Records(records) if records.iter().any(Record::copies) => {
                self.array_of(bound, records)
            }
            plain => bound.bind(text(plain, self.options)),
        }
    }

    fn array_of(&self, bound: &mut Bound, records: &[Record]) -> String {
        let objects: Vec<String> =
            records.iter().map(|record| self.object(bound, record)).collect();
        format!("jsonb_build_array({})", objects.join(", "))
    }

    /// A record as an object.
    fn object(&self, bound: &mut Bound, record: &Record) -> String {
        let is_plain = |value: &FieldValue| match value {
            FieldValue::Value(_) => true,
            FieldValue::Copied { .. } => false,
            FieldValue::Records(records) => !records.iter().any(Record::copies),
        };
        let (plain, rest): (Vec<_>, Vec<_>) =
            record.fields.iter().cloned().partition(|(_, value)| is_plain(value));
        let mut text =
            format!("{}::jsonb", bound.bind(Some(json(&Record { fields: plain }).to_string())));
        for (name, value) in &rest {
            let value = match value {
                FieldValue::Records(records) => self.array_of(bound, records),
                FieldValue::Copied { entity, attribute, .. }
                    if self.options.has_geography() && self.is_place(entity, attribute) =>
                {
                    format!("{}::geometry::point", self.field(bound, value))
                }
                other => self.field(bound, other),
            };
            text = format!("{text} || jsonb_build_object({}, {value})", quote_literal(name));
        }
        if rest.is_empty() { text } else { format!("({text})") }
    }

    fn copied(&self, bound: &mut Bound, entity: &str, key: &[Value], attribute: &str) -> String {
        let names = self.model.entity(entity).map(|entity| entity.key()).unwrap_or_default();
        let found = bound.equal(names.into_iter().zip(key));
        format!("(SELECT {} FROM {} WHERE {found})", quote_ident(attribute), quote_ident(entity))
    }

    fn is_place(&self, entity: &str, attribute: &str) -> bool {
        let attribute = self.model.entity(entity).and_then(|entity| entity.attribute(attribute));
        attribute.is_some_and(|attribute| attribute.kind == AttributeType::Point)
    }

    fn change(
        &self,
        entity: usize,
        by: &[(String, Value)],
        set: &[(String, Value)],
        add: &[(String, Value)],
    ) -> Option<Bound> {
        let entity = &self.model.entities[entity];
        let mut bound = Bound::new();
        if let Some(relation) = self.structure.home(self.model, &entity.name) {
            let mut changed: Vec<String> = Vec::new();
            for (name, value) in set {
                let value = bound.bind(Some(value.to_json().to_string()));
                changed.push(format!("{}, {value}::jsonb", quote_literal(name)));
            }
            for (name, value) in add {
                let kind =
                    entity.attribute(name).map_or("numeric", |attribute| cast(attribute.kind));
                let value = bound.bind(value.to_text());
                changed.push(format!(
                    "{0}, (m ->> {0})::{kind} + {value}::{kind}",
                    quote_literal(name)
                ));
            }
            let made = format!("m || jsonb_build_object({})", changed.join(", "));
            return self.rewritten(bound, relation, by, &made);
        }
        let mut sets: Vec<String> = Vec::new();
        for (name, value) in set {
            let value = bound.bind(self.options.text(value));
            sets.push(format!("{} = {value}", quote_ident(name)));
        }
        for (name, value) in add {
            sets.push(format!("{0} = {0} + {1}", quote_ident(name), bound.bind(value.to_text())));
        }
        let found = bound.equal(by.iter().map(|(name, value)| (name.as_str(), value)));
        bound.sql =
            format!("UPDATE {} SET {} WHERE {found}", quote_ident(&entity.name), sets.join(", "));
        Some(bound)
    }

    fn remove(&self, entity: usize, by: &[(String, Value)]) -> Option<Bound> {
        let entity = &self.model.entities[entity];
        let bound = Bound::new();
        if let Some(relation) = self.structure.home(self.model, &entity.name) {
            return self.rewritten(bound, relation, by, "NULL");
        }
        let mut bound = bound;
        let found = bound.equal(by.iter().map(|(name, value)| (name.as_str(), value)));
        bound.sql = format!("DELETE FROM {} WHERE {found}", quote_ident(&entity.name));
        Some(bound)
    }

    /// What no foreign key does, since the many are elements of an array.
    fn leave(&self, relation: usize, ones: &[Vec<Value>], fate: OnDelete) -> Vec<Bound> {
        let r = &self.model.relations[relation];
        let Some(home) = self.structure.home(self.model, &r.from) else { return Vec::new() };
        let nulls = nullable(self.model, r).into_iter();
        let nulls: Vec<String> =
            nulls.map(|name| format!("{}, NULL", quote_literal(name))).collect();
        let made = match fate {
            OnDelete::SetNull => format!("m || jsonb_build_object({})", nulls.join(", ")),
            _ => "NULL".into(),
        };
        let each = ones.iter().filter_map(|one| {
            let by = r.attributes.iter().cloned().zip(one.iter().cloned());
            self.rewritten(Bound::new(), home, &by.collect::<Vec<_>>(), &made)
        });
        each.collect()
    }

    /// The array with each element `m` that is found replaced by `made`, or left out where that is
    /// NULL; the others as they are, in their order.
    fn rewritten(
        &self,
        mut bound: Bound,
        relation: usize,
        by: &[(String, Value)],
        made: &str,
    ) -> Option<Bound> {
        let (top, field, store) = self.array(relation)?;
        let r = &self.model.relations[relation];
        let one = self.model.entity(&r.to)?;
        let (mut of_row, mut of_element, mut object) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in by {
            match r.attributes.iter().position(|a| a == name) {
                Some(at) => {
                    let key = one.key();
                    let place = bound.bind(value.to_text());
                    of_row.push(format!("{} = {place}", quote_ident(key.get(at)?)));
                }
                None => {
                    store.attribute(name)?;
                    let place = bound.bind(Some(value.to_json().to_string()));
                    of_element.push(format!("m -> {} = {place}::jsonb", quote_literal(name)));
                    object.push(format!("{}, {place}::jsonb", quote_literal(name)));
                }
            }
        }
        let field = quote_ident(field);
        if !object.is_empty() {
            of_row.push(format!(
                "{field} @> jsonb_build_array(jsonb_build_object({}))",
                object.join(", ")
            ));
        }
        let is_it = if of_element.is_empty() { "true".into() } else { of_element.join(" AND ") };
        let kept =
            if made == "NULL" { format!("FILTER (WHERE NOT ({is_it}))") } else { String::new() };
        let value = if made == "NULL" {
            "m".into()
        } else {
            format!("CASE WHEN {is_it} THEN {made} ELSE m END")
        };
        bound.sql = format!(
            "UPDATE {} SET {field} = (SELECT coalesce(jsonb_agg({value} ORDER BY n) {kept}, '[]') \
             FROM jsonb_array_elements({field}) WITH ORDINALITY AS t(m, n)) WHERE {}",
            quote_ident(top),
            of_row.join(" AND ")
        );
        Some(bound)
    }

    fn recopy(&self, relation: usize, one: &[Value], set: &[(String, Value)]) -> Option<Bound> {
        let r = &self.model.relations[relation];
        let name = reference_name(r);
        let mut bound = Bound::new();
        if let Some(home) = self.structure.home(self.model, &r.from) {
            let changed: Vec<String> = set
                .iter()
                .map(|(attribute, value)| {
                    let value = bound.bind(Some(value.to_json().to_string()));
                    format!("{}, {value}::jsonb", quote_literal(&format!("{name}_{attribute}")))
                })
                .collect();
            let by: Vec<(String, Value)> =
                r.attributes.iter().cloned().zip(one.iter().cloned()).collect();
            let made = format!("m || jsonb_build_object({})", changed.join(", "));
            return self.rewritten(bound, home, &by, &made);
        }
        let sets: Vec<String> = set
            .iter()
            .map(|(attribute, value)| {
                format!(
                    "{} = {}",
                    quote_ident(&format!("{name}_{attribute}")),
                    bound.bind(self.options.text(value))
                )
            })
            .collect();
        let found = bound.equal(r.attributes.iter().map(String::as_str).zip(one));
        bound.sql =
            format!("UPDATE {} SET {} WHERE {found}", quote_ident(&r.from), sets.join(", "));
        Some(bound)
    }

    fn tally(&self, computed: usize, one: &[Value], by: &Value) -> Option<Bound> {
        let computed = &self.structure.computed[computed];
        let to = self.model.entity(&self.model.relations[computed.relation].to)?;
        let mut bound = Bound::new();
        let name = quote_ident(&computed.name);
        let grown = bound.bind(by.to_text());
        let found = bound.equal(to.key().into_iter().zip(one));
        bound.sql =
            format!("UPDATE {} SET {name} = {name} + {grown} WHERE {found}", quote_ident(&to.name));
        Some(bound)
    }

    /// The table an array is in, the array's column, and what is kept of each element. Only arrays
    /// directly within a table: the search proposes no deeper ones that are written.
    fn array(&self, relation: usize) -> Option<(&str, &str, &Store)> {
        let top = self.layout.store(&self.model.relations[relation].to)?;
        top.fields.iter().find_map(|field| match &field.source {
            crate::structure::Source::Embedded { relation: at, store } if *at == relation => {
                Some((top.entity.as_str(), field.name.as_str(), store))
            }
            _ => None,
        })
    }
}
