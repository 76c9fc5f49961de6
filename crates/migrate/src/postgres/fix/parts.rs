//! Indexes, keys and foreign keys of partitioned tables: each partition gets its own while all go on,
//! and the one of the whole takes them in.

use std::cell::RefCell;

use marula_core::{ConstraintKind, Result};
use marula_postgres::sql::{quote_ident, quote_literal};
use pb::AlterTableType as At;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::constraint::Place;
use super::write;
use crate::postgres::context::{Context, strings};
use crate::postgres::schema::{Index, TableKind, table_key};

/// A partitioned table in a statement.
struct Parted<'a> {
    context: &'a Context,
    /// How the statement writes its name.
    written: &'a pb::RangeVar,
    /// Names that were given on the way.
    given: &'a RefCell<Vec<String>>,
}

/// One table on the way down.
struct Part {
    key: String,
    relation: pb::RangeVar,
    split: bool,
}

impl Parted<'_> {
    /// The table itself.
    fn whole(&self) -> Part {
        Part { key: table_key(self.written), relation: self.written.clone(), split: true }
    }

    /// The partitions right below a table.
    fn below(&self, part: &Part) -> Vec<Part> {
        // Where names are written in full, these are, too.
        let bare = if self.written.schemaname.is_empty() { "" } else { "public" };
        let all = self.context.schema.partitions(&part.key);
        all.into_iter()
            .map(|key| {
                let (schema, name) = key.rsplit_once('.').unwrap_or((bare, key));
                let relation = pb::RangeVar {
                    schemaname: schema.to_string(),
                    relname: name.to_string(),
                    inh: true,
                    relpersistence: "p".into(),
                    ..pb::RangeVar::default()
                };
                let table = self.context.table(key);
                let split = table.is_some_and(|table| table.kind == TableKind::Partitioned);
                Part { key: key.clone(), relation, split }
            })
            .collect()
    }

    /// The name the server would choose for an index of a table.
    fn name(&self, part: &Part, addition: &str) -> Option<String> {
        let first = format!("{}_{addition}", part.relation.relname);
        write::free(self.context, &part.key, &first, self.given)
    }
}

/// A name beside a table, in its schema.
fn beside(part: &Part, name: &str) -> String {
    let schema = &part.relation.schemaname;
    match schema.as_str() {
        "" => quote_ident(name),
        schema => format!("{}.{}", quote_ident(schema), quote_ident(name)),
    }
}

fn attach(whole: (&Part, &str), part: (&Part, &str)) -> String {
    let (whole, part) = (beside(whole.0, whole.1), beside(part.0, part.1));
    format!("ALTER INDEX {whole} ATTACH PARTITION {part}")
}

/// Fails where a partition that was not known has none, so that the whole is none.
fn complete(whole: &Part, name: &str) -> String {
    let index = quote_literal(&beside(whole, name));
    let table = quote_literal(&write::table(&whole.relation));
    format!(
        "DO $parts$
DECLARE
  lacking text;
BEGIN
  SELECT string_agg(t.relid::text, ', ') INTO lacking FROM pg_partition_tree({table}) t
   WHERE NOT EXISTS (SELECT FROM pg_partition_tree({index}) i JOIN pg_index x ON x.indexrelid = i.relid
                      WHERE x.indrelid = t.relid);
  IF lacking IS NOT NULL THEN
    RAISE EXCEPTION 'these have no part of the index: %', lacking
      USING HINT = 'CREATE INDEX CONCURRENTLY on each, then ALTER INDEX … ATTACH PARTITION';
  END IF;
END
$parts$"
    )
}

/// An index on a partitioned table.
pub(super) fn index(context: &Context, index: &pb::IndexStmt) -> Result<Option<Vec<String>>> {
    let Some(written) = &index.relation else { return Ok(None) };
    if !written.inh || index.if_not_exists || index.concurrent {
        return Ok(None);
    }
    let Some(words) = words(index) else { return Ok(None) };
    let given = RefCell::new(Vec::new());
    let parted = Parted { context, written, given: &given };
    let whole = parted.whole();
    let addition = format!("{}_idx", words.join("_"));
    let name = match index.idxname.as_str() {
        "" => parted.name(&whole, &addition),
        name => Some(name.to_string()),
    };
    let Some(name) = name else { return Ok(None) };
    given.borrow_mut().push(name.clone());
    // One of the parts that is there may be taken in by the server, or belong to another.
    let same = |own: &&Index| own.columns == words;
    if context.table(&whole.key).is_some_and(|table| table.indexes.iter().any(|one| same(&one))) {
        return Ok(None);
    }
    let mut all = Vec::new();
    let made = |part: &Part, name: &str| {
        let relation = pb::RangeVar { inh: !part.split, ..part.relation.clone() };
        write::statement(NodeEnum::IndexStmt(Box::new(pb::IndexStmt {
            idxname: name.to_string(),
            relation: Some(relation),
            concurrent: !part.split,
            ..index.clone()
        })))
    };
    all.push(made(&whole, &name)?);
    let mut open = vec![(whole, name.clone())];
    while let Some((above, above_name)) = open.pop() {
        for part in parted.below(&above) {
            let own = context.table(&part.key);
            let there = own.and_then(|table| table.indexes.iter().find(same));
            let taken = there.filter(|own| own.plain && own.unique == index.unique && !part.split);
            if there.is_some() && (taken.is_none() || !plain(index)) {
                return Ok(None);
            }
            let name = match taken {
                Some(there) => there.name.clone(),
                None => {
                    let Some(name) = parted.name(&part, &addition) else { return Ok(None) };
                    all.push(made(&part, &name)?);
                    name
                }
            };
            all.push(attach((&above, &above_name), (&part, &name)));
            if part.split {
                open.push((part, name));
            }
        }
    }
    all.push(complete(&parted.whole(), &name));
    Ok(Some(all))
}

