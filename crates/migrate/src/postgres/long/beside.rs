//! What a column has besides: indexes, keys and CHECKs, built for the new one beforehand. Foreign
//! keys are in `keys`.

use std::borrow::Cow;

use marula_core::{ConstraintKind, Error, ErrorKind, Index, Relation, RelationKind, Result};
use marula_postgres::sql::{self, quote_ident};
use pg_query::NodeEnum;

use super::around::{comment_on_constraint, comment_on_index};
use super::names::{Names, Turn};
use super::{Place, expression};
use crate::postgres::written;

/// Statements around the swap.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Before it, outside of transactions.
    pub build: Vec<String>,
    /// What takes `build` back, in the same order.
    pub unbuild: Vec<String>,
    /// With it, when names have changed places.
    pub swap: Vec<String>,
    /// Before the swap is taken back, outside of transactions.
    pub back_before: Vec<String>,
    /// What takes `swap` back, when names are as before.
    pub swap_back: Vec<String>,
    /// Behind all of that, when defaults and the like are as before.
    pub swap_back_last: Vec<String>,
    /// When the swap was taken back, outside of transactions.
    pub back_after: Vec<String>,
    /// Other tables that the swap has to do with, quoted.
    pub others: Vec<String>,
    /// What is left to do by hand.
    pub notes: Vec<String>,
}

impl Beside {
    /// What the target has on the old column.
    pub(super) fn of(place: &Place<'_>, turn: &Turn, names: &Names<'_>) -> Result<Beside> {
        let mut beside = Beside::default();
        let Some(relation) = place.catalog.and_then(|catalog| catalog.find(place.table)) else {
            return Ok(beside);
        };
        for index in relation.indexes.iter().filter(|index| touches(index, &turn.old)) {
            beside.index(place, relation, index, turn, names)?;
        }
        for constraint in &relation.constraints {
            if constraint.kind == ConstraintKind::Check && constraint.columns.contains(&turn.old) {
                beside.check(place, constraint, turn, names);
            }
        }
        beside.foreign_keys(place, turn, names)?;
        Ok(beside)
    }

    /// Takes all tables of the swap at once: who waits for one of several while it holds another
    /// meets writers who have them the other way round.
    pub(super) fn lock(&self, place: &Place<'_>) -> Option<String> {
        let others = (!self.others.is_empty()).then(|| self.others.join(", "))?;
        Some(format!("LOCK TABLE {}, {others} IN ACCESS EXCLUSIVE MODE", place.quoted()))
    }

    /// How long a statement waits for a lock. Where it takes several, it gives up before the server
    /// looks for a deadlock, and ends the writer it finds.
    pub(super) fn patience(&self) -> &'static str {
        if self.others.is_empty() { "lock_timeout:2s" } else { "lock_timeout:500ms" }
    }

    fn index(
        &mut self,
        place: &Place<'_>,
        relation: &Relation,
        index: &Index,
        turn: &Turn,
        names: &Names<'_>,
    ) -> Result<()> {
        let no = |what: String, hint: &str| {
            Err(Error::new(ErrorKind::Unsupported, what).at(place.table.to_string()).hint(hint))
        };
        if relation.kind == RelationKind::PartitionedTable {
            return no(
                format!("index {} of a partitioned table has no online form", index.name),
                "drop it in a migration before these; behind the last step make it on each partition, then ATTACH",
            );
        }
        let constraint = relation.constraints.iter().find(|constraint| {
            index.constraint.as_deref() == Some(constraint.name.as_str())
                && constraint.kind != ConstraintKind::ForeignKey
        });
        let excludes = constraint.filter(|constraint| {
            constraint.kind == ConstraintKind::Exclusion
                || constraint.definition.contains("WITHOUT OVERLAPS")
        });
        if let Some(constraint) = excludes {
            let what = format!(
                "constraint {} excludes rows by it, and no such constraint is made while others work on \
                 the table",
                constraint.name
            );
            return no(
                what,
                "drop it in a migration before these, and add it again behind the last step while nobody writes",
            );
        }
        let mut elsewhere = place.around.into_iter().flat_map(|around| &around.elsewhere);
        let space = elsewhere.find(|(own, _)| *own == index.name).map(|(_, space)| space.as_str());
        // A definition says the schema when the session's path does not find it.
        let made = |column: &str, name: &str| {
            let to = turn.to(column);
            expression::with_column(&index.definition, &to)
                .and_then(|definition| renamed_index(&definition, name, space, &to))
        };
        let new = names.object(&index.name, "_new");
        let old = names.object(&index.name, "_old");
        let all = (made(&turn.new, &new), made(&turn.after_old, &old), made(&turn.after_new, &new));
        let (Some(built), Some(built_old), Some(built_new)) = all else {
            self.notes.push(format!("index {} is to be made anew by hand", index.name));
            return Ok(());
        };
        let (table, schema) = (place.quoted(), place.schema());
        let (qnew, qold, now) = (quote_ident(&new), quote_ident(&old), quote_ident(&index.name));
        self.build.push(built);
        self.unbuild.push(format!("DROP INDEX CONCURRENTLY {schema}{qnew}"));
        let mut offices = offices(place, &index.name);
        match constraint {
            Some(constraint) => {
                let word = match constraint.kind {
                    ConstraintKind::PrimaryKey => "PRIMARY KEY",
                    _ => "UNIQUE",
                };
                let later = [" DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"];
                let later = later.into_iter().find(|tail| constraint.definition.ends_with(tail));
                let later = later.unwrap_or_default();
                // The index takes the constraint's name with it.
                let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {now}");
                let add = |index: &str| {
                    format!(
                        "ALTER TABLE {table} ADD CONSTRAINT {now} {word} USING INDEX {index}{later}"
                    )
                };
                self.swap.extend([drop.clone(), add(&qnew)]);
                // The way back finds both as they were before the swap.
                self.back_before.extend([built_old, built_new]);
                self.swap_back.extend([drop, add(&qold)]);
                let own = relation.qualified();
                let said = comment_on_constraint(place, &own, &constraint.name, &table);
                let said: Vec<String> =
                    said.into_iter().chain(comment_on_index(place, &index.name)).collect();
                self.swap.extend(said.iter().cloned());
                self.swap_back.extend(said);
            }
            None => {
                let rename =
                    |from: &str, to: &str| format!("ALTER INDEX {schema}{from} RENAME TO {to}");
                self.swap.extend([rename(&now, &qold), rename(&qnew, &now)]);
                self.swap_back.extend([rename(&now, &qnew), rename(&qold, &now)]);
                self.swap.extend(comment_on_index(place, &index.name));
            }
        }
        self.swap.extend(offices.iter().cloned());
        self.swap_back_last.append(&mut offices);
        Ok(())
    }

    fn check(
        &mut self,
        place: &Place<'_>,
        constraint: &marula_core::Constraint,
        turn: &Turn,
        names: &Names<'_>,
    ) {
        let table = place.quoted();
        let new = names.object(&constraint.name, "_new");
        let old = names.object(&constraint.name, "_old");
        let added = checked(&table, &new, &constraint.definition, &turn.to(&turn.new));
        let Some(added) = added else {
            self.notes.push(format!("{} is to be made anew by hand", constraint.name));
            return;
        };
        let (new, old) = (quote_ident(&new), quote_ident(&old));
        let now = quote_ident(&constraint.name);
        self.build.push(added);
        if constraint.validated {
            self.build.push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {new}"));
        }
        self.unbuild.push(format!("ALTER TABLE {table} DROP CONSTRAINT {new}"));
        let rename =
            |from: &str, to: &str| format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}");
        self.swap.extend([rename(&now, &old), rename(&new, &now)]);
        self.swap_back.extend([rename(&now, &new), rename(&old, &now)]);
        let own = place.catalog.and_then(|catalog| catalog.find(place.table));
        let own = own.map(Relation::qualified).unwrap_or_default();
        self.swap.extend(comment_on_constraint(place, &own, &constraint.name, &table));
        self.notes.push(format!(
            "{} is made for the new column, too: see that its condition suits it",
            constraint.name
        ));
    }
}

