//! What rules share: the vocabulary, and the questions several of them ask.

pub(super) use marula_core::{Blocks, ConstraintKind, MigrationWork as Work, Severity, Version};
pub(super) use pg_query::NodeEnum;
pub(super) use pg_query::protobuf as pb;
pub(super) use pg_query::protobuf::{AlterTableType as At, ConstrType as Kind};

pub(super) use super::super::Lock;
pub(super) use super::super::blocks::body;
pub(super) use super::super::classify::{flag, outside_transaction};
pub(super) use super::super::context::{
    Alter, Context, NewColumn, brief, default_of, has_inline, heavy, inline, locked, name_of,
    strings,
};
pub(super) use super::super::schema::{TableKind, table_key};
pub(super) use super::super::transaction::LockTimeout;
pub(super) use super::super::types::{self, Type, TypeChange};
pub(super) use crate::rule::{Draft, Rule, bad, good, rule};

use marula_postgres::sql;
use pg_query::NodeRef;

use super::super::state::column_names;

/// The tables most examples work on.
macro_rules! shop {
    () => {
        "CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, name varchar(40),
  born timestamp, price numeric(10,2), code char(5), data json, active boolean DEFAULT true);
INSERT INTO users SELECT i, 'u' || i || '@example.org', i % 80, 'user ' || i, now(), i, 'c', '{}'
  FROM generate_series(1, 500) i;
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total numeric(10,2),
  status varchar(20), placed_at timestamptz DEFAULT now());
INSERT INTO orders SELECT i, i % 500 + 1, i, 'paid', now() FROM generate_series(1, 1000) i;"
    };
}
pub(super) use shop;

/// Columns that are added and write every row, of one kind.
pub(super) fn of_kind(context: &Context, kind: NewColumn, what: &str, why: &str) -> Vec<Draft> {
    context
        .new_columns()
        .into_iter()
        .filter(|(_, column)| context.new_column(column) == kind)
        .map(|(add, column)| {
            let title = format!("the new column {}.{} {what}", add.table, column.colname);
            heavy(add.lock, &add.table, Work::Rewrite, title, why)
        })
        .collect()
}

/// A column whose type is changed.
pub(super) struct Retyped<'a> {
    /// Where.
    pub alter: Alter<'a>,
    /// What it takes.
    pub change: TypeChange,
    /// Whether a collation is written.
    pub collated: bool,
    /// Whether the values sort in another way.
    pub resorted: bool,
    /// Whether an index is on the column, when that is known.
    pub indexed: Option<bool>,
    /// Whether a CHECK reads the column.
    pub checked: bool,
    wanted: String,
}

impl Retyped<'_> {
    /// `users.age becomes bigint`.
    pub(super) fn title(&self) -> String {
        format!("{}.{} becomes {}", self.alter.table, self.alter.cmd.name, self.wanted)
    }
}

/// The columns whose type an ALTER TABLE changes.
pub(super) fn retyped(context: &Context) -> Vec<Retyped<'_>> {
    context
        .altered(At::AtAlterColumnType)
        .into_iter()
        .filter_map(|alter| {
            let column = alter.column()?;
            let new = Type::of(column.type_name.as_ref()?);
            let name = alter.cmd.name.clone();
            let old = context.type_of(&alter.table, &name);
            let change = match column.raw_default.as_deref() {
                Some(using) if !only_casts(using, &name, &new) => TypeChange::Rewrite,
                _ => types::change(old, &new, &context.schema),
            };
            let table = context.table(&alter.table);
            let digits: Vec<String> = new.mods.iter().map(ToString::to_string).collect();
            let wanted = match digits.as_slice() {
                [] => new.name.clone(),
                digits => format!("{}({})", new.name, digits.join(",")),
            };
            Some(Retyped {
                change,
                collated: column.coll_clause.is_some(),
                resorted: old.is_some_and(|old| types::sorts_differently(old, &new)),
                indexed: table.and_then(|table| table.indexed(&name)),
                checked: table.is_some_and(|table| {
                    table
                        .constraints
                        .iter()
                        .any(|c| c.kind == ConstraintKind::Check && c.columns.contains(&name))
                }),
                wanted,
                alter,
            })
        })
        .collect()
}

/// Whether USING only casts the column itself.
fn only_casts(using: &pb::Node, column: &str, new: &Type) -> bool {
    match using.node.as_ref() {
        Some(NodeEnum::ColumnRef(of)) => strings(&of.fields).pop().as_deref() == Some(column),
        Some(NodeEnum::TypeCast(cast)) => {
            cast.type_name.as_ref().map(Type::of).as_ref() == Some(new)
                && cast.arg.as_deref().is_some_and(|arg| only_casts(arg, column, new))
        }
        _ => false,
    }
}

/// Whether the table is known to be split in partitions.
pub(super) fn is_partitioned(context: &Context, table: &str) -> bool {
    context.table(table).is_some_and(|table| table.kind == TableKind::Partitioned)
}

