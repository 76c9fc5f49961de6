//! Both wordings of every rewrite, run on data made to tell them apart: NULLs, duplicates, ties,
//! empty tables, the edges of days, months and summer time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use marula_core::{Engine, RelationalCatalog, Statement};
use marula_postgres::Session;
use marula_postgres::catalog::{self, Scope};
use marula_postgres::run::run;
use marula_tune::postgres::{Rewritten, SessionFacts, rewrites};
use pg_query::Node;

use super::{fresh, set_up};

const SCHEMA: &str = "
CREATE TABLE teams (id int PRIMARY KEY, name text NOT NULL, city text, size int);
CREATE TABLE people (id int PRIMARY KEY, team_id int NOT NULL REFERENCES teams, boss_team int REFERENCES teams, kind text NOT NULL, score int, at timestamp NOT NULL, seen timestamptz, born date, code varchar(8), amount numeric, gone boolean, nick text UNIQUE);
CREATE INDEX people_kind_idx ON people (kind);
CREATE INDEX people_score_idx ON people (score);
CREATE TABLE visits (person_id int, team_id int, day date, n int, kind text, f float8);
CREATE INDEX visits_n_idx ON visits (n)";

/// A statement, and whether its order decides between all rows.
#[derive(Debug, Clone)]
struct Case {
    sql: String,
    ordered: bool,
}

/// A small generator of our own: a failure names its seed, and the seed repeats it.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn or_null(&mut self, value: String) -> String {
        if self.roll(4) == 0 { "NULL".into() } else { value }
    }
}

const TEXTS: [&str; 7] = ["a", "b", "A", "a ", "", "7", "it''s"];
const MOMENTS: [&str; 14] = [
    "2026-02-28 00:00:00",
    "2026-02-28 23:59:59.999999",
    "2026-03-01 00:00:00",
    "2026-03-29 01:59:59.999999",
    "2026-03-29 02:30:00",
    "2026-10-25 02:30:00",
    "2025-12-31 23:59:59.999999",
    "2026-01-01 00:00:00",
    "2024-02-29 12:00:00",
    "2026-01-31 22:59:59",
    "2026-01-31 23:00:00",
    "infinity",
    "-infinity",
    "2026-02-01 00:00:00",
];

/// Rows in which everything comes more than once, and nothing is there for certain.
fn data(dice: &mut Dice) -> String {
    let sizes = [0, 1, 2, 6, 25];
    let mut sql = String::from("TRUNCATE teams, people, visits;");
    let teams = sizes[dice.roll(4)];
    for id in 1..=teams {
        let (name, size) = (dice.pick(&TEXTS), dice.roll(4));
        let city = dice.pick(&TEXTS).to_string();
        let (city, size) = (dice.or_null(format!("'{city}'")), dice.or_null(size.to_string()));
        write!(sql, "INSERT INTO teams VALUES ({id}, '{name}', {city}, {size});").unwrap();
    }
    let people = if teams == 0 { 0 } else { sizes[dice.roll(5)] };
    for id in 1..=people {
        let team = dice.roll(teams) + 1;
        let boss_id = dice.roll(teams) + 1;
        let boss = dice.or_null(boss_id.to_string());
        let kind = dice.pick(&TEXTS);
        let score_value = dice.roll(9) as i64 - 2;
        let score = dice.or_null(score_value.to_string());
        let at = dice.pick(&MOMENTS);
        let seen_text = format!("'{}+00'", dice.pick(&MOMENTS[..11]));
        let seen = dice.or_null(seen_text);
        let born_text = format!("'{}'::timestamp::date", dice.pick(&MOMENTS));
        let born = dice.or_null(born_text);
        let code_text = format!("'{}'", dice.pick(&TEXTS));
        let code = dice.or_null(code_text);
        let amount_text = dice.pick(&["1", "1.0", "1.00", "2.5", "-1", "NaN"]);
        let amount = dice.or_null(format!("'{amount_text}'"));
        let gone_text = dice.pick(&["true", "false"]).to_string();
        let gone = dice.or_null(gone_text);
        let nick = dice.or_null(format!("'n{id}'"));
        write!(sql, "INSERT INTO people VALUES ({id}, {team}, {boss}, '{kind}', {score}, '{at}', {seen}, {born}, {code}, {amount}, {gone}, {nick});").unwrap();
    }
    for _ in 0..sizes[dice.roll(5)] {
        let (person, team, n) = (dice.roll(8), dice.roll(4), dice.roll(4));
        let person = dice.or_null(person.to_string());
        let team = dice.or_null(team.to_string());
        let n = dice.or_null(n.to_string());
        let day_text = format!("'{}'::timestamp::date", dice.pick(&MOMENTS));
        let day = dice.or_null(day_text);
        let kind_text = format!("'{}'", dice.pick(&TEXTS));
        let kind = dice.or_null(kind_text);
        let f_text = dice.pick(&["0", "'-0'", "1", "'NaN'", "0.1"]).to_string();
        let f = dice.or_null(f_text);
        write!(sql, "INSERT INTO visits VALUES ({person}, {team}, {day}, {n}, {kind}, {f});")
            .unwrap();
    }
    sql
}

