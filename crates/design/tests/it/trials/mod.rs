//! Designs that are built, filled and compared on real servers.

mod bucket;
mod missing;
mod optional;
mod owned;
mod places;
mod refused;
mod subset;

use marula_core::model::{AggregateFunction, Count, Deed, Model};
use marula_core::{Engine, Quiet, Result};
use marula_design::question::start;
use marula_design::search::{Work, candidates, options};
use marula_design::structure::{Computed, Layout, Structure};
use marula_design::synth::World;
use marula_design::trial::{TrialOptions, mongodb, postgres, same};
use std::time::Duration;

fn model(text: &str) -> Model {
    serde_saphyr::from_str(text).unwrap()
}

fn work(model: &Model) -> Work {
    let work = Work::new(model);
    assert!(work.left_out.is_empty(), "{:?}", work.left_out);
    work
}

fn quick() -> TrialOptions {
    TrialOptions { length: Duration::from_secs(1), cache_mb: 256, ..TrialOptions::default() }
}

/// All structures that are measured give the same answers, before and after the same writes; and
/// so do the engines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_design_of_a_shop_gives_the_same_answers() -> Result<()> {
    let model = model(include_str!("../models/shop.yaml"));
    let work = work(&model);
    let world = World::new(&model, 6_000, 1);
    let mut answers = Vec::new();
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let found = candidates(&model, &work, engine, 6);
        assert!(found.len() >= 3, "{found:?}");
        let tried = match engine {
            Engine::Postgres => postgres(&world, &work, &found, &quick(), &Quiet).await?,
            Engine::Mongodb => mongodb(&world, &work, &found, &quick(), &Quiet).await?,
        };
        for design in &tried.designs.candidates {
            assert_eq!(
                design.results_equal,
                Some(true),
                "{engine:?} {}: {:#?}",
                design.name,
                design.notes
            );
            assert!(
                design.operations.iter().all(|o| o.failed == 0),
                "{}: {:#?}",
                design.name,
                design.notes
            );
        }
        answers.push(tried.answers);
    }
    for (left, right) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(same(left, right), Ok(()));
    }
    assert!(answers[0].iter().any(|answer| answer.rows.len() > 1));
    Ok(())
}

/// What is counted may be kept instead: on both engines the answers are those of counting, also after
/// members are added and taken away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_that_is_kept_is_the_count() -> Result<()> {
    let mut model = model(include_str!("../models/shop.yaml"));
    let count = model.queries.iter_mut().find(|query| query.name == "count_reviews").unwrap();
    count.access.as_mut().unwrap().conditions.clear();
    model.queries.retain(|query| query.name == "count_reviews");
    model.writes.push(marula_core::model::Write {
        name: "withdraw".into(),
        does: Deed::Delete,
        entity: "reviews".into(),
        rate: marula_core::model::Rate(1.0),
        ..Default::default()
    });
    let work = work(&model);
    let world = World::new(&model, 3_000, 1);
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let mut found = candidates(&model, &work, engine, 2);
        let plain = Structure::normalised(&model);
        let kept = |function, attribute: Option<&str>| Computed {
            relation: 3,
            function,
            attribute: attribute.map(str::to_owned),
            name: format!("reviews_{}", attribute.unwrap_or("count")),
        };
        let computed =
            vec![kept(AggregateFunction::Count, None), kept(AggregateFunction::Sum, Some("stars"))];
        for (candidate, computed) in found.iter_mut().zip([Vec::new(), computed]) {
            candidate.structure = Structure { computed, ..plain.clone() };
        }
        let tried = match engine {
            Engine::Postgres => postgres(&world, &work, &found, &quick(), &Quiet).await?,
            Engine::Mongodb => mongodb(&world, &work, &found, &quick(), &Quiet).await?,
        };
        for design in &tried.designs.candidates {
            assert_eq!(
                design.results_equal,
                Some(true),
                "{engine:?} {}: {:#?}",
                design.name,
                design.notes
            );
        }
    }
    Ok(())
}

