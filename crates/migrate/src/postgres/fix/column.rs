//! A new column alone, and afterwards what was written with it.

use marula_core::Result;
use marula_postgres::sql::quote_ident;
use pb::AlterTableType as At;
use pb::ConstrType as Kind;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::constraint::{Place, not_null};
use super::write;
use crate::postgres::context::{NewColumn, default_of, has_inline, inline};

/// Rows in one batch of a backfill.
const BATCH: u32 = 10_000;

/// The safe form of ADD COLUMN.
pub(super) fn safe(
    place: &Place<'_>,
    cmd: &pb::AlterTableCmd,
    column: &pb::ColumnDef,
) -> Result<Option<Vec<String>>> {
    let kind = place.context.new_column(column);
    let volatile = kind == NewColumn::Volatile;
    if !volatile && kind != NewColumn::Plain && kind != NewColumn::Virtual {
        return Ok(None);
    }
    let foreign_reads = has_inline(column, Kind::ConstrDefault);
    let later = |constraint: &pb::Constraint| match Kind::try_from(constraint.contype) {
        Ok(Kind::ConstrCheck | Kind::ConstrUnique) => true,
        Ok(Kind::ConstrForeign) => foreign_reads,
        Ok(Kind::ConstrDefault | Kind::ConstrNotnull) => volatile,
        _ => false,
    };
    if has_inline(column, Kind::ConstrPrimary) || !inline(column).any(later) {
        return Ok(None);
    }
    let mut alone = column.clone();
    alone.constraints.retain(|node| match node.node.as_ref() {
        Some(NodeEnum::Constraint(constraint)) => !later(constraint),
        _ => true,
    });
    let mut add = cmd.clone();
    add.def = Some(Box::new(pb::Node { node: Some(NodeEnum::ColumnDef(Box::new(alone))) }));
    let mut all = vec![write::alter(place.alter, add)?];
    if volatile && let Some(default) = default_of(column) {
        all.extend(filled_later(place, column, default)?);
        if has_inline(column, Kind::ConstrNotnull) {
            match not_null(place, &column.colname) {
                Some(steps) => all.extend(steps),
                None => return Ok(None),
            }
        }
    }
    let own = [column.colname.clone()];
    for constraint in inline(column).filter(|constraint| later(constraint)) {
        match Kind::try_from(constraint.contype) {
            Ok(Kind::ConstrCheck) => match place.name(&constraint.conname, &own, "check") {
                Some(name) => all.extend(place.in_two_steps(constraint, &name)?),
                None => return Ok(None),
            },
            Ok(Kind::ConstrForeign) => match place.name(&constraint.conname, &own, "fkey") {
                Some(name) => {
                    let mut foreign = constraint.clone();
                    let key = pb::String { sval: column.colname.clone() };
                    foreign.fk_attrs = vec![pb::Node { node: Some(NodeEnum::String(key)) }];
                    all.extend(place.in_two_steps(&foreign, &name)?);
                }
                None => return Ok(None),
            },
            Ok(Kind::ConstrUnique) => match place.on_an_index(constraint, &own, false) {
                Some(steps) => all.extend(steps),
                None => return Ok(None),
            },
            _ => {}
        }
    }
    Ok(Some(all))
}

/// The default for rows to come, and the rows that are there in batches of their own transactions.
fn filled_later(
    place: &Place<'_>,
    column: &pb::ColumnDef,
    default: &pb::Node,
) -> Result<Vec<String>> {
    let cmd = pb::AlterTableCmd {
        subtype: At::AtColumnDefault as i32,
        name: column.colname.clone(),
        def: Some(Box::new(default.clone())),
        behavior: pb::DropBehavior::DropRestrict as i32,
        ..pb::AlterTableCmd::default()
    };
    let set = write::alter(place.alter, cmd)?;
    let (table, name) = (write::table(place.relation), quote_ident(&column.colname));
    let fill = format!(
        "DO $fill$\nBEGIN\n  LOOP\n    UPDATE {table} SET {name} = DEFAULT\n     WHERE ctid = ANY \
         (ARRAY(SELECT ctid FROM {table} WHERE {name} IS NULL LIMIT {BATCH}));\n    EXIT WHEN NOT \
         FOUND;\n    COMMIT;\n  END LOOP;\nEND\n$fill$"
    );
    Ok(vec![set, fill])
}
