//! A new column alone, and afterwards what was written with it.

use marula_core::Result;
use marula_postgres::sql::quote_ident;
use pb::AlterTableType as At;
use pb::ConstrType as Kind;
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::constraint::{Place, not_null};
use super::write;
use crate::postgres::context::{NewColumn, default_of, has_inline, inline, strings};

/// Rows in one batch of a backfill.
const BATCH: u32 = 10_000;

/// What ends the loop of a backfill that is written here: it may be begun anew at any time.
pub(crate) const LAST_PASS: &str = "EXIT WHEN marula_at = '(0,0)'";

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
    if volatile && !default_of(column).is_some_and(never_null) {
        return Ok(None);
    }
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
    // By place, so that no batch reads again what the ones before it have read; a pass that finds
    // nothing more is the last. Others may have moved a row behind us.
    let fill = format!(
        "DO $fill$
DECLARE
  marula_at tid := '(0,0)';
  marula_to tid;
BEGIN
  LOOP
    SELECT max(place) INTO marula_to FROM (
      SELECT ctid AS place FROM {table} WHERE ctid > marula_at AND {name} IS NULL LIMIT {BATCH}
    ) AS batch;
    IF marula_to IS NULL THEN
      {LAST_PASS};
      marula_at := '(0,0)';
      CONTINUE;
    END IF;
    UPDATE {table} SET {name} = DEFAULT
     WHERE ctid > marula_at AND ctid <= marula_to AND {name} IS NULL;
    marula_at := marula_to;
    COMMIT;
    PERFORM pg_sleep(0.02);
  END LOOP;
END
$fill$"
    );
    Ok(vec![set, fill])
}

/// Whether a default gives a value for every row, as far as is known: what it leaves NULL would be
/// filled again and again.
fn never_null(expression: &pb::Node) -> bool {
    let all = |nodes: &[pb::Node]| nodes.iter().all(never_null);
    let one = |node: &Option<Box<pb::Node>>| node.as_deref().is_some_and(never_null);
    match expression.node.as_ref() {
        Some(NodeEnum::AConst(constant)) => !constant.isnull,
        Some(NodeEnum::SqlvalueFunction(_)) => true,
        Some(NodeEnum::TypeCast(cast)) => one(&cast.arg),
        Some(NodeEnum::CoalesceExpr(coalesce)) => coalesce.args.iter().any(never_null),
        Some(NodeEnum::FuncCall(call)) => {
            let name = strings(&call.funcname).pop().unwrap_or_default();
            FILLS.contains(&name.as_str()) && all(&call.args)
        }
        Some(NodeEnum::AExpr(expression)) => {
            let operator = strings(&expression.name).pop().unwrap_or_default();
            expression.kind == pb::AExprKind::AexprOp as i32
                && ["+", "-", "*", "/", "%", "||"].contains(&operator.as_str())
                && expression.lexpr.as_deref().is_none_or(never_null)
                && one(&expression.rexpr)
        }
        _ => false,
    }
}

/// Functions that give a value for every value.
const FILLS: &[&str] = &[
    "abs",
    "ceil",
    "clock_timestamp",
    "date_part",
    "date_trunc",
    "encode",
    "extract",
    "floor",
    "gen_random_bytes",
    "gen_random_uuid",
    "hashtext",
    "left",
    "lower",
    "md5",
    "nextval",
    "now",
    "random",
    "replace",
    "right",
    "round",
    "sha256",
    "statement_timestamp",
    "substr",
    "substring",
    "timeofday",
    "transaction_timestamp",
    "trunc",
    "upper",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
];
