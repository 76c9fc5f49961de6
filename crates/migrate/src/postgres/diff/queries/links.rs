//! What depends on what, and what is read and cannot be written.

/// Addresses that stand for another: array and row types, the indexes of constraints, the
/// sequences of identity columns, generated columns' expressions, views' rules, extension members.
pub(in super::super) const ALIASES: &str = "
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
pub(in super::super) const DEPENDS: &str = "
SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid FROM pg_catalog.pg_depend
 WHERE objid >= 16384 AND deptype <> 'e'";

/// What is there and cannot be written here: kind, name, and what it is, so that two can be
/// compared. Passwords in options are left out.
pub(in super::super) const OTHERS: &str = "
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
