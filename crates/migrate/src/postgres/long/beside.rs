//! What a column has besides: indexes, keys and foreign keys, built for the new one beforehand.

use marula_core::{ConstraintKind, Error, ErrorKind, RelationKind, Result};
use marula_postgres::sql::{self, quote_ident};
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::{Place, expression, short};

/// Statements around the swap.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Before it, outside of transactions.
    pub build: Vec<String>,
    /// What takes `build` back, in the same order.
    pub unbuild: Vec<String>,
    /// With it.
    pub swap: Vec<String>,
    /// What takes `swap` back, in the same order.
    pub swap_back: Vec<String>,
    /// Behind all of that, when columns are NOT NULL again.
    pub swap_back_last: Vec<String>,
    /// What is left to do by hand.
    pub notes: Vec<String>,
}

impl Beside {
    /// What the target has on the old columns; `names` are old and new ones. `swap` runs when names
    /// have changed places, `swap_back` when they are as before.
    pub(super) fn of(place: &Place<'_>, names: &[(&str, &str)]) -> Result<Beside> {
        let mut beside = Beside::default();
        let Some((catalog, relation)) =
            place.catalog.and_then(|catalog| Some((catalog, catalog.find(place.table)?)))
        else {
            return Ok(beside);
        };
        let table = place.quoted();
        let new_of = |column: &str| {
            names.iter().find(|(old, _)| *old == column).map(|(_, new)| (*new).to_string())
        };
        let listed = |columns: &[String], new: bool| {
            let of = |column: &String| {
                let new = new_of(column).filter(|_| new);
                quote_ident(new.as_deref().unwrap_or(column))
            };
            columns.iter().map(of).collect::<Vec<_>>().join(", ")
        };
        let own = relation.qualified();
        for index in &relation.indexes {
            let touches =
                index.keys.iter().any(|key| {
                    key.column.as_deref().is_some_and(|column| new_of(column).is_some())
                }) || index.include.iter().any(|column| new_of(column).is_some());
            let said =
                |text: &str| names.iter().any(|(old, _)| words(text).any(|word| word == *old));
            let inside = index.keys.iter().any(|key| key.column.is_none() && said(&key.expression))
                || index.predicate.as_deref().is_some_and(said);
            if !touches && !inside {
                continue;
            }
            if relation.kind == RelationKind::PartitionedTable {
                let what =
                    format!("index {} of a partitioned table has no online form", index.name);
                return Err(Error::new(ErrorKind::Unsupported, what)
                    .at(place.table.to_string())
                    .hint("drop it in a migration before these; behind the last step make it on each partition, then ATTACH"));
            }
            let name = short(&format!("{}_new", index.name));
            let built = expression::with_column(&index.definition, &new_of)
                .and_then(|definition| renamed_index(&definition, &name, &new_of));
            let Some(built) = built else {
                beside.notes.push(format!("index {} is to be made anew by hand", index.name));
                continue;
            };
            let schema = place.schema();
            let (quoted, before) =
                (quote_ident(&name), quote_ident(&short(&format!("{}_old", index.name))));
            let now = quote_ident(&index.name);
            beside.build.push(built);
            beside.unbuild.push(format!("DROP INDEX CONCURRENTLY {schema}{quoted}"));
            let offices = offices(place, &index.name);
            beside.swap_back_last.extend(offices.iter().cloned());
            let constraint = relation.constraints.iter().find(|constraint| {
                matches!(constraint.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique)
                    && constraint.name == index.name
            });
            match constraint {
                Some(constraint) => {
                    let referring = catalog.relations.iter().flat_map(|relation| {
                        relation.constraints.iter().map(move |constraint| (relation, constraint))
                    });
                    let used: Vec<String> = referring
                        .filter(|(_, other)| {
                            other.references.as_deref() == Some(own.as_str())
                                && other.referenced_columns == constraint.columns
                        })
                        .map(|(relation, other)| format!("{} of {}", other.name, relation.name))
                        .collect();
                    if !used.is_empty() {
                        let what = format!(
                            "foreign keys refer to {}: {}",
                            constraint.name,
                            used.join(", ")
                        );
                        return Err(Error::new(ErrorKind::Unsupported, what)
                            .at(place.table.to_string())
                            .hint("drop them first, change both columns, and make them again"));
                    }
                    let word = if constraint.kind == ConstraintKind::PrimaryKey {
                        "PRIMARY KEY"
                    } else {
                        "UNIQUE"
                    };
                    // The index takes the constraint's name with it.
                    beside.swap.push(format!("ALTER TABLE {table} DROP CONSTRAINT {now}"));
                    beside.swap.push(format!(
                        "ALTER TABLE {table} ADD CONSTRAINT {now} {word} USING INDEX {quoted}"
                    ));
                    beside.notes.push(format!(
                        "taking the swap back builds {} anew, which keeps writers out as long as it \
                         takes",
                        constraint.name
                    ));
                    // In reverse: what is taken back runs from the last to the first.
                    let (old, new) =
                        (listed(&constraint.columns, false), listed(&constraint.columns, true));
                    beside
                        .swap_back
                        .push(format!("ALTER TABLE {table} ADD CONSTRAINT {now} {word} ({old})"));
                    beside
                        .swap_back
                        .push(format!("CREATE UNIQUE INDEX {quoted} ON {table} ({new})"));
                    beside.swap_back.push(format!("ALTER TABLE {table} DROP CONSTRAINT {now}"));
                }
                None => {
                    beside.swap.push(format!("ALTER INDEX {schema}{now} RENAME TO {before}"));
                    beside.swap.push(format!("ALTER INDEX {schema}{quoted} RENAME TO {now}"));
                    beside.swap_back.push(format!("ALTER INDEX {schema}{before} RENAME TO {now}"));
                    beside.swap_back.push(format!("ALTER INDEX {schema}{now} RENAME TO {quoted}"));
                }
            }
            beside.swap.extend(offices);
        }
        for constraint in &relation.constraints {
            let touches = constraint.columns.iter().any(|column| new_of(column).is_some());
            match constraint.kind {
                ConstraintKind::ForeignKey if touches => {
                    let name = short(&format!("{}_new", constraint.name));
                    let Some(added) = renamed_key(&table, &name, &constraint.definition, &new_of)
                    else {
                        beside
                            .notes
                            .push(format!("{} is to be made anew by hand", constraint.name));
                        continue;
                    };
                    let (quoted, now) = (quote_ident(&name), quote_ident(&constraint.name));
                    let before = quote_ident(&short(&format!("{}_old", constraint.name)));
                    beside.build.push(added);
                    if constraint.validated {
                        beside
                            .build
                            .push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {quoted}"));
                    }
                    beside.unbuild.push(format!("ALTER TABLE {table} DROP CONSTRAINT {quoted}"));
                    let rename = |from: &str, to: &str| {
                        format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}")
                    };
                    beside.swap.push(rename(&now, &before));
                    beside.swap.push(rename(&quoted, &now));
                    beside.swap_back.push(rename(&before, &now));
                    beside.swap_back.push(rename(&now, &quoted));
                }
                ConstraintKind::Check if touches => {
                    let (now, name) =
                        (&constraint.name, short(&format!("{}_new", constraint.name)));
                    let added = checked(&table, &name, &constraint.definition, &new_of);
                    let Some(added) = added else {
                        beside.notes.push(format!("{now} is to be made anew by hand"));
                        continue;
                    };
                    let (quoted, now) = (quote_ident(&name), quote_ident(now));
                    let before = quote_ident(&short(&format!("{}_old", constraint.name)));
                    beside.build.push(added);
                    if constraint.validated {
                        beside
                            .build
                            .push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {quoted}"));
                    }
                    beside.unbuild.push(format!("ALTER TABLE {table} DROP CONSTRAINT {quoted}"));
                    let rename = |from: &str, to: &str| {
                        format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}")
                    };
                    beside.swap.push(rename(&now, &before));
                    beside.swap.push(rename(&quoted, &now));
                    beside.swap_back.push(rename(&before, &now));
                    beside.swap_back.push(rename(&now, &quoted));
                    beside.notes.push(format!(
                        "{} is made for the new column, too: see that its condition suits it",
                        constraint.name
                    ));
                }
                ConstraintKind::Exclusion if touches => {
                    beside.notes.push(format!(
                        "constraint {} goes with the old column: make it anew by hand before the \
                         last step",
                        constraint.name
                    ));
                }
                _ => {}
            }
        }
        Ok(beside)
    }
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

