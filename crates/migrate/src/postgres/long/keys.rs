//! Foreign keys from the column and to it. One is made for the new column beforehand, and validated
//! while all go on, so that there is no moment without one.

use marula_core::{Constraint, ConstraintKind, Error, ErrorKind, Relation, RelationKind, Result};
use marula_postgres::sql::{self, quote_ident, quote_qualified};
use pg_query::NodeEnum;

use super::Place;
use super::around::comment_on_constraint;
use super::beside::Beside;
use super::names::{Names, Turn};
use crate::postgres::written;

/// A foreign key that has to do with the column.
struct Key<'a> {
    relation: &'a Relation,
    constraint: &'a Constraint,
    /// Whether the column refers, and whether it is referred to.
    from: bool,
    to: bool,
    /// Its table, quoted.
    table: String,
}

/// A column of another table that refers to the one that is changed.
#[derive(Debug, Clone)]
pub struct Referring {
    /// The foreign key.
    pub constraint: String,
    /// Its table and column, as commands take it.
    pub column: String,
    /// The column's type.
    pub data_type: String,
}

/// Columns that refer to one of the table's by foreign keys.
pub(super) fn referring(place: &Place<'_>, column: &str) -> Vec<Referring> {
    let turn = Turn::kept(column, column);
    let mut all = Vec::new();
    for key in of(place, &turn).iter().filter(|key| key.to) {
        let pairs = key.constraint.columns.iter().zip(&key.constraint.referenced_columns);
        for (own, _) in pairs.filter(|(_, referred)| *referred == column) {
            let Some(known) = key.relation.column(own) else { continue };
            let catalog = place.catalog;
            let plain = catalog.and_then(|catalog| catalog.find(&key.relation.name));
            let bare = plain.is_some_and(|found| found.qualified() == key.relation.qualified());
            let table = if bare { key.relation.name.clone() } else { key.relation.qualified() };
            all.push(Referring {
                constraint: key.constraint.name.clone(),
                column: format!("{table}.{own}"),
                data_type: known.type_name.clone(),
            });
        }
    }
    all
}

/// The foreign keys that have to do with the column, without those that come from a partitioned
/// table to its partitions.
fn of<'a>(place: &Place<'a>, turn: &Turn) -> Vec<Key<'a>> {
    let Some((catalog, relation)) =
        place.catalog.and_then(|catalog| Some((catalog, catalog.find(place.table)?)))
    else {
        return Vec::new();
    };
    let own = relation.qualified();
    let mut keys = Vec::new();
    for other in &catalog.relations {
        for constraint in &other.constraints {
            if constraint.kind != ConstraintKind::ForeignKey || inherited(place, other, constraint)
            {
                continue;
            }
            let ours = other.qualified() == own;
            let from = ours && constraint.columns.contains(&turn.old);
            let to = constraint.references.as_deref() == Some(own.as_str())
                && constraint.referenced_columns.contains(&turn.old);
            if !from && !to {
                continue;
            }
            let table = match (ours, other.schema == relation.schema) {
                (true, _) => place.quoted(),
                (false, true) => place.schema() + &quote_ident(&other.name),
                (false, false) => quote_qualified(&other.schema, &other.name),
            };
            keys.push(Key { relation: other, constraint, from, to, table });
        }
    }
    keys
}

/// Whether a partition has it from the table it belongs to.
fn inherited(place: &Place<'_>, relation: &Relation, constraint: &Constraint) -> bool {
    let parent = relation.partition_bound.as_ref().and(relation.partition_of.as_deref());
    let parent = parent.and_then(|parent| place.catalog?.find(parent));
    parent.is_some_and(|parent| {
        parent.constraints.iter().any(|own| {
            own.kind == ConstraintKind::ForeignKey
                && own.columns == constraint.columns
                && own.references == constraint.references
                && own.referenced_columns == constraint.referenced_columns
        })
    })
}

/// The partitions of a table, and theirs.
fn parts<'a>(place: &Place<'a>, relation: &'a Relation) -> Vec<&'a Relation> {
    let own = relation.qualified();
    let all = place.catalog.into_iter().flat_map(|catalog| &catalog.relations);
    let direct = all.filter(|one| one.partition_of.as_deref() == Some(own.as_str()));
    direct.flat_map(|part| std::iter::once(part).chain(parts(place, part))).collect()
}

/// The tables that hold the rows of a partitioned table.
fn leaves<'a>(place: &Place<'a>, relation: &'a Relation) -> Vec<&'a Relation> {
    let mut all = parts(place, relation);
    all.retain(|part| part.partition_key.is_none());
    all
}

