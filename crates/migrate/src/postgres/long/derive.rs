//! Columns split and merged.

use marula_core::{ConstraintKind, Error, ErrorKind, Result};
use marula_postgres::sql::quote_ident;

use super::beside::{Beside, touches};
use super::carry::Carried;
use super::filled::Filled;
use super::identity::identity_of;
use super::keys::referring;
use super::trigger::Dual;
use super::{Derived, LongChange, Place, SWITCH, UNKNOWN, depend, file, told};

/// Columns made from others: one split into several, or several merged into one. With `backs`
/// (old column, expression over the new ones) what is written to the new columns reaches the old
/// ones, too, until the last step.
///
/// # Errors
/// As [`super::change_type`].
pub fn derive(
    place: &Place<'_>,
    olds: &[String],
    news: &[Derived],
    backs: &[(String, String)],
) -> Result<LongChange> {
    let names: Vec<&str> = olds.iter().map(String::as_str).collect();
    depend::whole(place, &names)?;
    depend::keyed(place)?;
    depend::refuse(place, &names)?;
    for new in news {
        depend::free(place, &new.name)?;
    }
    let goes = with_them(place, olds)?;
    let carried = Carried::split(place, &names)?;
    let mut from = Vec::new();
    let mut required = Vec::new();
    for old in olds {
        let known = place.column(old)?;
        if known.as_ref().and_then(identity_of).is_some() {
            let what = format!("{}.{old} counts by itself (identity)", place.table);
            return Err(Error::new(ErrorKind::Unsupported, what)
                .hint("ALTER TABLE … ALTER COLUMN … DROP IDENTITY in a migration before these"));
        }
        if known.as_ref().is_some_and(|column| column.not_null) {
            required.push(old.clone());
        }
        from.push((old.clone(), known.and_then(|column| column.default)));
    }
    let dual = Dual::new(place, &from, news, backs);
    let table = place.quoted();
    let mut stages = vec![dual.expand(&carried)?, dual.backfill()?];
    stages.push(dual.verify(&Filled::default(), &Beside::default())?);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    if backs.is_empty() {
        // From here on the new columns are written by themselves.
        up.push(dual.stopped());
        down.push(dual.strict());
    }
    for old in &required {
        let old = quote_ident(old);
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {old} DROP NOT NULL"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {old} SET NOT NULL"));
    }
    if !up.is_empty() {
        let how = Some(("lock_timeout:2s", down.as_slice()));
        stages.push(file("switch", SWITCH, "lock_timeout:2s", &up, how)?);
    }
    stages.push(dual.contract(olds, &carried)?);
    let mut notes = told(place, &carried);
    if !goes.is_empty() {
        notes.push(format!(
            "these go with the old columns, and nothing is made for the new ones: {}",
            goes.join(", ")
        ));
    }
    if place.catalog.is_none() {
        notes.push(UNKNOWN.into());
    }
    if backs.is_empty() {
        notes.push(
            "without --back the new columns follow the old ones until the switch, and the old \
             ones are left as they are after it"
                .into(),
        );
    }
    Ok(LongChange { stages, notes })
}

/// The indexes and constraints that go with columns; fails where foreign keys refer to one.
fn with_them(place: &Place<'_>, olds: &[String]) -> Result<Vec<String>> {
    let others: Vec<String> = olds
        .iter()
        .flat_map(|old| referring(place, old))
        .map(|other| format!("{} ({})", other.constraint, other.column))
        .collect();
    if !others.is_empty() {
        let what = format!("foreign keys refer to a column that goes: {}", others.join(", "));
        return Err(Error::new(ErrorKind::Unsupported, what)
            .at(place.table.to_string())
            .hint("drop them in a migration before these"));
    }
    let table = place.catalog.and_then(|catalog| catalog.find(place.table));
    let Some(table) = table else { return Ok(Vec::new()) };
    let over = |columns: &[String]| columns.iter().any(|column| olds.contains(column));
    let constraints = table
        .constraints
        .iter()
        .filter(|one| one.kind != ConstraintKind::NotNull && over(&one.columns));
    let mut all: Vec<String> =
        constraints.map(|constraint| format!("constraint {}", constraint.name)).collect();
    let free = table.indexes.iter().filter(|index| index.constraint.is_none());
    let indexes = free.filter(|index| olds.iter().any(|old| touches(index, old)));
    all.extend(indexes.map(|index| format!("index {}", index.name)));
    Ok(all)
}
