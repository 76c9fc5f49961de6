//! A partition that proves beforehand that its rows belong, and a default partition that proves
//! that it has none of them: then nothing is read under the lock.

use marula_core::{ConstraintKind, Result};
use marula_postgres::sql::quote_ident;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::write;
use crate::postgres::context::Context;
use crate::postgres::schema::{Split, TableKind, table_key};

/// What is added for the time of the statement, and taken away again.
const SUFFIX: &str = "belongs";

/// ALTER TABLE … ATTACH PARTITION.
pub(super) fn attach(
    context: &Context,
    alter: &pb::AlterTableStmt,
    cmd: &pb::AlterTableCmd,
    partition: &pb::PartitionCmd,
    rules: &[&str],
) -> Result<Option<Vec<String>>> {
    let parent = alter.relation.as_ref().map(table_key).unwrap_or_default();
    let (Some(child), Some(bound)) = (&partition.name, &partition.bound) else { return Ok(None) };
    let Some(condition) = condition(context, &parent, bound)? else { return Ok(None) };
    let mut before = Vec::new();
    let mut after = Vec::new();
    if rules.contains(&"attach-partition") {
        let known = context.table(&table_key(child));
        // Of a table made LIKE another the indexes are not known.
        let bare = context.table(&parent).is_some_and(|table| table.indexes.is_empty());
        let plain =
            known.is_some_and(|table| table.kind == TableKind::Plain && (table.whole || bare));
        if !plain {
            return Ok(None);
        }
        let Some(indexes) = indexes(context, &parent, child) else { return Ok(None) };
        before.extend(indexes);
        let Some(check) = check(context, child, &condition) else { return Ok(None) };
        before.extend(check.before);
        after.push(check.after);
    }
    if rules.contains(&"partition-beside-default") {
        let written = alter.relation.as_ref();
        let Some(check) = of_default(context, &parent, written, &condition) else {
            return Ok(None);
        };
        before.extend(check.before);
        after.push(check.after);
    }
    if before.is_empty() {
        return Ok(None);
    }
    before.push(write::alter(alter, cmd.clone())?);
    before.extend(after);
    Ok(Some(before))
}

/// CREATE TABLE … PARTITION OF beside a default partition.
pub(super) fn create(context: &Context, create: &pb::CreateStmt) -> Result<Option<Vec<String>>> {
    let written = create.inh_relations.first().and_then(|node| match node.node.as_ref() {
        Some(NodeEnum::RangeVar(parent)) => Some(parent),
        _ => None,
    });
    let (Some(parent), Some(bound)) = (written.map(table_key), &create.partbound) else {
        return Ok(None);
    };
    let Some(condition) = condition(context, &parent, bound)? else { return Ok(None) };
    let Some(check) = of_default(context, &parent, written, &condition) else {
        return Ok(None);
    };
    let own = context.statement.text().trim();
    let own = own.get(super::super::files::blank_prefix(own)..).unwrap_or(own);
    let mut all = check.before.to_vec();
    all.push(own.to_string());
    all.push(check.after);
    Ok(Some(all))
}

/// A CHECK that is there for a while.
struct Check {
    before: [String; 2],
    after: String,
}

fn of_default(
    context: &Context,
    parent: &str,
    written: Option<&pb::RangeVar>,
    condition: &str,
) -> Option<Check> {
    let rest = context.schema.default_partition(parent)?;
    // Where names are written in full, this one is, too.
    let bare = match written {
        Some(parent) if !parent.schemaname.is_empty() => "public",
        _ => "",
    };
    let (schema, name) = rest.rsplit_once('.').unwrap_or((bare, rest));
    let relation = pb::RangeVar {
        schemaname: schema.to_string(),
        relname: name.to_string(),
        ..pb::RangeVar::default()
    };
    check(context, &relation, &format!("NOT ({condition})"))
}

