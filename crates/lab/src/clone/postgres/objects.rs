//! What a copy needs besides the tables: schemas, extensions, types, collations, sequences,
//! functions and views, found along the server's own dependencies.

use marula_core::Result;
use tokio_postgres::Client;

use super::failed;

/// One thing to create before the tables, or after them.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// What it is and how it is called, for messages: `type public.mood`.
    pub name: String,
    /// The statement that creates it.
    pub ddl: String,
}

/// The extensions the objects belong to, with their schemas.
pub(super) const EXTENSIONS: &str = "
SELECT DISTINCT e.extname::text, n.nspname::text
FROM needed o
JOIN pg_extension e ON (o.classid = 'pg_extension'::regclass AND e.oid = o.objid)
JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql' ORDER BY 1";

/// Types, collations and sequences, as statements that create them.
const BEFORE_TABLES: &str = "
SELECT 'type ' || format('%I.%I', n.nspname, t.typname),
  CASE t.typtype
  WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
    (SELECT coalesce(string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder), '')
     FROM pg_enum WHERE enumtypid = t.oid))
  WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s%s%s%s%s', n.nspname, t.typname,
    format_type(t.typbasetype, t.typtypmod),
    (SELECT format(' COLLATE %I.%I', cn.nspname, c.collname) FROM pg_collation c
     JOIN pg_namespace cn ON cn.oid = c.collnamespace JOIN pg_type b ON b.oid = t.typbasetype
     WHERE c.oid = t.typcollation AND t.typcollation <> b.typcollation),
    ' DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN ' NOT NULL' END,
    (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), ''
      ORDER BY conname) FROM pg_constraint WHERE contypid = t.oid AND contype = 'c'))
  WHEN 'c' THEN format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname,
    (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      (SELECT format(' COLLATE %I.%I', cn.nspname, c.collname) FROM pg_collation c
       JOIN pg_namespace cn ON cn.oid = c.collnamespace JOIN pg_type b ON b.oid = a.atttypid
       WHERE c.oid = a.attcollation AND a.attcollation <> b.typcollation)), ', '
      ORDER BY a.attnum) FROM pg_attribute a
     WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
  WHEN 'r' THEN (SELECT format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s%s%s)', n.nspname,
      t.typname, format_type(r.rngsubtype, NULL),
      (SELECT format(', COLLATION = %I.%I', cn.nspname, c.collname) FROM pg_collation c
       JOIN pg_namespace cn ON cn.oid = c.collnamespace JOIN pg_type b ON b.oid = r.rngsubtype
       WHERE c.oid = r.rngcollation AND c.oid <> b.typcollation),
      CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::text END)
    FROM pg_range r WHERE r.rngtypid = t.oid)
  END
FROM needed o JOIN pg_type t ON o.classid = 'pg_type'::regclass AND t.oid = o.objid
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class k ON k.oid = t.typrelid
WHERE t.typtype IN ('e', 'd', 'c', 'r') AND (t.typtype <> 'c' OR k.relkind = 'c')
  AND NOT o.extension
UNION ALL
SELECT 'collation ' || format('%I.%I', n.nspname, c.collname),
  format('CREATE COLLATION %I.%I (PROVIDER = %s, DETERMINISTIC = %s%s)', n.nspname, c.collname,
    CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
    to_jsonb(c) ->> 'collisdeterministic',
    CASE WHEN coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale') IS NOT NULL
      THEN format(', LOCALE = %L',
        coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'))
      WHEN c.collprovider = 'i' THEN format(', LOCALE = %L', c.collcollate)
      ELSE format(', LC_COLLATE = %L, LC_CTYPE = %L', c.collcollate, c.collctype) END)
FROM needed o JOIN pg_collation c ON o.classid = 'pg_collation'::regclass AND c.oid = o.objid
JOIN pg_namespace n ON n.oid = c.collnamespace WHERE NOT o.extension
UNION ALL
SELECT 'sequence ' || format('%I.%I', n.nspname, c.relname),
  format('CREATE SEQUENCE %I.%I', n.nspname, c.relname)
FROM needed o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND NOT o.extension
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
    AND d.objid = c.oid AND d.deptype = 'i')
UNION ALL
SELECT 'function ' || p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM needed o JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'w') AND l.lanname IN ('sql', 'plpgsql') AND NOT o.extension
ORDER BY 1";

/// What is needed and cannot be reproduced, by name.
const BEYOND: &str = "
SELECT CASE WHEN p.prokind = 'a' THEN 'aggregate ' ELSE 'function ' END
  || p.oid::regprocedure::text || CASE WHEN p.prokind = 'a' THEN '' ELSE ' (' || l.lanname || ')' END
