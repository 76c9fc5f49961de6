//! Tables with their columns, defaults, constraints and indexes, and sequences.

use super::{USERS, acl, own, owner};

/// How a sequence counts.
const COUNTS: &str = "concat_ws(' ', 'AS ' || format_type(s.seqtypid, NULL), 'INCREMENT BY ' || \
     s.seqincrement, 'MINVALUE ' || s.seqmin, 'MAXVALUE ' || s.seqmax, 'START WITH ' || s.seqstart, \
     'CACHE ' || s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)";

/// What is gathered of an index's own columns: `1=500, 2=100`.
fn targets(oid: &str) -> String {
    format!(
        "(SELECT string_agg(one.attnum || '=' || (to_jsonb(one) ->> 'attstattarget'), ', ' ORDER BY \
         one.attnum) FROM pg_catalog.pg_attribute one WHERE one.attrelid = {oid} AND one.attnum > 0 \
         AND to_jsonb(one) ->> 'attstattarget' <> '-1')"
    )
}

pub(super) fn sequences() -> String {
    format!(
        "SELECT 'sequence', 'pg_class'::regclass::oid, c.oid, 0, format('%I.%I', n.nspname, \
         c.relname), NULL::text, NULL::text, jsonb_build_object('counts', {COUNTS}, 'persistence', \
         c.relpersistence, 'owner', {}, 'acl', {}, 'comment', obj_description(c.oid, \
         'pg_class'))::text, false FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid \
         = c.relnamespace JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid WHERE c.relkind = 'S' \
         AND {USERS} AND {} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i WHERE i.classid = \
         'pg_class'::regclass AND i.objid = c.oid AND i.deptype = 'i' AND i.refobjsubid > 0)",
        owner("c.relowner"),
        acl('s', "c.relowner", "c.relacl"),
        own("pg_class", "c.oid"),
    )
}

