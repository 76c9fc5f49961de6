//! Questions that nobody thought of: SELECTs made up at random have the same answer as their paths on
//! PostgreSQL, and in every design on both engines. `MARULA_QUESTIONS=1000` makes up so many.

use marula_core::model::{Model, Query, Rate};
use marula_core::{Engine, ErrorKind, Quiet, Result};
use marula_design::model::sql::access_path;
use marula_design::search::{Work, candidates};
use marula_design::structure::{Placement, Structure};
use marula_design::synth::World;
use marula_design::trial::{TrialOptions, mongodb, postgres, same};

use crate::model::{Compared, made};

/// Random numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % count as u64) as usize
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Many, its columns, and one: along what tables are joined.
const STEPS: [(&str, &str, &str); 4] = [
    ("orders", "customer_id", "customers"),
    ("orders", "referrer_id", "customers"),
    ("lines", "order_id", "orders"),
    ("lines", "product_id", "products"),
];

/// Attributes of a table that are compared and returned, with values that are there.
fn attributes(table: &str) -> &'static [(&'static str, &'static [&'static str])] {
    match table {
        "customers" => &[
            ("id", &["3", "40", "200"]),
            ("email", &["'m'", "'t'"]),
            ("country", &["'DE'", "'IT'"]),
            ("age", &["30", "55"]),
        ],
        "orders" => &[
            ("id", &["7", "90", "300"]),
            ("referrer_id", &["12", "150"]),
            ("status", &["'open'", "'sent'"]),
            ("total", &["100.5", "500"]),
        ],
        "lines" => &[("line", &["1", "2"]), ("quantity", &["3", "7"])],
        _ => &[("id", &["5", "80"]), ("title", &["'k'", "'r'"]), ("price", &["10", "25.5"])],
    }
}

fn condition(dice: &mut Dice, tables: &[&str]) -> String {
    let at = dice.below(tables.len());
    let (name, values) = dice.one(attributes(tables[at]));
    let column = format!("t{at}.{name}");
    let text = values[0].starts_with('\'') && !matches!(*name, "country" | "status");
    match dice.below(8) {
        0 => format!("{column} IS NULL"),
        1 => format!("{column} IS NOT NULL"),
        2 => format!("{column} IN ({})", values.join(", ")),
        3 if text => format!("{column} LIKE {}%'", dice.one(values).trim_end_matches('\'')),
        4 => format!("{column} <> {}", dice.one(values)),
        _ if matches!(*name, "country" | "status" | "email" | "title") => {
            format!("{column} = {}", dice.one(values))
        }
        5 => format!("{column} <= {}", dice.one(values)),
        6 => format!("{column} > {}", dice.one(values)),
        _ => format!("{column} = {}", dice.one(values)),
    }
}

/// A condition, an OR of some, or an OR of ANDs.
fn conditions(dice: &mut Dice, tables: &[&str]) -> String {
    if dice.chance(60) {
        return condition(dice, tables);
    }
    let count = 2 + dice.below(2);
    let any: Vec<String> = (0..count)
        .map(|_| match dice.chance(30) {
            true => format!("({} AND {})", condition(dice, tables), condition(dice, tables)),
            false => condition(dice, tables),
        })
        .collect();
    format!("({})", any.join(" OR "))
}

