//! What hangs on the columns besides keys and indexes, read from the server: policies, triggers,
//! statistics, rights, comments, and what can only be named.

use marula_core::Result;
use marula_postgres::sql::quote_ident;
use marula_postgres::{Session, from_server};

use super::Place;
use super::ask::Asked;
use super::beside::words;
use super::views::Views;

/// What hangs on some columns of a table.
#[derive(Debug, Default)]
pub struct Around {
    /// Policies of the table that read them.
    pub(super) policies: Vec<Policy>,
    /// Triggers of the table that say them, in `UPDATE OF` or in `WHEN`.
    pub(super) triggers: Vec<Trigger>,
    /// Extended statistics over them.
    pub(super) statistics: Vec<Statistics>,
    /// What cannot be carried over, by name.
    pub(super) stuck: Vec<String>,
    /// Rules that say them, by their numbers: none is carried over but with its view.
    pub(super) rules: Vec<(u32, String)>,
    /// Functions whose text says one of them, and why that may be this table's.
    pub(super) functions: Vec<String>,
    /// Triggers that fire for every row a backfill changes.
    pub(super) fired: Vec<String>,
    /// Statements that give a column what another has, with `{}` for its name.
    pub(super) traits: Vec<(String, Vec<String>)>,
    /// Sequences that belong to a column, but for those of an identity: the column, the name in full.
    pub(super) sequences: Vec<(String, String)>,
    /// Publications of the table.
    pub(super) published: Vec<String>,
    /// Indexes that are not where the database's others are, with their tablespaces.
    pub(super) elsewhere: Vec<(String, String)>,
    /// The index that tells replicas which row was changed.
    pub(super) identity_index: Option<String>,
    /// The index the table was put in the order of.
    pub(super) cluster_index: Option<String>,
    /// Views over them.
    pub(super) views: Views,
    /// Views that are only possible by a key over them (GROUP BY a key), by name.
    pub(super) by_key: Vec<String>,
    /// Comments on constraints of the table and of those that refer to it: the table's name, the
    /// constraint's, and the comment as a literal.
    comments: Vec<(String, String, String)>,
    /// Comments on the table's indexes.
    index_comments: Vec<(String, String)>,
    /// What the target was asked about the change.
    pub(super) asked: Option<Asked>,
}

/// What says of a constraint of `relation` what was said of it.
pub(super) fn comment_on_constraint(
    place: &Place<'_>,
    relation: &str,
    name: &str,
    table: &str,
) -> Option<String> {
    let all = place.around.into_iter().flat_map(|around| &around.comments);
    let (_, _, text) = all.into_iter().find(|(of, own, _)| of == relation && own == name)?;
    Some(format!("COMMENT ON CONSTRAINT {} ON {table} IS {text}", quote_ident(name)))
}

/// What says of an index what was said of it.
pub(super) fn comment_on_index(place: &Place<'_>, name: &str) -> Option<String> {
    let mut all = place.around.into_iter().flat_map(|around| &around.index_comments);
    let (_, text) = all.find(|(own, _)| own == name)?;
    Some(format!("COMMENT ON INDEX {}{} IS {text}", place.schema(), quote_ident(name)))
}

/// A policy.
#[derive(Debug)]
pub(super) struct Policy {
    /// Quoted.
    pub name: String,
    pub using: Option<String>,
    pub check: Option<String>,
}

/// A trigger.
#[derive(Debug)]
pub(super) struct Trigger {
    /// Quoted.
    pub name: String,
    pub definition: String,
    /// `DISABLE`, `ENABLE REPLICA`, `ENABLE ALWAYS`.
    pub enabled: Option<String>,
    /// A literal.
    pub comment: Option<String>,
}

/// Extended statistics.
#[derive(Debug)]
pub(super) struct Statistics {
    /// Its schema, and its name, not quoted.
    pub schema: String,
    pub name: String,
    pub definition: String,
    /// What says its target and its comment.
    pub besides: Vec<String>,
}

