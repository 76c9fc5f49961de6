//! Differences of schemas: taken over a corpus of pairs, on real servers, and compared with pg_dump.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixes::CATALOGUE;
use marula_core::Engine;
use marula_lab::{PostgresServer, shared};
use marula_migrate::Tool;
use marula_migrate::files;
use marula_migrate::postgres::diff::{DiffOptions, Difference, Rename, Source, diff};
use marula_postgres::{ConnectSpec, Session, SessionOptions};

pub struct Pair {
    pub name: String,
    pub from: String,
    pub to: String,
    pub options: DiffOptions,
}

pub fn pairs() -> Vec<Pair> {
    let text = include_str!("../../corpus/diff.sql");
    text.split("== ")
        .skip(1)
        .map(|case| {
            let (name, rest) = case.split_once('\n').unwrap();
            let (from, to) = rest.split_once("\n--\n").unwrap();
            let mut renames = Vec::new();
            for line in from.lines() {
                if let Some(text) = line.strip_prefix("-- rename ") {
                    renames.push(Rename::column(text).unwrap());
                }
                if let Some(text) = line.strip_prefix("-- rename-table ") {
                    renames.push(Rename::table(text).unwrap());
                }
            }
            Pair {
                name: name.into(),
                from: from.into(),
                to: to.into(),
                options: DiffOptions { renames, owners: false },
            }
        })
        .collect()
}

impl Pair {
    fn runs_on(&self, major: u16) -> bool {
        !(self.name.contains("(18)") && major < 18)
    }
}

pub fn source(name: &str, text: &str) -> Source<'static> {
    Source::Sql(PathBuf::from(name), text.to_string())
}

pub async fn database(server: &PostgresServer) -> (ConnectSpec, Session) {
    let spec = server.create_database().await.unwrap();
    let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    session.client().batch_execute("SET check_function_bodies = off").await.unwrap();
    (spec, session)
}

/// What applications and rows rely on: tables, views, columns, keys, triggers, policies, rights, and
/// what indexes there are, whatever they are called.
const THINGS: &str = "
SELECT 'relation ' || c.oid::regclass::text || CASE WHEN c.relrowsecurity THEN ' with row security' ELSE '' END
  FROM pg_class c JOIN n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL SELECT 'column ' || c.oid::regclass::text || '.' || a.attname || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN n ON n.oid = c.relnamespace
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
UNION ALL SELECT 'trigger ' || c.oid::regclass::text || '.' || t.tgname
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal
UNION ALL SELECT 'constraint ' || c.oid::regclass::text || '.' || k.conname || ' ' || k.contype::text
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN n ON n.oid = c.relnamespace
  WHERE k.contype IN ('p', 'u', 'x', 'c', 'f') AND k.conparentid = 0 AND k.coninhcount = 0
UNION ALL SELECT 'policy ' || c.oid::regclass::text || '.' || p.polname
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN n ON n.oid = c.relnamespace
UNION ALL SELECT 'rule ' || c.oid::regclass::text || '.' || r.rulename
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN n ON n.oid = c.relnamespace
UNION ALL SELECT 'function ' || p.pronamespace::regnamespace::text || '.' || p.proname
  FROM pg_proc p JOIN n ON n.oid = p.pronamespace
UNION ALL SELECT 'default ' || c.oid::regclass::text || '.' || a.attname
  FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
UNION ALL SELECT replace(pg_get_indexdef(i.oid), 'INDEX ' || quote_ident(i.relname) || ' ON', 'INDEX ON')
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN n ON n.oid = i.relnamespace WHERE x.indisvalid
UNION ALL SELECT 'right ' || c.oid::regclass::text || ' ' || x.privilege_type || ' ' || x.grantee::text
  FROM pg_class c JOIN n ON n.oid = c.relnamespace, aclexplode(c.relacl) x
UNION ALL SELECT 'identity ' || c.oid::regclass::text FROM pg_class c JOIN n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND CASE c.relreplident WHEN 'n' THEN false WHEN 'f' THEN true ELSE
  EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND CASE c.relreplident WHEN 'i' THEN x.indisreplident ELSE x.indisprimary END) END";

