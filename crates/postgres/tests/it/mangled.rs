//! Parsers and guard under damaged and nested input: no panic, no leak, nothing forbidden passes.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use marula_postgres::{ConnectSpec, Environment, guard, plan, sql};
use proptest::prelude::*;

use crate::attack_set::{ALLOWED, REFUSED};
use crate::mangle::mangled;
use crate::plans::STATEMENTS;

fn statements() -> Vec<String> {
    [REFUSED, ALLOWED, STATEMENTS].concat().into_iter().map(str::to_owned).collect()
}

/// What must not run, wherever it stands in a statement.
const FORBIDDEN: &[&str] = &[
    "pg_sleep(9)::text",
    "pg_read_file('/etc/passwd')",
    "pg_catalog.pg_read_file('/etc/passwd')",
    "\"pg_read_file\"('/etc/passwd')",
    "U&\"pg\\005fread_file\"('/etc/passwd')",
    "nextval('counter')::text",
    "set_config('work_mem', '1GB', false)",
    "lo_import('/etc/passwd')::text",
    "dblink('dbname=x', 'DELETE FROM t')::text",
    "query_to_xml('DELETE FROM t', true, true, '')::text",
    "pg_terminate_backend(1)::text",
    "pg_advisory_lock(1)::text",
    "pg_notify('a', 'b')::text",
];

/// An expression with something forbidden in it, some levels down.
fn hidden() -> impl Strategy<Value = String> {
    let forbidden = prop::sample::select(FORBIDDEN.to_vec()).prop_map(str::to_owned);
    forbidden.prop_recursive(5, 16, 1, |inner| {
        (inner, 0usize..15).prop_map(|(x, how)| match how {
            0 => format!("(SELECT {x})"),
            1 => format!("CASE WHEN a = 1 THEN {x} ELSE 'x' END"),
            2 => format!("coalesce(NULL, {x})"),
            3 => format!("(SELECT max({x}) FILTER (WHERE b > 1) FROM t)"),
            4 => format!("(WITH c AS MATERIALIZED (SELECT {x} AS v) SELECT v FROM c)"),
            5 => format!("(SELECT v FROM (VALUES ({x})) AS l(v))"),
            6 => format!("(SELECT v FROM t, LATERAL (SELECT {x} AS v) AS l LIMIT 1)"),
            7 => format!("(ARRAY['a', {x}])[2]"),
            8 => format!("(SELECT 'a' ORDER BY {x})"),
            9 => format!("(SELECT string_agg('a', {x} ORDER BY b) OVER (PARTITION BY c) FROM t)"),
            10 => format!("(SELECT g::text FROM ROWS FROM (unnest(ARRAY[{x}])) AS g)"),
            11 => format!("('a' || {x} || 'b')"),
            12 => format!("(SELECT 'a' FROM t JOIN u ON t.id = u.id AND u.n = {x})"),
            13 => format!("(SELECT 'a' FROM t GROUP BY {x} HAVING count(*) > 1)"),
            _ => format!("(ROW({x})).f1::text"),
        })
    })
}

const SECRET: &str = "h-u-s-h";

fn addresses() -> Vec<String> {
    [
        "postgresql://ann:h-u-s-h@db.example.com:5432/shop?sslmode=verify-full&connect_timeout=5",
        "postgres://ann:h-u-s-h@[::1]:5432,10.0.0.7:5433/shop?target_session_attrs=read-write",
        "postgresql://ann:h-u-s-h@%2Fvar%2Frun/shop?options=-c%20work_mem%3D1MB&ssl=true",
        "host=db port=5432 dbname=shop user=ann password=h-u-s-h sslmode=require",
        "host='/tmp/a b' dbname='it\\'s' user = ann password = 'h-u-s-h' keepalives=1",
        "service=shop password=h-u-s-h",
    ]
    .map(str::to_owned)
    .to_vec()
}

