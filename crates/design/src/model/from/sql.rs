//! CREATE TABLE statements as a model.

use std::collections::BTreeMap;

use marula_core::model::{Attribute, AttributeType, Entity, Model, OnDelete, Relationship};
use marula_core::{Error, ErrorKind, Marked, Result};
use marula_postgres::access::ast;
use marula_postgres::sql::{Node as Kind, parse_all};
use pg_query::protobuf::{
    AlterTableType, ColumnDef, ConstrType, Constraint, CreateStmt, IndexStmt, TypeName,
};
use pg_query::{Node, NodeEnum};

use super::{finished, kinds, referring};
use crate::model::Made;

/// What was read so far.
#[derive(Default)]
struct Reading {
    entities: Vec<Entity>,
    relations: Vec<Relationship>,
    /// The columns a reference names, by the relation's index; empty: the key.
    referenced: Vec<Vec<String>>,
    enumerations: BTreeMap<String, Vec<String>>,
    notes: Vec<String>,
}

/// A model from a script of CREATE TABLE, ALTER TABLE, CREATE TYPE, CREATE INDEX and COMMENT
/// statements; what else is in it is passed over.
///
/// # Errors
/// `Syntax` with the place; `NotFound` where it makes no tables.
pub fn sql(text: &str, name: &str) -> Result<Made> {
    let text = &without_backslashes(text);
    let statements = parse_all(text).map_err(|error| match error.marked() {
        Some(marked) => {
            let marked = Marked { name: name.into(), ..marked.clone() };
            Error::new(ErrorKind::Syntax, error.message().to_string())
                .mark(marked)
                .hint("the file must be what PostgreSQL takes: pg_dump --schema-only writes such")
        }
        None => error.at(name.to_string()),
    })?;
    let mut reading = Reading::default();
    let roots: Vec<&Kind> = statements.iter().filter_map(|one| one.root()).collect();
    // Types come first, wherever they stand.
    roots.iter().for_each(|root| reading.types(root));
    roots.iter().for_each(|root| reading.tables(root));
    roots.iter().for_each(|root| reading.rest(root));
    let Reading { mut entities, relations, referenced, notes, .. } = reading;
    let mut kept = Vec::new();
    let mut notes = notes;
    for (mut relation, columns) in relations.into_iter().zip(referenced) {
        let key: Vec<String> = entities
            .iter()
            .find(|entity| entity.name == relation.to)
            .map(|one| one.key().iter().map(ToString::to_string).collect())
            .unwrap_or_default();
        if !columns.is_empty() && !key.is_empty() {
            let ordered: Option<Vec<String>> = key
                .iter()
                .map(|key| {
                    let at = columns.iter().position(|name| name == key)?;
                    relation.attributes.get(at).cloned()
                })
                .collect();
            match ordered.filter(|ordered| ordered.len() == columns.len()) {
                Some(ordered) => relation.attributes = ordered,
                None => {
                    notes.push(format!(
                        "the reference of {} to {} is left out: it is not to the key",
                        relation.from, relation.to
                    ));
                    continue;
                }
            }
        }
        kept.push(relation);
    }
    referring(&mut entities, &kept);
    for entity in &mut entities {
        if entity.key == ["id"] {
            entity.key.clear();
        }
    }
    let stem = name.rsplit('/').next().unwrap_or(name).split('.').next().unwrap_or("model");
    let stem = if stem.is_empty() || name == "-" { "model" } else { stem };
    let model = Model { name: stem.into(), entities, relations: kept, ..Model::default() };
    finished(model, name, notes)
}

/// pg_dump writes psql's `\restrict`, and `COPY` brings its data along.
fn without_backslashes(text: &str) -> String {
    let mut data = false;
    let keep = |line: &&str| {
        let trimmed = line.trim_end();
        if data {
            data = trimmed != "\\.";
            return false;
        }
        let upper = trimmed.get(..5).unwrap_or_default().to_uppercase();
        data = upper == "COPY " && trimmed.to_lowercase().ends_with("from stdin;");
        !data && !trimmed.starts_with('\\')
    };
    text.split_inclusive('\n').filter(keep).collect()
}

