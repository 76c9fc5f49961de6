//! What is asked of the catalogue. Each query gives the same nine columns: kind, the address
//! pg_depend knows it by, name, what it is a part of, its facts as JSON, and whether it is implied.

/// Schemas that are neither the server's own nor ours, with the history of migrations.
const USERS: &str = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'marula') AND n.nspname NOT LIKE 'pg\\_toast%' \
     AND n.nspname NOT LIKE 'pg\\_temp\\_%'";

/// Not a member of an extension.
fn own(class: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_catalog.pg_depend own WHERE own.classid = '{class}'::regclass \
         AND own.objid = {oid} AND own.deptype = 'e')"
    )
}

/// Who may do what, without the owner: `SELECT* role`, one a line; the star can pass it on.
fn acl(kind: char, owner: &str, acl: &str) -> String {
    format!(
        "(SELECT string_agg(DISTINCT x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' \
         END || ' ' || coalesce(quote_ident(g.rolname), 'PUBLIC'), E'\\n') FROM \
         aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) x LEFT JOIN pg_roles g ON g.oid \
         = x.grantee WHERE x.grantee <> {owner})"
    )
}

fn owner(oid: &str) -> String {
    format!("(SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.oid = {oid})")
}

/// The queries of every kind, for a server of this major version.
pub(super) fn objects(major: u16) -> Vec<String> {
    let mut all = vec![schemas(), extensions(), collations(), types(), domain_constraints()];
    all.extend([functions(), aggregates(), sequences(), owned_by(), tables(), columns(major)]);
    all.extend([defaults(), constraints(), indexes(), views(), view_columns(), rules()]);
    all.extend([triggers(), policies(), statistics(), publications(major)]);
    all.extend([event_triggers(), default_privileges()]);
    all
}