/// The names a DROP of that kind drops.
pub(super) fn dropped(context: &Context, kind: pb::ObjectType) -> Vec<String> {
    match context.node() {
        Some(NodeEnum::DropStmt(drop)) if drop.remove_type == kind as i32 => drop
            .objects
            .iter()
            .filter_map(|node| match node.node.as_ref()? {
                NodeEnum::List(list) => Some(name_of(&list.items)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The tables whose triggers, policies or rules a DROP drops.
pub(super) fn owners(drop: &pb::DropStmt) -> Vec<String> {
    drop.objects
        .iter()
        .filter_map(|node| match node.node.as_ref()? {
            NodeEnum::List(list) => list.items.split_last().map(|(_, table)| name_of(table)),
            _ => None,
        })
        .collect()
}

/// A partition that is added.
pub(super) struct AddedPartition {
    /// The partitioned table.
    pub parent: String,
    /// The partition.
    pub partition: String,
    /// Whether it takes the rest.
    pub is_default: bool,
    /// Whether it was a table before.
    pub attached: bool,
}

/// The partitions a statement adds.
pub(super) fn added_partitions(context: &Context) -> Vec<AddedPartition> {
    if let Some(NodeEnum::CreateStmt(create)) = context.node() {
        let Some(bound) = &create.partbound else { return Vec::new() };
        let parent = create.inh_relations.first().and_then(|node| match node.node.as_ref()? {
            NodeEnum::RangeVar(parent) => Some(table_key(parent)),
            _ => None,
        });
        return parent
            .map(|parent| AddedPartition {
                parent,
                partition: create.relation.as_ref().map(table_key).unwrap_or_default(),
                is_default: bound.is_default,
                attached: false,
            })
            .into_iter()
            .collect();
    }
    context
        .altered(At::AtAttachPartition)
        .into_iter()
        .filter_map(|alter| {
            let partition = alter.partition()?;
            Some(AddedPartition {
                partition: partition.name.as_ref().map(table_key)?,
                is_default: partition.bound.as_ref().is_some_and(|bound| bound.is_default),
                parent: alter.table,
                attached: true,
            })
        })
        .collect()
}

/// The table and the name of a statement that runs CONCURRENTLY.
pub(super) fn concurrent(context: &Context) -> Option<(String, &'static str)> {
    match context.node()? {
        NodeEnum::IndexStmt(index) if index.concurrent => {
            Some((index.relation.as_ref().map(table_key)?, "CREATE INDEX"))
        }
        NodeEnum::DropStmt(drop) if drop.concurrent => {
            let index = dropped(context, pb::ObjectType::ObjectIndex).pop()?;
            let table = context.schema.table_of_index(&index).map(|(table, _)| table.clone());
            Some((table.unwrap_or(index), "DROP INDEX"))
        }
        NodeEnum::ReindexStmt(reindex) if flag(&reindex.params, "concurrently") => {
            let what = reindex.relation.as_ref().map(table_key);
            Some((what.unwrap_or_else(|| reindex.name.clone()), "REINDEX"))
        }
        _ => None,
    }
}

/// Whether a condition leaves no row out, but those that have a value already.
pub(super) fn is_everything(condition: Option<&pb::Node>) -> bool {
    match condition.and_then(|node| node.node.as_ref()) {
        None | Some(NodeEnum::NullTest(_)) => true,
        Some(NodeEnum::AConst(constant)) => {
            matches!(&constant.val, Some(pb::a_const::Val::Boolval(is)) if is.boolval)
        }
        _ => false,
    }
}

/// Whether a condition fixes a column that is a key, so that few rows are touched.
pub(super) fn by_key(context: &Context, table: &str, condition: Option<&pb::Node>) -> bool {
    let is_key = |column: &str| {
        column == "id"
            || context.table(table).is_some_and(|table| {
                table.indexes.iter().any(|index| {
                    index.unique && index.columns.first().is_some_and(|first| first == column)
                })
            })
    };
    match condition.and_then(|node| node.node.as_ref()) {
        Some(NodeEnum::AExpr(compare)) => {
            strings(&compare.name).first().is_some_and(|name| name == "=" || name == "BETWEEN")
                && compare
                    .lexpr
                    .as_deref()
                    .is_some_and(|left| column_names(left).iter().any(|name| is_key(name)))
        }
        Some(NodeEnum::BoolExpr(all)) if all.boolop == pb::BoolExprType::AndExpr as i32 => {
            all.args.iter().any(|arg| by_key(context, table, Some(arg)))
        }
        _ => false,
    }
}

/// Whether a query reads a table that was there before, without a limit.
pub(super) fn reads_old(context: &Context, query: &pb::Node) -> bool {
    let Some(node) = query.node.as_ref() else { return false };
    let limited = matches!(node, NodeEnum::SelectStmt(select) if select.limit_count.is_some());
    let mut old = false;
    let _ = sql::walk(node.to_ref(), |node| {
        if let NodeRef::RangeVar(relation) = node {
            old |= !context.is_new(&table_key(relation));
        }
    });
    old && !limited
}

/// A statement's words as they are shown.
pub(super) fn shown(words: &str) -> String {
    words.chars().take(40).collect::<String>().to_uppercase()
}
