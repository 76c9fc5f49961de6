//! Models on real servers: the blueprints' schemas, paths against their SQL, and models from live
//! databases.

use marula_core::Quiet;
use marula_core::model::{AttributeType, Model, Query};
use marula_design::model::paths::{Followed, find};
use marula_design::model::{blueprint, check, from, sql::access_path};
use marula_design::postgres::{SchemaOptions, load, schema, statement};
use marula_design::question::resolve;
use marula_design::schema::Stage;
use marula_design::structure::{Layout, Structure};
use marula_design::synth::World;
use marula_postgres::{Session, SessionOptions};

/// The model's tables with synthetic data; `false` where that cannot be made yet, and they are empty.
pub async fn made(model: &Model, rows: u64) -> (Session, bool) {
    match tried(model, Some(rows)).await {
        Some(session) => (session, true),
        None => (tried(model, None).await.unwrap(), false),
    }
}

async fn tried(model: &Model, rows: Option<u64>) -> Option<Session> {
    let server = marula_lab::shared::postgres(15).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let session = Session::open(&spec, &SessionOptions::lab()).await.unwrap();
    let structure = Structure::normalised(model);
    let layout = Layout::new(model, &structure);
    let options = SchemaOptions::of(&session).await.unwrap();
    let drawn = schema(model, &structure, &layout, &[], &options);
    for stage in [Stage::BeforeLoading, Stage::AfterLoading] {
        for sql in drawn.statements(stage) {
            let ran = session.client().batch_execute(sql).await;
            ran.unwrap_or_else(|error| panic!("{}: {sql}: {error:?}", model.name));
        }
        if let (Stage::BeforeLoading, Some(rows)) = (stage, rows) {
            let world = World::new(model, rows, 1);
            load::fill(&session, &world, &structure, &layout).await.ok()?;
        }
    }
    Some(session)
}

