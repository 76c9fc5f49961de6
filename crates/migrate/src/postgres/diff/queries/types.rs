//! Types and domains.

use super::{USERS, acl, own, owner};

pub(super) fn types() -> String {
    format!(
        "SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range \
         type' ELSE 'composite type' END, 'pg_type'::regclass::oid, t.oid, 0, format('%I.%I', \
         n.nspname, t.typname), NULL::text, NULL::text, jsonb_build_object(
          'labels', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) \
         FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
          'base', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
          'collation', CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN \
         (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co JOIN \
         pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = t.typcollation) END,
          'default', CASE WHEN t.typtype = 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0), \
         t.typdefault) END,
          'not_null', CASE WHEN t.typtype = 'd' AND t.typnotnull THEN 'true' END,
          'attributes', CASE WHEN t.typtype = 'c' THEN (SELECT string_agg(quote_ident(a.attname) || \
         ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attcollation <> 0 AND \
         a.attcollation <> at.typcollation THEN (SELECT format(' COLLATE %I.%I', cn.nspname, \
         co.collname) FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = \
         co.collnamespace WHERE co.oid = a.attcollation) ELSE '' END, E'\\n' ORDER BY a.attnum) FROM \
         pg_catalog.pg_attribute a JOIN pg_catalog.pg_type at ON at.oid = a.atttypid WHERE \
         a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END,
          'subtype', CASE WHEN t.typtype = 'r' THEN (SELECT format('subtype = %s, subtype_opclass = \
         %I.%I', format_type(r.rngsubtype, NULL), opn.nspname, op.opcname) || CASE WHEN \
         r.rngcollation <> 0 AND r.rngcollation <> st.typcollation THEN (SELECT format(', collation = \
         %I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co JOIN \
         pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = r.rngcollation) ELSE \
         '' END || CASE WHEN r.rngsubdiff::oid <> 0 THEN ', subtype_diff = ' || r.rngsubdiff::text \
         ELSE '' END || coalesce((SELECT format(', multirange_type_name = %I.%I', mn.nspname, \
         m.typname) FROM pg_catalog.pg_type m JOIN pg_catalog.pg_namespace mn ON mn.oid = \
         m.typnamespace WHERE m.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid), '') FROM \
         pg_catalog.pg_range r JOIN pg_catalog.pg_opclass op ON op.oid = r.rngsubopc JOIN \
         pg_catalog.pg_namespace opn ON opn.oid = op.opcnamespace JOIN pg_catalog.pg_type st ON \
         st.oid = r.rngsubtype WHERE r.rngtypid = t.oid) END,
          'owner', {}, 'acl', {}, 'comment', obj_description(t.oid, 'pg_type'))::text, false
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN \
         pg_catalog.pg_type b ON b.oid = t.typbasetype LEFT JOIN pg_catalog.pg_class c ON c.oid = \
         t.typrelid WHERE {USERS} AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind \
         = 'c') AND {}",
        owner("t.typowner"),
        acl('T', "t.typowner", "t.typacl"),
        own("pg_type", "t.oid"),
    )
}

pub(super) fn domain_constraints() -> String {
    format!(
        "SELECT 'domain constraint', 'pg_constraint'::regclass::oid, c.oid, 0, \
         format('%I.%I.%I', n.nspname, t.typname, c.conname), 'domain', format('%I.%I', n.nspname, \
         t.typname), jsonb_build_object('name', quote_ident(c.conname), 'domain', format('%I.%I', \
         n.nspname, t.typname), 'definition', regexp_replace(pg_get_constraintdef(c.oid), ' NOT \
         VALID$', ''), 'valid', c.convalidated::text, 'comment', obj_description(c.oid, \
         'pg_constraint'))::text, false FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_type t ON \
         t.oid = c.contypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE c.contype \
         = 'c' AND {USERS} AND {}",
        own("pg_type", "t.oid"),
    )
}