pub(super) fn owned_by() -> String {
    format!(
        "SELECT 'owner column of', 'pg_class'::regclass::oid, c.oid, -1, format('%I.%I', n.nspname, \
         c.relname), 'column', format('%I.%I.%I', tn.nspname, t.relname, a.attname), \
         jsonb_build_object('sequence', format('%I.%I', n.nspname, c.relname), 'column', \
         format('%I.%I.%I', tn.nspname, t.relname, a.attname))::text, false FROM pg_catalog.pg_depend \
         d JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class t ON t.oid = \
         d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace JOIN \
         pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE d.classid \
         = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a' AND \
         d.refobjsubid > 0 AND {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

pub(super) fn tables() -> String {
    format!(
        "SELECT 'table', 'pg_class'::regclass::oid, c.oid, 0, format('%I.%I', n.nspname, c.relname), \
         NULL::text, NULL::text, jsonb_build_object('persistence', c.relpersistence, 'partitioned', \
         pg_get_partkeydef(c.oid), 'parents', (SELECT string_agg(format('%I.%I', pn.nspname, \
         p.relname), ', ' ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class \
         p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE \
         i.inhrelid = c.oid), 'bound', pg_get_expr(c.relpartbound, c.oid), 'options', \
         array_to_string(c.reloptions, ', '), 'toast_options', (SELECT array_to_string(tt.reloptions, \
         ', ') FROM pg_catalog.pg_class tt WHERE tt.oid = c.reltoastrelid), 'row_security', \
         nullif(c.relrowsecurity, false)::text, 'force_row_security', nullif(c.relforcerowsecurity, \
         false)::text, 'replica_identity', CASE c.relreplident WHEN 'n' THEN 'NOTHING' WHEN 'f' THEN \
         'FULL' WHEN 'i' THEN (SELECT 'USING INDEX ' || quote_ident(ic.relname) FROM \
         pg_catalog.pg_index x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid WHERE x.indrelid \
         = c.oid AND x.indisreplident) END, 'clustered', (SELECT quote_ident(ic.relname) FROM \
         pg_catalog.pg_index x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid WHERE x.indrelid \
         = c.oid AND x.indisclustered), 'access_method', (SELECT nullif(am.amname, 'heap') FROM \
         pg_catalog.pg_am am WHERE am.oid = c.relam), 'of', CASE WHEN c.reloftype <> 0 THEN \
         format_type(c.reloftype, NULL) END, 'owner', {}, 'acl', {}, 'comment', \
         obj_description(c.oid, 'pg_class'))::text, false FROM pg_catalog.pg_class c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND \
         {USERS} AND {}",
        owner("c.relowner"),
        acl('r', "c.relowner", "c.relacl"),
        own("pg_class", "c.oid"),
    )
}

pub(super) fn columns(major: u16) -> String {
    // Since 18 NOT NULL is a constraint with a name; only one that is not the usual is minded.
    let not_null = if major >= 18 {
        "CASE WHEN a.attnotnull THEN coalesce((SELECT CASE WHEN k.conname = left(c.relname || '_' || \
         a.attname || '_not_null', 63) THEN '' ELSE 'CONSTRAINT ' || quote_ident(k.conname) || ' ' \
         END || 'NOT NULL' || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END || CASE WHEN \
         k.convalidated THEN '' ELSE ' NOT VALID' END FROM pg_catalog.pg_constraint k WHERE \
         k.conrelid = c.oid AND k.contype = 'n' AND k.conkey[1] = a.attnum), 'NOT NULL') END"
    } else {
        "CASE WHEN a.attnotnull THEN 'NOT NULL' END"
    };
    let name = if major >= 18 {
        "(SELECT quote_ident(k.conname) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND \
         k.contype = 'n' AND k.conkey[1] = a.attnum)"
    } else {
        "NULL"
    };
    let comment = if major >= 18 {
        "(SELECT obj_description(k.oid, 'pg_constraint') FROM pg_catalog.pg_constraint k WHERE \
         k.conrelid = c.oid AND k.contype = 'n' AND k.conkey[1] = a.attnum)"
    } else {
        "NULL"
    };
    let sequence = |what: &str| {
        format!(
            "(SELECT {what} FROM pg_catalog.pg_depend i JOIN pg_catalog.pg_class sc ON sc.oid = i.objid \
             AND sc.relkind = 'S' WHERE i.classid = 'pg_class'::regclass AND i.refclassid = \
             'pg_class'::regclass AND i.deptype = 'i' AND i.refobjid = c.oid AND i.refobjsubid = \
             a.attnum)"
        )
    };
    format!(
        "SELECT 'column', 'pg_class'::regclass::oid, c.oid, a.attnum::int4, format('%I.%I.%I', \
         n.nspname, c.relname, a.attname), 'table', format('%I.%I', n.nspname, c.relname), \
         jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'name', \
         quote_ident(a.attname), '_position', a.attnum::text, 'type', format_type(a.atttypid, \
         a.atttypmod), 'collation', CASE WHEN a.attcollation <> t.typcollation THEN (SELECT \
         format('%I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co JOIN \
         pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END, \
         'not_null', {not_null}, '_not_null_name', {name}, 'not_null_comment', {comment}, 'generated', CASE WHEN a.attgenerated <> '' THEN (SELECT \
         format('GENERATED ALWAYS AS (%s)%s', pg_get_expr(d.adbin, d.adrelid), CASE a.attgenerated \
         WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = \
         a.attrelid AND d.adnum = a.attnum) END, 'identity', CASE a.attidentity WHEN 'a' THEN \
         'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END, 'identity_sequence', (SELECT format('%I.%I', \
         sn.nspname, sc.relname) || E'\\n' || {COUNTS} FROM pg_catalog.pg_depend i JOIN \
         pg_catalog.pg_sequence s ON s.seqrelid = i.objid JOIN pg_catalog.pg_class sc ON sc.oid = \
         i.objid JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace WHERE i.classid = \
         'pg_class'::regclass AND i.deptype = 'i' AND i.refobjid = c.oid AND i.refobjsubid = \
         a.attnum), 'sequence_acl', {}, 'sequence_comment', {}, 'storage', CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' \
         THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END, \
         '_storage', CASE t.typstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN \
         'MAIN' ELSE 'EXTENDED' END, 'compression', CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' \
         THEN 'pglz' WHEN 'l' THEN 'lz4' END, 'statistics', nullif(to_jsonb(a) ->> 'attstattarget', \
         '-1'), 'options', array_to_string(a.attoptions, ', '), 'acl', CASE WHEN a.attacl IS NOT NULL \
         THEN {} END, 'comment', col_description(c.oid, a.attnum))::text, a.attinhcount > 0 AND NOT \
         a.attislocal FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid \
         = a.atttypid WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND \
         {USERS} AND {}",
        sequence(&acl('s', "sc.relowner", "sc.relacl")),
        sequence("obj_description(sc.oid, 'pg_class')"),
        acl('c', "c.relowner", "a.attacl"),
        own("pg_class", "c.oid"),
    )
}

pub(super) fn defaults() -> String {
    // A child's is implied where it is a parent's, too.
    format!(
        "SELECT 'default', 'pg_attrdef'::regclass::oid, d.oid, 0, format('%I.%I.%I', n.nspname, \
         c.relname, a.attname), 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname), \
         jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'name', \
         quote_ident(a.attname), 'expression', pg_get_expr(d.adbin, d.adrelid), '_relation', \
         CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END)::text, \
         EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_attribute pa ON pa.attrelid \
         = i.inhparent AND pa.attname = a.attname JOIN pg_catalog.pg_attrdef pd ON pd.adrelid = \
         pa.attrelid AND pd.adnum = pa.attnum WHERE i.inhrelid = c.oid AND a.attinhcount > 0 AND NOT \
         a.attislocal AND pg_get_expr(pd.adbin, pd.adrelid) = pg_get_expr(d.adbin, d.adrelid)) FROM \
         pg_catalog.pg_attrdef d JOIN \
         pg_catalog.pg_class c ON c.oid = d.adrelid JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum \
         WHERE a.attgenerated = '' AND c.relkind IN ('r', 'p', 'v') AND {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

pub(super) fn constraints() -> String {
    format!(
        "SELECT 'constraint', 'pg_constraint'::regclass::oid, k.oid, 0, format('%I.%I.%I', \
         n.nspname, c.relname, k.conname), 'table', format('%I.%I', n.nspname, c.relname), \
         jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'name', \
         quote_ident(k.conname), 'type', k.contype, 'definition', \
         regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), 'valid', \
         k.convalidated::text, 'options', (SELECT array_to_string(i.reloptions, ', ') FROM \
         pg_catalog.pg_class i WHERE i.oid = k.conindid AND k.contype IN ('p', 'u')), '_partitioned', \
         CASE c.relkind WHEN 'p' THEN 'true' END, 'statistics', CASE k.contype WHEN 'x' THEN {} END, \
         '_index', CASE WHEN k.contype IN ('p', 'u', 'x') THEN \
         format('%I.%I', n.nspname, k.conname) END, '_built', CASE WHEN k.contype IN ('p', 'u') THEN \
         pg_get_indexdef(k.conindid) END, 'comment', \
         obj_description(k.oid, 'pg_constraint'))::text, k.conparentid <> 0 OR (k.coninhcount > 0 AND \
         NOT k.conislocal) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = \
         k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.contype IN ('p', \
         'u', 'x', 'c', 'f') AND c.relkind IN ('r', 'p') AND {USERS} AND {}",
        targets("k.conindid"),
        own("pg_class", "c.oid"),
    )
}

pub(super) fn indexes() -> String {
    format!(
        "SELECT 'index', 'pg_class'::regclass::oid, i.oid, 0, format('%I.%I', n.nspname, i.relname), \
         CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END, format('%I.%I', \
         cn.nspname, c.relname), jsonb_build_object('table', format('%I.%I', cn.nspname, c.relname), \
         'name', quote_ident(i.relname), 'definition', pg_get_indexdef(i.oid), '_schema', \
         quote_ident(n.nspname), 'valid', x.indisvalid::text, 'statistics', {}, 'comment', \
         obj_description(i.oid, 'pg_class'))::text, i.relispartition FROM pg_catalog.pg_index x \
         JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid \
         = i.relnamespace JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN \
         pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.oid AND \
         k.contype IN ('p', 'u', 'x')) AND {USERS} AND {}",
        targets("i.oid"),
        own("pg_class", "c.oid"),
    )
}
