//! The questions to the catalogue, each for many names at once.

use tokio_postgres::{Client, Error, Row};

use super::calls::Name;

/// A function that a name may mean.
pub(super) struct Function {
    pub oid: u32,
    pub schema: String,
    pub name: String,
    pub volatile: bool,
    pub definer: bool,
    pub language: String,
    pub trusted: bool,
    /// Of the system or of an extension.
    pub vetted: bool,
    pub body: String,
    /// Whether it looks names up along a path of its own.
    pub own_path: bool,
    /// The functions an aggregate is made of.
    pub parts: Vec<u32>,
}

impl Function {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Function {
            oid: row.try_get(0)?,
            schema: row.try_get(1)?,
            name: row.try_get(2)?,
            volatile: row.try_get(3)?,
            definer: row.try_get(4)?,
            language: row.try_get(5)?,
            trusted: row.try_get(6)?,
            vetted: row.try_get(7)?,
            body: row.try_get(8)?,
            own_path: row.try_get(9)?,
            parts: row.try_get(10)?,
        })
    }

    /// `schema.name()`, the bare name for the system's.
    pub(super) fn title(&self) -> String {
        if self.schema == "pg_catalog" {
            format!("{}()", self.name)
        } else {
            format!("{}.{}()", self.schema, self.name)
        }
    }
}

fn select(sql_body: bool) -> String {
    let body =
        if sql_body { "COALESCE(pg_get_function_sqlbody(p.oid), p.prosrc)" } else { "p.prosrc" };
    format!(
        "SELECT DISTINCT ON (p.oid) p.oid, n.nspname::text, p.proname::text, p.provolatile = 'v',
            p.prosecdef, l.lanname::text, l.lanpltrusted,
            n.nspname = 'pg_catalog' OR EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                AND d.objid = p.oid AND d.deptype = 'e'),
            COALESCE({body}, ''), p.proconfig IS NOT NULL,
            CASE WHEN p.prokind = 'a' AND n.nspname <> 'pg_catalog' THEN
                ARRAY(SELECT DISTINCT part::oid FROM pg_aggregate g, unnest(ARRAY[
                    g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
                    g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn]::oid[]) part
                    WHERE g.aggfnoid = p.oid AND part <> 0)
                ELSE '{{}}'::oid[] END
         FROM pg_proc p
         JOIN pg_namespace n ON n.oid = p.pronamespace
         JOIN pg_language l ON l.oid = p.prolang"
    )
}

/// Whether a written schema fits `n`: none means the search path, `*` any.
const SCHEMA: &str =
    "(w.schema = '*' OR n.nspname = w.schema OR (w.schema = '' AND n.nspname = ANY ($1)))";

fn columns(names: &[Name]) -> (Vec<&str>, Vec<&str>) {
    names.iter().map(|name| (name.schema.as_deref().unwrap_or(""), name.name.as_str())).unzip()
}

/// The functions of these names with so many arguments (−1: whatever).
pub(super) async fn functions(
    client: &Client,
    major: u16,
    path: &[String],
    wanted: &[(Name, i32)],
) -> Result<Vec<Function>, Error> {
    let names: Vec<Name> = wanted.iter().map(|(name, _)| name.clone()).collect();
    let counts: Vec<i32> = wanted.iter().map(|(_, count)| *count).collect();
    let (schemas, names) = columns(&names);
    let sql = format!(
        "{} JOIN unnest($2::text[], $3::text[], $4::int4[]) AS w(schema, name, args)
            ON p.proname = w.name AND {SCHEMA}
         WHERE w.args < 0 OR p.prokind = 'a' OR p.provariadic <> 0
            OR w.args BETWEEN p.pronargs - p.pronargdefaults AND p.pronargs",
        select(major >= 14)
    );
    let rows = client.query(&sql, &[&path, &schemas, &names, &counts]).await?;
    rows.iter().map(Function::read).collect()
}

/// Functions of one row that a column's name may mean.
pub(super) async fn attributes(
    client: &Client,
    major: u16,
    names: &[String],
) -> Result<Vec<Function>, Error> {
    let sql = format!(
        "{} JOIN pg_type t ON t.oid = p.proargtypes[0]
         WHERE p.proname = ANY ($1) AND p.pronargs = 1 AND t.typtype IN ('c', 'p')
           AND n.nspname <> 'pg_catalog'",
        select(major >= 14)
    );
    let rows = client.query(&sql, &[&names]).await?;
    rows.iter().map(Function::read).collect()
}

/// Functions by oid.
pub(super) async fn by_oid(
    client: &Client,
    major: u16,
    oids: &[u32],
) -> Result<Vec<Function>, Error> {
    let sql = format!("{} WHERE p.oid = ANY ($1)", select(major >= 14));
    let rows = client.query(&sql, &[&oids]).await?;
    rows.iter().map(Function::read).collect()
}