fn check(context: &Context, relation: &pb::RangeVar, condition: &str) -> Option<Check> {
    let known = context.table(&table_key(relation));
    let free = |name: &String| {
        !known.is_some_and(|table| table.constraints.iter().any(|c| c.name == *name))
    };
    let first = format!("{}_{SUFFIX}", relation.relname);
    let name = (0..100)
        .map(|n| if n == 0 { first.clone() } else { format!("{first}{n}") })
        .find(free)
        .and_then(write::short)?;
    let (table, name) = (write::table(relation), quote_ident(&name));
    Some(Check {
        before: [
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"),
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"),
        ],
        after: format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
    })
}

/// What rows within the bound fulfil, written as the server writes it for itself: only then it sees
/// that nothing has to be read.
fn condition(
    context: &Context,
    parent: &str,
    bound: &pb::PartitionBoundSpec,
) -> Result<Option<String>> {
    let split = context.table(parent).and_then(|table| table.split.clone());
    let Some(Split { by_list, column }) = split.filter(|_| !bound.is_default) else {
        return Ok(None);
    };
    let column = quote_ident(&column);
    let mut parts = vec![format!("{column} IS NOT NULL")];
    if by_list {
        let values: Vec<String> =
            bound.listdatums.iter().map(write::expression).collect::<Result<_>>()?;
        if values.is_empty() || values.iter().any(|value| value.eq_ignore_ascii_case("null")) {
            return Ok(None);
        }
        parts.push(match values.as_slice() {
            [one] => format!("{column} = {one}"),
            all => format!("{column} IN ({})", all.join(", ")),
        });
        return Ok(Some(parts.join(" AND ")));
    }
    for (datums, operator, open) in
        [(&bound.lowerdatums, ">=", "minvalue"), (&bound.upperdatums, "<", "maxvalue")]
    {
        let [one] = datums.as_slice() else { return Ok(None) };
        let value = write::expression(one)?;
        if !value.eq_ignore_ascii_case(open) {
            parts.push(format!("{column} {operator} {value}"));
        }
    }
    Ok(Some(parts.join(" AND ")))
}

/// The indexes the parent has and the partition lacks, built beforehand under the names the server
/// would choose; `None` where one is not plain enough to be written here.
fn indexes(context: &Context, parent: &str, child: &pb::RangeVar) -> Option<Vec<String>> {
    let (parent, known) = (context.table(parent)?, context.table(&table_key(child))?);
    let table = write::table(child);
    let mut all = Vec::new();
    for index in &parent.indexes {
        if known.indexes.iter().any(|own| own.columns == index.columns) {
            continue;
        }
        if !index.plain {
            return None;
        }
        let columns = write::names(&index.columns);
        let joined = index.columns.join("_");
        let constraint = parent.constraints.iter().find(|c| c.name == index.name);
        let word = constraint.and_then(|constraint| match constraint.kind {
            ConstraintKind::PrimaryKey => Some(("PRIMARY KEY", "pkey".to_string())),
            ConstraintKind::Unique => Some(("UNIQUE", format!("{joined}_key"))),
            _ => None,
        });
        let unique = if index.unique { "UNIQUE " } else { "" };
        let suffix = word.as_ref().map_or_else(|| format!("{joined}_idx"), |(_, s)| s.clone());
        let name = write::short(format!("{}_{suffix}", child.relname))?;
        let taken = known.indexes.iter().any(|own| own.name == name);
        // A primary key wants its columns NOT NULL first, which may have to be shown.
        let filled = index.columns.iter().all(|column| known.filled(column));
        if taken || (matches!(word, Some(("PRIMARY KEY", _))) && !filled) {
            return None;
        }
        let name = quote_ident(&name);
        all.push(format!("CREATE {unique}INDEX CONCURRENTLY {name} ON {table} ({columns})"));
        if let Some((word, _)) = word {
            all.push(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {name}"
            ));
        }
    }
    Some(all)
}