impl Key<'_> {
    /// The foreign key over other columns, under another name.
    fn made(
        &self,
        place: &Place<'_>,
        turn: &Turn,
        column: &str,
        name: &str,
    ) -> Result<Vec<String>> {
        let definition = self.constraint.definition.trim_end_matches(" NOT VALID");
        let name = quote_ident(name);
        let text = |table: &str, tail: &str| {
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{tail}")
        };
        let over = |text: String| self.over(&text, turn, column).ok_or_else(|| self.refused(place));
        let validate = |table: &str| format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
        let validated = self.constraint.validated;
        if self.relation.kind == RelationKind::PartitionedTable {
            // Each partition gets its own, and that of all takes them in without a look at a row.
            let mut all = Vec::new();
            for leaf in leaves(place, self.relation) {
                if leaf.kind == RelationKind::ForeignTable {
                    return Err(self.refused(place));
                }
                let table = match leaf.schema == self.relation.schema && place.schema().is_empty() {
                    true => quote_ident(&leaf.name),
                    false => quote_qualified(&leaf.schema, &leaf.name),
                };
                all.push(over(text(&table, " NOT VALID"))?);
                all.push(validate(&table));
            }
            all.push(over(text(&self.table, ""))?);
            return Ok(all);
        }
        let mut all = vec![over(text(&self.table, " NOT VALID"))?];
        if validated {
            all.push(validate(&self.table));
        }
        Ok(all)
    }

    fn over(&self, text: &str, turn: &Turn, column: &str) -> Option<String> {
        let statement = sql::parse(text).ok()?;
        let Some(NodeEnum::AlterTableStmt(alter)) = statement.root() else { return None };
        let mut alter = alter.clone();
        for node in &mut alter.cmds {
            let Some(NodeEnum::AlterTableCmd(cmd)) = &mut node.node else { return None };
            let def = cmd.def.as_mut().and_then(|def| def.node.as_mut());
            let Some(NodeEnum::Constraint(constraint)) = def else { return None };
            let replace = |list: &mut Vec<pg_query::protobuf::Node>| {
                for node in list {
                    if let Some(NodeEnum::String(name)) = &mut node.node
                        && name.sval == turn.old
                    {
                        name.sval = column.to_string();
                    }
                }
            };
            if self.from {
                replace(&mut constraint.fk_attrs);
                // ON DELETE SET NULL (column)
                replace(&mut constraint.fk_del_set_cols);
            }
            if self.to {
                replace(&mut constraint.pk_attrs);
            }
        }
        written::statement(NodeEnum::AlterTableStmt(alter)).ok()
    }

    /// The parts' own constraints that belong to it: table, quoted, and name. What renames that of
    /// all leaves theirs as they are.
    fn parts(&self, place: &Place<'_>) -> Vec<(String, String)> {
        if self.relation.kind != RelationKind::PartitionedTable {
            return Vec::new();
        }
        let own = |leaf: &Relation| {
            let mut all = leaf.constraints.iter();
            let found = all.find(|one| {
                one.kind == ConstraintKind::ForeignKey
                    && one.columns == self.constraint.columns
                    && one.references == self.constraint.references
                    && one.referenced_columns == self.constraint.referenced_columns
            });
            found.map(|found| (quote_qualified(&leaf.schema, &leaf.name), found.name.clone()))
        };
        parts(place, self.relation).into_iter().filter_map(own).collect()
    }

    fn refused(&self, place: &Place<'_>) -> Error {
        let what = format!(
            "the foreign key {} of {} cannot be made for the new column",
            self.constraint.name, self.relation.name
        );
        Error::new(ErrorKind::Unsupported, what)
            .at(place.table.to_string())
            .hint("drop it in a migration before these, and make it again behind the last step: marula migrate add-foreign-key")
    }
}

fn renamed(table: &str, from: &str, to: &str) -> String {
    let (from, to) = (quote_ident(from), quote_ident(to));
    format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}")
}

impl Beside {
    /// The foreign keys that have to do with the column.
    pub(super) fn foreign_keys(
        &mut self,
        place: &Place<'_>,
        turn: &Turn,
        names: &Names<'_>,
    ) -> Result<()> {
        // The keys' own constraints come behind: what refers to them lets go first.
        let (mut swap, mut swap_back) = (Vec::new(), Vec::new());
        for key in of(place, turn) {
            let name = &key.constraint.name;
            let new = names.object(name, "_new");
            let old = names.object(name, "_old");
            let table = &key.table;
            let rename = |from: &str, to: &str| renamed(table, from, to);
            let parts = key.parts(place);
            let drop =
                |name: &str| format!("ALTER TABLE {table} DROP CONSTRAINT {}", quote_ident(name));
            let made = key.made(place, turn, &turn.new, &new)?;
            self.build.extend(made.iter().cloned());
            self.unbuild.push(drop(&new));
            let said = comment_on_constraint(place, &key.relation.qualified(), name, table);
            if key.to && *table != place.quoted() && !self.others.contains(table) {
                self.others.push(table.clone());
            }
            if key.to {
                swap.extend([drop(name), rename(&new, name)]);
                self.back_before.extend(key.made(place, turn, &turn.after_old, &old)?);
                swap_back.extend([drop(name), rename(&old, name)]);
                swap.extend(parts.iter().map(|(part, name)| renamed(part, &new, name)));
                swap_back.extend(parts.iter().map(|(part, name)| renamed(part, &old, name)));
                self.back_after.extend(made);
                swap_back.extend(said.clone());
            } else {
                swap.extend([rename(name, &old), rename(&new, name)]);
                swap_back.extend([rename(name, &new), rename(&old, name)]);
                for (part, name) in &parts {
                    swap.extend([renamed(part, name, &old), renamed(part, &new, name)]);
                    swap_back.extend([renamed(part, name, &new), renamed(part, &old, name)]);
                }
            }
            swap.extend(said);
        }
        self.swap.splice(0..0, swap);
        self.swap_back.splice(0..0, swap_back);
        Ok(())
    }
}
