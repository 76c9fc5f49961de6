//! What a write does to a structure, as MongoDB's commands.

use bson::{Bson, Document, doc};
use marula_core::model::{Model, OnDelete};

use super::bucket::Append;
use super::held::Refill;
use super::value::{CopyRead, bson, document, field};
use crate::schema::nullable;
use crate::structure::{Layout, Source, Store, Structure, reference_name};
use crate::synth::{Value, World};
use crate::work::{Effect, Record, Tree};

/// A writing command.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The copies that have to be read before it is sent.
    pub copies: Vec<CopyRead>,
    /// What has to be read of another collection before it is sent.
    pub refill: Option<Refill>,
    /// What else to do where the command changes nothing.
    pub append: Option<Append>,
    /// The command.
    pub command: Document,
}

impl Step {
    /// A command and nothing else.
    pub(super) fn of(command: Document) -> Self {
        Step { copies: Vec::new(), refill: None, append: None, command }
    }
}

/// The commands of an effect.
pub fn steps(
    world: &World<'_>,
    structure: &Structure,
    layout: &Layout,
    effect: &Effect,
) -> Vec<Step> {
    let writer = Writer { world, model: world.model, structure, layout };
    if let Effect::Refill { subset, one } = effect {
        return writer.refill(*subset, one).into_iter().collect();
    }
    if let Effect::Append { bucket, tree } = effect {
        return writer.append(*bucket, tree).into_iter().collect();
    }
    let mut copies = Vec::new();
    let command = writer.write(effect, &mut copies);
    command.map(|command| Step { copies, ..Step::of(command) }).into_iter().collect()
}

pub(super) struct Writer<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) model: &'a Model,
    pub(super) structure: &'a Structure,
    pub(super) layout: &'a Layout,
}