FROM needed o JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
JOIN pg_language l ON l.oid = p.prolang
WHERE (p.prokind = 'a' OR l.lanname NOT IN ('sql', 'plpgsql')) AND NOT o.extension
  AND p.pronamespace <> 'pg_catalog'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_range r WHERE p.prorettype IN (r.rngtypid, r.rngmultitypid))
UNION ALL
SELECT 'operator ' || op.oid::regoperator::text
FROM needed o JOIN pg_operator op ON o.classid = 'pg_operator'::regclass AND op.oid = o.objid
WHERE NOT o.extension
UNION ALL
SELECT 'operator class ' || format('%I', oc.opcname)
FROM needed o JOIN pg_opclass oc ON o.classid = 'pg_opclass'::regclass AND oc.oid = o.objid
WHERE NOT o.extension
UNION ALL
SELECT 'text search configuration ' || format('%I', c.cfgname)
FROM needed o JOIN pg_ts_config c ON o.classid = 'pg_ts_config'::regclass AND c.oid = o.objid
WHERE NOT o.extension AND c.cfgnamespace <> 'pg_catalog'::regnamespace
ORDER BY 1";

const VIEWS: &str = "
SELECT 'view ' || format('%I.%I', n.nspname, c.relname),
  format('CREATE VIEW %I.%I AS %s', n.nspname, c.relname, pg_get_viewdef(c.oid))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY($1) AND c.relkind = 'v' ORDER BY c.oid";

/// `needed`: everything the touched relations and the names in the statement depend on.
/// `$1` the touched relations, `$2` the statement's words.
pub(super) const NEEDED: &str = "
WITH RECURSIVE closure(classid, objid) AS (
  (SELECT 'pg_class'::regclass::oid, c.oid FROM pg_class c WHERE c.oid = ANY($1)
   UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef WHERE adrelid = ANY($1)
   UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint
     WHERE conrelid = ANY($1) AND contype <> 'f'
   UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = ANY($1)
   UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class = ANY($1)
   UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext
     WHERE stxrelid = ANY($1)
   UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
     WHERE proname::text = ANY($2) AND oid >= 16384
   UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type
     WHERE typname::text = ANY($2) AND oid >= 16384
       AND typrelid NOT IN (SELECT oid FROM pg_class WHERE relkind <> 'c')
   UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
     WHERE collname::text = ANY($2) AND oid >= 16384)
  UNION
  SELECT d.refclassid, d.refobjid
  FROM closure o JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.objid
  WHERE d.deptype IN ('n', 'a', 'i', 'e')
    AND d.refclassid IN ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_collation'::regclass,
      'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_extension'::regclass,
      'pg_ts_config'::regclass, 'pg_class'::regclass)
    AND (d.refclassid <> 'pg_class'::regclass OR EXISTS (
      SELECT FROM pg_class k WHERE k.oid = d.refobjid AND k.relkind IN ('S', 'c')))
),
elements(classid, objid) AS (
  SELECT classid, objid FROM closure
  UNION SELECT 'pg_class'::regclass::oid, t.typrelid FROM closure o JOIN pg_type t
    ON o.classid = 'pg_type'::regclass AND t.oid = o.objid WHERE t.typtype = 'c'
  UNION SELECT d.refclassid, d.refobjid
    FROM closure o JOIN pg_type t ON o.classid = 'pg_type'::regclass AND t.oid = o.objid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.typrelid
    WHERE t.typtype = 'c' AND d.refclassid = 'pg_type'::regclass
),
needed AS MATERIALIZED (
  SELECT o.classid, o.objid, EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid
    AND d.objid = o.objid AND d.deptype = 'e') AS extension
  FROM elements o)";

/// What the tables need, in the order the queries give.
#[derive(Debug, Default)]
pub(super) struct Needed {
    pub extensions: Vec<(String, String)>,
    pub objects: Vec<Object>,
    pub views: Vec<Object>,
    pub beyond: Vec<String>,
}

/// Finds what the touched relations and the words of the statement need.
pub(super) async fn find(source: &Client, touched: &[u32], words: &[String]) -> Result<Needed> {
    let query = |text: &str| format!("{NEEDED} {text}");
    let mut needed = Needed::default();
    for row in source.query(&query(EXTENSIONS), &[&touched, &words]).await.map_err(failed)? {
        needed.extensions.push((row.get(0), row.get(1)));
    }
    for row in source.query(&query(BEFORE_TABLES), &[&touched, &words]).await.map_err(failed)? {
        needed.objects.push(Object { name: row.get(0), ddl: row.get(1) });
    }
    for row in source.query(&query(BEYOND), &[&touched, &words]).await.map_err(failed)? {
        needed.beyond.push(row.get(0));
    }
    for row in source.query(VIEWS, &[&touched]).await.map_err(failed)? {
        needed.views.push(Object { name: row.get(0), ddl: row.get(1) });
    }
    Ok(needed)
}