impl Reading {
    fn types(&mut self, root: &Kind) {
        if let NodeEnum::CreateEnumStmt(create) = root {
            let name = create.type_name.last().and_then(ast::string).unwrap_or_default();
            let values = create.vals.iter().filter_map(ast::string).map(Into::into).collect();
            self.enumerations.insert(name.into(), values);
        }
    }

    fn tables(&mut self, root: &Kind) {
        let NodeEnum::CreateStmt(create) = root else { return };
        let Some(relation) = &create.relation else { return };
        // A partition is no thing of its own.
        if create.partbound.is_some() || self.at(&relation.relname).is_some() {
            return;
        }
        self.entities.push(Entity { name: relation.relname.clone(), ..Entity::default() });
        self.columns(create, &relation.relname);
    }

    fn columns(&mut self, create: &CreateStmt, table: &str) {
        for element in &create.table_elts {
            match &element.node {
                Some(NodeEnum::ColumnDef(column)) => self.column(column, table),
                Some(NodeEnum::Constraint(constraint)) => self.constraint(constraint, table, None),
                _ => {}
            }
        }
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.entities.iter().position(|entity| entity.name == name)
    }

    fn column(&mut self, column: &ColumnDef, table: &str) {
        let Some(at) = self.at(table) else { return };
        let mut attribute = Attribute {
            name: column.colname.clone(),
            required: column.is_not_null,
            ..Attribute::default()
        };
        if let Some(name) = &column.type_name {
            let written = written(name);
            let plain = name.names.last().and_then(ast::string).unwrap_or_default();
            if let Some(values) =
                self.enumerations.get(plain).filter(|_| name.array_bounds.is_empty())
            {
                attribute.kind = AttributeType::Enumeration;
                attribute.values = values.clone();
            } else if !kinds::set(&mut attribute, &written) {
                self.notes.push(format!(
                    "{table}.{} is {written}, which is taken as text",
                    column.colname
                ));
            }
        }
        self.entities[at].attributes.push(attribute);
        for constraint in &column.constraints {
            if let Some(NodeEnum::Constraint(constraint)) = &constraint.node {
                self.constraint(constraint, table, Some(&column.colname));
            }
        }
    }

    fn constraint(&mut self, constraint: &Constraint, table: &str, column: Option<&str>) {
        let Some(at) = self.at(table) else { return };
        let entity = &mut self.entities[at];
        let listed = |nodes: &[Node]| -> Vec<String> {
            match (nodes.is_empty(), column) {
                (true, Some(column)) => vec![column.into()],
                _ => nodes.iter().filter_map(ast::string).map(Into::into).collect(),
            }
        };
        let own = |entity: &mut Entity, set: &dyn Fn(&mut Attribute)| {
            let found = entity.attributes.iter_mut().find(|a| Some(a.name.as_str()) == column);
            if let Some(found) = found {
                set(found);
            }
        };
        match constraint.contype() {
            ConstrType::ConstrPrimary => entity.key = listed(&constraint.keys),
            ConstrType::ConstrUnique => match listed(&constraint.keys).as_slice() {
                [one] => {
                    if let Some(found) = entity.attributes.iter_mut().find(|a| a.name == *one) {
                        found.unique = true;
                    }
                }
                several => entity.unique.push(several.to_vec()),
            },
            ConstrType::ConstrNotnull => own(entity, &|attribute| attribute.required = true),
            ConstrType::ConstrIdentity => own(entity, &|attribute| {
                attribute.kind = AttributeType::Id;
            }),
            ConstrType::ConstrCheck => {
                if let Some(text) = constraint.raw_expr.as_deref().and_then(ast::sql) {
                    entity.checks.push(text);
                }
            }
            ConstrType::ConstrDefault => {
                if let Some(text) = constraint.raw_expr.as_deref().and_then(ast::sql) {
                    own(entity, &|attribute| {
                        attribute.default = kinds::constant(attribute.kind, &text);
                    });
                }
            }
            ConstrType::ConstrForeign => {
                let Some(to) = &constraint.pktable else { return };
                let on_delete = match constraint.fk_del_action.as_str() {
                    "c" => Some(OnDelete::Cascade),
                    "n" => Some(OnDelete::SetNull),
                    "r" => Some(OnDelete::Restrict),
                    _ => None,
                };
                self.relations.push(Relationship {
                    from: table.into(),
                    attributes: listed(&constraint.fk_attrs),
                    to: to.relname.clone(),
                    on_delete,
                    ..Relationship::default()
                });
                let columns = constraint.pk_attrs.iter().filter_map(ast::string);
                self.referenced.push(columns.map(Into::into).collect());
            }
            _ => {}
        }
    }