impl Writer<'_> {
    fn write(&self, effect: &Effect, copies: &mut Vec<CopyRead>) -> Option<Document> {
        match effect {
            Effect::Insert { trees } => self.insert(trees, copies),
            Effect::Push { relation, one, tree } => self.push(*relation, one, tree, copies),
            Effect::Change { entity, by, set, add } => self.change(*entity, by, set, add),
            Effect::Recopy { relation, one, set } => self.recopy(*relation, one, set),
            Effect::Tally { computed, one, by } => {
                let computed = &self.structure.computed[*computed];
                let to = &self.model.relations[computed.relation].to;
                Some(update(
                    to,
                    self.key(to, one)?,
                    doc! { "$inc": { &computed.name: bson(by) } },
                    false,
                ))
            }
            Effect::Remove { entity, by } => self.remove(*entity, by),
            Effect::Leave { relation, ones, fate } => self.leave(*relation, ones, *fate),
            Effect::Hold { subset, one, tree } => self.hold(*subset, one, tree, copies),
            Effect::Rehold { subset, one, key, set, add } => {
                self.rehold(*subset, one, key, [set, add])
            }
            Effect::RecopyHeld { subset, relation, one, set } => {
                self.recopy_held(*subset, *relation, one, set)
            }
            // Steps of their own.
            Effect::Refill { .. } | Effect::Append { .. } => None,
        }
    }

    fn insert(&self, trees: &[Tree], copies: &mut Vec<CopyRead>) -> Option<Document> {
        let entity = &self.world.entity(&trees.first()?.member).name;
        let store = self.layout.store(entity)?;
        let documents = trees.iter().enumerate().map(|(at, tree)| {
            let record = Record::new(self.world, self.structure, store, tree);
            Bson::Document(document(
                self.model,
                &record,
                Some(entity),
                &format!("documents.{at}"),
                copies,
            ))
        });
        Some(doc! { "insert": entity, "documents": documents.collect::<Vec<_>>() })
    }

    fn push(
        &self,
        relation: usize,
        one: &[Value],
        tree: &Tree,
        copies: &mut Vec<CopyRead>,
    ) -> Option<Document> {
        let to = &self.model.relations[relation].to;
        let (name, store) = self.array(relation)?;
        let record = Record::new(self.world, self.structure, store, tree);
        let place = format!("updates.0.u.$push.{name}");
        let element = document(self.model, &record, None, &place, copies);
        Some(update(to, self.key(to, one)?, doc! { "$push": { name: element } }, false))
    }

    fn change(
        &self,
        entity: usize,
        by: &[(String, Value)],
        set: &[(String, Value)],
        add: &[(String, Value)],
    ) -> Option<Document> {
        let entity = &self.model.entities[entity];
        let home = self.structure.home(self.model, &entity.name);
        let (collection, filter, before, filters) = match home {
            None => (&entity.name, self.found(&entity.name, by), String::new(), None),
            Some(relation) => {
                let (filter, element, name) = self.within(relation, by)?;
                let to = &self.model.relations[relation].to;
                (to, filter, format!("{name}.$[m]."), Some(element))
            }
        };
        let mut change =
            assigned(set.iter().map(|(name, value)| (format!("{before}{name}"), value)));
        let fields = |pairs: &[(String, Value)]| -> Document {
            pairs.iter().map(|(name, value)| (format!("{before}{name}"), bson(value))).collect()
        };
        if !add.is_empty() {
            change.insert("$inc", fields(add));
        }
        let many = home.is_none() && !self.is_key(&entity.name, by);
        Some(with_filters(update(collection, filter, change, many), filters))
    }

    fn remove(&self, entity: usize, by: &[(String, Value)]) -> Option<Document> {
        let entity = &self.model.entities[entity];
        match self.structure.home(self.model, &entity.name) {
            None => {
                let limit = if self.is_key(&entity.name, by) { 1 } else { 0 };
                let filter = self.found(&entity.name, by);
                Some(
                    doc! { "delete": &entity.name, "deletes": [ { "q": filter, "limit": limit } ] },
                )
            }
            Some(relation) => self.pull(relation, by, false),
        }
    }

    /// Takes elements out of the array they are in; of one document, or of all that have some.
    fn pull(&self, relation: usize, by: &[(String, Value)], many: bool) -> Option<Document> {
        let (filter, element, name) = self.within(relation, by)?;
        let element: Document = element
            .into_iter()
            .map(|(name, value)| (name.trim_start_matches("m.").to_owned(), value))
            .collect();
        let to = &self.model.relations[relation].to;
        Some(update(to, filter, doc! { "$pull": { name: element } }, many))
    }

    /// What becomes of the many of those that went: no foreign key does it.
    fn leave(&self, relation: usize, ones: &[Vec<Value>], fate: OnDelete) -> Option<Document> {
        let r = &self.model.relations[relation];
        let home = self.structure.home(self.model, &r.from);
        let each = ones.iter().filter_map(|one| {
            let by = r.attributes.iter().cloned().zip(one.iter().cloned());
            let by: Vec<(String, Value)> = by.collect();
            let nulls = |before: &str| {
                let names = nullable(self.model, r).into_iter();
                assigned(names.map(|name| (format!("{before}{name}"), &Value::Null)))
            };
            match (home, fate) {
                (None, OnDelete::SetNull) => {
                    Some(update(&r.from, self.found(&r.from, &by), nulls(""), true))
                }
                (None, _) => {
                    let filter = self.found(&r.from, &by);
                    Some(doc! { "delete": &r.from, "deletes": [ { "q": filter, "limit": 0 } ] })
                }
                (Some(home), OnDelete::SetNull) => {
                    let (filter, element, array) = self.within(home, &by)?;
                    let change = nulls(&format!("{array}.$[m]."));
                    let to = &self.model.relations[home].to;
                    Some(with_filters(update(to, filter, change, true), Some(element)))
                }
                (Some(home), _) => self.pull(home, &by, true),
            }
        });
        each.reduce(|mut all, next| {
            for name in ["deletes", "updates"] {
                if let (Ok(all), Ok(next)) = (all.get_array_mut(name), next.get_array(name)) {
                    all.extend(next.iter().cloned());
                }
            }
            all
        })
    }

    fn recopy(&self, relation: usize, one: &[Value], set: &[(String, Value)]) -> Option<Document> {
        let r = &self.model.relations[relation];
        let name = reference_name(r);
        let by: Vec<(String, Value)> =
            r.attributes.iter().cloned().zip(one.iter().cloned()).collect();
        let (collection, filter, before, filters) = match self.structure.home(self.model, &r.from) {
            None => (&r.from, self.found(&r.from, &by), String::new(), None),
            Some(home) => {
                let (filter, element, array) = self.within(home, &by)?;
                (&self.model.relations[home].to, filter, format!("{array}.$[m]."), Some(element))
            }
        };
        let change = assigned(
            set.iter().map(|(attribute, value)| (format!("{before}{name}_{attribute}"), value)),
        );
        Some(with_filters(update(collection, filter, change, true), filters))
    }

    /// What finds the documents with an element, what finds the element (as `m`), and the array.
    fn within(
        &self,
        relation: usize,
        by: &[(String, Value)],
    ) -> Option<(Document, Document, &str)> {
        let r = &self.model.relations[relation];
        let key = self.model.entity(&r.to)?.key();
        let (array, _) = self.array(relation)?;
        let (mut filter, mut element) = (Document::new(), Document::new());
        for (name, value) in by {
            match r.attributes.iter().position(|a| a == name) {
                Some(at) => {
                    drop(filter.insert(field(self.model, &r.to, key.get(at)?), bson(value)))
                }
                None => {
                    filter.insert(format!("{array}.{name}"), bson(value));
                    element.insert(format!("m.{name}"), bson(value));
                }
            }
        }
        Some((filter, element, array))
    }

    fn found(&self, entity: &str, by: &[(String, Value)]) -> Document {
        by.iter()
            .map(|(name, value)| (field(self.model, entity, name).to_owned(), bson(value)))
            .collect()
    }

    pub(super) fn key(&self, entity: &str, values: &[Value]) -> Option<Document> {
        let key = self.model.entity(entity)?.key();
        let pairs = key.into_iter().zip(values);
        Some(
            pairs
                .map(|(name, value)| (field(self.model, entity, name).to_owned(), bson(value)))
                .collect(),
        )
    }

    fn is_key(&self, entity: &str, by: &[(String, Value)]) -> bool {
        let key = self.model.entity(entity).map(|entity| entity.key()).unwrap_or_default();
        key.iter().all(|part| by.iter().any(|(name, _)| name == part))
    }

    /// The array of a relationship and what is kept of each element. Only arrays directly within a
    /// document: the search proposes no deeper ones that are written.
    fn array(&self, relation: usize) -> Option<(&str, &Store)> {
        let top = self.layout.store(&self.model.relations[relation].to)?;
        top.fields.iter().find_map(|field| match &field.source {
            Source::Embedded { relation: at, store } if *at == relation => {
                Some((field.name.as_str(), store))
            }
            _ => None,
        })
    }
}