fn select(dice: &mut Dice) -> String {
    let mut tables = vec![*dice.one(&["customers", "orders", "lines", "products"])];
    let mut from = format!("{} t0", tables[0]);
    for _ in 0..dice.below(4) {
        let here = dice.below(tables.len());
        let (many, column, one) = *dice.one(&STEPS);
        let next = tables.len();
        let (table, on) = match tables[here] {
            table if table == many => (one, format!("t{next}.id = t{here}.{column}")),
            table if table == one => (many, format!("t{next}.{column} = t{here}.id")),
            _ => continue,
        };
        let join = if dice.chance(60) { "LEFT JOIN" } else { "JOIN" };
        from.push_str(&format!(" {join} {table} t{next} ON {on}"));
        tables.push(table);
    }
    let mut columns: Vec<String> = Vec::new();
    for _ in 0..1 + dice.below(3) {
        let at = dice.below(tables.len());
        let column = format!("t{at}.{}", dice.one(attributes(tables[at])).0);
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let grouped = dice.chance(35);
    let mut wanted = columns.clone();
    let mut having = String::new();
    if grouped {
        let at = dice.below(tables.len());
        let (of, literal) = match tables[at] {
            "customers" => ("age", "60"),
            "orders" => ("total", "400.5"),
            "lines" => ("quantity", "6"),
            _ => ("price", "20"),
        };
        let aggregate = match dice.below(5) {
            0 => "count(*)".to_string(),
            1 => format!("count(t{at}.{of})"),
            2 => format!("sum(t{at}.{of})"),
            3 => format!("min(t{at}.{of})"),
            _ => format!("max(t{at}.{of})"),
        };
        if dice.chance(60) {
            let operator = dice.one(&[">", "<", ">=", "<=", "<>", "="]);
            let literal = if aggregate.starts_with("count") { "2" } else { literal };
            having = format!(" HAVING {aggregate} {operator} {literal}");
        }
        wanted.push(format!("{aggregate} AS n"));
    }
    let mut text = format!("SELECT {} FROM {from}", wanted.join(", "));
    let all: Vec<String> = (0..dice.below(3)).map(|_| conditions(dice, &tables)).collect();
    if !all.is_empty() {
        text.push_str(&format!(" WHERE {}", all.join(" AND ")));
    }
    if grouped {
        text.push_str(&format!(" GROUP BY {}{having}", columns.join(", ")));
    }
    text
}

/// The model with so many questions that a path can say.
fn asking(count: usize, seed: u64) -> Model {
    let mut model: Model = serde_saphyr::from_str(include_str!("models/optional.yaml")).unwrap();
    model.queries.clear();
    let mut dice = Dice(seed);
    for _ in 0..count * 20 {
        if model.queries.len() == count {
            break;
        }
        let sql = select(&mut dice);
        match access_path(&model, &sql) {
            Ok(_) => model.queries.push(Query {
                name: format!("q{}", model.queries.len()),
                sql: Some(sql),
                rate: Rate(1.0),
                ..Query::default()
            }),
            // The same step twice, the same attribute twice.
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{sql}: {error}"),
        }
    }
    assert_eq!(model.queries.len(), count);
    model
}

fn count(usual: usize) -> usize {
    std::env::var("MARULA_QUESTIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_has_the_answer_of_any_sql_it_is_read_from() {
    let model = asking(count(150), 7);
    let (session, filled) = made(&model, 1_200).await;
    assert!(filled);
    let mut compared = Compared::default();
    compared.ask(&session, &model, true).await;
    assert!(compared.faults.is_empty(), "{}", compared.faults.join("\n"));
    assert!(compared.answered * 2 > model.queries.len(), "{} answered", compared.answered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_question_has_one_answer_in_every_design_on_both_engines() -> Result<()> {
    let model = asking(count(40), 11);
    let work = Work::new(&model);
    assert!(work.left_out.is_empty(), "{:?}", work.left_out);
    let world = World::new(&model, 600, 1);
    let plain = Structure::normalised(&model);
    let embed = |relations: &[usize]| {
        let mut structure = plain.clone();
        relations.iter().for_each(|at| structure.placements[*at] = Placement::Embed);
        structure
    };
    let structures = [plain.clone(), embed(&[2]), embed(&[0, 2])];
    let options = TrialOptions {
        length: std::time::Duration::ZERO,
        cache_mb: 256,
        ..TrialOptions::default()
    };
    let mut answers = Vec::new();
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let like = candidates(&model, &work, engine, 1).remove(0);
        let found: Vec<_> = structures
            .iter()
            .map(|structure| marula_design::search::Candidate {
                structure: structure.clone(),
                ..like.clone()
            })
            .collect();
        let tried = match engine {
            Engine::Postgres => postgres(&world, &work, &found, &options, &Quiet).await?,
            Engine::Mongodb => mongodb(&world, &work, &found, &options, &Quiet).await?,
        };
        let sql = |name: &str| {
            let query =
                model.queries.iter().find(|query| name.starts_with(&format!("{}:", query.name)));
            query.and_then(|query| query.sql.clone()).unwrap_or_default()
        };
        for design in &tried.designs.candidates {
            let differs: Vec<String> = design
                .notes
                .iter()
                .filter_map(|note| note.split_once("differ: "))
                .map(|(_, what)| format!("{what}\n{}", sql(what)))
                .collect();
            assert_eq!(
                design.results_equal,
                Some(true),
                "{engine:?} {}: {differs:#?}",
                design.name
            );
        }
        assert_eq!(tried.designs.left_out, []);
        answers.push((tried.answers, tried.asked));
    }
    let [(left, asked), (right, _)] = answers.as_slice() else { panic!() };
    for ((left, right), name) in left.iter().zip(right).zip(asked) {
        let query = model.queries.iter().find(|query| query.name == *name);
        assert_eq!(same(left, right), Ok(()), "{name}: {:?}", query.map(|query| &query.sql));
    }
    Ok(())
}
