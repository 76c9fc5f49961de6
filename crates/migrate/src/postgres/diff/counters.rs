//! What a column counts with: a sequence it owns, or its identity's. Another one goes on where the
//! old one stood.

use std::collections::BTreeSet;

use marula_postgres::sql::quote_literal;

use super::fate::{Fate, Fates};
use super::kinds::{Sql, bare, number};
use super::model::{Id, Kind, Model, Object};
use super::names;
use super::plan::Planned;
use super::steps::{Builder, Deed};

/// A column that counts with a sequence on one side and as an identity on the other.
pub(super) struct Handed {
    /// The column.
    pub column: Id,
    /// The sequence that it owns on one side.
    pub sequence: Id,
    /// Whether it becomes an identity.
    pub identity: bool,
}

/// The sequence that a column owns and takes its default from.
fn owned<'a>(model: &'a Model, column: &Id) -> Option<&'a Object> {
    let default = model.get(&Id::new(Kind::Default, column.name.clone()))?;
    let own = |id: &&Id| {
        let owner = model.get(&Id::new(Kind::OwnedBy, id.name.clone()));
        id.kind == Kind::Sequence && owner.is_some_and(|own| own.parent.as_ref() == Some(column))
    };
    model.get(default.depends.iter().find(own)?)
}

/// The columns whose count goes over from a sequence to an identity, or back.
pub(super) fn handed(from: &Model, to: &Model, fates: &Fates) -> Vec<Handed> {
    let columns = fates
        .iter()
        .filter(|(id, fate)| id.kind == Kind::Column && matches!(fate, Fate::Alter { .. }));
    let of = |column: &Id| {
        let (old, new) = (from.get(column)?, to.get(column)?);
        let identity = match (old.has("identity"), new.has("identity")) {
            (false, true) => true,
            (true, false) => false,
            _ => return None,
        };
        let sequence = owned(if identity { from } else { to }, column)?.id.clone();
        let goes_over = match fates.get(&sequence)? {
            Fate::Drop => identity,
            Fate::Create => !identity,
            _ => false,
        };
        goes_over.then(|| Handed { column: column.clone(), sequence, identity })
    };
    columns.filter_map(|(id, _)| of(id)).collect()
}

/// Sequences that are owned by the same column on both sides, under another name.
pub(super) fn renamed(from: &Model, to: &Model) -> Vec<Planned> {
    let mut taken: BTreeSet<String> = from
        .objects
        .values()
        .flat_map(|one| [names::taken(one), names::counter(one)])
        .flatten()
        .collect();
    let mut all = Vec::new();
    for column in from.objects.keys().filter(|id| id.kind == Kind::Column) {
        let Some((old, new)) = owned(from, column).zip(owned(to, column)) else { continue };
        let schema = |object: &Object| {
            let name = &object.id.name;
            name.strip_suffix(bare(name)).map(String::from)
        };
        if to.get(&old.id).is_some() || from.get(&new.id).is_some() || schema(old) != schema(new) {
            continue;
        }
        // Who else has the name goes later: the sequence is then made anew, and that is said.
        if names::taken(new).is_some_and(|name| taken.insert(name)) {
            let text = format!("ALTER SEQUENCE {} RENAME TO {}", old.id.name, bare(&new.id.name));
            all.push(Planned { text, otherwise: None, about: old.id.clone() });
        }
    }
    all
}

impl Builder<'_> {
    /// Lets what is counted go over: the old sequence makes room, and is dropped when the new one
    /// has heard where it stands.
    pub(super) fn hand_over(&mut self) {
        for Handed { column, sequence, identity } in handed(self.from, self.to, self.fates) {
            let altered = self.step(Deed::Alter, &column);
            let own = self.step(if identity { Deed::Drop } else { Deed::Create }, &sequence);
            let (Some(altered), Some(own)) = (altered, own) else { continue };
            let (Some(old), Some(new)) = (self.from.get(&column), self.to.get(&column)) else {
                continue;
            };
            let (old, new) = if identity {
                let Some(old) = self.from.get(&sequence) else { continue };
                (counter(old), counter(new))
            } else {
                let Some(new) = self.to.get(&sequence) else { continue };
                (counter(old), counter(new))
            };
            let (Some(old), Some(new)) = (old, new) else { continue };
            let schema = old.0.strip_suffix(bare(&old.0)).unwrap_or_default().trim_end_matches('.');
            let aside = names::aside(schema, bare(&old.0), &mut self.relations);
            let rename = Sql::from(format!("ALTER SEQUENCE {} RENAME TO {aside}", old.0));
            let aside = format!("{schema}.{aside}");
            let set = goes_on(&old, &new, &aside);
            if identity {
                self.steps[own].statements = vec![rename];
                let statements = &mut self.steps[altered].statements;
                let made = statements.iter().position(|sql| sql.text.contains(" AS IDENTITY"));
                let at = made.map_or(statements.len(), |at| at + 1);
                let end = Sql::from(format!("DROP SEQUENCE {aside}"));
                statements.splice(at..at, [set, end]);
                self.handed.push((own, altered));
            } else {
                // An identity that is dropped takes its sequence along, and needs NOT NULL till then.
                let all = std::mem::take(&mut self.steps[altered].statements);
                let ends = |sql: &Sql| {
                    sql.text.ends_with(" DROP IDENTITY") || sql.text.ends_with(" DROP NOT NULL")
                };
                let (ending, mut others): (Vec<Sql>, Vec<Sql>) = all.into_iter().partition(ends);
                others.insert(0, rename);
                self.steps[altered].statements = others;
                self.steps[own].statements.push(set);
                self.steps[own].statements.extend(ending);
                self.handed.push((altered, own));
            }
            // Without its default, and without its identity, nothing counts the column.
            let default = Id::new(Kind::Default, column.name.clone());
            let deed = if identity { Deed::Drop } else { Deed::Create };
            if let Some(default) = self.step(deed, &default) {
                let (first, then) = if identity { (default, own) } else { (own, default) };
                self.handed.push((first, then));
            }
        }
    }
}

/// The name of what a sequence or an identity column counts with, and how it counts.
fn counter(object: &Object) -> Option<(String, String)> {
    if object.id.kind == Kind::Sequence {
        return Some((object.id.name.clone(), object.get("counts").to_string()));
    }
    let (name, counts) = object.get("identity_sequence").split_once('\n')?;
    Some((name.to_string(), counts.to_string()))
}

/// Sets a sequence to where another stands; one that nobody has asked yet begins as it is to begin.
fn goes_on(old: &(String, String), new: &(String, String), aside: &str) -> Sql {
    let least = |counts: &str| number(counts, "MINVALUE").unwrap_or(1);
    let last = match least(&new.1) {
        min if min > least(&old.1) => format!("greatest(last_value, {min})"),
        _ => "last_value".to_string(),
    };
    let start = number(&old.1, "START WITH").unwrap_or(1);
    let name = quote_literal(&new.0);
    format!(
        "SELECT pg_catalog.setval({name}, {last}, is_called) FROM {aside} WHERE is_called OR last_value <> {start}"
    )
    .into()
}