    fn rest(&mut self, root: &Kind) {
        match root {
            NodeEnum::AlterTableStmt(alter) => {
                let Some(relation) = &alter.relation else { return };
                for command in &alter.cmds {
                    let Some(NodeEnum::AlterTableCmd(command)) = &command.node else { continue };
                    let definition = command.def.as_deref().and_then(|node| node.node.as_ref());
                    match (command.subtype(), definition) {
                        (AlterTableType::AtAddConstraint, Some(NodeEnum::Constraint(one))) => {
                            self.constraint(one, &relation.relname, None);
                        }
                        (AlterTableType::AtAddColumn, Some(NodeEnum::ColumnDef(column))) => {
                            self.column(column, &relation.relname);
                        }
                        // pg_dump makes identities this way.
                        (AlterTableType::AtAddIdentity, _) => {
                            self.identity(&relation.relname, &command.name);
                        }
                        (AlterTableType::AtColumnDefault, Some(value)) => {
                            let node = Node { node: Some(value.clone()) };
                            if ast::sql(&node).is_some_and(|text| text.starts_with("nextval(")) {
                                self.identity(&relation.relname, &command.name);
                            }
                        }
                        _ => {}
                    }
                }
            }
            NodeEnum::IndexStmt(index) if index.unique && index.where_clause.is_none() => {
                self.index(index);
            }
            NodeEnum::CommentStmt(comment) => {
                let names: Vec<&str> = match comment.object.as_deref().map(|object| &object.node) {
                    Some(Some(NodeEnum::List(list))) => {
                        list.items.iter().filter_map(ast::string).collect()
                    }
                    _ => return,
                };
                let note = Some(comment.comment.clone()).filter(|note| !note.is_empty());
                match (comment.objtype(), names.as_slice()) {
                    (pg_query::protobuf::ObjectType::ObjectTable, [.., table]) => {
                        if let Some(at) = self.at(table) {
                            self.entities[at].description = note;
                        }
                    }
                    (pg_query::protobuf::ObjectType::ObjectColumn, [.., table, column]) => {
                        if let Some(at) = self.at(table) {
                            let all = &mut self.entities[at].attributes;
                            if let Some(found) = all.iter_mut().find(|a| a.name == *column) {
                                found.description = note;
                            }
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn identity(&mut self, table: &str, column: &str) {
        let Some(at) = self.at(table) else { return };
        let all = &mut self.entities[at].attributes;
        if let Some(found) = all.iter_mut().find(|attribute| attribute.name == column) {
            found.kind = AttributeType::Id;
        }
    }

    fn index(&mut self, index: &IndexStmt) {
        let Some(at) = index.relation.as_ref().and_then(|table| self.at(&table.relname)) else {
            return;
        };
        let columns: Option<Vec<String>> = index
            .index_params
            .iter()
            .map(|param| match &param.node {
                Some(NodeEnum::IndexElem(element)) if !element.name.is_empty() => {
                    Some(element.name.clone())
                }
                _ => None,
            })
            .collect();
        match columns.as_deref() {
            Some([one]) => {
                let all = &mut self.entities[at].attributes;
                if let Some(found) = all.iter_mut().find(|attribute| attribute.name == *one) {
                    found.unique = true;
                }
            }
            Some(several) if !several.is_empty() => {
                self.entities[at].unique.push(several.to_vec());
            }
            _ => {}
        }
    }
}

/// A type as it was written: `numeric(12,2)`, `text[]`.
fn written(name: &TypeName) -> String {
    let mut text = name.names.last().and_then(ast::string).unwrap_or_default().to_string();
    let arguments: Vec<String> = name.typmods.iter().filter_map(ast::sql).collect();
    if !arguments.is_empty() {
        text += &format!("({})", arguments.join(","));
    }
    if !name.array_bounds.is_empty() {
        text += "[]";
    }
    text
}