fn schemas() -> String {
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

fn extensions() -> String {
    "SELECT 'extension', 'pg_extension'::regclass::oid, x.oid, 0, quote_ident(x.extname)::text, \
     NULL::text, NULL::text, jsonb_build_object('schema', quote_ident(n.nspname), 'comment', \
     obj_description(x.oid, 'pg_extension'))::text, false FROM pg_catalog.pg_extension x JOIN \
     pg_catalog.pg_namespace n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'"
        .into()
}

fn collations() -> String {
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

fn types() -> String {
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

fn domain_constraints() -> String {
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

fn functions() -> String {
    format!(
        "SELECT 'function', 'pg_proc'::regclass::oid, p.oid, 0, p.oid::regprocedure::text, \
         NULL::text, NULL::text, jsonb_build_object('definition', pg_get_functiondef(p.oid), \
         'result', pg_get_function_result(p.oid), '_arguments', pg_get_function_arguments(p.oid), \
         '_language', (SELECT l.lanname FROM pg_catalog.pg_language l WHERE l.oid = p.prolang), \
         'kind', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, 'owner', {}, 'acl', \
         {}, 'comment', obj_description(p.oid, 'pg_proc'))::text, false FROM pg_catalog.pg_proc p \
         JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind IN ('f', 'p', 'w') \
         AND {USERS} AND {} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i WHERE i.classid = \
         'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')",
        owner("p.proowner"),
        acl('f', "p.proowner", "p.proacl"),
        own("pg_proc", "p.oid"),
    )
}

fn aggregates() -> String {
    format!(
        "SELECT 'aggregate', 'pg_proc'::regclass::oid, p.oid, 0, p.oid::regprocedure::text, \
         NULL::text, NULL::text, jsonb_build_object('signature', format('%I.%I(%s)', n.nspname, \
         p.proname, CASE WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_identity_arguments(p.oid) \
         END), 'definition', concat_ws(', ', 'SFUNC = ' || a.aggtransfn::text, 'STYPE = ' || \
         format_type(a.aggtranstype, NULL), CASE WHEN a.aggtransspace <> 0 THEN 'SSPACE = ' || \
         a.aggtransspace END, CASE WHEN a.aggfinalfn::oid <> 0 THEN 'FINALFUNC = ' || \
         a.aggfinalfn::text END, CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END, CASE WHEN \
         a.aggcombinefn::oid <> 0 THEN 'COMBINEFUNC = ' || a.aggcombinefn::text END, CASE WHEN \
         a.aggserialfn::oid <> 0 THEN 'SERIALFUNC = ' || a.aggserialfn::text END, CASE WHEN \
         a.aggdeserialfn::oid <> 0 THEN 'DESERIALFUNC = ' || a.aggdeserialfn::text END, 'INITCOND = \
         ' || quote_literal(a.agginitval), CASE WHEN a.aggmtransfn::oid <> 0 THEN 'MSFUNC = ' || \
         a.aggmtransfn::text || ', MINVFUNC = ' || a.aggminvtransfn::text || ', MSTYPE = ' || \
         format_type(a.aggmtranstype, NULL) END, CASE WHEN a.aggmfinalfn::oid <> 0 THEN 'MFINALFUNC = \
         ' || a.aggmfinalfn::text END, 'MINITCOND = ' || quote_literal(a.aggminitval), CASE WHEN \
         a.aggsortop <> 0 THEN (SELECT format('SORTOP = OPERATOR(%I.%s)', son.nspname, so.oprname) \
         FROM pg_catalog.pg_operator so JOIN pg_catalog.pg_namespace son ON son.oid = so.oprnamespace \
         WHERE so.oid = a.aggsortop) END, CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' \
         THEN 'PARALLEL = RESTRICTED' END, CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END), \
         'owner', {}, 'acl', {}, 'comment', obj_description(p.oid, 'pg_proc'))::text, false FROM \
         pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid JOIN \
         pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE {USERS} AND {}",
        owner("p.proowner"),
        acl('f', "p.proowner", "p.proacl"),
        own("pg_proc", "p.oid"),
    )
}

/// How a sequence counts.
const COUNTS: &str = "concat_ws(' ', 'AS ' || format_type(s.seqtypid, NULL), 'INCREMENT BY ' || \
     s.seqincrement, 'MINVALUE ' || s.seqmin, 'MAXVALUE ' || s.seqmax, 'START WITH ' || s.seqstart, \
     'CACHE ' || s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)";

fn sequences() -> String {
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

fn owned_by() -> String {
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

fn tables() -> String {
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

fn columns(major: u16) -> String {
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
    format!(
        "SELECT 'column', 'pg_class'::regclass::oid, c.oid, a.attnum::int4, format('%I.%I.%I', \
         n.nspname, c.relname, a.attname), 'table', format('%I.%I', n.nspname, c.relname), \
         jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'name', \
         quote_ident(a.attname), '_position', a.attnum::text, 'type', format_type(a.atttypid, \
         a.atttypmod), 'collation', CASE WHEN a.attcollation <> t.typcollation THEN (SELECT \
         format('%I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co JOIN \
         pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END, \
         'not_null', {not_null}, '_not_null_name', {name}, 'generated', CASE WHEN a.attgenerated <> '' THEN (SELECT \
         format('GENERATED ALWAYS AS (%s)%s', pg_get_expr(d.adbin, d.adrelid), CASE a.attgenerated \
         WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = \
         a.attrelid AND d.adnum = a.attnum) END, 'identity', CASE a.attidentity WHEN 'a' THEN \
         'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END, 'identity_sequence', (SELECT format('%I.%I', \
         sn.nspname, sc.relname) || E'\\n' || {COUNTS} FROM pg_catalog.pg_depend i JOIN \
         pg_catalog.pg_sequence s ON s.seqrelid = i.objid JOIN pg_catalog.pg_class sc ON sc.oid = \
         i.objid JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace WHERE i.classid = \
         'pg_class'::regclass AND i.deptype = 'i' AND i.refobjid = c.oid AND i.refobjsubid = \
         a.attnum), 'storage', CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' \
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
        acl('c', "c.relowner", "a.attacl"),
        own("pg_class", "c.oid"),
    )
}

fn defaults() -> String {
    format!(
        "SELECT 'default', 'pg_attrdef'::regclass::oid, d.oid, 0, format('%I.%I.%I', n.nspname, \
         c.relname, a.attname), 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname), \
         jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'name', \
         quote_ident(a.attname), 'expression', pg_get_expr(d.adbin, d.adrelid), '_relation', \
         CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END)::text, \
         a.attinhcount > 0 AND NOT a.attislocal FROM pg_catalog.pg_attrdef d JOIN \
         pg_catalog.pg_class c ON c.oid = d.adrelid JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum \
         WHERE a.attgenerated = '' AND c.relkind IN ('r', 'p', 'v') AND {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

fn constraints() -> String {
    format!(
        "SELECT 'constraint', 'pg_constraint'::regclass::oid, k.oid, 0, format('%I.%I.%I', \
         n.nspname, c.relname, k.conname), 'table', format('%I.%I', n.nspname, c.relname), \
         jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'name', \
         quote_ident(k.conname), 'type', k.contype, 'definition', \
         regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), 'valid', \
         k.convalidated::text, '_index', CASE WHEN k.contype IN ('p', 'u', 'x') THEN \
         format('%I.%I', n.nspname, k.conname) END, 'comment', \
         obj_description(k.oid, 'pg_constraint'))::text, k.conparentid <> 0 OR (k.coninhcount > 0 AND \
         NOT k.conislocal) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = \
         k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.contype IN ('p', \
         'u', 'x', 'c', 'f') AND c.relkind IN ('r', 'p') AND {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

fn indexes() -> String {
    format!(
        "SELECT 'index', 'pg_class'::regclass::oid, i.oid, 0, format('%I.%I', n.nspname, i.relname), \
         CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END, format('%I.%I', \
         cn.nspname, c.relname), jsonb_build_object('table', format('%I.%I', cn.nspname, c.relname), \
         'name', quote_ident(i.relname), 'definition', pg_get_indexdef(i.oid), '_schema', \
         quote_ident(n.nspname), 'valid', x.indisvalid::text, 'comment', \
         obj_description(i.oid, 'pg_class'))::text, i.relispartition FROM pg_catalog.pg_index x \
         JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid \
         = i.relnamespace JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN \
         pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.oid AND \
         k.contype IN ('p', 'u', 'x')) AND {USERS} AND {}",
        own("pg_class", "c.oid"),
    )
}

/// A relation's columns with their types, one a line: what CREATE OR REPLACE VIEW must keep.
const SHAPE: &str = "(SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, \
     a.atttypmod) || ' ' || a.attcollation::text, E'\\n' ORDER BY a.attnum) FROM \
     pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)";

fn views() -> String {
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

fn view_columns() -> String {
    format!(
        "SELECT 'column', 'pg_class'::regclass::oid, c.oid, a.attnum::int4, format('%I.%I.%I', \
         n.nspname, c.relname, a.attname), CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE \
         'view' END, format('%I.%I', n.nspname, c.relname), jsonb_build_object('table', \
         format('%I.%I', n.nspname, c.relname), 'name', quote_ident(a.attname), '_position', \
         a.attnum::text, 'acl', CASE WHEN a.attacl IS NOT NULL THEN {} END, 'comment', \
         col_description(c.oid, a.attnum))::text, true FROM pg_catalog.pg_attribute a JOIN \
         pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace WHERE c.relkind IN ('v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND \
         {USERS} AND {}",
        acl('c', "c.relowner", "a.attacl"),
        own("pg_class", "c.oid"),
    )
}

fn rules() -> String {
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

fn triggers() -> String {
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

fn policies() -> String {
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

fn statistics() -> String {
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

fn publications(major: u16) -> String {
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

fn event_triggers() -> String {
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

fn default_privileges() -> String {
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

/// Addresses that stand for another: array and row types, the indexes of constraints, the
/// sequences of identity columns, generated columns' expressions, views' rules, extension members.
pub(super) const ALIASES: &str = "
SELECT 'pg_type'::regclass::oid, t.oid, 'pg_class'::regclass::oid, t.typrelid, 0
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE c.relkind <> 'c'
UNION ALL SELECT 'pg_class'::regclass::oid, t.typrelid, 'pg_type'::regclass::oid, t.oid, 0
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE c.relkind = 'c'
UNION ALL SELECT 'pg_type'::regclass::oid, t.typarray, 'pg_type'::regclass::oid, t.oid, 0
  FROM pg_catalog.pg_type t WHERE t.typarray <> 0
UNION ALL SELECT 'pg_type'::regclass::oid, (to_jsonb(r) ->> 'rngmultitypid')::oid, 'pg_type'::regclass::oid, r.rngtypid, 0
  FROM pg_catalog.pg_range r WHERE to_jsonb(r) ->> 'rngmultitypid' IS NOT NULL
UNION ALL SELECT 'pg_attrdef'::regclass::oid, d.oid, 'pg_class'::regclass::oid, d.adrelid, d.adnum::int4
  FROM pg_catalog.pg_attrdef d
UNION ALL SELECT 'pg_rewrite'::regclass::oid, r.oid, 'pg_class'::regclass::oid, r.ev_class, 0
  FROM pg_catalog.pg_rewrite r WHERE r.rulename = '_RETURN'
UNION ALL SELECT 'pg_class'::regclass::oid, k.conindid, 'pg_constraint'::regclass::oid, k.oid, 0
  FROM pg_catalog.pg_constraint k WHERE k.contype IN ('p', 'u', 'x')
UNION ALL SELECT 'pg_constraint'::regclass::oid, k.oid, 'pg_class'::regclass::oid, k.conrelid, k.conkey[1]::int4
  FROM pg_catalog.pg_constraint k WHERE k.contype = 'n' AND k.conrelid <> 0
UNION ALL SELECT 'pg_class'::regclass::oid, d.objid, 'pg_class'::regclass::oid, d.refobjid, d.refobjsubid
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refobjsubid > 0
UNION ALL SELECT 'pg_publication_rel'::regclass::oid, r.oid, 'pg_publication'::regclass::oid, r.prpubid, 0
  FROM pg_catalog.pg_publication_rel r
UNION ALL SELECT d.classid, d.objid, d.refclassid, d.refobjid, 0
  FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'";

/// Who needs whom, without the server's own objects.
pub(super) const DEPENDS: &str = "
SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid FROM pg_catalog.pg_depend
 WHERE objid >= 16384 AND deptype <> 'e'";

/// What is there and cannot be written here: kind, name, and what it is, so that two can be
/// compared. Passwords in options are left out.
pub(super) const OTHERS: &str = "
SELECT what, name, coalesce(def, '') FROM (
  SELECT 'operator' what, 'pg_operator'::regclass::oid c, oid, oid::regoperator::text AS name,
    concat_ws(' ', oprcode::oid::regprocedure, oprresult::regtype, nullif(oprcom, 0)::regoperator,
      nullif(oprnegate, 0)::regoperator, nullif(oprrest::oid, 0)::regproc, nullif(oprjoin::oid, 0)::regproc,
      oprcanmerge, oprcanhash) AS def FROM pg_catalog.pg_operator
  UNION ALL SELECT 'operator class', 'pg_opclass'::regclass::oid, o.oid, format('%I.%I USING %I', n.nspname,
      o.opcname, m.amname), concat_ws(' ', o.opcintype::regtype, o.opcdefault, nullif(o.opckeytype, 0)::regtype)
    FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
    JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
  UNION ALL SELECT 'operator family', 'pg_opfamily'::regclass::oid, o.oid, format('%I.%I USING %I', n.nspname,
      o.opfname, m.amname),
      (SELECT string_agg(concat_ws(' ', a.amopstrategy, a.amoppurpose, a.amopopr::regoperator), ', '
        ORDER BY a.amopstrategy, a.amopopr::regoperator::text) FROM pg_catalog.pg_amop a WHERE a.amopfamily = o.oid)
      || (SELECT coalesce(string_agg(concat_ws(' ', p.amprocnum, p.amproc::oid::regprocedure), ', '
        ORDER BY p.amprocnum, p.amproc::oid::regprocedure::text), '') FROM pg_catalog.pg_amproc p WHERE p.amprocfamily = o.oid)
    FROM pg_catalog.pg_opfamily o JOIN pg_catalog.pg_namespace n ON n.oid = o.opfnamespace
    JOIN pg_catalog.pg_am m ON m.oid = o.opfmethod
  UNION ALL SELECT 'cast', 'pg_cast'::regclass::oid, oid, format_type(castsource, NULL) || ' AS ' ||
      format_type(casttarget, NULL), concat_ws(' ', nullif(castfunc, 0)::regprocedure, castcontext, castmethod)
    FROM pg_catalog.pg_cast
  UNION ALL SELECT 'conversion', 'pg_conversion'::regclass::oid, c.oid, format('%I.%I', n.nspname, c.conname),
      concat_ws(' ', conforencoding, contoencoding, conproc, condefault)
    FROM pg_catalog.pg_conversion c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
  UNION ALL SELECT 'text search configuration', 'pg_ts_config'::regclass::oid, t.oid, format('%I.%I', n.nspname,
      t.cfgname), (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', '
        ORDER BY m.maptokentype, m.mapseqno) FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = t.oid)
    FROM pg_catalog.pg_ts_config t JOIN pg_catalog.pg_namespace n ON n.oid = t.cfgnamespace
  UNION ALL SELECT 'text search dictionary', 'pg_ts_dict'::regclass::oid, t.oid, format('%I.%I', n.nspname,
      t.dictname), concat_ws(' ', (SELECT tmplname FROM pg_catalog.pg_ts_template p WHERE p.oid = t.dicttemplate),
      t.dictinitoption)
    FROM pg_catalog.pg_ts_dict t JOIN pg_catalog.pg_namespace n ON n.oid = t.dictnamespace
  UNION ALL SELECT 'text search parser', 'pg_ts_parser'::regclass::oid, t.oid, format('%I.%I', n.nspname, t.prsname),
      concat_ws(' ', prsstart, prstoken, prsend, prslextype)
    FROM pg_catalog.pg_ts_parser t JOIN pg_catalog.pg_namespace n ON n.oid = t.prsnamespace
  UNION ALL SELECT 'text search template', 'pg_ts_template'::regclass::oid, t.oid, format('%I.%I', n.nspname,
      t.tmplname), concat_ws(' ', tmplinit, tmpllexize)
    FROM pg_catalog.pg_ts_template t JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace
  UNION ALL SELECT 'foreign data wrapper', 'pg_foreign_data_wrapper'::regclass::oid, oid, quote_ident(fdwname),
      concat_ws(' ', nullif(fdwhandler, 0)::regproc, nullif(fdwvalidator, 0)::regproc)
    FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT 'foreign server', 'pg_foreign_server'::regclass::oid, s.oid, quote_ident(srvname),
      concat_ws(' ', w.fdwname, srvtype, srvversion, (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(srvoptions) o
        WHERE o NOT LIKE 'password=%'))
    FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
  UNION ALL SELECT 'user mapping', 'pg_user_mapping'::regclass::oid, umid, concat_ws(' ', usename, 'on', srvname), ''
    FROM pg_catalog.pg_user_mappings
  UNION ALL SELECT 'foreign table', 'pg_class'::regclass::oid, c.oid, format('%I.%I', n.nspname, c.relname),
      concat_ws(' ', s.srvname, array_to_string(f.ftoptions, ', '), (SELECT string_agg(concat_ws(' ',
        quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), nullif(a.attnotnull, false),
        array_to_string(a.attfdwoptions, ', ')), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = c.oid JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
  UNION ALL SELECT 'base type', 'pg_type'::regclass::oid, t.oid, format('%I.%I', n.nspname, t.typname),
      concat_ws(' ', typlen, typbyval, typinput, typoutput, typalign, typstorage)
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype = 'b' AND t.typelem = 0
  UNION ALL SELECT 'language', 'pg_language'::regclass::oid, oid, quote_ident(lanname),
      concat_ws(' ', nullif(lanplcallfoid, 0)::regprocedure, lanpltrusted) FROM pg_catalog.pg_language
  UNION ALL SELECT 'transform', 'pg_transform'::regclass::oid, t.oid, format_type(trftype, NULL) || ' for ' ||
      l.lanname, concat_ws(' ', trffromsql, trftosql)
    FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
  UNION ALL SELECT 'access method', 'pg_am'::regclass::oid, oid, quote_ident(amname), concat_ws(' ', amhandler, amtype)
    FROM pg_catalog.pg_am
  UNION ALL SELECT 'subscription', 0, 16384, quote_ident(s.subname),
      array_to_string(s.subpublications, ', ')
    FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
    WHERE d.datname = current_database()
  UNION ALL SELECT 'security label', 0, 16384, concat_ws(' ', objtype, objname, 'by', provider), label
    FROM pg_catalog.pg_seclabels WHERE objtype <> 'database' AND objtype <> 'role'
) o WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
  WHERE e.classid = o.c AND e.objid = o.oid AND e.deptype IN ('e', 'i'))
UNION ALL SELECT 'version of extension', quote_ident(extname), extversion FROM pg_catalog.pg_extension
ORDER BY 1, 2";
