//! NOT NULL of the new column, and of the old one when it comes back, without a full read under a
//! lock that keeps others out.

use marula_core::ConstraintKind;
use marula_postgres::sql::quote_ident;

use super::Place;
use super::names::{Names, Turn};

/// Statements of the steps.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// With the keys that are built beforehand, and what takes it back.
    pub build: Vec<String>,
    pub unbuild: Vec<String>,
    /// When the new column has taken the old one's place and its keys.
    pub swap: Vec<String>,
    /// Before the old one takes it back.
    pub back_before: Vec<String>,
    /// When it has it, before its keys.
    pub back: Vec<String>,
}

impl Filled {
    /// Of a column that forbids NULL.
    pub fn of(place: &Place<'_>, turn: &Turn, names: &Names<'_>) -> Filled {
        let table = place.quoted();
        let column = |name: &str, what: &str| {
            format!("ALTER TABLE {table} ALTER COLUMN {} {what}", quote_ident(name))
        };
        let validated = |name: &str| format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
        let usual = |column: &str| format!("{}_{column}_not_null", place.bare());
        let mut filled = Filled {
            unbuild: vec![column(&turn.new, "DROP NOT NULL")],
            swap: vec![column(&turn.after_old, "DROP NOT NULL")],
            ..Filled::default()
        };
        if place.version.major < 12 {
            filled.build.push(column(&turn.new, "SET NOT NULL"));
            filled.back.push(column(&turn.old, "SET NOT NULL"));
            return filled;
        }
        if place.version.major < 18 {
            let checked = |of: &str, name: &str| {
                let of = quote_ident(of);
                format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({of} IS NOT NULL) NOT VALID"
                )
            };
            let base = |column: &str| format!("{}_{column}", place.bare());
            let name = quote_ident(&names.object(&base(&turn.new), "_filled"));
            let drop = |name: &str| format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
            filled.build = vec![
                checked(&turn.new, &name),
                validated(&name),
                column(&turn.new, "SET NOT NULL"),
                drop(&name),
            ];
            let name = quote_ident(&names.object(&base(&turn.old), "_filled"));
            filled.back_before = vec![checked(&turn.after_old, &name), validated(&name)];
            filled.back = vec![column(&turn.old, "SET NOT NULL"), drop(&name)];
            return filled;
        }
        // It is a constraint with a name of its own.
        let relation = place.catalog.and_then(|catalog| catalog.find(place.table));
        let known = relation.into_iter().flat_map(|relation| &relation.constraints);
        let mut known = known.filter(|one| one.kind == ConstraintKind::NotNull);
        let known = known.find(|one| one.columns == [turn.old.clone()]).map(|one| one.name.clone());
        let usual_old = usual(&turn.old);
        let before = known.unwrap_or_else(|| usual_old.clone());
        let after = if before == usual_old { usual(&turn.after_new) } else { before.clone() };
        let new = match after == before {
            true => names.object(&format!("{}_{}", place.bare(), turn.new), "_not_null"),
            false => after.clone(),
        };
        let back = names.object(&format!("{}_{}", place.bare(), turn.old), "_filled");
        let added = |name: &str, of: &str| {
            let (name, of) = (quote_ident(name), quote_ident(of));
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {of} NOT VALID")
        };
        let renamed = |from: &str, to: &str| {
            let (from, to) = (quote_ident(from), quote_ident(to));
            format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}")
        };
        filled.build = vec![added(&new, &turn.new), validated(&quote_ident(&new))];
        filled.back_before = vec![added(&back, &turn.after_old), validated(&quote_ident(&back))];
        if new != after {
            filled.swap.push(renamed(&new, &after));
            filled.back.push(renamed(&after, &new));
        }
        filled.back.push(renamed(&back, &before));
        filled
    }
}
