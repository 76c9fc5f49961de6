//! Views that read the column: they go and come again in the swap's transaction, with all they had.

use marula_core::Result;
use marula_postgres::sql::quote_literal;
use marula_postgres::{Session, from_server};

/// Views over some columns, and over those views.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// What they are called, in an order in which each comes behind those it reads, quoted.
    names: Vec<String>,
    /// A digest of each one's definition, as the server prints it with no schema to be looked in.
    digests: Vec<String>,
    /// What makes them again, in that order.
    again: Vec<String>,
    /// Those that read the columns themselves: schema, name, and ` WITH (…)` of their options.
    pub readers: Vec<(String, String, String)>,
    /// Rules of theirs, by their numbers.
    pub rules: Vec<u32>,
    /// What hangs on them and does not come again, by name.
    pub stuck: Vec<String>,
}

/// The views, with how far they are from the table; `$1` is the table, `$2` its columns.
const OVER: &str = "WITH RECURSIVE over AS (
    SELECT r.ev_class AS view, 1 AS far
      FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::text::regclass AND a.attname::text = ANY ($2::text[])
    UNION
    SELECT r.ev_class, over.far + 1
      FROM over JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = over.view
      JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
     WHERE r.ev_class <> over.view AND over.far < 1000),
  views AS (SELECT view, max(far) AS far FROM over GROUP BY view)";

impl Views {
    /// Reads them.
    ///
    /// # Errors
    /// What the server says.
    pub async fn read(session: &Session, table: &str, columns: &[String]) -> Result<Views> {
        let client = session.client();
        // Every name is printed in full then.
        let begin = "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog";
        client.batch_execute(begin).await.map_err(|error| from_server(&error))?;
        let read = Views::all(session, table, columns).await;
        client.batch_execute("ROLLBACK").await.map_err(|error| from_server(&error))?;
        read
    }

    async fn all(session: &Session, table: &str, columns: &[String]) -> Result<Views> {
        let mut views = Views::default();
        let ask = async |sql: &str| {
            let sql = format!("{OVER} {sql}");
            let rows = session.client().query(&sql, &[&table, &columns]).await;
            rows.map_err(|error| from_server(&error))
        };
        let created = ask(
            "SELECT format('%I.%I', n.nspname, c.relname), encode(sha256(convert_to(pg_get_viewdef(c.oid), 'UTF8')), 'hex'),
               format('CREATE VIEW %I.%I%s AS %s', n.nspname, c.relname, coalesce(' WITH (' || (SELECT string_agg(format('%s = %L',
                 split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)), ', ') FROM unnest(c.reloptions) one) || ')', ''),
                 rtrim(pg_get_viewdef(c.oid), ';')),
               format('ALTER VIEW %I.%I OWNER TO %I', n.nspname, c.relname, pg_get_userbyid(c.relowner)),
               c.relkind::text, c.relpersistence = 't',
               EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'),
               EXISTS (SELECT FROM pg_seclabel s WHERE s.objoid = c.oid AND s.classoid = 'pg_class'::regclass),
               EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantor <> c.relowner) OR EXISTS (SELECT FROM pg_attribute a,
                 aclexplode(a.attacl) x WHERE a.attrelid = c.oid AND x.grantor <> c.relowner)
             FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY views.far, 1",
        )
        .await?;
        for row in created {
            let name: String = row.get(0);
            let why = match (row.get::<_, String>(4).as_str(), row.get(5), row.get(6), row.get(7)) {
                ("m", ..) => Some("materialized view"),
                (_, true, ..) => Some("temporary view"),
                (_, _, true, _) => Some("view of an extension"),
                (_, _, _, true) => Some("view with a security label"),
                _ if row.get(8) => Some("view with rights that others than its owner gave"),
                _ => None,
            };
            if let Some(why) = why {
                views.stuck.push(format!("{why} {name}"));
                continue;
            }
            views.names.push(name);
            views.digests.push(row.get(1));
            views.again.extend([row.get(2), row.get(3)]);
        }
        // What hangs on each, once all are there.
        for sql in [RIGHTS, DEFAULTS, RULES, TRIGGERS, COMMENTS] {
            views.again.extend(ask(sql).await?.iter().map(|row| row.get::<_, String>(0)));
        }
        let read = ask(READERS).await?;
        views.readers = read.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        views.rules = ask(OWN_RULES).await?.iter().map(|row| row.get(0)).collect();
        views.stuck.extend(ask(OTHERS).await?.iter().map(|row| row.get::<_, String>(0)));
        Ok(views)
    }

    /// What takes them away, and fails where one is another than it was read.
    pub fn drop(&self) -> Vec<String> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let known: Vec<String> = self
            .names
            .iter()
            .zip(&self.digests)
            .map(|(name, digest)| format!("({}, '{digest}')", quote_literal(name)))
            .collect();
        let check = format!(
            "DO $views$
DECLARE
  path text := current_setting('search_path');
  changed text;
BEGIN
  PERFORM set_config('search_path', 'pg_catalog', true);
  SELECT string_agg(known.name, ', ') INTO changed FROM (VALUES {}) AS known (name, digest)
   WHERE encode(sha256(convert_to(pg_get_viewdef(known.name::regclass), 'UTF8')), 'hex') <> known.digest;
  PERFORM set_config('search_path', path, true);
  IF changed IS NOT NULL THEN
    RAISE EXCEPTION 'made anew since this was written: view %', changed
      USING HINT = 'write these migrations anew, or put the views as they are now into this one';
  END IF;
END
$views$",
            known.join(", ")
        );
        vec![check, self.gone()]
    }

    /// What takes them away.
    pub fn gone(&self) -> String {
        format!("DROP VIEW {}", self.names.join(", "))
    }

    /// What makes them again.
    pub fn again(&self) -> &[String] {
        &self.again
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Rights, also on columns. What new objects get by default is taken from whom it is given.
const RIGHTS: &str = "
  SELECT format('REVOKE ALL ON %I.%I FROM %s', n.nspname, c.relname, coalesce(quote_ident(g.rolname), 'PUBLIC')), far, c.relname, 1
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace, pg_default_acl d, aclexplode(d.defaclacl) x
    LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE d.defaclobjtype = 'r' AND (d.defaclnamespace IN (0, c.relnamespace))
     AND x.grantee <> c.relowner
  UNION SELECT format('REVOKE ALL ON %I.%I FROM %I', n.nspname, c.relname, pg_get_userbyid(c.relowner)), far, c.relname, 2
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relacl IS NOT NULL
     AND (SELECT array_agg(x.privilege_type ORDER BY x.privilege_type) FROM aclexplode(c.relacl) x WHERE x.grantee = c.relowner) IS DISTINCT FROM
      (SELECT array_agg(x.privilege_type ORDER BY x.privilege_type) FROM aclexplode(acldefault('r', c.relowner)) x)
  UNION SELECT format('GRANT %s ON %I.%I TO %s%s', string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type), n.nspname, c.relname,
     coalesce(quote_ident(g.rolname), 'PUBLIC'), CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), far, c.relname, 3
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) x
    LEFT JOIN pg_roles g ON g.oid = x.grantee
   WHERE x.grantee <> c.relowner OR (SELECT array_agg(y.privilege_type ORDER BY y.privilege_type) FROM aclexplode(c.relacl) y WHERE y.grantee = c.relowner)
     IS DISTINCT FROM (SELECT array_agg(y.privilege_type ORDER BY y.privilege_type) FROM aclexplode(acldefault('r', c.relowner)) y)
   GROUP BY n.nspname, c.relname, g.rolname, x.is_grantable, far
  UNION SELECT format('GRANT %s (%I) ON %I.%I TO %s%s', x.privilege_type, a.attname, n.nspname, c.relname,
     coalesce(quote_ident(g.rolname), 'PUBLIC'), CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), far, c.relname, 4
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid,
     aclexplode(a.attacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee WHERE NOT a.attisdropped
  ORDER BY 2, 3, 4, 1";

const DEFAULTS: &str = "
  SELECT format('ALTER VIEW %I.%I ALTER COLUMN %I SET DEFAULT %s', n.nspname, c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid))
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attrdef d ON d.adrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum ORDER BY far, c.relname, a.attnum";

