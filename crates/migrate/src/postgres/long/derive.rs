//! Columns split and merged.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::sql::quote_ident;

use super::beside::Beside;
use super::carry::Carried;
use super::identity::identity_of;
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
    depend::refuse(place, &names)?;
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
    stages.push(dual.verify(&[], &Beside::default())?);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    if backs.is_empty() {
        // From here on the new columns are written by themselves.
        up.push(dual.stopped());
        down.push(dual.function(true));
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