/// The names in a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// An index's definition over other columns, under another name, built concurrently.
fn renamed_index(
    definition: &str,
    name: &str,
    new_of: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let statement = sql::parse(definition).ok()?;
    let Some(NodeEnum::IndexStmt(index)) = statement.root() else { return None };
    let mut index = (**index).clone();
    index.idxname = name.to_string();
    index.concurrent = true;
    for node in index.index_params.iter_mut().chain(&mut index.index_including_params) {
        if let Some(NodeEnum::IndexElem(element)) = &mut node.node
            && let Some(new) = new_of(&element.name)
        {
            element.name = new;
        }
    }
    deparse(NodeEnum::IndexStmt(Box::new(index)))
}

/// A foreign key over other columns, not yet validated.
fn renamed_key(
    table: &str,
    name: &str,
    definition: &str,
    new_of: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let definition = definition.trim_end_matches(" NOT VALID");
    let name = quote_ident(name);
    let text = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID");
    let statement = sql::parse(&text).ok()?;
    let Some(NodeEnum::AlterTableStmt(alter)) = statement.root() else { return None };
    let mut alter = alter.clone();
    for node in &mut alter.cmds {
        let Some(NodeEnum::AlterTableCmd(cmd)) = &mut node.node else { return None };
        let def = cmd.def.as_mut().and_then(|def| def.node.as_mut());
        let Some(NodeEnum::Constraint(constraint)) = def else { return None };
        for column in &mut constraint.fk_attrs {
            if let Some(NodeEnum::String(column)) = &mut column.node
                && let Some(new) = new_of(&column.sval)
            {
                column.sval = new;
            }
        }
    }
    deparse(NodeEnum::AlterTableStmt(alter))
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

pub(super) fn deparse(node: NodeEnum) -> Option<String> {
    let raw = pb::RawStmt {
        stmt: Some(Box::new(pb::Node { node: Some(node) })),
        stmt_location: 0,
        stmt_len: 0,
    };
    sql::deparse(&pb::ParseResult { version: 180_000, stmts: vec![raw] }).ok()
}