const TABLE: &str = "$1::text::pg_catalog.regclass";

impl Around {
    /// Reads what hangs on these columns.
    ///
    /// # Errors
    /// What the server says.
    pub async fn read(session: &Session, table: &str, columns: &[&str]) -> Result<Around> {
        let mut around = Around::default();
        let named: Vec<String> = columns.iter().map(|column| (*column).to_string()).collect();
        let bare = table.rsplit('.').next().unwrap_or(table);
        let quoted = table.split('.').map(quote_ident).collect::<Vec<_>>().join(".");
        around.depending(session, &quoted, &named).await?;
        around.of_partitions(session, &quoted, &named).await?;
        around.of_triggers(session, &quoted).await?;
        around.of_columns(session, &quoted, &named).await?;
        around.of_functions(session, &quoted, bare, &named).await?;
        around.said(session, &quoted).await?;
        around.leaning(session, &quoted, &named).await?;
        around.views =
            Views::read(session, &quoted_in_full(session, &quoted).await?, &named).await?;
        Ok(around)
    }

    /// What the target was asked, too.
    pub fn with(mut self, asked: Asked) -> Around {
        self.asked = Some(asked);
        self
    }

    /// What pg_depend says hangs on them.
    async fn depending(
        &mut self,
        session: &Session,
        table: &str,
        columns: &[String],
    ) -> Result<()> {
        // Indexes, constraints, views, defaults, sequences and our own columns' parts are seen to
        // by the catalogue.
        let sql = format!(
            "SELECT DISTINCT d.classid::pg_catalog.regclass::text, d.objid, pg_catalog.pg_describe_object(d.classid, \
             d.objid, 0) FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a ON a.attrelid = \
             d.refobjid AND a.attnum = d.refobjsubid WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = {TABLE} AND \
             a.attname::text = ANY ($2::text[]) AND d.classid NOT IN ('pg_catalog.pg_class'::pg_catalog.regclass, \
             'pg_catalog.pg_constraint'::pg_catalog.regclass, 'pg_catalog.pg_attrdef'::pg_catalog.regclass) ORDER BY 1, 3"
        );
        for row in query(session, &sql, &[&table, &columns]).await? {
            let (class, id): (&str, u32) = (row.get(0), row.get(1));
            let described: String = row.get(2);
            match class.rsplit('.').next().unwrap_or(class) {
                "pg_policy" => self.policy(session, table, id, described).await?,
                "pg_trigger" => self.trigger(session, id).await?,
                "pg_statistic_ext" => self.extended(session, id).await?,
                // A view's rule is the view, which the catalogue knows.
                "pg_rewrite" if described.starts_with("rule _RETURN on") => {}
                "pg_rewrite" => self.rules.push((id, described)),
                _ => self.stuck.push(described),
            }
        }
        Ok(())
    }

    /// What partitions have on them that the table does not have: nothing here looks after it.
    async fn of_partitions(
        &mut self,
        session: &Session,
        table: &str,
        columns: &[String],
    ) -> Result<()> {
        let sql = format!(
            "SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) FROM \
             pg_catalog.pg_inherits own JOIN pg_catalog.pg_class c ON c.oid = own.inhrelid AND \
             c.relispartition, LATERAL (SELECT c.oid UNION SELECT relid FROM \
             pg_catalog.pg_partition_tree(c.oid)) p (oid) JOIN pg_catalog.pg_depend d ON d.refclassid = \
             'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = p.oid JOIN pg_catalog.pg_attribute a ON \
             a.attrelid = p.oid AND a.attnum = d.refobjsubid LEFT JOIN pg_catalog.pg_constraint k ON d.classid = \
             'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid LEFT JOIN pg_catalog.pg_attrdef f \
             ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND f.oid = d.objid WHERE own.inhparent = \
             {TABLE} AND a.attname::text = ANY ($2::text[]) AND d.deptype IN ('n', 'a') AND coalesce(k.coninhcount, \
             0) = 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classid AND e.objid = \
             d.objid AND e.deptype IN ('P', 'S')) AND NOT EXISTS (SELECT FROM pg_catalog.pg_attrdef g JOIN \
             pg_catalog.pg_attribute b ON b.attrelid = g.adrelid AND b.attnum = g.adnum WHERE g.adrelid = {TABLE} \
             AND b.attname = a.attname AND pg_catalog.pg_get_expr(g.adbin, g.adrelid) = \
             pg_catalog.pg_get_expr(f.adbin, f.adrelid)) ORDER BY 1"
        );
        for row in query(session, &sql, &[&table, &columns]).await? {
            self.stuck.push(row.get(0));
        }
        Ok(())
    }

