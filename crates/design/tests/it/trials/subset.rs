//! The first of the many kept with the one: enumerated, built, kept in step, and worth it.

use bson::{Bson, Document, doc};
use marula_core::model::{Deed, Model, Rate, Write};
use marula_core::{Engine, Quiet, Result, Timestamp};
use marula_design::question::start;
use marula_design::search::{Candidate, Work, by_the_rules, candidates, indexes, options};
use marula_design::structure::{Layout, Placement, Structure, Subset};
use marula_design::synth::{Value, World};
use marula_design::trial::{Mongodb, Subject, mongodb, operations};
use marula_mongodb::{Session, SessionOptions};

use super::{model, quick, work};

fn product_pages() -> Model {
    model(include_str!("../models/product_pages.yaml"))
}

/// With writes that take reviews away and move them in the order.
fn with_withdrawals() -> Model {
    let mut model = product_pages();
    let write = |name: &str, does, set: &[&str]| Write {
        name: name.into(),
        does,
        entity: "reviews".into(),
        set: set.iter().map(|name| (*name).to_owned()).collect(),
        rate: Rate(1.0),
        ..Write::default()
    };
    model.writes.push(write("withdraw", Deed::Delete, &[]));
    model.writes.push(write("judge_anew", Deed::Update, &["stars", "created_at"]));
    model
}

/// The subsets that the search can choose.
fn subsets(model: &Model, work: &Work) -> Vec<Subset> {
    let plain = Structure::normalised(model);
    let steps = options(model, work, Engine::Mongodb).neighbours(model, &plain);
    steps.into_iter().flat_map(|structure| structure.subsets).collect()
}

/// Structures by name.
pub(super) fn chosen(structures: Vec<(&str, Structure)>) -> Vec<Candidate> {
    let candidate = |(name, structure): (&str, Structure)| Candidate {
        name: name.to_owned(),
        why: String::new(),
        structure,
        cost: 0.0,
    };
    structures.into_iter().map(candidate).collect()
}

pub(super) async fn assert_equal(
    model: &Model,
    work: &Work,
    found: &[Candidate],
    rows: u64,
) -> Result<()> {
    let world = World::new(model, rows, 1);
    let tried = mongodb(&world, work, found, &quick(), &Quiet).await?;
    for design in &tried.designs.candidates {
        let (name, notes) = (&design.name, &design.notes);
        assert_eq!(design.results_equal, Some(true), "{name}: {notes:#?}");
        assert!(design.operations.iter().all(|o| o.failed == 0), "{name}: {notes:#?}");
    }
    assert!(tried.answers.iter().any(|answer| answer.rows.len() > 1));
    Ok(())
}

/// One subset for each order in which queries ask for the first, large enough for the largest of
/// them; none on PostgreSQL, and none where the order or whose they are is not told.
#[test]
fn subsets_are_what_queries_ask_for() {
    let model = product_pages();
    let work = work(&model);
    let found = subsets(&model, &work);
    let told: Vec<(&str, u64)> = found.iter().map(|s| (s.name.as_str(), s.count)).collect();
    assert_eq!(told, [("newest_reviews", 10), ("top_reviews", 5)]);
    let newest = &found[0];
    let by = |name: &str, down| (name.to_owned(), down);
    assert_eq!(newest.order, [by("created_at", true), by("id", false)]);
    assert_eq!(newest.attributes, ["created_at", "customer_id", "id", "stars", "text"]);
    assert_eq!(newest.shown, [(1, "name".to_owned())]);
    let plain = Structure::normalised(&model);
    let others = options(&model, &work, Engine::Postgres).neighbours(&model, &plain);
    assert!(others.iter().all(|structure| structure.subsets.is_empty()));
}

/// What no writer can keep in step is not kept: reviews that expire, or go to another product, or
/// whose product goes; and copies of names that change beside an array that is read anew.
#[test]
fn what_cannot_be_kept_in_step_is_not_kept() {
    let none = |change: &dyn Fn(&mut Model)| {
        let mut model = product_pages();
        change(&mut model);
        assert!(subsets(&model, &work(&model)).is_empty());
    };
    none(&|model| model.entities[2].keep_days = Some(30));
    none(&|model| model.writes[1].set = vec!["product_id".into()]);
    none(&|model| model.writes[1].by = vec!["customer_id".into()]);
    none(&|model| {
        model.writes[2].does = Deed::Delete;
        model.writes[2].set.clear();
    });
    none(&|model| model.queries.iter_mut().for_each(|q| q.access.as_mut().unwrap().limit = None));
    let model = with_withdrawals();
    let work = work(&model);
    let mut structure = Structure::normalised(&model);
    structure.placements[1] = Placement::Copy(vec!["name".into()]);
    let steps = options(&model, &work, Engine::Mongodb).neighbours(&model, &structure);
    assert!(steps.iter().all(|next| {
        next.subsets.iter().all(|subset| subset.shown.is_empty())
            || next.placements[1] == Placement::Reference
    }));
}

