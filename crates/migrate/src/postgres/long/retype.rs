//! Another type for a column.

use marula_core::Result;
use marula_postgres::sql::quote_ident;

use super::beside::Beside;
use super::carry::Carried;
use super::identity::{counts_on, identity_of};
use super::trigger::Dual;
use super::{Derived, LongChange, Place, UNKNOWN, depend, file, short, told};

const SWAP: &str = "The new column gets the old one's name. Statements read and write the new type \
                    from here on: deploy what understands both before. It runs when it is named (apply --to).";

/// Another type for a column, in five steps. `using` is an expression over the column, when a
/// cast is not what is wanted; `back` leads to the old type, so that the swap can be taken back.
///
/// # Errors
/// `NotFound` for a column the target does not have, `Unsupported` for one that foreign keys of
/// others refer to or that views and generated columns read, `Syntax` when a type or expression makes no SQL.
pub fn change_type(
    place: &Place<'_>,
    column: &str,
    data_type: &str,
    using: Option<&str>,
    back: Option<&str>,
) -> Result<LongChange> {
    let known = place.column(column)?;
    depend::whole(place, &[column])?;
    depend::refuse(place, &[column])?;
    let new = short(&format!("{column}_new"));
    let old = short(&format!("{column}_old"));
    let (table, quoted) = (place.quoted(), quote_ident(column));
    let expression = using.map_or_else(|| format!("{quoted}::{data_type}"), String::from);
    let derived =
        Derived { name: new.clone(), data_type: data_type.into(), expression, collation: None };
    let beside = Beside::of(place, &[(column, &new)])?;
    let carried = Carried::same_name(place, column, &new);
    let dual = Dual::new(place, &[(column.to_string(), None)], std::slice::from_ref(&derived), &[]);
    let (qnew, qold) = (quote_ident(&new), quote_ident(&old));
    let mut stages = vec![dual.expand(&carried)?, dual.backfill()?];
    let not_null = known.as_ref().is_some_and(|column| column.not_null);
    let filled: &[String] = if not_null { std::slice::from_ref(&new) } else { &[] };
    stages.push(dual.verify(filled, &beside)?);
    // Swap: names change places; what is written to the new column is kept in the old one.
    let old_type = known.as_ref().map(|column| column.type_name.clone());
    let backwards = match (back, &old_type) {
        (Some(back), _) => Some(back.to_string()),
        (None, Some(kind)) => Some(format!("{quoted}::{kind}")),
        (None, None) => None,
    };
    let default = known.as_ref().and_then(|column| column.default.clone());
    let mut up = vec![
        format!("ALTER TABLE {table} RENAME COLUMN {quoted} TO {qold}"),
        format!("ALTER TABLE {table} RENAME COLUMN {qnew} TO {quoted}"),
    ];
    let mut down = vec![
        format!("ALTER TABLE {table} RENAME COLUMN {quoted} TO {qnew}"),
        format!("ALTER TABLE {table} RENAME COLUMN {qold} TO {quoted}"),
    ];
    up.push(match &backwards {
        Some(expression) => dual.reversed(column, &old, expression),
        None => dual.stopped(),
    });
    down.push(dual.function(true));
    let identity = known.as_ref().and_then(identity_of);
    if let Some(kind) = identity {
        up.push(counts_on(&table, &old, column, kind));
    }
    // A key's columns cannot be NULL: the key moves first.
    up.extend(beside.swap.iter().cloned());
    down.extend(beside.swap_back.iter().rev().cloned());
    if not_null {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {qold} DROP NOT NULL"));
    }
    if let Some(default) = &default {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {qold} DROP DEFAULT"));
        let counted = default.contains("nextval(");
        let cast = if counted { default.clone() } else { format!("({default})::{data_type}") };
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {cast}"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {qnew} DROP DEFAULT"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {default}"));
        if counted && let Some(sequence) = default.split('\'').nth(1) {
            up.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted}"));
            if ["bigint", "int8", "integer", "int"].contains(&data_type.to_lowercase().as_str()) {
                up.push(format!("ALTER SEQUENCE {sequence} AS {data_type}"));
            }
            down.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted}"));
        }
    }
    if not_null {
        // Rows written meanwhile may have had no value of the old type.
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET NOT NULL"));
    }
    if let Some(kind) = identity {
        down.push(counts_on(&table, &new, column, kind));
    }
    up.extend(carried.swap.iter().cloned());
    down.extend(beside.swap_back_last.iter().chain(&carried.swap_back).cloned());
    stages.push(file(
        "swap",
        SWAP,
        "lock_timeout:2s hold:true",
        &up,
        Some(("lock_timeout:2s", &down)),
    )?);
    stages.push(dual.contract(&[old], &carried)?);
    let mut notes = beside.notes;
    notes.extend(told(place, &carried));
    if known.is_none() {
        notes.push(UNKNOWN.into());
    }
    if backwards.is_none() {
        notes.push(
            "after the swap the old column is no longer kept up to date: its type is not known; \
             give --target or --back"
                .into(),
        );
    }
    Ok(LongChange { stages, notes })
}