const SERVICES: &str = "# mine\n[other]\nhost=x\n\n[shop]\nhost = db\nport=5433\ndbname=shop\n";
const PASSWORDS: &str = "# mine\ndb:5432:shop:ann:h-u-s-h\n*:*:*:*:a\\:b\\\\c\nh\\:x:1:*:*:odd\n";

static PLANS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(crate::plans::samples())).join().unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn what_passes_the_guard_is_one_statement_and_passes_again(
        text in mangled(statements())
    ) {
        let started = Instant::now();
        match guard::check(&text) {
            Ok(parsed) => {
                let again = guard::check(parsed.text());
                prop_assert!(again.is_ok(), "{text:?} passes, and then {again:?}");
                let statements = sql::parse_all(parsed.text()).map_or(0, |all| all.len());
                prop_assert_eq!(statements, 1, "{:?}", text);
            }
            Err(error) => if let Some(marked) = error.marked() {
                prop_assert!(marked.text.get(marked.start..marked.end).is_some(), "{error:?}");
            },
        }
        prop_assert!(started.elapsed() < Duration::from_secs(2), "{text:?}");
    }

    #[test]
    fn what_is_forbidden_is_found_however_deep_it_is(inner in hidden(), form in 0usize..6) {
        let text = match form {
            0 => format!("SELECT {inner}"),
            1 => format!("SELECT a FROM t WHERE b = {inner}"),
            2 => format!("SELECT a FROM t ORDER BY {inner} LIMIT 3"),
            3 => format!("SELECT a FROM t UNION ALL SELECT {inner}"),
            4 => format!("EXPLAIN ANALYZE SELECT a FROM t LEFT JOIN u ON t.x = {inner}"),
            _ => format!("VALUES ('a'), ({inner})"),
        };
        let refused = guard::check(&text);
        prop_assert!(refused.is_err(), "{text}");
        let kind = refused.err().map(|error| error.kind());
        prop_assert_eq!(kind, Some(marula_core::ErrorKind::Refused), "{}", text);
    }

    #[test]
    fn damaged_addresses_neither_panic_nor_tell_the_password(text in mangled(addresses())) {
        let said = match ConnectSpec::parse(&text, &Environment::default()) {
            Ok(spec) => format!("{spec} {spec:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        // Where the damage left it what is to be kept: no word of it is shown.
        let begins = ["postgresql://ann:", "postgres://ann:"]
            .iter()
            .any(|head| text.starts_with(&format!("{head}{SECRET}@")));
        let whole = begins && text.matches(SECRET).count() == 1;
        prop_assert!(!whole || !said.contains(SECRET), "{text:?}: {said}");
    }

    #[test]
    fn damaged_service_and_password_files_neither_panic_nor_tell(
        services in mangled(vec![SERVICES.to_owned()]),
        passwords in mangled(vec![PASSWORDS.to_owned()]),
    ) {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (service, password) = (folder.path().join("services"), folder.path().join("passwords"));
        std::fs::write(&service, services).unwrap();
        std::fs::write(&password, passwords).unwrap();
        std::fs::set_permissions(&password, PermissionsExt::from_mode(0o600)).unwrap();
        let variable = |name: &str, path: &std::path::Path| (name.to_owned(), path.display().to_string());
        let environment = Environment {
            variables: [variable("PGSERVICEFILE", &service), variable("PGPASSFILE", &password)].into(),
            ..Environment::default()
        };
        for text in ["service=shop", "postgresql://ann@db/shop"] {
            let said = match ConnectSpec::parse(text, &environment) {
                Ok(spec) => format!("{spec} {spec:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!said.contains(SECRET), "{said}");
        }
    }

    #[test]
    fn damaged_plans_never_panic(text in mangled(PLANS.clone())) {
        let started = Instant::now();
        match plan::parse(&text) {
            Ok(saved) => { let _ = saved.plan.tree.walk().len(); }
            Err(error) => prop_assert!(!error.message().is_empty()),
        }
        prop_assert!(started.elapsed() < Duration::from_secs(2), "{}", text.len());
    }
}
