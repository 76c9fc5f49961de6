//! Another name for a column.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::sql::quote_ident;

use super::beside::Beside;
use super::carry::Carried;
use super::filled::Filled;
use super::identity::{counts_on, identity_of};
use super::names::{Names, Turn};
use super::trigger::Dual;
use super::{Derived, LongChange, Place, SWITCH, UNKNOWN, depend, file, taken_back, told};

/// Another name for a column, in five steps: statements with the old and with the new name work
/// from the first step to before the last.
///
/// # Errors
/// As [`super::change_type`].
pub fn rename_column(
    place: &Place<'_>,
    column: &str,
    new: &str,
    data_type: Option<&str>,
) -> Result<LongChange> {
    let known = place.column(column)?;
    let Some(data_type) =
        known.as_ref().map(|column| column.type_name.as_str()).or(data_type).map(String::from)
    else {
        return Err(Error::new(ErrorKind::Usage, "the column's type is not known")
            .hint("name the target with --target, or give the type with --type"));
    };
    depend::whole(place, &[column])?;
    depend::free(place, new)?;
    let views = depend::carried(place, column, new)?;
    let carried = Carried::renamed(place, column, new)?;
    let collation = known.as_ref().and_then(|column| column.collation.clone());
    let expression = quote_ident(column);
    let derived = Derived { name: new.into(), data_type, expression, collation };
    let names = Names::new(place);
    let turn = Turn::kept(column, new);
    let beside = Beside::of(place, &turn, &names)?;
    depend::keyed(place)?;
    let default = known.as_ref().and_then(|column| column.default.clone());
    let olds = [(column.to_string(), default.clone())];
    let backs = [(column.to_string(), quote_ident(new))];
    let identity = known.as_ref().and_then(identity_of);
    let dual = Dual::new(place, &olds, std::slice::from_ref(&derived), &backs);
    let dual = dual.counted(identity.is_some());
    let not_null = known.as_ref().is_some_and(|column| column.not_null);
    let filled = match not_null {
        true => Filled::of(place, &turn, &names),
        false => Filled::default(),
    };
    let verify = dual.verify(&filled, &beside)?;
    let mut stages = vec![dual.expand(&carried)?, dual.backfill()?, verify];
    let (table, quoted, qnew) = (place.quoted(), quote_ident(column), quote_ident(new));
    // Switch: the new column has the say over defaults and NULL.
    let undefaulted = Dual::new(place, &[(column.to_string(), None)], &[derived], &backs);
    let mut up: Vec<String> = beside.lock(place).into_iter().collect();
    up.push(undefaulted.function(true));
    let mut down = vec![dual.function(true)];
    if let Some(default) = &default {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} DROP DEFAULT"));
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {qnew} SET DEFAULT {default}"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {qnew} DROP DEFAULT"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {default}"));
    }
    for sequence in place.sequences(column, default.as_deref()) {
        up.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{qnew}"));
        down.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted}"));
    }
    if let Some(kind) = identity {
        up.push(counts_on(&table, column, new, kind));
    }
    up.extend(beside.swap.iter().chain(&filled.swap).cloned());
    let lock = beside.lock(place);
    let first = lock.iter().chain(&filled.back).chain(&beside.swap_back);
    down.splice(0..0, first.cloned().collect::<Vec<_>>());
    if let Some(kind) = identity {
        down.push(counts_on(&table, new, column, kind));
    }
    up.extend(carried.swap.iter().cloned());
    down.extend(beside.swap_back_last.iter().chain(&carried.swap_back).cloned());
    for (over_new, over_old) in views {
        up.push(over_new);
        down.push(over_old);
    }
    let before = beside.back_before.iter().chain(&filled.back_before).cloned().collect();
    let (options, down) = taken_back(&beside, before, down);
    stages.push(file("switch", SWITCH, beside.patience(), &up, Some((&options, &down)))?);
    stages.push(dual.contract(&[column.to_string()], &carried)?);
    let mut notes = beside.notes;
    notes.extend(told(place, &carried));
    if known.is_none() {
        notes.push(UNKNOWN.into());
    }
    Ok(LongChange { stages, notes })
}
