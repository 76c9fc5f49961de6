//! Constraints in two steps: added without looking at the rows, then validated; or on an index that
//! is built beforehand.

use std::cell::RefCell;

use marula_core::Result;
use marula_postgres::sql::quote_ident;
use pb::AlterTableType as At;
use pb::ConstrType as Kind;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::statement::columns;
use super::{parts, write};
use crate::postgres::context::Context;
use crate::postgres::schema::TableKind;

/// The ALTER TABLE a part stands in.
pub(super) struct Place<'a> {
    /// The statement where it stands.
    pub context: &'a Context,
    /// The ALTER TABLE.
    pub alter: &'a pb::AlterTableStmt,
    /// Its table.
    pub relation: &'a pb::RangeVar,
    /// Its table, as it is looked up.
    pub key: &'a str,
    /// The names its parts have given so far.
    pub given: &'a RefCell<Vec<String>>,
}

impl Place<'_> {
    fn table(&self) -> String {
        write::table(self.relation)
    }

    fn partitioned(&self) -> bool {
        self.context.table(self.key).is_some_and(|table| table.kind == TableKind::Partitioned)
    }

    /// A name for a constraint: the given one, or the one the server would choose.
    pub(super) fn name(&self, given: &str, own: &[String], suffix: &str) -> Option<String> {
        if !given.is_empty() {
            self.given.borrow_mut().push(given.to_string());
            return Some(given.to_string());
        }
        let mut parts = vec![self.relation.relname.clone()];
        parts.extend(own.iter().cloned());
        parts.push(suffix.to_string());
        let first = parts.join("_");
        write::free(self.context, self.key, &first, self.given)
    }

    /// A constraint added NOT VALID, then validated.
    pub(super) fn in_two_steps(
        &self,
        constraint: &pb::Constraint,
        name: &str,
    ) -> Result<Vec<String>> {
        let mut later = constraint.clone();
        later.conname = name.to_string();
        later.skip_validation = true;
        later.initially_valid = false;
        let node = pb::Node { node: Some(NodeEnum::Constraint(Box::new(later))) };
        let cmd = pb::AlterTableCmd {
            subtype: At::AtAddConstraint as i32,
            def: Some(Box::new(node)),
            behavior: pb::DropBehavior::DropRestrict as i32,
            ..pb::AlterTableCmd::default()
        };
        Ok(vec![write::alter(self.alter, cmd)?, self.validate(name)])
    }

    fn validate(&self, name: &str) -> String {
        format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", self.table(), quote_ident(name))
    }

    /// A unique constraint or primary key on an index that is built beforehand.
    pub(super) fn on_an_index(
        &self,
        constraint: &pb::Constraint,
        keys: &[String],
        primary: bool,
    ) -> Option<Vec<String>> {
        let plain = constraint.options.is_empty()
            && constraint.indexspace.is_empty()
            && !constraint.without_overlaps;
        if !plain || keys.is_empty() || self.partitioned() && !self.relation.inh {
            return None;
        }
        let name = if primary {
            self.name(&constraint.conname, &[], "pkey")?
        } else {
            self.name(&constraint.conname, keys, "key")?
        };
        let (table, quoted) = (self.table(), quote_ident(&name));
        let include = match columns(&constraint.including).as_slice() {
            [] => String::new(),
            more => format!(" INCLUDE ({})", write::names(more)),
        };
        let nulls = if constraint.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
        let mut all = Vec::new();
        if primary {
            for column in keys {
                let filled = self.context.table(self.key).is_some_and(|table| table.filled(column));
                if !filled {
                    all.extend(not_null(self, column)?);
                }
            }
        }
        let columns = format!("({}){include}{nulls}", write::names(keys));
        let word = if primary { "PRIMARY KEY" } else { "UNIQUE" };
        let deferred = match (constraint.deferrable, constraint.initdeferred) {
            (_, true) => " DEFERRABLE INITIALLY DEFERRED",
            (true, false) => " DEFERRABLE",
            _ => "",
        };
        if self.partitioned() {
            // As a constraint it says NULLS NOT DISTINCT before its columns, as an index behind them.
            if !nulls.is_empty() {
                return None;
            }
            all.extend(parts::key(self, &name, keys, primary, &columns, deferred)?);
            return Some(all);
        }
        all.push(format!("CREATE UNIQUE INDEX CONCURRENTLY {quoted} ON {table} {columns}"));
        all.push(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {quoted} {word} USING INDEX {quoted}{deferred}"
        ));
        Some(all)
    }
}