/// A condition over `p` (people), `t` (teams) and `v` (visits), nested at random.
fn condition(dice: &mut Dice, depth: usize) -> String {
    if depth > 0 && dice.roll(3) > 0 {
        let (left, right) = (condition(dice, depth - 1), condition(dice, depth - 1));
        return match dice.roll(5) {
            0 | 1 => format!("({left} AND {right})"),
            2 | 3 => format!("({left} OR {right})"),
            _ => format!("(NOT {left})"),
        };
    }
    let n = dice.roll(6) as i64 - 1;
    let m = dice.roll(6) as i64 - 1;
    let op = dice.pick(&["=", "<", "<=", ">", ">="]);
    let strict = dice.pick(&["<", ">"]);
    let wide = dice.pick(&["", "="]);
    let text = dice.pick(&TEXTS);
    let other = dice.pick(&TEXTS);
    let day = &dice.pick(&MOMENTS[..11])[..10];
    match dice.roll(22) {
        0 => format!("p.score {op} {n}.0"),
        1 => format!("p.score + {m} {op} {n}"),
        2 => format!("p.score::text = '{n}'"),
        3 => format!("coalesce(p.score, {m}) {op} {n}"),
        4 => format!("coalesce(t.city, '{text}') = '{other}'"),
        5 => format!("coalesce(p.gone, {}) = true", dice.pick(&["true", "false"])),
        6 => format!("(p.score {strict} {n} OR (p.score = {n} AND p.id {strict}{wide} {m}))"),
        7 => format!(
            "(p.at {strict} '{day}' OR p.at = '{day}' AND (p.score {strict} {n} OR p.score = {n} AND p.id {strict}{wide} {m}))"
        ),
        8 => format!("(p.score {strict} {n} OR (p.score = {n} AND t.size {strict} {m}))"),
        9 => format!(
            "date_trunc('{}', p.at) {op} '{day}'",
            dice.pick(&["day", "month", "year", "week", "quarter"])
        ),
        10 => format!("p.at::date {op} '{day}'"),
        11 => format!("date_trunc('day', p.seen) {op} '{day}'"),
        12 => format!("p.born {op} '{day}'"),
        13 => format!("p.score IN (VALUES ({n}), ({m}))"),
        14 => format!("t.city IN (VALUES ('{text}'), ('{other}'))"),
        15 => format!(
            "(SELECT count(*) FROM visits v WHERE v.person_id = p.id) {} {}",
            dice.pick(&[">", "=", "<", ">=", "<>"]),
            dice.roll(2)
        ),
        16 => format!(
            "(SELECT count(v.n) FROM visits v WHERE v.person_id = p.id) {} 0",
            dice.pick(&[">", "=", "<>"])
        ),
        17 => format!("p.id NOT IN (SELECT q.id FROM people q WHERE q.score {op} {n})"),
        18 => format!("p.score NOT IN (SELECT v.n FROM visits v WHERE v.kind = '{text}')"),
        19 => format!("t.city = '{text}'"),
        20 => format!("p.kind = '{text}'"),
        _ => "p.score > (SELECT avg(v.n) FROM visits v WHERE v.person_id = p.id)".to_string(),
    }
}