/// Whether an index has to do with a column, be it in an expression.
pub(super) fn touches(index: &Index, column: &str) -> bool {
    let said = |text: &str| words(text).any(|word| word == column);
    index.keys.iter().any(|key| match &key.column {
        Some(own) => own == column,
        None => said(&key.expression),
    }) || index.include.iter().any(|own| own == column)
        || index.predicate.as_deref().is_some_and(said)
}

/// What makes an index the one that replicas or CLUSTER go by.
fn offices(place: &Place<'_>, index: &str) -> Vec<String> {
    let Some(around) = place.around else { return Vec::new() };
    let (table, quoted) = (place.quoted(), quote_ident(index));
    let mut all = Vec::new();
    if around.identity_index.as_deref() == Some(index) {
        all.push(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {quoted}"));
    }
    if around.cluster_index.as_deref() == Some(index) {
        all.push(format!("ALTER TABLE {table} CLUSTER ON {quoted}"));
    }
    all
}

/// The names in a text, plain ones and those in quotes.
pub(super) fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let plain = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    plain.filter(|word| !word.is_empty()).map(Cow::Borrowed).chain(quoted(text))
}

/// What stands in double quotes, without them.
fn quoted(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find('"')? + 1;
        let mut end = start;
        loop {
            end += rest[end..].find('"')?;
            if !rest[end + 1..].starts_with('"') {
                break;
            }
            end += 2;
        }
        let name = &rest[start..end];
        rest = &rest[end + 1..];
        Some(match name.contains('"') {
            true => Cow::Owned(name.replace("\"\"", "\"")),
            false => Cow::Borrowed(name),
        })
    })
}

/// An index's definition over other columns, under another name, built concurrently.
fn renamed_index(
    definition: &str,
    name: &str,
    space: Option<&str>,
    new_of: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let statement = sql::parse(definition).ok()?;
    let Some(NodeEnum::IndexStmt(index)) = statement.root() else { return None };
    let mut index = (**index).clone();
    index.idxname = name.to_string();
    index.concurrent = true;
    index.table_space = space.unwrap_or_default().to_string();
    for node in index.index_params.iter_mut().chain(&mut index.index_including_params) {
        if let Some(NodeEnum::IndexElem(element)) = &mut node.node
            && let Some(new) = new_of(&element.name)
        {
            element.name = new;
        }
    }
    written::statement(NodeEnum::IndexStmt(Box::new(index))).ok()
}

/// A CHECK over other columns, not yet validated.
fn checked(
    table: &str,
    name: &str,
    definition: &str,
    new_of: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let definition = definition.trim_end_matches(" NOT VALID");
    let name = quote_ident(name);
    expression::with_column(
        &format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"),
        new_of,
    )
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn names_in_quotes_are_names() {
        let text = r#"("odd name" > 5 AND lower("a""b") = c OR "x-y" = 'it''s "#;
        let found: Vec<_> = words(text).collect();
        for name in ["odd name", "a\"b", "c", "x-y", "lower"] {
            assert!(found.iter().any(|word| word == name), "{name}: {found:?}");
        }
    }
}