async fn things(session: &Session) -> BTreeSet<String> {
    let own = format!(
        "WITH n AS (SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> \
         'information_schema') {THINGS}"
    );
    let rows = session.client().query(&own, &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect()
}

/// What is there before and after, and must be there at all times between.
pub struct Kept(pub BTreeSet<String>);

impl Kept {
    /// Looks whether nothing is missing now.
    async fn check(&self, session: &Session, at: &str) -> Result<(), String> {
        let now = things(session).await;
        let missing: Vec<&String> = self.0.difference(&now).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("missing behind {at}: {missing:?}"))
    }
}

/// Runs the files as their runner would: by the directives, not by what diff says of them. Whenever
/// others can look, nothing that is kept may be missing.
pub async fn run(
    session: &Session,
    found: &Difference,
    up: bool,
    kept: &Kept,
) -> Result<(), String> {
    let mut all: Vec<_> = found
        .files
        .iter()
        .map(|file| {
            files::parse(
                Path::new("20260101000000_x.sql"),
                &file.text,
                Tool::Marula,
                Engine::Postgres,
            )
            .map_err(|error| format!("{error}\n{}", file.text))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if !up {
        all.reverse();
    }
    for migration in all {
        let (steps, options) = if up {
            (migration.up, migration.options)
        } else {
            let Some(down) = migration.down else { return Err("there is no down".into()) };
            (down, migration.down_options)
        };
        let client = session.client();
        if options.transaction {
            client.batch_execute("BEGIN").await.unwrap();
        }
        for step in steps {
            client
                .batch_execute(&step.text)
                .await
                .map_err(|error| format!("{}: {error:?}", step.text))?;
            if !options.transaction {
                kept.check(session, &step.text).await?;
            }
        }
        if options.transaction {
            client.batch_execute("COMMIT").await.map_err(|error| format!("{error:?}"))?;
            kept.check(session, "the transaction").await?;
        }
    }
    Ok(())
}

/// pg_dump's view of a database, blind to the order of columns and statements.
fn dump(spec: &ConnectSpec) -> Vec<String> {
    let (host, port) = spec.hosts()[0];
    let output = Command::new("/usr/lib/postgresql/15/bin/pg_dump")
        .args(["-s", "-h", host, "-p", &port.to_string(), "-U", "postgres", spec.database()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut blocks: Vec<String> = Vec::new();
    for block in text.split("\n\n") {
        let lines: Vec<&str> = block
            .lines()
            .filter(|line| !line.starts_with("--") && !line.starts_with('\\') && !line.is_empty())
            .collect();
        if lines.is_empty() {
            continue;
        }
        let mut lines: Vec<String> =
            lines.iter().map(|line| line.trim_end_matches(',').to_string()).collect();
        if lines[0].contains("CREATE TABLE")
            || lines[0].contains("CREATE UNLOGGED TABLE")
            || lines[0].contains("CREATE TYPE") && lines[0].ends_with('(')
        {
            lines[1..].sort();
        }
        if lines.iter().all(|line| line.starts_with("GRANT") || line.starts_with("REVOKE")) {
            lines.sort();
        }
        blocks.push(lines.join("\n"));
    }
    blocks.sort();
    blocks
}

fn only(left: &[String], right: &[String]) -> Vec<String> {
    left.iter().filter(|line| !right.contains(line)).cloned().collect()
}

async fn check(server: &PostgresServer, major: u16, pair: &Pair, faults: &mut Vec<String>) {
    let at = format!("{major} {}", pair.name);
    let (from, to) = (source("from.sql", &pair.from), source("to.sql", &pair.to));
    let found = match diff(server, &from, &to, &pair.options).await {
        Ok(found) => found,
        Err(error) => {
            faults.push(format!("{at}: {error} {:?}", error.hints()));
            return;
        }
    };
    let texts: Vec<&str> = found.files.iter().map(|file| file.text.as_str()).collect();
    if std::env::var_os("MARULA_SHOW").is_some() {
        println!("===== {at}\n{}", texts.join("\n----\n"));
        println!("outline {:?}\nnotes {:?}", found.outline, found.notes);
    }
    for line in &found.remains {
        faults.push(format!("{at}: remains: {line}\n{}", texts.join("\n")));
    }
    for line in &found.notes {
        faults.push(format!("{at}: note: {line}\n{}", texts.join("\n")));
    }
    let (spec, session) = database(server).await;
    let (wanted_spec, wanted) = database(server).await;
    session.client().batch_execute(&pair.from).await.unwrap();
    wanted.client().batch_execute(&pair.to).await.unwrap();
    let before = (major == 15).then(|| dump(&spec));
    let (there, then) = (things(&session).await, things(&wanted).await);
    let kept = Kept(there.intersection(&then).cloned().collect());
    if let Err(error) = run(&session, &found, true, &kept).await {
        faults.push(format!("{at}: up: {error}\n{}", texts.join("\n")));
        return;
    }
    if major == 15 {
        let (is, should) = (dump(&spec), dump(&wanted_spec));
        if is != should {
            faults.push(format!(
                "{at}: pg_dump differs\n+ {}\n- {}\n{}",
                only(&is, &should).join("\n+ "),
                only(&should, &is).join("\n- "),
                texts.join("\n")
            ));
        }
    }
    let mut sides = Vec::new();
    for session in [&session, &wanted] {
        let rows = session.client().query(CATALOGUE, &[]).await.unwrap();
        sides.push(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>());
    }
    if sides[0] != sides[1] {
        let (more, less) = (only(&sides[0], &sides[1]), only(&sides[1], &sides[0]));
        faults.push(format!("{at}: the catalogue differs\n+ {more:?}\n- {less:?}"));
    }
    if let Err(error) = run(&session, &found, false, &kept).await {
        faults.push(format!("{at}: down: {error}\n{}", texts.join("\n")));
        return;
    }
    if let Some(before) = before {
        let after = dump(&spec);
        if before != after {
            faults.push(format!(
                "{at}: after down pg_dump differs\n+ {}\n- {}\n{}",
                only(&after, &before).join("\n+ "),
                only(&before, &after).join("\n- "),
                texts.join("\n")
            ));
        }
    }
}

async fn all(major: u16) {
    let server = shared::postgres(major).await.unwrap();
    for role in ["app", "reader", "\"Odd role\""] {
        let _ = server.execute(&format!("CREATE ROLE {role}")).await;
    }
    let wanted = std::env::var("MARULA_PAIR").unwrap_or_default();
    let mut faults = Vec::new();
    let mut count = 0;
    for pair in pairs() {
        if pair.runs_on(major) && pair.name.contains(&wanted) {
            count += 1;
            check(server, major, &pair, &mut faults).await;
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults in {count} pairs:\n{}",
        faults.len(),
        faults.join("\n\n")
    );
    println!("{count} pairs on {major}");
    assert!(count >= 60 || !wanted.is_empty(), "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_is_led_over_and_back_on_15() {
    all(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_pair_is_led_over_and_back_on_18() {
    all(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_read_as_well_as_the_file_it_was_made_from() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        for role in ["app", "reader", "\"Odd role\""] {
            let _ = server.execute(&format!("CREATE ROLE {role}")).await;
        }
        // Everything of the corpus that goes together, each pair in a schema's worth of names.
        for name in [
            "rights",
            "partitions of partitions",
            "functions",
            "policies",
            "views",
            "domains",
            "identity",
            "rules",
            "an enum loses",
        ] {
            let all = pairs();
            let pair = all.iter().find(|pair| pair.name.starts_with(name)).unwrap();
            let (_, session) = database(server).await;
            session.client().batch_execute(&pair.to).await.unwrap();
            let read = Source::Database(&session);
            let found =
                diff(server, &read, &source("to.sql", &pair.to), &DiffOptions::default()).await;
            let found = found.unwrap_or_else(|error| panic!("{}: {error}", pair.name));
            assert!(found.files.is_empty(), "{}: {:?}", pair.name, found.files);
            assert!(found.remains.is_empty() && found.notes.is_empty(), "{}: {found:?}", pair.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_only_be_renamed_is_pointed_at_and_never_guessed() {
    let server = shared::postgres(15).await.unwrap();
    let from =
        source("from.sql", "CREATE TABLE users (id int, mail text); CREATE TABLE a (x int);");
    let to = source("to.sql", "CREATE TABLE users (id int, email text); CREATE TABLE b (x int);");
    let found = diff(server, &from, &to, &DiffOptions::default()).await.unwrap();
    let flags: Vec<&str> = found.renames.iter().map(|(_, flag)| flag.as_str()).collect();
    assert_eq!(flags, ["--rename-table a=b", "--rename users.mail=users.email"]);
    assert_eq!(found.destroys.len(), 2, "{:?}", found.destroys);
    assert!(found.files[0].text.contains("-- DESTROYS: column users.mail is dropped"), "{found:?}");
    let options = DiffOptions {
        renames: vec![Rename::column("users.nope=users.email").unwrap()],
        owners: false,
    };
    let error = diff(server, &from, &to, &options).await.unwrap_err();
    assert!(error.message().contains("column users.nope is not in FROM"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_source_is_told_with_its_place() {
    let server = shared::postgres(15).await.unwrap();
    let to = source("to.sql", "CREATE TABLE a (x int);\n\nCREATE VIEW v AS SELECT y FROM a;\n");
    let error = diff(server, &Source::Empty, &to, &DiffOptions::default()).await.unwrap_err();
    assert_eq!(error.place(), Some("to.sql:3"), "{error}");
    for text in ["COPY a FROM PROGRAM 'id'", "COPY a TO '/tmp/x'", "ALTER SYSTEM SET work_mem = 1"]
    {
        let to = source("to.sql", text);
        let error = diff(server, &Source::Empty, &to, &DiffOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), marula_core::ErrorKind::Refused, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_refused_by_name_when_it_differs() {
    let same = "CREATE FUNCTION same(a int, b int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a = b'; \
                CREATE FUNCTION other(a int, b int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a <> b'; \
                CREATE TYPE pair AS (a int, b int); \
                CREATE FUNCTION of_pair(pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a';";
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        for (one, another, name) in [
            (
                "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same)",
                "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = other)",
                "operator public.===(integer,integer)",
            ),
            (
                "CREATE CAST (pair AS int) WITH FUNCTION of_pair(pair)",
                "CREATE CAST (pair AS int) WITH FUNCTION of_pair(pair) AS ASSIGNMENT",
                "cast public.pair AS integer",
            ),
            (
                "CREATE TEXT SEARCH CONFIGURATION words (COPY = english)",
                "CREATE TEXT SEARCH CONFIGURATION words (COPY = german)",
                "text search configuration public.words",
            ),
            (
                "CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, language = english)",
                "CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, language = german)",
                "text search dictionary public.stems",
            ),
            (
                "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE away (id int) SERVER far",
                "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE away (id bigint) SERVER far",
                "foreign table public.away",
            ),
            (
                "CREATE OPERATOR FAMILY odd USING btree",
                "CREATE OPERATOR FAMILY odd USING btree; ALTER OPERATOR FAMILY odd USING btree ADD OPERATOR 1 < (int4, int8)",
                "operator family public.odd USING btree",
            ),
        ] {
            let make = |text: &str| format!("{same} {text};");
            let (one, another) = (make(one), make(another));
            let none = make("SELECT 1");
            for (from, to, how) in
                [(&one, &another, "another"), (&none, &one, "new"), (&one, &none, "gone")]
            {
                let (from, to) = (source("from.sql", from), source("to.sql", to));
                let error = diff(server, &from, &to, &DiffOptions::default()).await.unwrap_err();
                assert_eq!(error.kind(), marula_core::ErrorKind::Unsupported, "{error}");
                let said = format!("{name} ({how})");
                assert!(error.message().contains(&said), "{major}: '{said}' not in {error}");
            }
            // What is the same on both sides is in nobody's way.
            let to = format!("{one} CREATE TABLE t (id int);");
            let (from, to) = (source("from.sql", &one), source("to.sql", &to));
            let found = diff(server, &from, &to, &DiffOptions::default()).await.unwrap();
            assert_eq!((found.files.len(), found.remains.len()), (1, 0), "{found:?}");
        }
    }
}