/// A statement of one of the forms the rewrites know, with values and conditions at random.
fn case(dice: &mut Dice) -> Case {
    let n = dice.roll(6) as i64 - 1;
    let m = dice.roll(6) as i64 - 1;
    let k = dice.roll(5);
    let text = dice.pick(&TEXTS);
    let other = dice.pick(&TEXTS);
    let op = dice.pick(&["<", "<=", ">", ">="]);
    let way = dice.pick(&["", " DESC", " DESC NULLS LAST", " NULLS FIRST"]);
    let any = condition(dice, 2);
    let is = |sql: String| Case { sql, ordered: false };
    let sorted = |sql: String| Case { sql, ordered: true };
    match dice.roll(34) {
        0 => is(format!(
            "SELECT p.id, t.name FROM people p JOIN teams t ON t.id = p.team_id WHERE {any}"
        )),
        1 => is(format!(
            "SELECT t.name, p.kind FROM people p JOIN teams t ON t.id = p.team_id WHERE t.city = '{text}' OR p.score = {n}"
        )),
        2 => is(format!(
            "SELECT p.kind, v.n FROM people p JOIN visits v ON v.person_id = p.id OR v.team_id = p.team_id WHERE p.score > {n} OR v.n = {m}"
        )),
        3 => sorted(format!(
            "SELECT p.*, t.name AS team FROM people p JOIN teams t ON t.id = p.team_id WHERE (t.size = {n} OR p.kind = '{text}') AND p.score {op} {m} ORDER BY p.score{way}, p.id"
        )),
        4 => sorted(format!(
            "SELECT p.id, p.score FROM people p WHERE p.kind = '{text}' OR p.score = {n} ORDER BY p.score{way}, p.id LIMIT {k}"
        )),
        5 => sorted(format!(
            "SELECT * FROM people WHERE kind IN ('a', 'b', '{}') AND score {op} {n} ORDER BY at{way}, id DESC LIMIT {k} OFFSET {}",
            if text == "a" || text == "b" { "zz" } else { text },
            dice.roll(3)
        )),
        6 => is(format!(
            "SELECT DISTINCT p.id, p.kind FROM people p JOIN visits v ON v.person_id = p.id WHERE v.n {op} {n} AND p.kind <> '{text}'"
        )),
        7 => sorted(format!(
            "SELECT DISTINCT p.id, p.score FROM people p, visits v, teams t WHERE v.person_id = p.id AND t.id = v.team_id AND p.team_id = t.id ORDER BY p.score{way}, p.id LIMIT {k}"
        )),
        8 => is(format!(
            "SELECT DISTINCT p.nick, p.score FROM people p JOIN visits v ON v.person_id = p.id WHERE v.n {op} {n}"
        )),
        9 => is("SELECT p.id, p.kind FROM people p JOIN visits v ON v.n = p.score GROUP BY p.id".to_string()),
        10 => is(format!(
            "SELECT p.id, (SELECT count(*) FROM visits v WHERE v.person_id = p.id) > 0, (SELECT count(v.n) FROM visits v WHERE v.person_id = p.id AND v.kind = '{text}') = 0 AS none FROM people p"
        )),
        11 => is(format!(
            "SELECT x.id, x.kind, x.rn FROM (SELECT p.*, row_number() OVER (PARTITION BY p.team_id ORDER BY p.score{way}, p.id) AS rn FROM people p WHERE p.kind <> '{text}') x WHERE x.rn = 1 AND x.score {op} {n}"
        )),
        12 => is("SELECT * FROM (SELECT id, team_id, at, row_number() OVER (PARTITION BY team_id ORDER BY at DESC, id DESC) AS rn FROM people) newest WHERE rn <= 1".to_string()),
        13 => sorted(format!(
            "SELECT DISTINCT ON (team_id) team_id, id, score FROM people WHERE kind <> '{text}' ORDER BY team_id{way}, score DESC, id"
        )),
        14 => is("SELECT * FROM (SELECT id, boss_team, row_number() OVER (PARTITION BY boss_team ORDER BY at, id) AS rn FROM people) x WHERE rn = 1".to_string()),
        15 => sorted(format!(
            "SELECT DISTINCT kind FROM people ORDER BY kind{}",
            dice.pick(&["", " DESC"])
        )),
        16 => is("SELECT DISTINCT score AS points FROM people".into()),
        17 => sorted(format!("SELECT n FROM visits GROUP BY n ORDER BY n{way}")),
        18 => is(format!(
            "SELECT p.id, p.score FROM people p JOIN teams t ON t.id = p.team_id WHERE {}",
            condition(dice, 1)
                .replace("t.", "p.")
                .replace("p.city", "p.code")
                .replace("p.size", "p.score")
        )),
        19 => is(format!(
            "SELECT count(*), max(p.score) FROM people p, teams t, teams b WHERE t.id = p.team_id AND b.id = p.boss_team AND p.score {op} {n}"
        )),
        20 => is("SELECT p.id, v.n FROM (people p JOIN teams b ON p.boss_team = b.id) JOIN visits v ON v.person_id = p.id".to_string()),
        21 => is(format!(
            "SELECT id, kind FROM people WHERE kind = '{text}' UNION SELECT id, kind FROM people WHERE kind = '{other}'"
        )),
        22 => is(format!(
            "SELECT 'team' AS what, id, name FROM teams UNION SELECT 'person', id, kind FROM people WHERE score {op} {n} UNION SELECT 'gone', id, nick FROM people"
        )),
        23 => is(format!(
            "SELECT kind FROM people WHERE score = {n} UNION SELECT kind FROM people WHERE score = {m}"
        )),
        24 => is(format!("SELECT count(DISTINCT score) FROM people WHERE kind <> '{text}'")),
        25 => is(format!(
            "SELECT team_id, count(DISTINCT score) AS scores, kind FROM people WHERE score {op} {n} GROUP BY kind, team_id ORDER BY scores DESC, team_id"
        )),
        30 => is(format!(
            "SELECT t.city, sum(p.score), count(*), max(p.at), min(p.score) AS least FROM people p JOIN teams t ON t.id = p.team_id WHERE p.kind <> '{text}' AND t.size {op} {n} GROUP BY t.city HAVING count(*) > {}",
            dice.roll(2)
        )),
        31 => sorted(format!(
            "SELECT t.name, p.kind, sum(p.amount) AS total, count(p.score) FROM people p, teams t, visits v WHERE t.id = p.team_id AND v.team_id = t.id AND v.n {op} {n} GROUP BY t.name, p.kind ORDER BY t.name, p.kind"
        )),
        32 => is("SELECT v.kind, sum(v.n), max(v.day) FROM visits v JOIN people p ON p.score = v.n JOIN teams t ON t.id = v.team_id GROUP BY v.kind".to_string()),
        33 => is("SELECT t.id, t.name, count(*) FROM teams t, visits v WHERE v.team_id = t.id GROUP BY t.id ORDER BY count(*) DESC".to_string()),
        26 => sorted(format!(
            "SELECT *, score + 1 AS next FROM people p WHERE p.score {op} {n} OR p.score IS NULL ORDER BY score{way}, id LIMIT 5 OFFSET 100"
        )),
        27 => sorted(format!(
            "SELECT name, id AS number FROM teams ORDER BY name, number LIMIT {k} OFFSET 100"
        )),
        28 => is(format!(
            "SELECT p.id, v.n FROM people p JOIN visits v ON v.person_id = p.id JOIN teams t ON t.id = v.person_id WHERE p.id {op} {n} AND v.n BETWEEN 0 AND {m}"
        )),
        _ => is(format!(
            "WITH v AS MATERIALIZED (SELECT * FROM visits) SELECT p.id, (SELECT sum(v.n) FROM v WHERE v.person_id = p.id) FROM people p WHERE {}",
            condition(dice, 1).replace("t.city", "p.code").replace("t.size", "p.score")
        )),
    }
}

