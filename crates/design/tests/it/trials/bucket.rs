//! What is measured kept by so many in a document: enumerated, built, added to, and worth it.

use bson::{Bson, Document, doc};
use marula_core::model::{Deed, Model, Rate};
use marula_core::{Engine, Result};
use marula_design::search::{Work, candidates, indexes, options};
use marula_design::structure::{Bucket, Structure};
use marula_design::synth::World;
use marula_design::trial::{Mongodb, Subject, operations};
use marula_mongodb::{Session, SessionOptions};

use super::subset::{assert_equal, chosen, documents_read};
use super::{model, work};

fn telemetry() -> Model {
    model(include_str!("../models/telemetry.yaml"))
}

/// The buckets that the search can choose.
fn buckets(model: &Model, work: &Work, engine: Engine) -> Vec<Bucket> {
    let plain = Structure::normalised(model);
    let steps = options(model, work, engine).neighbours(model, &plain);
    steps.into_iter().flat_map(|structure| structure.buckets).collect()
}

fn bucketed(model: &Model, work: &Work) -> Structure {
    let buckets = buckets(model, work, Engine::Mongodb);
    Structure { buckets, ..Structure::normalised(model) }
}

/// Only what is added, told apart by its moment, and never changed.
#[test]
fn buckets_are_of_what_is_only_added() {
    let model = telemetry();
    let work = work(&model);
    let found = buckets(&model, &work, Engine::Mongodb);
    assert_eq!(found, [Bucket { relation: 0, time: "at".into(), count: 10 }]);
    assert!(buckets(&model, &work, Engine::Postgres).is_empty());
    let none = |change: &dyn Fn(&mut Model)| {
        let mut model = telemetry();
        change(&mut model);
        assert!(buckets(&model, &Work::new(&model), Engine::Mongodb).is_empty());
    };
    none(&|model| model.writes[0].does = Deed::Delete);
    none(&|model| model.entities[1].unique = vec![vec!["value".into()]]);
    none(&|model| model.relations[0].fanout.as_mut().unwrap().average = 5.0);
}

/// Whatever is asked, also after members were added, some of them late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_give_the_answers_of_single_measurements() -> Result<()> {
    let model = telemetry();
    let work = work(&model);
    let plain = Structure::normalised(&model);
    let found = chosen(vec![("plain", plain), ("buckets", bucketed(&model, &work))]);
    assert_equal(&model, &work, &found, 12_200).await
}