    async fn policy(
        &mut self,
        session: &Session,
        table: &str,
        id: u32,
        described: String,
    ) -> Result<()> {
        let sql = format!(
            "SELECT pg_catalog.quote_ident(polname), pg_catalog.pg_get_expr(polqual, polrelid), \
             pg_catalog.pg_get_expr(polwithcheck, polrelid), polrelid = {TABLE} FROM \
             pg_catalog.pg_policy WHERE oid = $2"
        );
        for row in query(session, &sql, &[&table, &id]).await? {
            if row.get::<_, bool>(3) {
                let (name, using, check) = (row.get(0), row.get(1), row.get(2));
                self.policies.push(Policy { name, using, check });
            } else {
                self.stuck.push(described.clone());
            }
        }
        Ok(())
    }

    async fn trigger(&mut self, session: &Session, id: u32) -> Result<()> {
        let sql = "SELECT pg_catalog.quote_ident(tgname), pg_catalog.pg_get_triggerdef(oid), CASE tgenabled \
             WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' END, \
             pg_catalog.quote_literal(pg_catalog.obj_description(oid, 'pg_trigger')) FROM \
             pg_catalog.pg_trigger WHERE oid = $1 AND NOT tgisinternal";
        for row in query(session, sql, &[&id]).await? {
            let (name, definition) = (row.get(0), row.get(1));
            let (enabled, comment) = (row.get(2), row.get(3));
            self.triggers.push(Trigger { name, definition, enabled, comment });
        }
        Ok(())
    }

    async fn extended(&mut self, session: &Session, id: u32) -> Result<()> {
        let sql = "SELECT n.nspname::text, s.stxname::text, pg_catalog.pg_get_statisticsobjdef(s.oid), \
             array_remove(ARRAY[pg_catalog.format('ALTER STATISTICS %I.%I SET STATISTICS ', n.nspname, s.stxname) || \
             nullif(to_jsonb(s) ->> 'stxstattarget', '-1'), pg_catalog.format('COMMENT ON STATISTICS %I.%I IS ', \
             n.nspname, s.stxname) || pg_catalog.quote_literal(pg_catalog.obj_description(s.oid, \
             'pg_statistic_ext'))], NULL) FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace \
             WHERE s.oid = $1";
        for row in query(session, sql, &[&id]).await? {
            let (schema, name, definition) = (row.get(0), row.get(1), row.get(2));
            self.statistics.push(Statistics { schema, name, definition, besides: row.get(3) });
        }
        Ok(())
    }

    /// Triggers that fire for updates of whatever column.
    async fn of_triggers(&mut self, session: &Session, table: &str) -> Result<()> {
        let sql = format!(
            "SELECT pg_catalog.quote_ident(tgname) FROM pg_catalog.pg_trigger WHERE tgrelid = {TABLE} AND NOT \
             tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 17 = 17 AND tgattr::text = '' AND \
             tgqual IS NULL ORDER BY 1"
        );
        for row in query(session, &sql, &[&table]).await? {
            self.fired.push(row.get(0));
        }
        Ok(())
    }

