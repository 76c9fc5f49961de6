//! Views, and what hangs on relations: rules, triggers, policies, statistics.

use super::{USERS, acl, own, owner};

/// A relation's columns with their types, one a line: what CREATE OR REPLACE VIEW must keep.
const SHAPE: &str = "(SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, \
     a.atttypmod) || ' ' || a.attcollation::text, E'\\n' ORDER BY a.attnum) FROM \
     pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)";

pub(super) fn views() -> String {
    format!(
        "SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, \
         'pg_class'::regclass::oid, c.oid, 0, format('%I.%I', n.nspname, c.relname), NULL::text, \
         NULL::text, jsonb_build_object('definition', rtrim(pg_get_viewdef(c.oid), ';'), '_columns', \
         {SHAPE}, 'options', array_to_string(c.reloptions, ', '), 'populated', CASE WHEN c.relkind = \
         'm' THEN c.relispopulated::text END, 'access_method', (SELECT nullif(am.amname, 'heap') FROM \
         pg_catalog.pg_am am WHERE am.oid = c.relam), 'owner', {}, 'acl', {}, 'comment', \
         obj_description(c.oid, 'pg_class'))::text, false FROM pg_catalog.pg_class c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND \
         {USERS} AND {}",
        owner("c.relowner"),
        acl('r', "c.relowner", "c.relacl"),
        own("pg_class", "c.oid"),
    )
}

pub(super) fn view_columns() -> String {
    format!(
        "SELECT 'column', 'pg_class'::regclass::oid, c.oid, a.attnum::int4, format('%I.%I.%I', \
         n.nspname, c.relname, a.attname), CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE \
         'view' END, format('%I.%I', n.nspname, c.relname), jsonb_build_object('table', \
         format('%I.%I', n.nspname, c.relname), 'name', quote_ident(a.attname), '_position', \
         a.attnum::text, 'statistics', CASE c.relkind WHEN 'm' THEN nullif(to_jsonb(a) ->> \
         'attstattarget', '-1') END, 'storage', CASE WHEN c.relkind = 'm' AND a.attstorage <> \
         t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' \
         THEN 'MAIN' ELSE 'EXTENDED' END END, '_storage', CASE t.typstorage WHEN 'p' THEN 'PLAIN' WHEN \
         'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END, 'options', CASE c.relkind WHEN \
         'm' THEN array_to_string(a.attoptions, ', ') END, 'acl', CASE WHEN a.attacl IS NOT NULL THEN {} END, 'comment', \
         col_description(c.oid, a.attnum))::text, true FROM pg_catalog.pg_attribute a JOIN \
         pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE c.relkind IN ('v', 'm') \
         AND a.attnum > 0 AND NOT a.attisdropped AND \
         {USERS} AND {}",
        acl('c', "c.relowner", "a.attacl"),
        own("pg_class", "c.oid"),
    )
}

pub(super) fn rules() -> String {
    format!(
        "SELECT 'rule', 'pg_rewrite'::regclass::oid, r.oid, 0, format('%I.%I.%I', n.nspname, \
         c.relname, r.rulename), CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END, \
         format('%I.%I', n.nspname, c.relname), jsonb_build_object('table', format('%I.%I', \
         n.nspname, c.relname), 'name', quote_ident(r.rulename), 'definition', \
         rtrim(pg_get_ruledef(r.oid), ';'), 'enabled', r.ev_enabled, 'comment', \
         obj_description(r.oid, 'pg_rewrite'))::text, false FROM pg_catalog.pg_rewrite r JOIN \
         pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace WHERE r.rulename <> '_RETURN' AND {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

pub(super) fn triggers() -> String {
    format!(
        "SELECT 'trigger', 'pg_trigger'::regclass::oid, t.oid, 0, format('%I.%I.%I', n.nspname, \
         c.relname, t.tgname), CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END, format('%I.%I', \
         n.nspname, c.relname), jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), \
         'name', quote_ident(t.tgname), 'definition', pg_get_triggerdef(t.oid), 'enabled', \
         t.tgenabled, 'comment', obj_description(t.oid, 'pg_trigger'))::text, coalesce(to_jsonb(t) \
         ->> 'tgparentid', '0') <> '0' FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON \
         c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT \
         t.tgisinternal AND {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

pub(super) fn policies() -> String {
    format!(
        "SELECT 'policy', 'pg_policy'::regclass::oid, p.oid, 0, format('%I.%I.%I', n.nspname, \
         c.relname, p.polname), 'table', format('%I.%I', n.nspname, c.relname), \
         jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'name', \
         quote_ident(p.polname), 'permissive', p.polpermissive::text, 'command', CASE p.polcmd WHEN \
         'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE \
         'ALL' END, 'roles', CASE WHEN p.polroles = '{{0}}' THEN 'PUBLIC' ELSE (SELECT \
         string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = \
         ANY (p.polroles)) END, 'using', pg_get_expr(p.polqual, p.polrelid), 'check', \
         pg_get_expr(p.polwithcheck, p.polrelid), 'comment', obj_description(p.oid, \
         'pg_policy'))::text, false FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = \
         p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

pub(super) fn statistics() -> String {
    format!(
        "SELECT 'statistics', 'pg_statistic_ext'::regclass::oid, s.oid, 0, format('%I.%I', \
         n.nspname, s.stxname), CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END, \
         format('%I.%I', cn.nspname, c.relname), jsonb_build_object('definition', \
         pg_get_statisticsobjdef(s.oid), 'target', nullif(to_jsonb(s) ->> 'stxstattarget', '-1'), \
         'comment', obj_description(s.oid, 'pg_statistic_ext'))::text, false FROM \
         pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace JOIN \
         pg_catalog.pg_class c ON c.oid = s.stxrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = \
         c.relnamespace WHERE {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}