async fn answer(session: &Session, sql: &str) -> Result<Vec<String>, String> {
    let sql = format!("SELECT t::text FROM ({sql}) t");
    let rows = session.client().query(sql.as_str(), &[]).await;
    let rows = rows.map_err(|error| format!("{sql}: {:?}", error.as_db_error()))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A value that is there, for each parameter.
async fn values(session: &Session, model: &Model, query: &Query) -> Vec<String> {
    let path = access_path(model, query.sql.as_ref().unwrap()).unwrap();
    let mut values = Vec::new();
    for number in 1u32..=9 {
        let mut conditions = path.conditions.iter().chain(path.any.iter().flatten());
        let asked = conditions.find(|one| one.parameter == Some(number));
        let Some(asked) = asked else { break };
        let Followed::Attribute { entity, attribute } = find(model, &path.from, &asked.attribute)
        else {
            panic!("{}", asked.attribute)
        };
        let (name, table) = (&attribute.name, &entity.name);
        let of = match attribute.kind == AttributeType::List {
            true => format!("unnest({name})"),
            false => name.clone(),
        };
        let sql = format!(
            "SELECT v::text FROM (SELECT {of} AS v FROM {table}) x WHERE v IS NOT NULL \
             GROUP BY v ORDER BY count(*) DESC, v LIMIT 1"
        );
        let found = session.client().query_opt(sql.as_str(), &[]).await;
        let found = found.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        values.extend(found.map(|row| row.get::<_, String>(0)));
    }
    values
}

/// What differs between the answers of SQL and of its path.
#[derive(Default)]
pub struct Compared {
    pub faults: Vec<String>,
    /// How many rows the answers have.
    pub rows: usize,
    /// How many queries have an answer.
    pub answered: usize,
}

impl Compared {
    /// Asks every query of a model both ways. Of groups only their number is compared, unless `whole`
    /// says that a query returns what its path does.
    pub async fn ask(&mut self, session: &Session, model: &Model, whole: bool) {
        let structure = Structure::normalised(model);
        let layout = Layout::new(model, &structure);
        for query in model.queries.iter() {
            let sql = query.sql.as_ref().unwrap();
            let question = resolve(model, &access_path(model, sql).unwrap()).unwrap();
            let mut own = statement::select(model, &structure, &layout, &question);
            let mut given = sql.clone();
            let mut drawn = values(session, model, query).await;
            // Of empty tables no value is there.
            drawn.resize(9, String::new());
            for (at, value) in drawn.iter().enumerate() {
                let literal = match value.is_empty() {
                    true => "NULL".to_string(),
                    false => format!("'{}'", value.replace('\'', "''")),
                };
                own = own.replace(&format!("${}", at + 1), &literal);
                given = given.replace(&format!("${}", at + 1), &literal);
            }
            let at = format!("{} {}", model.name, query.name);
            let (mut given, mut own) =
                match (answer(session, &given).await, answer(session, &own).await) {
                    (Ok(given), Ok(own)) => (given, own),
                    (given, own) => {
                        let errors = [given.err(), own.err()].into_iter().flatten();
                        self.faults.extend(errors.map(|e| format!("{at}: {e}")));
                        continue;
                    }
                };
            self.rows += given.len();
            self.answered += usize::from(!given.is_empty());
            if given.len() != own.len() {
                self.faults.push(format!("{at}: {} rows, not {}", own.len(), given.len()));
                continue;
            }
            // `*` has the tables' own columns for words, too.
            let star = sql.contains("*,") || sql.contains("* FROM");
            if (question.group.is_empty() || whole) && !star && given != own {
                given.sort();
                own.sort();
                // The order of ties is open, and so are the ties at a limit.
                if given != own && (question.limit.is_none() || whole) {
                    self.faults.push(format!("{at}: {own:?}, not {given:?}"));
                }
            }
        }
    }
}

/// Every blueprint's tables are made and filled on a real server, and every query has the answer
/// there that its path has.
#[tokio::test(flavor = "multi_thread")]
async fn a_path_has_the_answer_of_its_sql() {
    let mut compared = Compared::default();
    let mut unfilled = Vec::new();
    for model in blueprint::models() {
        let (session, filled) = made(model, 8_000).await;
        if !filled {
            // Pairs of members drawn twice: only the statements themselves are tried.
            unfilled.push(model.name.as_str());
        }
        compared.ask(&session, model, false).await;
    }
    let Compared { faults, rows, answered } = compared;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(
        answered >= 30 && rows > 200,
        "{answered} queries have {rows} rows; empty: {unfilled:?}"
    );
}

/// The same of left joins, alternatives and groups of which something must hold, row by row.
#[tokio::test(flavor = "multi_thread")]
async fn left_joins_alternatives_and_having_have_the_answer_of_their_sql() {
    let model: Model = serde_saphyr::from_str(include_str!("models/optional.yaml")).unwrap();
    let (session, filled) = made(&model, 1_200).await;
    assert!(filled);
    let mut compared = Compared::default();
    compared.ask(&session, &model, true).await;
    assert!(compared.faults.is_empty(), "{}", compared.faults.join("\n"));
    assert_eq!(compared.answered, model.queries.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_postgresql_database_becomes_the_model_it_was_made_from() {
    let model = blueprint::models().first().unwrap();
    let (session, filled) = made(model, 20_000).await;
    assert!(filled);
    session.client().batch_execute("ANALYZE").await.unwrap();
    let found = from::postgres(&session, &Quiet).await.unwrap().model;
    assert_eq!(check(&found), [], "{found:#?}");
    for entity in &model.entities {
        let read = found.entity(&entity.name).unwrap_or_else(|| panic!("no {}", entity.name));
        assert_eq!(read.key(), entity.key(), "{}", entity.name);
        assert!(read.rows.0 > 0, "{}", entity.name);
        for attribute in &entity.attributes {
            let own = read.attribute(&attribute.name);
            assert!(own.is_some(), "{}.{}", entity.name, attribute.name);
        }
    }
    for relation in &model.relations {
        let same = found.relations.iter().find(|one| {
            (&one.from, &one.attributes, &one.to)
                == (&relation.from, &relation.attributes, &relation.to)
        });
        assert!(same.is_some_and(|one| one.fanout.is_some()), "{relation:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_mongodb_database_becomes_a_model() {
    use bson::{doc, oid::ObjectId};
    const STATES: [&str; 3] = ["open", "paid", "shipped"];
    let server = marula_lab::shared::mongodb(6, 0).await.unwrap();
    let spec = server.create_database().await.unwrap();
    let options = marula_mongodb::SessionOptions::lab();
    let session = marula_mongodb::Session::open(&spec, &options).await.unwrap();
    let customers: Vec<bson::Document> = (0..40)
        .map(
            |n| doc! {"_id": ObjectId::new(), "name": format!("C{n}"), "address": {"city": "Nice"}},
        )
        .collect();
    let orders: Vec<bson::Document> = (0..400usize)
        .map(|n| {
            doc! {
                "customerId": customers[n % 40].get_object_id("_id").unwrap(),
                "status": STATES[n % 3],
                "tags": ["a", "b"],
                "lines": [{"sku": format!("S{n}"), "quantity": 1}, {"sku": "T", "quantity": 2}],
            }
        })
        .collect();
    session.database().collection("customers").insert_many(customers).await.unwrap();
    session.database().collection("orders").insert_many(orders).await.unwrap();
    let model = from::mongodb(&session, 1000, &Quiet).await.unwrap().model;
    assert_eq!(check(&model), [], "{model:#?}");
    let kind =
        |entity: &str, name: &str| model.entity(entity).unwrap().attribute(name).unwrap().kind;
    assert_eq!(kind("customers", "address_city"), AttributeType::Text);
    assert_eq!(kind("orders", "customer_id"), AttributeType::Id);
    assert_eq!(kind("orders", "status"), AttributeType::Enumeration);
    assert_eq!(kind("orders", "tags"), AttributeType::List);
    let lines = model.entity("order_lines").unwrap();
    assert_eq!((lines.rows.0, lines.key()), (800, vec!["order_id", "position"]));
    let ends: Vec<(&str, &str, bool)> =
        model.relations.iter().map(|r| (r.from.as_str(), r.to.as_str(), r.owned)).collect();
    assert_eq!(ends, [("order_lines", "orders", true), ("orders", "customers", false)]);
}
