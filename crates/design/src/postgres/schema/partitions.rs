use marula_core::model::{AttributeType, Entity};
use marula_postgres::sql::{quote_ident, quote_literal};

use super::Draw;
use super::names::cut;
use crate::figures::rows_in_a_year;
use crate::schema::time_attribute;
use crate::structure::Store;

/// From so many rows in a year's time a table of events is cut in pieces: its indexes no longer
/// fit a small server's memory, and what is old goes by DROP instead of DELETE and VACUUM.
pub(super) const MANY_ROWS: f64 = 20_000_000.0;

/// How a table is cut in pieces.
#[derive(Debug, Clone)]
pub(super) struct Partitioning {
    pub column: String,
    step: Step,
    /// Pieces behind today and before it.
    back: u32,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Day,
    Week,
    Month,
}

impl Step {
    fn word(self) -> &'static str {
        match self {
            Step::Day => "day",
            Step::Week => "week",
            Step::Month => "month",
        }
    }

    fn days(self) -> f64 {
        match self {
            Step::Day => 1.0,
            Step::Week => 7.0,
            Step::Month => 30.4,
        }
    }
}

/// Whether and how the table of a store is cut in pieces. Where volumes call for it and it cannot
/// be, a note says so.
pub(super) fn decide(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Option<Partitioning> {
    let growth = entity.growth.map_or(0.0, |growth| growth.0).max(0.0);
    let rows = rows_in_a_year(entity);
    if rows < MANY_ROWS || !(entity.append_only || entity.keep_days.is_some()) {
        return None;
    }
    let time = time_attribute(entity).filter(|time| store.attribute(&time.name).is_some())?;
    let refused = obstacle(draw, entity, &time.name);
    if let Some(why) = refused {
        draw.note(format!(
            "{} would be partitioned by {} ({rows:.0} rows in a year's time), but {why}; what is \
             old goes by DELETE in batches",
            entity.name, time.name
        ));
        return None;
    }
    let monthly = match (entity.keep_days, growth) {
        (Some(days), _) => rows * 30.4 / f64::from(days.max(1)),
        (None, 0.0) => rows / 12.0,
        (None, growth) => entity.rows.0 as f64 * growth,
    };
    let step = match monthly {
        many if many > 100e6 => Step::Day,
        many if many > 20e6 => Step::Week,
        _ => Step::Month,
    };
    let kept = entity.keep_days.map_or(12.0 * 30.4, f64::from);
    let back = (kept / step.days()).ceil().clamp(1.0, 60.0) as u32;
    let keep = entity.keep_days.map_or(String::new(), |days| {
        format!(", and what is older than {days} days goes by DROP TABLE of a {}", step.word())
    });
    let id = entity.key().join(", ");
    Some(Partitioning {
        column: time.name.clone(),
        step,
        back,
        why: format!(
            "partitioned by {} of {}: {rows:.0} rows in a year's time (from {MANY_ROWS:.0} on){keep}; \
             the key holds {} too, so that the server keeps ({id}) unique in each partition only, \
             and a look-up by it alone asks every partition",
            step.word(),
            time.name,
            time.name
        ),
    })
}

/// What keeps a table from being cut in pieces.
fn obstacle(draw: &Draw<'_>, entity: &Entity, time: &str) -> Option<String> {
    let referred = draw.references.iter().find(|one| one.relation.to == entity.name).map(|one| {
        format!("{} refers to its key, which would have to hold {time}", one.relation.from)
    });
    let unique = entity
        .unique
        .iter()
        .map(|set| set.iter().map(String::as_str).collect::<Vec<_>>())
        .chain(entity.attributes.iter().filter(|a| a.unique).map(|a| vec![a.name.as_str()]))
        .find(|set| !set.contains(&time))
        .map(|set| format!("({}) is unique over all of it", set.join(", ")));
    referred.or(unique)
}

impl Partitioning {
    /// What follows the columns in CREATE TABLE.
    pub(super) fn clause(&self) -> String {
        format!(" PARTITION BY RANGE ({})", quote_ident(&self.column))
    }

    /// The partitions around today, and one for what is outside of them.
    pub(super) fn create(&self, table: &str) -> String {
        let step = self.step.word();
        let format = match self.step {
            Step::Month => "YYYY_MM",
            Step::Week => "IYYY_IW",
            Step::Day => "YYYY_MM_DD",
        };
        // The server cuts what is longer, and all would have one name.
        let stem = quote_literal(cut(table, 50));
        let parent = quote_literal(table);
        let ahead = match self.step {
            Step::Day => 14,
            Step::Week => 8,
            Step::Month => 6,
        };
        let body = format!(
            "
DECLARE
  start timestamptz;
BEGIN
  FOR i IN -{}..{ahead} LOOP
    start := date_trunc('{step}', now()) + i * interval '1 {step}';
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
      {stem} || '_' || to_char(start, '{format}'), {parent}, start, start + interval '1 {step}');
  END LOOP;
  EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', {stem} || '_other', {parent});
END ",
            self.back
        );
        let mut tag = String::from("$partitions$");
        while body.contains(&tag) {
            tag.insert(1, 'x');
        }
        format!("DO {tag}{body}{tag}")
    }
}

/// The index by which the old rows of a table that is not cut in pieces are found.
pub(super) fn old_rows(entity: &Entity, partitioned: bool) -> Option<(String, String)> {
    let days = entity.keep_days.filter(|_| !partitioned)?;
    let time = time_attribute(entity)?;
    let kind = if time.kind == AttributeType::Date { "current_date" } else { "now()" };
    Some((
        time.name.clone(),
        format!(
            "finds what is older than {days} days, to delete it in batches ({} < {kind} - interval \
             '{days} days')",
            time.name
        ),
    ))
}
