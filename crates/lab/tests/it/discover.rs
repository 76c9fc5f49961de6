use marula_core::{Engine, Version};
use marula_lab::discover::{self, Found, Install, Origin};

#[test]
fn every_server_of_the_machine_is_found_with_its_version_and_extensions() {
    let found = discover::search();
    let series: Vec<String> =
        found.installs.iter().map(|i| format!("{} {}", i.engine, i.series())).collect();
    for wanted in ["postgres 18", "postgres 15", "mongodb 6.0", "mongodb 5.0", "mongodb 4.4"] {
        assert!(series.iter().any(|found| found == wanted), "{wanted} is not among {series:?}");
    }
    assert!(discover::missing(&found).iter().all(|missing| missing.what.starts_with("HypoPG")));
    let of = |major| {
        discover::choose_exactly(Engine::Postgres, Some(Version::new(major, 0, 0))).unwrap()
    };
    assert!(of(15).has_extension("hypopg") && of(15).has_extension("pg_trgm"));
    assert!(!of(18).has_extension("hypopg") && of(18).has_extension("pg_trgm"));
    assert!(of(18).extensions().contains(&"pg_stat_statements".to_owned()));
}

fn install(engine: Engine, version: Version) -> Install {
    Install {
        engine,
        version,
        full_version: version.to_string(),
        program: format!("/nowhere/{engine}/{version}/bin/server").into(),
        library_dir: None,
        origin: Origin::System,
    }
}

#[test]
fn the_targets_version_is_chosen_else_the_nearest_newer_else_the_nearest_older() {
    let found = Found {
        installs: [(18, 4), (15, 18), (13, 9)]
            .map(|(major, minor)| install(Engine::Postgres, Version::new(major, minor, 0)))
            .into_iter()
            .chain(
                [(6, 0, 27), (5, 0, 4), (4, 4, 2)]
                    .map(|(a, b, c)| install(Engine::Mongodb, Version::new(a, b, c))),
            )
            .collect(),
        ..Found::default()
    };
    for (engine, wanted, used, note) in [
        (Engine::Postgres, "15.3", "15.18", None),
        (
            Engine::Postgres,
            "14",
            "15.18",
            Some("no PostgreSQL 14 was found; the nearest newer, 15.18, was used"),
        ),
        (
            Engine::Postgres,
            "19",
            "18.4",
            Some("no PostgreSQL 19 was found; the nearest older, 18.4, was used"),
        ),
        (Engine::Mongodb, "5.0.9", "5.0.4", None),
        (
            Engine::Mongodb,
            "4.2.1",
            "4.4.2",
            Some("no MongoDB 4.2 was found; the nearest newer, 4.4.2, was used"),
        ),
        (
            Engine::Mongodb,
            "8.0",
            "6.0.27",
            Some("no MongoDB 8.0 was found; the nearest older, 6.0.27, was used"),
        ),
    ] {
        let choice = discover::choose_from(&found, engine, Some(wanted.parse().unwrap())).unwrap();
        assert_eq!(choice.install.version.to_string(), used, "for {engine} {wanted}");
        assert_eq!(choice.note.as_deref(), note);
    }
    let error = discover::choose_from(&Found::default(), Engine::Mongodb, None).unwrap_err();
    assert!(error.message().contains("mongod") && !error.hints().is_empty());
}

#[test]
fn what_is_missing_comes_with_how_to_install_it() {
    let missing = discover::missing(&Found::default());
    assert_eq!(missing.len(), 5);
    assert!(missing.iter().all(|missing| missing.how.len() >= 2));
}
