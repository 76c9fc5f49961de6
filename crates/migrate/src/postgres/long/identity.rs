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

/// Another column counts on where an identity column stopped, with the sequence's name, comment and
/// rights.
pub(super) fn counts_on(table: &str, from: &str, to: &str, kind: &str) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let (own, old) = (literal(table), literal(from));
    let (from, to) = (quote_ident(from), quote_ident(to));
    format!(
        "DO $identity$
DECLARE
  counts pg_catalog.pg_sequence;
  next bigint;
  called text;
  said text;
  rights text[];
  one text;
BEGIN
  SELECT * INTO counts FROM pg_catalog.pg_sequence WHERE seqrelid = pg_get_serial_sequence({own}, {old})::regclass;
  SELECT format('%I.%I', n.nspname, c.relname), obj_description(c.oid, 'pg_class'),
    (SELECT array_agg(format('GRANT %s ON SEQUENCE %I.%I TO %s%s', x.privilege_type, n.nspname, c.relname,
       coalesce(quote_ident(g.rolname), 'PUBLIC'), CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END))
     FROM aclexplode(c.relacl) x LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee WHERE x.grantee <> c.relowner)
    INTO called, said, rights FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = counts.seqrelid;
  EXECUTE format('SELECT last_value + CASE WHEN is_called THEN %s ELSE 0 END FROM %s', counts.seqincrement, called) INTO next;
  ALTER TABLE {table} ALTER COLUMN {from} DROP IDENTITY;
  EXECUTE format('ALTER TABLE %s ALTER COLUMN %s ADD GENERATED {kind} AS IDENTITY (SEQUENCE NAME %s INCREMENT %s MINVALUE %s %s START %s CACHE %s %s)',
    {own}, {quoted}, called, counts.seqincrement, counts.seqmin,
    CASE WHEN counts.seqmax NOT IN (32767, 2147483647, 9223372036854775807) THEN 'MAXVALUE ' || counts.seqmax END,
    counts.seqstart, counts.seqcache, CASE WHEN counts.seqcycle THEN 'CYCLE' END);
  PERFORM setval(called, next, false);
  IF said IS NOT NULL THEN
    EXECUTE format('COMMENT ON SEQUENCE %s IS %L', called, said);
  END IF;
  FOREACH one IN ARRAY coalesce(rights, ARRAY[]::text[]) LOOP
    EXECUTE one;
  END LOOP;
END
$identity$",
        quoted = literal(&to),
    )
}