/// The functions behind operators that are not the system's own.
pub(super) async fn operators(
    client: &Client,
    path: &[String],
    names: &[Name],
) -> Result<Vec<u32>, Error> {
    let (schemas, names) = columns(names);
    let sql = format!(
        "SELECT DISTINCT o.oprcode::oid FROM pg_operator o
         JOIN pg_namespace n ON n.oid = o.oprnamespace
         JOIN unnest($2::text[], $3::text[]) AS w(schema, name) ON o.oprname = w.name AND {SCHEMA}
         WHERE n.nspname <> 'pg_catalog' AND o.oprcode <> 0"
    );
    let rows = client.query(&sql, &[&path, &schemas, &names]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// A relation that a name may mean.
pub(super) struct Touched {
    pub oid: u32,
    pub title: String,
    /// The query of a view, and the conditions of row security policies.
    pub texts: Vec<String>,
    /// Whether reading it starts a program on the server.
    pub runs_program: bool,
    /// The types of its columns.
    pub types: Vec<u32>,
}

/// The relations of these names that are not the system's or an extension's.
pub(super) async fn relations(
    client: &Client,
    path: &[String],
    names: &[Name],
) -> Result<Vec<Touched>, Error> {
    let (schemas, names) = columns(names);
    let sql = format!(
        "SELECT DISTINCT ON (c.oid) c.oid, n.nspname || '.' || c.relname,
            ARRAY(SELECT pg_get_viewdef(c.oid) WHERE c.relkind = 'v'
                  UNION ALL
                  SELECT 'SELECT ' || pg_get_expr(y.polqual, y.polrelid) FROM pg_policy y
                  WHERE y.polrelid = c.oid AND c.relrowsecurity AND y.polqual IS NOT NULL),
            EXISTS (SELECT FROM pg_foreign_table f WHERE f.ftrelid = c.oid
                    AND EXISTS (SELECT FROM unnest(f.ftoptions) AS o WHERE o LIKE 'program=%')),
            ARRAY(SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                  AND NOT a.attisdropped)
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN unnest($2::text[], $3::text[]) AS w(schema, name) ON c.relname = w.name AND {SCHEMA}
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
           AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                           AND d.objid = c.oid AND d.deptype = 'e')"
    );
    let rows = client.query(&sql, &[&path, &schemas, &names]).await?;
    rows.iter()
        .map(|row| {
            Ok(Touched {
                oid: row.try_get(0)?,
                title: row.try_get(1)?,
                texts: row.try_get(2)?,
                runs_program: row.try_get(3)?,
                types: row.try_get(4)?,
            })
        })
        .collect()
}

/// What making a value of these types runs: the conditions of domains, in whatever they are
/// wrapped, and the functions of casts that somebody made. The types come back with all they
/// are made of.
pub(super) async fn types(
    client: &Client,
    path: &[String],
    names: &[Name],
    columns_: &[u32],
) -> Result<(Vec<String>, Vec<u32>), Error> {
    let (schemas, names) = columns(names);
    let sql = format!(
        "WITH RECURSIVE named(oid) AS (
             SELECT t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
             JOIN unnest($2::text[], $3::text[]) AS w(schema, name)
               ON t.typname = w.name AND {SCHEMA}
         ), made(oid) AS (
             SELECT oid FROM named
             UNION
             SELECT below.oid FROM made m JOIN pg_type t ON t.oid = m.oid, LATERAL (
                 SELECT t.typbasetype AS oid UNION ALL SELECT t.typelem
                 UNION ALL SELECT a.atttypid FROM pg_attribute a
                 WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0
             ) below WHERE below.oid <> 0
         )
         SELECT ARRAY(SELECT 'SELECT ' || pg_get_expr(k.conbin, 0)
                      FROM pg_constraint k JOIN made m ON m.oid = k.contypid
                      WHERE k.contype = 'c'),
                ARRAY(SELECT c.castfunc::oid FROM pg_cast c
                      JOIN pg_proc p ON p.oid = c.castfunc
                      JOIN pg_namespace n ON n.oid = p.pronamespace
                      WHERE n.nspname <> 'pg_catalog'
                        AND (c.casttarget IN (SELECT oid FROM made)
                             OR c.castcontext = 'i' AND (c.castsource = ANY ($4)
                                OR c.castsource IN (SELECT oid FROM made)
                                OR c.castsource IN ('text'::regtype, 'int4'::regtype,
                                    'int8'::regtype, 'numeric'::regtype, 'bool'::regtype))))"
    );
    let row = client.query_one(&sql, &[&path, &schemas, &names, &columns_]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
