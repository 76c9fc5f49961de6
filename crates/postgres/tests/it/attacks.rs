//! Statements that try to write, read files, run code or hang through the read-only path. Each
//! is refused or stopped, and nothing has changed afterwards.

use std::time::{Duration, Instant};

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::explain::{Mode, explain};
use marula_postgres::{Session, SessionOptions, guard, run};

use crate::attack_set::{ALLOWED, REFUSED, TRAPS};
use crate::support::{MAJORS, SHOP, database, statement};

/// The way every statement of a user goes.
async fn through(session: &Session, text: &str) -> Result<()> {
    let parsed = guard::check(text)?;
    guard::check_in_catalog(session, &parsed).await?;
    explain(session, &statement(parsed.text()), Mode::Analyze).await?;
    run::run(session, &statement(parsed.text()), |_| {}).await?;
    Ok(())
}

async fn state(owner: &Session) -> String {
    owner
        .client()
        .query_one(
            "SELECT (SELECT string_agg(n::text, ',') FROM canary) || '|'
                 || (SELECT count(*) FROM pg_class) || '|' || (SELECT count(*) FROM pg_largeobject_metadata)
                 || '|' || (SELECT last_value::text || is_called FROM counter)
                 || '|' || (SELECT count(*) FROM pg_replication_slots)
                 || '|' || (SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings
                            WHERE context IN ('postmaster', 'sighup', 'internal'))",
            &[],
        )
        .await
        .unwrap()
        .get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_attack_succeeds() {
    for major in MAJORS {
        let traps = TRAPS.replace("PORT", &major.to_string());
        let (owner, target) = database(major, &format!("{SHOP}{traps}")).await;
        let before = state(&owner).await;
        let mut wrong = Vec::new();
        for text in REFUSED {
            let started = Instant::now();
            let (error, sent): (Option<Error>, bool) = match guard::check(text) {
                Err(error) => (Some(error), false),
                Ok(parsed) => (guard::check_in_catalog(&target, &parsed).await.err(), true),
            };
            let refused = error.as_ref().is_some_and(|error| {
                error.kind() == ErrorKind::Refused && error.message().contains("nothing was sent")
                    || !sent && error.kind() == ErrorKind::Syntax
            });
            if !refused || started.elapsed() > Duration::from_secs(5) {
                wrong.push(format!("{text}: {error:?}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{major}: {} of {} passed the guard:\n{}",
            wrong.len(),
            REFUSED.len(),
            wrong.join("\n")
        );
        assert_eq!(state(&owner).await, before);
        // The second fence alone, without the guard: the session itself.
        for text in REFUSED {
            if [
                "SELECT pg_sleep",
                "SELECT * FROM pg_sleep",
                "pg_terminate",
                "pg_logical_emit",
                "reload",
                "advisory",
                "slot",
                "switch_wal",
                "stat_reset",
                "program",
                "dblink",
                "database_to_xml",
            ]
            .iter()
            .any(|part| text.contains(part))
                || text.contains("TO PROGRAM")
                || text.contains("TO '/tmp")
            {
                continue;
            }
            let quick = SessionOptions {
                statement_timeout: Duration::from_millis(100),
                ..target.options().clone()
            };
            let session = Session::open(target.spec(), &quick).await.unwrap();
            let _ = run::run(&session, &statement(text), |_| {}).await;
        }
        assert_eq!(state(&owner).await, before, "the session alone let something through");
        assert!(!std::path::Path::new(&format!("/tmp/marula-canary-{major}")).exists());
        assert!(!std::path::Path::new("/tmp/marula-canary").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_passes() {
    for major in MAJORS {
        let extra = "
            CREATE FUNCTION fine(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n + 1;
            CREATE FUNCTION fine_plpgsql(n int) RETURNS int LANGUAGE plpgsql STABLE AS
                'DECLARE t int; BEGIN SELECT count(*) INTO t FROM orders WHERE customer_id = n; RETURN t; END';
            CREATE OPERATOR <+> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
            CREATE AGGREGATE median(int) (SFUNC = int4larger, STYPE = int);
            CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
            CREATE EXTENSION pg_trgm; CREATE EXTENSION pgcrypto; CREATE EXTENSION \"uuid-ossp\";";
        let (_owner, target) = database(major, &format!("{SHOP}{extra}")).await;
        let mut wrong = Vec::new();
        for text in ALLOWED {
            if let Err(error) = through(&target, text).await {
                wrong.push(format!("{text}: {error:?}"));
            }
        }
        assert!(wrong.is_empty(), "{major}:\n{}", wrong.join("\n"));
    }
}

const BOMBS: &[&str] = &[
    "SELECT count(*) FROM generate_series(1, 100000000000)",
    "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "SELECT length(repeat('a', 10000000) || repeat('b', 10000000)) FROM generate_series(1, 1000000)",
    "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' ~ '(a*)*b(a*)*c\\1' FROM generate_series(1, 1000000000)",
];

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_cancelled_in_time() {
    for major in MAJORS {
        let (owner, target) = database(major, SHOP).await;
        let options = SessionOptions::read_only(Duration::from_millis(500));
        let session = Session::open(target.spec(), &options).await.unwrap();
        for text in BOMBS {
            let started = Instant::now();
            let error = through(&session, text).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{text}: {error:?}");
            assert!(started.elapsed() < Duration::from_secs(5), "{text}");
        }
        let running: i64 = owner
            .client()
            .query_one("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series(1, 1%' AND pid <> pg_backend_pid()", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(running, 0);
        // A server that ends our session in the middle is named as such.
        let victim =
            Session::open(target.spec(), &SessionOptions::read_only(Duration::from_secs(20)))
                .await
                .unwrap();
        let bomb = statement(BOMBS[0]);
        let (result, _) = tokio::join!(run::run(&victim, &bomb, |_| {}), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            owner.client().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%100000000000%' AND pid <> pg_backend_pid()", &[]).await.unwrap()
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ServerDied);
    }
}