/// What the server calls the parts of an index after; `None` where that is not certain.
fn words(index: &pb::IndexStmt) -> Option<Vec<String>> {
    let params = index.index_params.iter().chain(&index.index_including_params);
    let words: Option<Vec<String>> = params
        .map(|node| match node.node.as_ref()? {
            NodeEnum::IndexElem(element) => match element.expr.as_deref() {
                None => Some(element.name.clone()),
                Some(expression) => match expression.node.as_ref()? {
                    NodeEnum::FuncCall(call) => strings(&call.funcname).pop(),
                    _ => None,
                },
            },
            _ => None,
        })
        .collect();
    let words = words?;
    let mut once = words.clone();
    once.sort();
    once.dedup();
    (once.len() == words.len()).then_some(words)
}

fn plain(index: &pb::IndexStmt) -> bool {
    use pb::{SortByDir as Order, SortByNulls as Nulls};
    matches!(index.access_method.as_str(), "" | "btree")
        && index.where_clause.is_none()
        && index.index_including_params.is_empty()
        && !index.nulls_not_distinct
        && index.index_params.iter().all(|node| match node.node.as_ref() {
            Some(NodeEnum::IndexElem(element)) => {
                element.expr.is_none()
                    && element.opclass.is_empty()
                    && element.collation.is_empty()
                    && element.ordering != Order::SortbyDesc as i32
                    && element.nulls_ordering != Nulls::SortbyNullsFirst as i32
            }
            _ => false,
        })
}

/// A unique constraint or primary key of a partitioned table: `columns` as they are written behind
/// the word, with INCLUDE and the like, `tail` what is behind all.
pub(super) fn key(
    place: &Place<'_>,
    name: &str,
    keys: &[String],
    primary: bool,
    columns: &str,
    tail: &str,
) -> Option<Vec<String>> {
    let parted = Parted { context: place.context, written: place.relation, given: place.given };
    let whole = parted.whole();
    let word = if primary { "PRIMARY KEY" } else { "UNIQUE" };
    let addition = if primary { "pkey".to_string() } else { format!("{}_key", keys.join("_")) };
    let alone = |part: &Part, name: &str| {
        let (table, name) = (write::table(&part.relation), quote_ident(name));
        format!("ALTER TABLE ONLY {table} ADD CONSTRAINT {name} {word} {columns}{tail}")
    };
    let mut all = vec![alone(&whole, name)];
    let mut open = vec![(whole, name.to_string())];
    while let Some((above, above_name)) = open.pop() {
        for part in parted.below(&above) {
            let known = place.context.table(&part.key);
            let has = known.is_some_and(|table| {
                let constraint = table
                    .constraints
                    .iter()
                    .any(|own| primary && own.kind == ConstraintKind::PrimaryKey);
                constraint || table.indexes.iter().any(|own| own.unique && own.columns == keys)
            });
            if has {
                return None;
            }
            let own = parted.name(&part, &addition)?;
            let (table, quoted) = (write::table(&part.relation), quote_ident(&own));
            if part.split {
                all.push(alone(&part, &own));
            } else {
                all.push(format!("CREATE UNIQUE INDEX CONCURRENTLY {quoted} ON {table} {columns}"));
                all.push(format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {quoted} {word} USING INDEX {quoted}{tail}"
                ));
            }
            all.push(attach((&above, &above_name), (&part, &own)));
            if part.split {
                open.push((part, own));
            }
        }
    }
    all.push(complete(&parted.whole(), name));
    Some(all)
}

/// A foreign key of a partitioned table: each leaf gets its own in two steps, and that of the whole
/// takes them in without a look at a row.
pub(super) fn foreign(
    place: &Place<'_>,
    constraint: &pb::Constraint,
    name: &str,
) -> Result<Option<Vec<String>>> {
    let parted = Parted { context: place.context, written: place.relation, given: place.given };
    let mut all = Vec::new();
    let add = |part: &Part, later: bool| {
        let mut own = constraint.clone();
        own.conname = name.to_string();
        own.skip_validation = later;
        own.initially_valid = !later;
        let node = pb::Node { node: Some(NodeEnum::Constraint(Box::new(own))) };
        let cmd = pb::AlterTableCmd {
            subtype: At::AtAddConstraint as i32,
            def: Some(Box::new(node)),
            behavior: pb::DropBehavior::DropRestrict as i32,
            ..pb::AlterTableCmd::default()
        };
        let alter =
            pb::AlterTableStmt { relation: Some(part.relation.clone()), ..place.alter.clone() };
        write::alter(&alter, cmd)
    };
    let mut open = vec![parted.whole()];
    while let Some(above) = open.pop() {
        for part in parted.below(&above) {
            if part.split {
                open.push(part);
                continue;
            }
            let known = place.context.table(&part.key);
            if known.is_some_and(|table| table.constraints.iter().any(|own| own.name == name)) {
                return Ok(None);
            }
            all.push(add(&part, true)?);
            let (table, name) = (write::table(&part.relation), quote_ident(name));
            all.push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"));
        }
    }
    all.push(add(&parted.whole(), false)?);
    Ok(Some(all))
}