    /// What a column has itself, and indexes that have an office.
    async fn of_columns(
        &mut self,
        session: &Session,
        table: &str,
        columns: &[String],
    ) -> Result<()> {
        let sql = format!(
            "SELECT a.attname::text, array_remove(ARRAY[
              'COMMENT ON COLUMN ' || t.name || '.{{}} IS ' || pg_catalog.quote_literal(pg_catalog.col_description(a.attrelid, a.attnum)),
              CASE WHEN a.attstorage <> y.typstorage THEN 'ALTER TABLE ' || t.name || ' ALTER COLUMN {{}} SET STORAGE ' || CASE
                a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
              'ALTER TABLE ' || t.name || ' ALTER COLUMN {{}} SET COMPRESSION ' || CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN
                'pglz' WHEN 'l' THEN 'lz4' END,
              'ALTER TABLE ' || t.name || ' ALTER COLUMN {{}} SET STATISTICS ' || nullif(to_jsonb(a) ->> 'attstattarget', '-1'),
              'ALTER TABLE ' || t.name || ' ALTER COLUMN {{}} SET (' || array_to_string(a.attoptions, ', ') || ')'], NULL)
              || coalesce((SELECT array_agg(format('GRANT %s ({{}}) ON %s TO %s', x.privilege_type, t.name,
                coalesce(pg_catalog.quote_ident(g.rolname), 'PUBLIC')) || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
                ORDER BY x.privilege_type, g.rolname) FROM aclexplode(a.attacl) x LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee), ARRAY[]::text[])
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid, LATERAL (SELECT {TABLE}::text AS name) t WHERE a.attrelid = {TABLE} AND a.attname::text = ANY ($2::text[]) AND NOT a.attisdropped"
        );
        for row in query(session, &sql, &[&table, &columns]).await? {
            self.traits.push((row.get(0), row.get(1)));
        }
        let sql = format!(
            "SELECT a.attname::text, pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_depend d \
             JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_catalog.pg_namespace n ON \
             n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = \
             d.refobjsubid WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = \
             'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = {TABLE} AND d.deptype = 'a' AND \
             a.attname::text = ANY ($2::text[]) ORDER BY 2"
        );
        for row in query(session, &sql, &[&table, &columns]).await? {
            self.sequences.push((row.get(0), row.get(1)));
        }
        let sql = format!(
            "SELECT DISTINCT pubname::text FROM pg_catalog.pg_publication_tables WHERE \
             pg_catalog.format('%I.%I', schemaname, tablename)::pg_catalog.regclass = {TABLE} ORDER BY 1"
        );
        for row in query(session, &sql, &[&table]).await? {
            self.published.push(row.get(0));
        }
        let sql = format!(
            "SELECT c.relname::text, x.indisreplident, x.indisclustered, s.spcname::text FROM pg_catalog.pg_index x \
             JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = \
             c.reltablespace WHERE x.indrelid = {TABLE}"
        );
        for row in query(session, &sql, &[&table]).await? {
            if let Some(space) = row.get::<_, Option<String>>(3) {
                self.elsewhere.push((row.get(0), space));
            }
            if row.get(1) {
                self.identity_index = Some(row.get(0));
            }
            if row.get(2) {
                self.cluster_index = Some(row.get(0));
            }
        }
        Ok(())
    }

    /// Functions whose text, which the server does not look into, says a column's name: those of this
    /// table's triggers, and those that say the table's name, too.
    async fn of_functions(
        &mut self,
        session: &Session,
        table: &str,
        bare: &str,
        columns: &[String],
    ) -> Result<()> {
        let sql = format!(
            "SELECT p.oid::pg_catalog.regprocedure::text, p.prosrc, (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(t.tgname), ', ' \
             ORDER BY t.tgname) FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND t.tgrelid = {TABLE}) FROM \
             pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_namespace \
             n ON n.oid = p.pronamespace WHERE l.lanname NOT IN ('c', 'internal') AND n.nspname NOT IN \
             ('pg_catalog', 'information_schema') AND to_jsonb(p) ->> 'prosqlbody' IS NULL AND EXISTS (SELECT \
             FROM unnest($2::text[]) c WHERE position(lower(c) IN lower(p.prosrc)) > 0) AND NOT EXISTS (SELECT FROM \
             pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND \
             d.deptype = 'e') ORDER BY 1"
        );
        for row in query(session, &sql, &[&table, &columns]).await? {
            let (name, text): (String, String) = (row.get(0), row.get(1));
            let says = |word: &str| words(&text).any(|own| own.eq_ignore_ascii_case(word));
            if !columns.iter().any(|column| says(column)) {
                continue;
            }
            match row.get::<_, Option<String>>(2) {
                Some(triggers) => {
                    self.functions.push(format!("{name} (of the trigger {triggers})"))
                }
                None if says(bare) => self.functions.push(name),
                None => {}
            }
        }
        Ok(())
    }

    /// Comments on constraints and indexes.
    async fn said(&mut self, session: &Session, table: &str) -> Result<()> {
        let sql = format!(
            "SELECT n.nspname || '.' || c.relname, k.conname::text, pg_catalog.quote_literal(d.description) FROM \
             pg_catalog.pg_constraint k JOIN pg_catalog.pg_description d ON d.objoid = k.oid AND d.classoid = \
             'pg_catalog.pg_constraint'::pg_catalog.regclass JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN \
             pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {TABLE} IN (k.conrelid, k.confrelid)"
        );
        for row in query(session, &sql, &[&table]).await? {
            self.comments.push((row.get(0), row.get(1), row.get(2)));
        }
        let sql = format!(
            "SELECT c.relname::text, pg_catalog.quote_literal(d.description) FROM pg_catalog.pg_index x JOIN \
             pg_catalog.pg_class c ON c.oid = x.indexrelid JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND \
             d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass WHERE x.indrelid = {TABLE}"
        );
        for row in query(session, &sql, &[&table]).await? {
            self.index_comments.push((row.get(0), row.get(1)));
        }
        Ok(())
    }

    /// Views that lean on a key.
    async fn leaning(&mut self, session: &Session, table: &str, columns: &[String]) -> Result<()> {
        let sql = format!(
            "SELECT DISTINCT r.ev_class::pg_catalog.regclass::text FROM pg_catalog.pg_constraint k JOIN \
             pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.refobjid = \
             k.oid JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = \
             d.objid WHERE k.conrelid = {TABLE} AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = \
             k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname::text = ANY ($2::text[])) ORDER BY 1"
        );
        for row in query(session, &sql, &[&table, &columns]).await? {
            self.by_key.push(format!("view {}, which leans on the key", row.get::<_, &str>(0)));
        }
        Ok(())
    }

    /// The statements that give `new` what `old` has itself.
    pub(super) fn taken_over(&self, old: &str, new: &str) -> Vec<String> {
        let quoted = quote_ident(new);
        let own = self.traits.iter().filter(|(column, _)| column == old);
        own.flat_map(|(_, statements)| statements.iter().map(|text| put(text, &quoted))).collect()
    }
}

/// The name in its place; a comment may hold braces of its own.
fn put(text: &str, name: &str) -> String {
    text.replacen("{}", name, 1)
}

/// The table's name with its schema, quoted.
async fn quoted_in_full(session: &Session, table: &str) -> Result<String> {
    let sql = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {TABLE}"
    );
    let rows = query(session, &sql, &[&table]).await?;
    Ok(rows.first().map_or_else(|| table.to_string(), |row| row.get(0)))
}

async fn query(
    session: &Session,
    sql: &str,
    values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Vec<tokio_postgres::Row>> {
    session.client().query(sql, values).await.map_err(|error| from_server(&error))
}