/// Only added and edited: pushed and changed in place, with copies of the authors' names in step.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_reviews_are_those_of_all() -> Result<()> {
    let model = product_pages();
    let work = work(&model);
    let plain = Structure::normalised(&model);
    let subset = Structure { subsets: subsets(&model, &work), ..plain.clone() };
    let mut copied = subset.clone();
    copied.placements[1] = Placement::Copy(vec!["name".into()]);
    let found = chosen(vec![("plain", plain), ("subset", subset), ("copied", copied)]);
    assert_equal(&model, &work, &found, 5_000).await
}

/// Taken away and moved, too: then the array is read anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_reviews_are_those_that_are_left() -> Result<()> {
    let model = with_withdrawals();
    let work = work(&model);
    let plain = Structure::normalised(&model);
    let subset = Structure { subsets: subsets(&model, &work), ..plain.clone() };
    assert_eq!(subset.subsets.len(), 2);
    assert_equal(&model, &work, &chosen(vec![("plain", plain), ("subset", subset)]), 5_000).await
}

/// Writers that meet at a few products leave every array as a new reading gives it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_meet_leave_the_first_reviews_in_step() -> Result<()> {
    const WRITERS: u64 = 4;
    let mut model = with_withdrawals();
    model.entities[1].rows = marula_core::model::Count(3);
    let work = work(&model);
    let world = World::new(&model, 1_000, 1);
    let mut structure = Structure::normalised(&model);
    structure.subsets = subsets(&model, &work);
    let server = marula_lab::shared::mongodb(6, 0).await?;
    let spec = server.create_database().await?;
    let wanted = indexes(&model, &structure, &work);
    let (subject, _) =
        Mongodb::build(&world, &work, structure.clone(), &wanted, spec.clone()).await?;
    let writes: Vec<_> = operations(&model, &work)
        .into_iter()
        .filter(|operation| operation.kind() == "write")
        .collect();
    let writer = async |number: u64| -> Result<()> {
        let mut connection = subject.connect().await?;
        for serial in 0..40 {
            for write in &writes {
                let job = write.job(&world, &work, &structure, serial * WRITERS + number);
                subject.perform(&mut connection, &subject.prepare(&job)?).await?;
            }
        }
        Ok(())
    };
    futures_util::future::try_join_all((0..WRITERS).map(writer)).await?;
    let session = Session::open(&spec, &SessionOptions::lab()).await?;
    for subset in &structure.subsets {
        assert_in_step(&session, subset).await;
    }
    Ok(())
}

/// Compares the ids in every product's array with those a query gives.
async fn assert_in_step(session: &Session, subset: &Subset) {
    let stored = |name: &str| if name == "id" { "_id".to_owned() } else { name.to_owned() };
    let order: Document = subset
        .order
        .iter()
        .map(|(name, down)| (stored(name), Bson::Int32(if *down { -1 } else { 1 })))
        .collect();
    let products = session.database().collection::<Document>("products");
    let mut cursor = products.find(doc! {}).await.unwrap();
    let mut seen = 0;
    while cursor.advance().await.unwrap() {
        let product = Document::try_from(cursor.current()).unwrap();
        let reviews = session.database().collection::<Document>("reviews");
        let mut first = reviews
            .find(doc! { "product_id": product.get("_id").unwrap() })
            .sort(order.clone())
            .limit(subset.count as i64)
            .await
            .unwrap();
        let held = product.get_array(&subset.name).unwrap();
        let mut at = 0;
        while first.advance().await.unwrap() {
            let review = Document::try_from(first.current()).unwrap();
            let element = held[at].as_document().unwrap();
            assert_eq!(element.get("id"), review.get("_id"), "{} {at}: {held:?}", subset.name);
            for name in subset.attributes.iter().filter(|name| *name != "id") {
                assert_eq!(element.get(name), review.get(name), "{} {at} {name}", subset.name);
            }
            at += 1;
        }
        assert_eq!(held.len(), at);
        seen += at;
    }
    assert!(seen > 0);
}