/// The change that makes fields what they are to be: what is not there has no field.
pub(super) fn assigned<'v>(fields: impl Iterator<Item = (String, &'v Value)>) -> Document {
    let (mut set, mut unset) = (Document::new(), Document::new());
    for (name, value) in fields {
        match value {
            Value::Null => drop(unset.insert(name, 1)),
            value => drop(set.insert(name, bson(value))),
        }
    }
    let both = [("$set", set), ("$unset", unset)].into_iter();
    both.filter(|(_, fields)| !fields.is_empty())
        .map(|(operator, fields)| (operator.to_owned(), Bson::Document(fields)))
        .collect()
}

pub(super) fn update(collection: &str, filter: Document, change: Document, many: bool) -> Document {
    doc! { "update": collection, "updates": [ { "q": filter, "u": change, "multi": many } ] }
}

/// Which elements an update of an array is about; all of them where nothing tells them apart.
pub(super) fn with_filters(mut command: Document, filters: Option<Document>) -> Document {
    let Some(filters) = filters else { return command };
    let updates = command.get_array_mut("updates").ok();
    if let Some(Bson::Document(update)) = updates.and_then(|updates| updates.first_mut()) {
        if filters.is_empty() {
            if let Ok(change) = update.get_document_mut("u") {
                *change = everywhere(change);
            }
        } else {
            update.insert("arrayFilters", vec![Bson::Document(filters)]);
        }
    }
    command
}

/// `lines.$[].x` for `lines.$[m].x`.
fn everywhere(change: &Document) -> Document {
    let renamed = |fields: &Document| -> Document {
        fields
            .iter()
            .map(|(name, value)| (name.replace(".$[m].", ".$[]."), value.clone()))
            .collect()
    };
    change
        .iter()
        .map(|(operator, fields)| {
            let fields = fields.as_document().map(renamed).unwrap_or_default();
            (operator.clone(), Bson::Document(fields))
        })
        .collect()
}
