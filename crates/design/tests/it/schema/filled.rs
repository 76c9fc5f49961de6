//! Schemas hold what the model's own synthetic data is, in every structure the search proposes;
//! then our own review looks at them.

use marula_core::{Engine, Quiet, Severity};
use marula_design::ReviewOptions;
use marula_design::schema::{Schema, Stage};
use marula_design::search::{Work, candidates, options};
use marula_design::structure::{Layout, Structure};
use marula_design::synth::World;
use marula_design::{mongodb, postgres};
use marula_mongodb::shell;

use super::models::*;
use crate::postgres::target;

const ROWS: u64 = 6_000;

/// What the search proposes, and every step away from the normalised one.
fn structures(case: &Case, engine: Engine) -> Vec<(String, Structure)> {
    let work = Work::new(&case.model);
    let found = candidates(&case.model, &work, engine, 4);
    let mut all: Vec<(String, Structure)> =
        found.into_iter().map(|one| (one.name, one.structure)).collect();
    let plain = Structure::normalised(&case.model);
    for one in options(&case.model, &work, engine).neighbours(&case.model, &plain) {
        if all.iter().all(|(_, known)| *known != one) {
            all.push((format!("{:?} {:?}", one.placements, one.computed), one));
        }
    }
    all
}

fn grave(report: &marula_core::Report) -> Vec<String> {
    // The open part of synthetic data has names of its own in each document: it is open.
    let grave = report
        .findings
        .iter()
        .filter(|one| one.severity >= Severity::Medium && one.rule != "values-as-field-names");
    grave.map(|one| format!("{}: {}", one.rule, one.title)).collect()
}

/// Asks for what is elsewhere, so that copies and sums are worth something.
const ASKED: &str = "
  - {name: orders_with_names, rate: 100/s, access: {from: orders, where: [{attribute: status, parameter: 1}], select: [id, customer.name], limit: 20}}
  - {name: reviews_of_product, rate: 100/s, access: {from: products, where: [{attribute: id, parameter: 1}], group: [id], aggregates: [{function: count, attribute: reviews.id, name: n}]}}
writes:";

fn asked(text: &str) -> Case {
    match text {
        SHOP => Case::of(&text.replacen("\nwrites:", ASKED, 1)),
        "zoo" => zoo(),
        _ => Case::of(text),
    }
}

const MODELS: [&str; 7] = [SHOP, SERVICE, TREE, SCHOOL, SENSORS, LIBRARY, "zoo"];

#[tokio::test(flavor = "multi_thread")]
async fn postgres_holds_the_synthetic_data_in_every_structure() {
    let mut faults = Vec::new();
    for (text, major) in MODELS.iter().flat_map(|text| [(text, 15), (text, 18)]) {
        let case = asked(text);
        for (name, structure) in structures(&case, Engine::Postgres) {
            let at = format!("{major} {} {name}", case.model.name);
            let server = marula_lab::shared::postgres(major).await.unwrap();
            let spec = server.create_database().await.unwrap();
            let session =
                marula_postgres::Session::open(&spec, &marula_postgres::SessionOptions::lab())
                    .await
                    .unwrap();
            let layout = Layout::new(&case.model, &structure);
            let options = postgres::SchemaOptions::of(&session).await.unwrap();
            let schema = postgres::schema(&case.model, &structure, &layout, &[], &options);
            let run = async |schema: &Schema, stage| -> Result<(), String> {
                for statement in schema.statements(stage) {
                    let ran = session.client().batch_execute(statement).await;
                    ran.map_err(|error| format!("{statement}: {:?}", error.as_db_error()))?;
                }
                Ok(())
            };
            run(&schema, Stage::BeforeLoading).await.unwrap();
            let world = World::new(&case.model, ROWS, 1);
            let filled = postgres::load::fill(&session, &world, &structure, &layout).await;
            if let Err(error) = filled {
                faults.push(format!("{at}: {error:?}"));
                continue;
            }
            if let Err(error) = run(&schema, Stage::AfterLoading).await {
                faults.push(format!("{at}: {error}"));
                continue;
            }
            session.client().batch_execute("ANALYZE").await.unwrap();
            let options = ReviewOptions { prove: false, ..ReviewOptions::default() };
            let target = target(Engine::Postgres);
            let report = postgres::review(&session, &target, &options, &Quiet).await.unwrap();
            faults.extend(grave(&report).into_iter().map(|fault| format!("{at}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mongodb_holds_the_synthetic_data_in_every_structure() {
    let mut faults = Vec::new();
    for (text, version) in MODELS.iter().flat_map(|text| [(text, (4, 4)), (text, (6, 0))]) {
        let case = asked(text);
        for (name, structure) in structures(&case, Engine::Mongodb) {
            let at = format!("{version:?} {} {name}", case.model.name);
            let server = marula_lab::shared::mongodb(version.0, version.1).await.unwrap();
            let spec = server.create_database().await.unwrap();
            let session =
                marula_mongodb::Session::open(&spec, &marula_mongodb::SessionOptions::lab())
                    .await
                    .unwrap();
            let layout = Layout::new(&case.model, &structure);
            let options = mongodb::SchemaOptions::of(&session).await.unwrap();
            let schema = mongodb::schema(&case.model, &structure, &layout, &[], &options);
            let run = async |schema: &Schema, stage| -> Result<(), String> {
                for statement in schema.statements(stage) {
                    let command = shell::parse(statement).unwrap().to_command();
                    let ran = session.database().run_command(command).await;
                    ran.map_err(|error| format!("{statement}: {error}"))?;
                }
                Ok(())
            };
            run(&schema, Stage::BeforeLoading).await.unwrap();
            let world = World::new(&case.model, ROWS, 1);
            let filled = mongodb::load::fill(&session, &world, &structure, &layout).await;
            if let Err(error) = filled {
                faults.push(format!("{at}: {error:?}"));
                continue;
            }
            if let Err(error) = run(&schema, Stage::AfterLoading).await {
                faults.push(format!("{at}: {error}"));
                continue;
            }
            let options = ReviewOptions { prove: false, ..ReviewOptions::default() };
            let target = target(Engine::Mongodb);
            let report = mongodb::review(&session, &target, &options, &Quiet).await.unwrap();
            faults.extend(grave(&report).into_iter().map(|fault| format!("{at}: {fault}")));
            session.database().drop().await.unwrap();
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