/// Where pages show the first of many reviews, that design is among those that are measured.
#[test]
fn the_search_chooses_subsets_where_they_help() {
    let model = product_pages();
    let found = candidates(&model, &work(&model), Engine::Mongodb, 4);
    let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
    assert!(names[0].contains("subset of reviews in products"), "{names:?}");
    let rules = by_the_rules(&model, &work(&model), Engine::Mongodb);
    let kept: Vec<&str> = rules.subsets.iter().map(|subset| subset.name.as_str()).collect();
    assert_eq!(kept, ["newest_reviews"]);
    assert!(by_the_rules(&model, &work(&model), Engine::Postgres).subsets.is_empty());
    // With few reviews to a product, and many writes, they cost more than they save.
    let mut model = product_pages();
    model.relations[0].fanout.as_mut().unwrap().average = 2.0;
    model.entities[2].rows = marula_core::model::Count(80);
    model.writes.iter_mut().for_each(|write| write.rate = Rate(200.0));
    let found = candidates(&model, &work(&model), Engine::Mongodb, 4);
    assert!(found[0].structure.subsets.is_empty(), "{}", found[0].name);
    assert!(by_the_rules(&model, &work(&model), Engine::Mongodb).subsets.is_empty());
}

/// The shop of the blueprints asks for the ten newest reviews of a product: kept with it they are the
/// same, and one document is read instead of one for each and its author.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_the_shop_reads_one_document() -> Result<()> {
    let text = include_str!("../../../blueprints/e-commerce.yaml");
    let model = marula_design::model::read(text, "e-commerce.yaml").unwrap().model;
    let work = Work::new(&model);
    let best = candidates(&model, &work, Engine::Mongodb, 1).remove(0).structure;
    let subsets = subsets(&model, &work);
    let newest = subsets.iter().find(|subset| subset.name == "newest_reviews").unwrap();
    let kept = Structure { subsets: vec![newest.clone()], ..best.clone() };
    let [plain, best, kept]: [Candidate; 3] =
        chosen(vec![("plain", Structure::normalised(&model)), ("best", best), ("kept", kept)])
            .try_into()
            .unwrap();
    assert_equal(&model, &work, &[plain.clone(), best, kept.clone()], 6_000).await?;

    let world = World::new(&model, 6_000, 1);
    let server = marula_lab::shared::mongodb(6, 0).await?;
    let mut read = Vec::new();
    for structure in [&plain.structure, &kept.structure] {
        let spec = server.create_database().await?;
        let wanted = indexes(&model, structure, &work);
        let _built =
            Mongodb::build(&world, &work, structure.clone(), &wanted, spec.clone()).await?;
        let session = Session::open(&spec, &SessionOptions::lab()).await?;
        read.push(
            documents_read(
                &session,
                &world,
                &work,
                structure,
                "product_reviews",
                ("reviews", "products"),
            )
            .await,
        );
    }
    assert_eq!(read[1], 1, "{read:?}");
    assert!(read[0] >= 10 * read[1], "{read:?}");
    Ok(())
}

/// How many documents a query reads, for the one with most of its many.
pub(super) async fn documents_read(
    session: &Session,
    world: &World<'_>,
    work: &Work,
    structure: &Structure,
    query: &str,
    (many, one): (&str, &str),
) -> i64 {
    let model = world.model;
    let asking =
        work.asked.iter().find(|asking| model.queries[asking.query].name == query).unwrap();
    let question = asking.question.of(model, structure);
    let layout = Layout::new(model, structure);
    let node = start(model, structure, &layout, &question);
    let ones = world.index(one).unwrap();
    let of = model.relations.iter().position(|r| r.from == many && r.to == one).unwrap();
    let most = (0..world.rows(ones))
        .map(|row| world.member(ones, row))
        .max_by_key(|one| world.children(one, of).len())
        .unwrap();
    // Of all its many, where a moment is asked for.
    let mut values = world.key(&most);
    values.push(Value::Timestamp(Timestamp(0)));
    let asked = marula_design::mongodb::statement::command(
        model, structure, &layout, &question, node, &values,
    );
    let explain = doc! { "explain": asked.unwrap().command, "verbosity": "executionStats" };
    let plan = session.database().run_command(explain).await.unwrap();
    examined(&plan)
}

/// The documents examined by the first part of a plan, and by each stage that looks up.
fn examined(plan: &Document) -> i64 {
    let number = |document: &Document| match document.get("totalDocsExamined") {
        Some(Bson::Int64(number)) => *number,
        Some(Bson::Int32(number)) => i64::from(*number),
        _ => 0,
    };
    let own = plan.get_document("executionStats").map(number).unwrap_or_default();
    let stages = plan.get_array("stages").map(Vec::as_slice).unwrap_or_default();
    let stages = stages.iter().filter_map(Bson::as_document).map(|stage| {
        let first = stage.get_document("$cursor").map(examined).unwrap_or_default();
        first + number(stage)
    });
    own + stages.sum::<i64>()
}