const RULES: &str = "
  SELECT rtrim(pg_get_ruledef(r.oid), ';') FROM views JOIN pg_rewrite r ON r.ev_class = view AND r.rulename <> '_RETURN'
   ORDER BY far, view, r.rulename";

const READERS: &str = "
  SELECT n.nspname::text, c.relname::text, coalesce(' WITH (' || (SELECT string_agg(format('%s = %L', split_part(one, '=', 1),
     substr(one, strpos(one, '=') + 1)), ', ') FROM unnest(c.reloptions) one) || ')', '')
    FROM over JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace WHERE far = 1 ORDER BY 1, 2";

const OWN_RULES: &str = "
  SELECT r.oid FROM views JOIN pg_rewrite r ON r.ev_class = view AND r.rulename <> '_RETURN'";

const TRIGGERS: &str = "
  SELECT pg_get_triggerdef(t.oid) FROM views JOIN pg_trigger t ON t.tgrelid = view AND NOT t.tgisinternal ORDER BY far, view, t.tgname";

const COMMENTS: &str = "
  SELECT format('COMMENT ON VIEW %I.%I IS %L', n.nspname, c.relname, d.description), far, c.relname, 0
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
  UNION ALL SELECT format('COMMENT ON COLUMN %I.%I.%I IS %L', n.nspname, c.relname, a.attname, d.description), far, c.relname, a.attnum
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid > 0
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
  UNION ALL SELECT format('COMMENT ON RULE %I ON %I.%I IS %L', r.rulename, n.nspname, c.relname, d.description), far, c.relname, 2000
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_rewrite r ON r.ev_class = view
    JOIN pg_description d ON d.classoid = 'pg_rewrite'::regclass AND d.objoid = r.oid WHERE r.rulename <> '_RETURN'
  UNION ALL SELECT format('COMMENT ON TRIGGER %I ON %I.%I IS %L', t.tgname, n.nspname, c.relname, d.description), far, c.relname, 2001
    FROM views JOIN pg_class c ON c.oid = view JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_trigger t ON t.tgrelid = view
    JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid
  ORDER BY 2, 3, 4, 1";

/// What hangs on the views, or on their rows' types, and is none of them and no part of them.
const OTHERS: &str = ", own AS (SELECT 'pg_class'::regclass AS classid, view AS objid FROM views
    UNION ALL SELECT 'pg_type'::regclass, t.oid FROM views JOIN pg_type t ON t.typrelid = view
    UNION ALL SELECT 'pg_type'::regclass, t.typarray FROM views JOIN pg_type t ON t.typrelid = view
    UNION ALL SELECT 'pg_rewrite'::regclass, r.oid FROM views JOIN pg_rewrite r ON r.ev_class = view
    UNION ALL SELECT 'pg_trigger'::regclass, t.oid FROM views JOIN pg_trigger t ON t.tgrelid = view
    UNION ALL SELECT 'pg_attrdef'::regclass, d.oid FROM views JOIN pg_attrdef d ON d.adrelid = view)
  SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d JOIN own ON d.refclassid = own.classid
     AND d.refobjid = own.objid WHERE d.deptype <> 'i' AND NOT EXISTS (SELECT FROM own o WHERE o.classid = d.classid AND o.objid = d.objid)
   ORDER BY 1";
