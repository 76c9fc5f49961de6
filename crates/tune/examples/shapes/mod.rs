//! Generated shapes of statements over one collection, the best of all orders of each one's
//! fields found by building every one, and how the advisor's set for all of them compares.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use marula_core::{
    Engine, Error, ErrorKind, Plan, Quiet, Report, Result, Statement, Target, TargetKind,
    WeightedStatement, Workload,
};
use marula_lab::shared;
use marula_mongodb::explain::{Mode, explain};
use marula_mongodb::{Command, Find, Operation, Session, SessionOptions, shell};
use marula_tune::TuneOptions;
use marula_tune::mongodb::tune;

/// The same numbers for the same seed.
pub struct Numbers(pub u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// So many keys and documents more are nobody's concern.
const FEW: u64 = 20;

/// One shape: a statement, and the fields an index for it can hold.
#[derive(Debug, Clone)]
pub struct Shape {
    pub find: Find,
    pub fields: Vec<String>,
}

/// A statement that the set serves less well than the best order would.
#[derive(Debug)]
pub struct Far {
    pub statement: String,
    /// Keys and documents examined: as things stand, with the best order, with the set.
    pub before: u64,
    pub best: u64,
    pub given: u64,
    /// The best order, when it is not a scan of the collection.
    pub order: Option<String>,
    /// What it uses of the set.
    pub used: Vec<String>,
    /// Milliseconds of a run, as things stand and with the set.
    pub ms: (f64, f64),
}

/// How the advisor did.
#[derive(Debug)]
pub struct Outcome {
    /// Shapes of which all was measured.
    pub shapes: usize,
    /// Those within 10 % (or 20 keys and documents) of the best of all orders, or of its time: the
    /// order that examines least is not always the quickest, since fetching a document by its key
    /// takes longer than reading it in passing.
    pub near: usize,
    /// Those of them that only the clock finds near.
    pub by_clock: usize,
    /// Each that is not.
    pub far: Vec<Far>,
    /// The set, and what was turned down and why.
    pub picked: Vec<String>,
    pub turned_down: Vec<(String, String)>,
    /// Indexes of the set, and of one best index for each shape.
    pub indexes: (usize, usize),
    /// Their bytes.
    pub bytes: (u64, u64),
    /// Orders that were built to find the best.
    pub orders: usize,
}

/// Fills a fresh collection with `documents`, generates `count` shapes over it, and compares.
pub async fn compare(documents: u64, count: usize, seed: u64) -> Result<Outcome> {
    let server = shared::mongodb(6, 0).await?;
    let spec = server.create_database().await?;
    let session = Session::open(&spec, &SessionOptions::lab()).await?;
    let mut numbers = Numbers(seed);
    fill(&session, documents, &mut numbers).await?;
    let shapes: Vec<Shape> = (0..count).map(|_| shape(documents, &mut numbers)).collect();
    let best = exhaustive(&session, &shapes).await?;
    let target = Target {
        name: "lab/shapes/mongodb".into(),
        kind: TargetKind::Lab,
        engine: Engine::Mongodb,
        database: Some(session.database().name().to_string()),
        version: Some(session.version()),
    };
    let text = |shape: &Shape| Command::new("c", Operation::Find(shape.find.clone())).to_shell();
    let statements = shapes.iter().map(|shape| WeightedStatement {
        statement: Statement::new(Engine::Mongodb, text(shape)),
        calls: 100,
        total_ms: None,
        goal_ms: None,
        samples: Vec::new(),
    });
    let workload = Workload { engine: Engine::Mongodb, statements: statements.collect() };
    let report = tune(&session, &target, &workload, &TuneOptions::default(), &Quiet).await?;
    let missing = || Error::new(ErrorKind::Internal, "the report has no tuning");
    let tuning = report.tuning.as_ref().ok_or_else(missing)?;
    let mut outcome = Outcome {
        shapes: 0,
        near: 0,
        by_clock: 0,
        far: Vec::new(),
        picked: report.changes.iter().map(|change| change.title.clone()).collect(),
        turned_down: tuning
            .turned_down
            .iter()
            .map(|one| (one.title.clone(), one.reason.clone()))
            .collect(),
        indexes: (report.changes.len(), 0),
        bytes: (tuning.storage.added, 0),
        orders: best.orders,
    };
    let mut each: BTreeMap<String, u64> = BTreeMap::new();
    for (shape, best) in shapes.iter().zip(&best.shapes) {
        let text = text(shape);
        let Some(tuned) = tuning.statements.iter().find(|one| one.statement.text == text) else {
            continue;
        };
        let Some(plan) = &tuned.after.plan else { continue };
        let given = examined(plan);
        outcome.shapes += 1;
        if let Some((keys, bytes)) = &best.index {
            each.insert(keys.to_string(), *bytes);
        }
        // A handful of keys and documents more is nothing, however few the best needs.
        let near = given as f64 <= best.examined as f64 * 1.1 || given <= best.examined + FEW;
        let by_clock = !near && quicker(&session, shape, plan, &report, best).await?;
        outcome.by_clock += usize::from(by_clock);
        match near || by_clock {
            true => outcome.near += 1,
            false => outcome.far.push(Far {
                statement: text,
                before: tuned.before.plan.as_deref().map_or(0, examined),
                best: best.examined,
                given,
                order: best.index.as_ref().map(|(keys, _)| keys.to_string()),
                used: plan.summary.indexes.clone(),
                ms: (tuned.before.ms.unwrap_or(0.0), tuned.after.ms.unwrap_or(0.0)),
            }),
        }
    }
    session.database().drop().await.map_err(|error| session.map(error))?;
    outcome.indexes.1 = each.len();
    outcome.bytes.1 = each.values().sum();
    Ok(outcome)
}

/// Whether what the set gives takes no longer than the best order, and a tenth: each of the two
/// indexes alone, or reading everything.
async fn quicker(
    session: &Session,
    shape: &Shape,
    plan: &Plan,
    report: &Report,
    best: &Best,
) -> Result<bool> {
    let best = best.index.as_ref().map(|(keys, _)| keys.clone());
    let given = plan.summary.indexes.first().and_then(|name| keys(report, name));
    let best = fastest(session, shape, best).await?;
    Ok(fastest(session, shape, given).await? <= best * 1.1 + 0.05)
}

/// The keys of a picked index.
fn keys(report: &Report, name: &str) -> Option<Document> {
    report.changes.iter().flat_map(|change| &change.up).find_map(|up| {
        let Operation::CreateIndexes(create) = shell::parse(up).ok()?.operation else {
            return None;
        };
        let index = create.indexes.first()?;
        let named = index.get_str("name").ok()? == name;
        named.then(|| index.get_document("key").ok().cloned())?
    })
}

/// The quickest of several runs with one index, or none, in milliseconds.
async fn fastest(session: &Session, shape: &Shape, keys: Option<Document>) -> Result<f64> {
    if let Some(keys) = &keys {
        let index = doc! {"createIndexes": "c", "indexes": [{"key": keys.clone(), "name": "all"}]};
        command(session, index).await?;
    }
    let mut least = f64::INFINITY;
    for _ in 0..15 {
        least = least.min(milliseconds(session, &shape.find).await?);
    }
    if keys.is_some() {
        command(session, doc! {"dropIndexes": "c", "index": "all"}).await?;
    }
    Ok(least)
}

async fn milliseconds(session: &Session, find: &Find) -> Result<f64> {
    let command = Command::new("c", Operation::Find(find.clone()));
    let started = std::time::Instant::now();
    marula_mongodb::run::run(session, &command, |_| Ok(())).await?;
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}

fn examined(plan: &Plan) -> u64 {
    plan.summary.keys.unwrap_or(0) + plan.summary.reads.unwrap_or(0)
}

async fn fill(session: &Session, documents: u64, numbers: &mut Numbers) -> Result<()> {
    let collection = session.database().collection::<Document>("c");
    let all = i64::try_from(documents).unwrap_or(i64::MAX);
    for from in (0..all).step_by(5000) {
        let batch = (from..all.min(from + 5000)).map(|id| {
            let mut value = |limit: u64| i64::try_from(numbers.below(limit)).unwrap_or(0);
            doc! {
                "_id": id, "e1": value(4), "e2": value(20), "e3": value(200),
                "r1": value(1_000_000), "r2": value(1_000_000),
                "s1": value(1_000_000), "s2": value(1_000_000), "pad": "x".repeat(80),
            }
        });
        let batch: Vec<Document> = batch.collect();
        collection.insert_many(batch).await.map_err(|error| session.map(error))?;
    }
    Ok(())
}

/// Some equalities, some intervals or lists, perhaps an order and a limit.
fn shape(documents: u64, numbers: &mut Numbers) -> Shape {
    let mut find = Find::default();
    let mut fields: BTreeSet<String> = BTreeSet::new();
    let equalities = [("e1", 4), ("e2", 20), ("e3", 200)];
    for (path, values) in equalities {
        // Few statements ask for all three.
        if numbers.below(5) < 2 {
            let value = i64::try_from(numbers.below(values)).unwrap_or(0);
            find.filter.insert(path, value);
            fields.insert(path.into());
        }
    }
    for path in ["r1", "r2"] {
        let part = match numbers.below(8) {
            0 => 800_000_u64,
            1 => 300_000,
            2 => 50_000,
            3 => 1_000_000 / documents.max(1) * 20,
            4 => 0,
            _ => continue,
        };
        let ends = match part {
            0 => {
                let list: Vec<Bson> = (0..3)
                    .map(|_| Bson::Int64(i64::try_from(numbers.below(1_000_000)).unwrap_or(0)))
                    .collect();
                doc! {"$in": list}
            }
            part => {
                let from = numbers.below(1_000_000 - part);
                let (from, to) = (i64::try_from(from), i64::try_from(from + part));
                doc! {"$gte": from.unwrap_or(0), "$lt": to.unwrap_or(0)}
            }
        };
        find.filter.insert(path, ends);
        fields.insert(path.into());
    }
    let sorted = numbers.below(5);
    if sorted < 3 || fields.is_empty() {
        let path = if sorted == 0 { "s2" } else { "s1" };
        find.sort = Some(doc! {path: if numbers.below(2) == 0 { 1 } else { -1 }});
        fields.insert(path.into());
        if numbers.below(4) > 0 || find.filter.is_empty() {
            find.limit = Some(20);
        }
    }
    Shape { find, fields: fields.into_iter().collect() }
}

struct Best {
    examined: u64,
    /// The index that gives it, and its bytes; `None` where reading everything is as good.
    index: Option<(Document, u64)>,
}

struct Exhaustive {
    shapes: Vec<Best>,
    orders: usize,
}

/// Builds every order of the fields of every shape, one at a time, and explains the shapes of
/// those fields with it.
async fn exhaustive(session: &Session, shapes: &[Shape]) -> Result<Exhaustive> {
    let mut best = Vec::new();
    for shape in shapes {
        best.push(Best { examined: run(session, shape).await?, index: None });
    }
    let sets: BTreeSet<&Vec<String>> = shapes.iter().map(|shape| &shape.fields).collect();
    let mut orders = 0;
    for fields in sets {
        for order in permutations(fields) {
            orders += 1;
            let keys: Document = order.iter().map(|path| (path.clone(), Bson::Int32(1))).collect();
            let index =
                doc! {"createIndexes": "c", "indexes": [{"key": keys.clone(), "name": "all"}]};
            command(session, index).await?;
            let bytes = size(session).await?;
            for (shape, best) in shapes.iter().zip(&mut best) {
                if shape.fields == *fields {
                    let examined = run(session, shape).await?;
                    if examined < best.examined {
                        *best = Best { examined, index: Some((keys.clone(), bytes)) };
                    }
                }
            }
            command(session, doc! {"dropIndexes": "c", "index": "all"}).await?;
        }
    }
    Ok(Exhaustive { shapes: best, orders })
}

async fn command(session: &Session, command: Document) -> Result<Document> {
    session.database().run_command(command).await.map_err(|error| session.map(error))
}

async fn size(session: &Session) -> Result<u64> {
    let stats = command(session, doc! {"collStats": "c"}).await?;
    let sizes = stats.get_document("indexSizes").cloned().unwrap_or_default();
    Ok(match sizes.get("all") {
        Some(Bson::Int32(bytes)) => u64::try_from(*bytes).unwrap_or(0),
        Some(Bson::Int64(bytes)) => u64::try_from(*bytes).unwrap_or(0),
        Some(Bson::Double(bytes)) => *bytes as u64,
        _ => 0,
    })
}

async fn run(session: &Session, shape: &Shape) -> Result<u64> {
    let command = Command::new("c", Operation::Find(shape.find.clone()));
    Ok(examined(&explain(session, &command, Mode::Execute).await?))
}

fn permutations(fields: &[String]) -> Vec<Vec<String>> {
    if fields.len() < 2 {
        return vec![fields.to_vec()];
    }
    let mut found = Vec::new();
    for at in 0..fields.len() {
        let mut rest = fields.to_vec();
        let first = rest.remove(at);
        for mut order in permutations(&rest) {
            order.insert(0, first.clone());
            found.push(order);
        }
    }
    found
}