/// Writers that meet at one sensor, out of order: no measurement is lost, the buckets of one lie one
/// behind the other, and all but the last are full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_meet_leave_the_buckets_in_order() -> Result<()> {
    const WRITERS: u64 = 4;
    const EACH: u64 = 60;
    let mut model = telemetry();
    model.entities[0].rows = marula_core::model::Count(2);
    // Nothing is there, so that all begin with the first bucket.
    let work = work(&model);
    let world = World::new(&model, 200, 1);
    let structure = bucketed(&model, &work);
    let server = marula_lab::shared::mongodb(6, 0).await?;
    let spec = server.create_database().await?;
    let wanted = indexes(&model, &structure, &work);
    let (subject, _) =
        Mongodb::build(&world, &work, structure.clone(), &wanted, spec.clone()).await?;
    let session = Session::open(&spec, &SessionOptions::lab()).await?;
    let all = session.database().collection::<Document>("readings");
    all.delete_many(doc! {}).await.unwrap();
    let measure = operations(&model, &work).into_iter().find(|o| o.name == "measure").unwrap();
    let writer = async |number: u64| -> Result<()> {
        let mut connection = subject.connect().await?;
        for turn in 0..EACH {
            // Every third comes late.
            let serial = turn * WRITERS + number;
            let serial = if turn % 3 == 0 { 10_000 - serial } else { serial };
            let job = measure.job(&world, &work, &structure, serial);
            subject.perform(&mut connection, &subject.prepare(&job)?).await?;
        }
        Ok(())
    };
    futures_util::future::try_join_all((0..WRITERS).map(writer)).await?;
    // What is there is refused, as by a unique index: the newest, and one among the others.
    let mut connection = subject.connect().await?;
    for serial in [10_000, 4] {
        let again = subject.prepare(&measure.job(&world, &work, &structure, serial))?;
        assert!(subject.perform(&mut connection, &again).await.is_err(), "{serial}");
    }
    let sorted = doc! { "sensor_id": 1, "last": 1 };
    let mut cursor = all.find(doc! {}).sort(sorted).await.unwrap();
    let (mut rows, mut before): (u64, Option<Document>) = (0, None);
    while cursor.advance().await.unwrap() {
        let bucket = Document::try_from(cursor.current()).unwrap();
        let moments: Vec<_> = bucket
            .get_array("rows")
            .unwrap()
            .iter()
            .map(|row| *row.as_document().unwrap().get_datetime("at").unwrap())
            .collect();
        assert!(moments.is_sorted(), "{bucket}");
        assert_eq!(bucket.get_datetime("first").unwrap(), &moments[0]);
        assert_eq!(bucket.get_datetime("last").unwrap(), moments.last().unwrap());
        let count = number(&bucket, "count");
        assert_eq!(count, moments.len() as i64);
        assert!(count < 20, "{count}");
        if let Some(before) = before.filter(|b| b.get("sensor_id") == bucket.get("sensor_id")) {
            assert!(before.get_datetime("last").unwrap() < &moments[0]);
            assert!(number(&before, "count") >= 10, "{before}");
        }
        rows += moments.len() as u64;
        before = Some(bucket);
    }
    assert_eq!(rows, WRITERS * EACH);
    Ok(())
}

fn number(document: &Document, name: &str) -> i64 {
    match document.get(name) {
        Some(Bson::Int32(number)) => i64::from(*number),
        Some(Bson::Int64(number)) => *number,
        other => panic!("{name}: {other:?}"),
    }
}

/// The devices of the blueprints write measurements in a transaction with alarms, which the native
/// time-series collection does not take. Where a tenth of them comes in, and is read as often, buckets
/// are what the search begins with; they give the same answers, and read a fraction of the documents.
/// As often as the blueprint has them come in, adding to buckets costs more than reading them saves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_of_measurements_reads_few_documents() -> Result<()> {
    let text = include_str!("../../../blueprints/iot.yaml");
    let mut model = marula_design::model::read(text, "iot.yaml").unwrap().model;
    let often = candidates(&model, &work(&model), Engine::Mongodb, 4);
    assert!(often[0].structure.buckets.is_empty(), "{}", often[0].name);
    let measure = model.writes.iter_mut().find(|write| write.name == "measure").unwrap();
    measure.rate = Rate(measure.rate.0 / 10.0);
    let work = work(&model);
    let found = candidates(&model, &work, Engine::Mongodb, 4);
    let kept = found.iter().find(|one| one.name.contains("bucket of readings per sensor"));
    let kept = kept.unwrap_or_else(|| panic!("{:?}", found.iter().map(|c| &c.name))).clone();
    let plain = chosen(vec![("plain", Structure::normalised(&model))]).remove(0);
    assert_equal(&model, &work, &[plain.clone(), kept.clone()], 12_000).await?;

    let world = World::new(&model, 12_000, 1);
    let server = marula_lab::shared::mongodb(6, 0).await?;
    let mut read = Vec::new();
    for structure in [&plain.structure, &kept.structure] {
        let spec = server.create_database().await?;
        let wanted = indexes(&model, structure, &work);
        let _built =
            Mongodb::build(&world, &work, structure.clone(), &wanted, spec.clone()).await?;
        let session = Session::open(&spec, &SessionOptions::lab()).await?;
        let one = ("readings", "sensors");
        read.push(documents_read(&session, &world, &work, structure, "span_of_sensor", one).await);
    }
    assert!(read[1] > 0 && read[0] >= 10 * read[1], "{read:?}");
    Ok(())
}
