//! What a server refuses is set aside by its name, and the rest is measured.

use std::time::Duration;

use marula_core::model::Model;
use marula_core::{Engine, EngineDesigns, ErrorKind, Quiet, Result, SetAsideKind};
use marula_design::search::{Candidate, Work, candidates};
use marula_design::structure::Structure;
use marula_design::synth::World;
use marula_design::trial::{TrialOptions, Tried, mongodb, postgres};
use marula_design::{ProposeOptions, propose};

use super::subset::chosen;
use super::{model, quick};

async fn tried(model: &Model, found: &[Candidate], engine: Engine, rows: u64) -> Result<Tried> {
    let work = Work::new(model);
    let world = World::new(model, rows, 1);
    let options = TrialOptions { length: Duration::from_millis(200), ..quick() };
    match engine {
        Engine::Postgres => postgres(&world, &work, found, &options, &Quiet).await,
        Engine::Mongodb => mongodb(&world, &work, found, &options, &Quiet).await,
    }
}

fn plain(model: &Model) -> Vec<Candidate> {
    chosen(vec![("normalised", Structure::normalised(model))])
}

fn has(designs: &EngineDesigns, operation: &str) -> bool {
    designs.candidates[0].operations.iter().any(|one| one.name == operation)
}

/// Checks over two attributes, ranges that must not meet, references of several parts, deletions
/// beside additions: nothing of it is refused, on either engine, by any design.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_and_writes_keep_the_models_rules() -> Result<()> {
    let model = model(include_str!("../models/rules.yaml"));
    let work = Work::new(&model);
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let found = candidates(&model, &work, engine, 3);
        let tried = tried(&model, &found, engine, 6_000).await?.designs;
        assert_eq!(tried.set_aside, [], "{engine:?}");
        assert_eq!(tried.left_out, [], "{engine:?}");
        assert_eq!(tried.candidates.len(), found.len());
        for design in &tried.candidates {
            let (name, notes) = (&design.name, &design.notes);
            assert_eq!(design.results_equal, Some(true), "{engine:?} {name}: {notes:#?}");
            let failed: Vec<_> = notes.iter().filter(|note| note.contains(" failed: ")).collect();
            assert!(failed.is_empty(), "{engine:?} {name}: {failed:#?}");
        }
    }
    Ok(())
}

/// A check that cannot be read, one that cannot hold, and lists that are not told apart: the tables are measured without them, and the script has them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn constraints_that_the_data_breaks_are_named() -> Result<()> {
    let model = model(
        "name: forms
entities:
  - name: forms
    attributes:
      - {name: id, type: id}
      - {name: code, type: text, required: true, average_length: 9}
      - {name: size, type: integer, required: true, min: 1, max: 9}
      - {name: tags, type: list, of: text, required: true, length: {average: 1, max: 1}}
    unique: [[tags]]
    checks: [\"code ~ '^[A-Z]+$'\", 'size > 10']
    rows: 300
queries:
  - {name: form, sql: 'SELECT code, size FROM forms WHERE id = $1', rate: 5}
writes:
  - {name: send, does: insert, entity: forms, rate: 5}
",
    );
    let designs = tried(&model, &plain(&model), Engine::Postgres, 300).await?.designs;
    let told: Vec<&str> = designs.set_aside.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        told,
        [
            "the check forms_check of forms",
            "the check forms_check2 of forms",
            "unique forms (tags)"
        ]
    );
    assert!(designs.set_aside.iter().all(|one| one.kind == SetAsideKind::Constraint));
    assert!(designs.set_aside[0].reason.contains("23514"), "{:?}", designs.set_aside[0]);
    assert!(has(&designs, "form") && has(&designs, "send"), "{:?}", designs.left_out);
    let script = &designs.candidates[0].script;
    assert!(script.contains("size > 10") && script.contains("UNIQUE (tags)"), "{script}");

    let designs = tried(&model, &plain(&model), Engine::Mongodb, 300).await?.designs;
    let told: Vec<&str> = designs.set_aside.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(told, ["the validator of forms", "index forms tags_1"]);
    assert!(has(&designs, "form") && has(&designs, "send"), "{:?}", designs.left_out);
    Ok(())
}

/// A query that the server cannot answer, and a write that it never takes, are not measured; the others
/// are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_that_are_refused_are_named() -> Result<()> {
    let model = model(
        "name: counters
entities:
  - name: counters
    attributes:
      - {name: id, type: id}
      - {name: count, type: integer, required: true, min: 4000000000000000000, max: 9000000000000000000}
      - {name: left, type: integer, required: true, min: 0, max: 0}
    rows: 300
queries:
  - {name: counter, sql: 'SELECT count FROM counters WHERE id = $1', rate: 5}
  - {name: squares, sql: 'SELECT sum(count * count) AS sum FROM counters', rate: 5}
writes:
  - {name: count, does: update, entity: counters, set: [count], rate: 5}
  - {name: take, does: update, entity: counters, increment: [left], rate: 5}
",
    );
    let designs = tried(&model, &plain(&model), Engine::Postgres, 300).await?.designs;
    assert!(has(&designs, "counter") && has(&designs, "count"));
    let told = |name: &str| {
        let left = designs.left_out.iter().find(|left| left.statement == name);
        left.map_or(String::new(), |left| left.reason.clone())
    };
    assert!(told("squares").contains("bigint out of range (22003)"), "{}", told("squares"));
    assert!(told("take").contains("23514"), "{}", told("take"));
    assert_eq!(designs.left_out.len(), 2, "{:?}", designs.left_out);
    Ok(())
}

/// Where the server takes none of the designs that is the end, and not for want of a server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_to_measure_is_the_labs_failure() {
    let model = model(
        "name: places
entities:
  - name: places
    attributes: [{name: where, type: point, required: true}, {name: name, type: text, required: true}]
    key: [where]
    rows: 300
queries:
  - {name: place, sql: 'SELECT count(*) AS n FROM places WHERE name = $1', rate: 5}
",
    );
    let error = tried(&model, &plain(&model), Engine::Postgres, 300).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lab);
    assert!(error.message().contains("normalised: CREATE TABLE"), "{}", error.message());
    assert!(error.message().contains("no default operator class"), "{}", error.message());
    // What the other engine can do is designed all the same.
    let options = ProposeOptions {
        candidates: 1,
        rows: 300,
        length: Duration::from_millis(200),
        ..ProposeOptions::default()
    };
    let both = [Engine::Postgres, Engine::Mongodb];
    let report = propose(&model, &both, &options, &Quiet).await.unwrap();
    let engines = &report.designs.as_ref().unwrap().engines;
    assert_eq!(engines.len(), 1, "{:#?}", report.notes);
    assert_eq!(engines[0].server.engine, Engine::Mongodb);
    let told = report.notes.iter().find(|note| note.starts_with("no design for PostgreSQL: "));
    assert!(
        told.is_some_and(|note| note.contains("no default operator class")),
        "{:?}",
        report.notes
    );
    let alone = propose(&model, &both[..1], &options, &Quiet).await.unwrap_err();
    assert_eq!(alone.message(), error.message());
}
