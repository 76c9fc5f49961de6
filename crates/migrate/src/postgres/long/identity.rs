//! Identity columns: their counting goes with the place they give up.

use marula_core::Column;
use marula_postgres::sql::quote_ident;

/// `a` or `d` for an identity column.
pub(super) fn identity_of(column: &Column) -> Option<&'static str> {
    match column.generated.as_deref() {
        Some("a") => Some("ALWAYS"),
        Some("d") => Some("BY DEFAULT"),
        _ => None,
    }
}

/// Another column counts on where an identity column stopped.
pub(super) fn counts_on(table: &str, from: &str, to: &str, kind: &str) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let (own, old, new) = (literal(table), literal(from), literal(to));
    let (from, to) = (quote_ident(from), quote_ident(to));
    format!(
        "DO $identity$\nDECLARE\n  counts pg_catalog.pg_sequence;\n  next bigint;\nBEGIN\n  SELECT * INTO \
         counts FROM pg_catalog.pg_sequence WHERE seqrelid = pg_get_serial_sequence({own}, \
         {old})::regclass;\n  EXECUTE format('SELECT last_value + CASE WHEN is_called THEN %s ELSE 0 END \
         FROM %s', counts.seqincrement, counts.seqrelid::regclass) INTO next;\n  ALTER TABLE {table} ALTER \
         COLUMN {from} DROP IDENTITY;\n  EXECUTE format('ALTER TABLE %s ALTER COLUMN %s ADD GENERATED {kind} \
         AS IDENTITY (INCREMENT %s MINVALUE %s %s START %s CACHE %s %s)', {own}, {quoted}, \
         counts.seqincrement, counts.seqmin, CASE WHEN counts.seqmax NOT IN (32767, 2147483647, \
         9223372036854775807) THEN 'MAXVALUE ' || counts.seqmax END, counts.seqstart, counts.seqcache, CASE \
         WHEN counts.seqcycle THEN 'CYCLE' END);\n  PERFORM setval(pg_get_serial_sequence({own}, {new}), \
         next, false);\nEND\n$identity$",
        quoted = literal(&to),
    )
}
