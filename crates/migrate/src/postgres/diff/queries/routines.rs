//! Functions, procedures and aggregates.

use super::{USERS, acl, own, owner};

pub(super) fn functions() -> String {
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

pub(super) fn aggregates() -> String {
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