/// A count is also kept of members that come along with another than the one: the lines of an order
/// count for their products.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_is_kept_of_those_that_come_along() -> Result<()> {
    let mut model = model(include_str!("../models/shop.yaml"));
    let sold = model.queries.iter_mut().find(|query| query.name == "who_bought").unwrap();
    sold.access = Some(marula_core::model::AccessPath {
        from: "products".into(),
        follow: vec!["sales".into()],
        group: vec!["id".into()],
        aggregates: vec![marula_core::model::Aggregate { name: "n".into(), ..Default::default() }],
        ..Default::default()
    });
    model.queries.retain(|query| query.name == "who_bought");
    model.writes.retain(|write| write.name == "place_order");
    model.transactions.clear();
    let work = work(&model);
    let world = World::new(&model, 3_000, 1);
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let mut found = candidates(&model, &work, engine, 2);
        let plain = Structure::normalised(&model);
        let count = Computed {
            relation: 2,
            function: AggregateFunction::Count,
            attribute: None,
            name: "sales_count".into(),
        };
        found.truncate(2);
        assert_eq!(found.len(), 2);
        found[0].structure = plain.clone();
        found[1].structure = Structure { computed: vec![count], ..plain };
        let tried = match engine {
            Engine::Postgres => postgres(&world, &work, &found, &quick(), &Quiet).await?,
            Engine::Mongodb => mongodb(&world, &work, &found, &quick(), &Quiet).await?,
        };
        for design in &tried.designs.candidates {
            let (name, notes) = (&design.name, &design.notes);
            assert_eq!(design.results_equal, Some(true), "{engine:?} {name}: {notes:#?}");
        }
    }
    Ok(())
}

/// A sum is not kept where a write changes what is summed up, nor a count where members are taken away
/// by other than their key: nothing would keep them in step.
#[test]
fn what_no_write_keeps_in_step_is_not_computed() {
    let kept = |change: &dyn Fn(&mut marula_core::model::Write)| {
        let mut model = model(include_str!("../models/shop.yaml"));
        let write = model.writes.iter_mut().find(|write| write.name == "write_review").unwrap();
        change(write);
        let work = work(&model);
        let plain = Structure::normalised(&model);
        let steps = options(&model, &work, Engine::Postgres).neighbours(&model, &plain);
        let computed = steps.into_iter().flat_map(|structure| structure.computed);
        let mut names: Vec<String> = computed.map(|computed| computed.name).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(kept(&|_| ()), ["reviews_count", "reviews_stars_sum"]);
    let edited = kept(&|write| {
        write.does = Deed::Update;
        write.set = vec!["stars".into()];
    });
    assert_eq!(edited, ["reviews_count"]);
    let cleared = kept(&|write| {
        write.does = Deed::Delete;
        write.by = vec!["customer_id".into()];
    });
    assert!(cleared.is_empty(), "{cleared:?}");
}

/// The first few of one are read off their index and then looked up, though there are fewer ones than
/// that: from the ones all of theirs would be read. What is asked of the one is asked of it first.
#[test]
fn a_first_page_begins_where_it_is_found() {
    let begins = |model: &Model, name: &str| {
        let work = work(model);
        let structure = Structure::normalised(model);
        let layout = Layout::new(model, &structure);
        let asking = work.asked.iter().find(|a| model.queries[a.query].name == name).unwrap();
        let node = start(model, &structure, &layout, &asking.question);
        asking.question.nodes[node].entity.clone()
    };
    let mut telemetry = model(include_str!("../models/telemetry.yaml"));
    telemetry.entities[0].rows = Count(40);
    assert_eq!(begins(&telemetry, "newest_with_label"), "readings");
    let pages = model(include_str!("../models/product_pages.yaml"));
    assert_eq!(begins(&pages, "newest_of_product"), "reviews");
    assert_eq!(begins(&pages, "teaser"), "products");
}

/// What MongoDB acknowledges is on disk, as it is on a PostgreSQL with `fsync`: each of the writes
/// waited for a sync.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mongodb_syncs_what_it_acknowledges() -> Result<()> {
    const WRITES: i32 = 30;
    let server = marula_lab::shared::mongodb(6, 0).await?;
    let session = marula_mongodb::Session::open(
        &server.create_database().await?,
        &marula_mongodb::SessionOptions::lab(),
    )
    .await?;
    let syncs = async || {
        let admin = session.client().database("admin");
        let status = admin.run_command(bson::doc! { "serverStatus": 1 }).await.unwrap();
        let log = status.get_document("wiredTiger").unwrap().get_document("log").unwrap().clone();
        log.get_i64("log sync operations")
            .or(log.get_i32("log sync operations").map(i64::from))
            .unwrap()
    };
    let before = syncs().await;
    for n in 0..WRITES {
        let insert = bson::doc! { "insert": "c", "documents": [{ "n": n }], "writeConcern": { "w": "majority", "j": true } };
        session.database().run_command(insert).await.unwrap();
    }
    let after = syncs().await;
    assert!(after - before >= i64::from(WRITES), "{before} {after}");
    Ok(())
}
