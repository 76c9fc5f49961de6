//! What belongs to no table: schemas, extensions, collations, publications, event triggers, default
//! privileges.

use super::{USERS, acl, own, owner};

pub(super) fn schemas() -> String {
    format!(
        "SELECT 'schema', 'pg_namespace'::regclass::oid, n.oid, 0, quote_ident(n.nspname)::text, \
         NULL::text, NULL::text, jsonb_build_object('owner', {}, 'acl', {}, 'comment', \
         obj_description(n.oid, 'pg_namespace'))::text, false FROM pg_catalog.pg_namespace n WHERE \
         {USERS} AND {}",
        owner("n.nspowner"),
        acl('n', "n.nspowner", "n.nspacl"),
        own("pg_namespace", "n.oid"),
    )
}

pub(super) fn extensions() -> String {
    "SELECT 'extension', 'pg_extension'::regclass::oid, x.oid, 0, quote_ident(x.extname)::text, \
     NULL::text, NULL::text, jsonb_build_object('schema', quote_ident(n.nspname), 'comment', \
     obj_description(x.oid, 'pg_extension'))::text, false FROM pg_catalog.pg_extension x JOIN \
     pg_catalog.pg_namespace n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'"
        .into()
}

pub(super) fn collations() -> String {
    format!(
        "SELECT 'collation', 'pg_collation'::regclass::oid, c.oid, 0, format('%I.%I', n.nspname, \
         c.collname), NULL::text, NULL::text, jsonb_build_object('provider', c.collprovider, \
         'deterministic', c.collisdeterministic::text, 'locale', coalesce(to_jsonb(c) ->> \
         'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate), 'ctype', \
         c.collctype, 'rules', to_jsonb(c) ->> 'collicurules', 'owner', {}, 'comment', \
         obj_description(c.oid, 'pg_collation'))::text, false FROM pg_catalog.pg_collation c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE {USERS} AND {}",
        owner("c.collowner"),
        own("pg_collation", "c.oid"),
    )
}

pub(super) fn publications(major: u16) -> String {
    let detail = if major >= 15 {
        " || coalesce((SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || \
         ')' FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY \
         (r.prattrs)), '') || coalesce(' WHERE ' || pg_get_expr(r.prqual, c.oid), '')"
    } else {
        ""
    };
    let schemas = if major >= 15 {
        "(SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) FROM \
         pg_catalog.pg_publication_namespace s JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid \
         WHERE s.pnpubid = p.oid)"
    } else {
        "NULL"
    };
    format!(
        "SELECT 'publication', 'pg_publication'::regclass::oid, p.oid, 0, quote_ident(p.pubname)::text, \
         NULL::text, NULL::text, jsonb_build_object('all', nullif(p.puballtables, false)::text, \
         'publish', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate \
         THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN \
         'truncate' END), 'via_root', coalesce(to_jsonb(p) ->> 'pubviaroot', 'false'), 'tables', \
         (SELECT string_agg(format('%I.%I', n.nspname, c.relname){detail}, ', ' ORDER BY n.nspname, \
         c.relname) FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_class c ON c.oid = \
         r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.prpubid = p.oid), \
         'schemas', {schemas}, 'owner', {}, 'comment', obj_description(p.oid, \
         'pg_publication'))::text, false FROM pg_catalog.pg_publication p WHERE {}",
        owner("p.pubowner"),
        own("pg_publication", "p.oid"),
    )
}

pub(super) fn event_triggers() -> String {
    format!(
        "SELECT 'event trigger', 'pg_event_trigger'::regclass::oid, e.oid, 0, \
         quote_ident(e.evtname)::text, NULL::text, NULL::text, jsonb_build_object('event', e.evtevent, \
         'function', e.evtfoid::regprocedure::text, 'tags', (SELECT string_agg(quote_literal(t), ', ' \
         ORDER BY t) FROM unnest(e.evttags) t), 'enabled', e.evtenabled, 'owner', {}, 'comment', \
         obj_description(e.oid, 'pg_event_trigger'))::text, false FROM pg_catalog.pg_event_trigger e \
         WHERE {}",
        owner("e.evtowner"),
        own("pg_event_trigger", "e.oid"),
    )
}

pub(super) fn default_privileges() -> String {
    "SELECT 'default privileges', 'pg_default_acl'::regclass::oid, d.oid, 0, \
     concat_ws(' ', quote_ident(r.rolname), d.defaclobjtype, quote_ident(n.nspname)), NULL::text, \
     NULL::text, jsonb_build_object('role', quote_ident(r.rolname), 'schema', \
     quote_ident(n.nspname), 'objects', CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN \
     'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE \
     OBJECTS' END, 'acl', (SELECT string_agg(DISTINCT x.privilege_type || CASE WHEN x.is_grantable \
     THEN '*' ELSE '' END || ' ' || coalesce(quote_ident(g.rolname), 'PUBLIC'), E'\\n') FROM \
     aclexplode(d.defaclacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE x.grantee <> \
     d.defaclrole))::text, false FROM pg_catalog.pg_default_acl d JOIN pg_roles r ON r.oid = \
     d.defaclrole LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace"
        .into()
}