/// The safe form of ADD CONSTRAINT.
pub(super) fn safe(place: &Place<'_>, constraint: &pb::Constraint) -> Result<Option<Vec<String>>> {
    let validated = !constraint.skip_validation && constraint.is_enforced;
    Ok(match Kind::try_from(constraint.contype) {
        Ok(Kind::ConstrCheck) if validated => {
            let mut read = constraint
                .raw_expr
                .as_deref()
                .map(crate::postgres::state_columns)
                .unwrap_or_default();
            read.sort();
            read.dedup();
            let own: &[String] = if read.len() == 1 { &read } else { &[] };
            match place.name(&constraint.conname, own, "check") {
                Some(name) => Some(place.in_two_steps(constraint, &name)?),
                None => None,
            }
        }
        Ok(Kind::ConstrForeign) if validated => {
            let own = columns(&constraint.fk_attrs);
            if place.partitioned() && place.context.version.major < 18 {
                let Some(name) = place.name(&constraint.conname, &own, "fkey") else {
                    return Ok(None);
                };
                return parts::foreign(place, constraint, &name);
            }
            match place.name(&constraint.conname, &own, "fkey") {
                Some(name) => Some(place.in_two_steps(constraint, &name)?),
                None => None,
            }
        }
        Ok(Kind::ConstrNotnull) if !constraint.skip_validation => {
            let own = columns(&constraint.keys);
            match place.name(&constraint.conname, &own, "not_null") {
                Some(name) => Some(place.in_two_steps(constraint, &name)?),
                None => None,
            }
        }
        Ok(Kind::ConstrUnique) if constraint.indexname.is_empty() => {
            place.on_an_index(constraint, &columns(&constraint.keys), false)
        }
        Ok(Kind::ConstrPrimary) if constraint.indexname.is_empty() => {
            place.on_an_index(constraint, &columns(&constraint.keys), true)
        }
        Ok(Kind::ConstrPrimary) => {
            // The index is there; its columns may be NULL.
            let table = place.context.table(place.key);
            let index = table.and_then(|table| {
                table.indexes.iter().find(|index| index.name == constraint.indexname)
            });
            let Some((table, index)) = table.zip(index) else { return Ok(None) };
            let mut all = Vec::new();
            for column in index.columns.iter().filter(|column| !table.filled(column)) {
                match not_null(place, column) {
                    Some(steps) => all.extend(steps),
                    None => return Ok(None),
                }
            }
            if all.is_empty() {
                return Ok(None);
            }
            let node = pb::Node { node: Some(NodeEnum::Constraint(Box::new(constraint.clone()))) };
            let cmd = pb::AlterTableCmd {
                subtype: At::AtAddConstraint as i32,
                def: Some(Box::new(node)),
                behavior: pb::DropBehavior::DropRestrict as i32,
                ..pb::AlterTableCmd::default()
            };
            all.push(write::alter(place.alter, cmd)?);
            Some(all)
        }
        _ => None,
    })
}

/// NOT NULL by way of a constraint that is validated without keeping anybody out.
pub(super) fn not_null(place: &Place<'_>, column: &str) -> Option<Vec<String>> {
    let own = [column.to_string()];
    let (table, quoted) = (place.table(), quote_ident(column));
    if place.context.version.major >= 18 {
        let name = place.name("", &own, "not_null")?;
        let constraint = quote_ident(&name);
        return Some(vec![
            format!("ALTER TABLE {table} ADD CONSTRAINT {constraint} NOT NULL {quoted} NOT VALID"),
            place.validate(&name),
        ]);
    }
    if place.context.version.major < 12 {
        return None;
    }
    let name = place.name("", &own, "filled")?;
    let constraint = quote_ident(&name);
    Some(vec![
        format!(
            "ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({quoted} IS NOT NULL) NOT VALID"
        ),
        place.validate(&name),
        format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET NOT NULL"),
        format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}"),
    ])
}