/// The names of the columns and the rows as text; `None` when the server refuses.
async fn answer(session: &Session, sql: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let mut rows = Vec::new();
    let statement = Statement::new(Engine::Postgres, sql);
    let ran = run(session, &statement, |row| rows.push(format!("{row:?}"))).await;
    ran.map(|ran| (ran.columns, rows)).map_err(|error| error.to_string())
}

/// The catalogue, with statistics under which every rewrite is worth its while.
async fn facts(session: &Session) -> RelationalCatalog {
    let names = ["teams", "people", "visits"].map(String::from);
    let mut catalog = catalog::read(session, Scope::Relations(&names)).await.unwrap();
    for relation in &mut catalog.relations {
        relation.rows = Some(1e6);
        for column in &mut relation.columns {
            let statistics = marula_core::ColumnStatistics { distinct: 4.0, ..Default::default() };
            column.statistics = Some(statistics);
        }
    }
    catalog
}

fn offered(sql: &str, catalog: &RelationalCatalog) -> Vec<Rewritten> {
    let parsed = marula_postgres::sql::parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let root = Node { node: parsed.root().cloned() };
    rewrites(&root, catalog, &SessionFacts { time_zone: Some("UTC".into()) })
}

/// Runs `rounds` sets of data with `each` statements; gives how often each rewrite was compared.
async fn compare(major: u16, rounds: u64, each: usize) -> BTreeMap<String, usize> {
    let session = fresh(major).await;
    set_up(&session, SCHEMA).await;
    session.client().batch_execute("SET TimeZone = 'UTC'; SET jit = off").await.unwrap();
    let catalog = facts(&session).await;
    let mut compared = BTreeMap::new();
    let mut complaints = Vec::new();
    for seed in 1..=rounds {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        dice.roll(2);
        session.client().batch_execute(&data(&mut dice)).await.unwrap();
        for _ in 0..each {
            let case = case(&mut dice);
            let found = offered(&case.sql, &catalog);
            if found.is_empty() {
                continue;
            }
            let Ok(mut before) = answer(&session, &case.sql).await else { continue };
            if !case.ordered {
                before.1.sort();
            }
            for rewritten in found {
                let new = &rewritten.proposal.up[0];
                let mut after = answer(&session, new).await;
                if let (false, Ok(after)) = (case.ordered, &mut after) {
                    after.1.sort();
                }
                if after.as_ref() != Ok(&before) {
                    complaints.push(format!(
                        "seed {seed}, {}:\n  {}\n  {before:?}\n  {new}\n  {after:?}",
                        rewritten.name, case.sql
                    ));
                }
                for name in rewritten.name.split('+') {
                    *compared.entry(name.to_string()).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(
        complaints.is_empty(),
        "{} differ:\n{}",
        complaints.len(),
        complaints[..complaints.len().min(8)].join("\n\n")
    );
    compared
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rewrite_changes_a_result() {
    // More rounds, for whoever has changed a rewrite.
    let rounds = std::env::var("MARULA_REWRITE_ROUNDS").ok().and_then(|text| text.parse().ok());
    let compared = compare(15, rounds.unwrap_or(60), 60).await;
    println!("{compared:?}");
    for name in [
        "aggregate-before-join",
        "bare-column",
        "coalesce-to-column",
        "correlated-aggregate-to-join",
        "count-distinct-to-group",
        "count-to-exists",
        "distinct-to-exists",
        "distinct-to-skip-scan",
        "inline-cte",
        "keyset-or-to-row",
        "late-row-lookup",
        "not-in-to-not-exists",
        "or-limit-to-union",
        "or-to-union",
        "range-over-join",
        "top1-to-lateral",
        "truncated-time-to-range",
        "union-to-union-all",
        "unused-join",
        "values-to-any",
    ] {
        assert!(compared.get(name).is_some_and(|count| *count >= 20), "{name}: {compared:?}");
    }
}

/// 18 plans VALUES lists itself and drops self-joins; what is offered there must hold as well.
#[tokio::test(flavor = "multi_thread")]
async fn nor_on_18() {
    let compared = compare(18, 12, 50).await;
    assert!(!compared.contains_key("values-to-any"), "{compared:?}");
    assert!(compared.len() >= 15, "{compared:?}");
}
