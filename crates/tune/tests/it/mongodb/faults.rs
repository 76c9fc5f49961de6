//! Faults made on purpose: for each rule plans of a real server on which its fault was made, and
//! as many near it without. How many are found, and how many of those found are right.

mod cases;

use std::collections::BTreeMap;
use std::io::Write;

use cases::{CASES, Case};

use super::{diagnosed, fresh, rules_of, set_up};

/// 6,000 orders, 3,000 customers, 300 branches.
const DATA: &str = "\
db.seed.insertOne({_id: 0})
db.seed.aggregate([{$project: {i: {$range: [0, 6000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
a: {$mod: ['$i', 10]}, b: {$mod: ['$i', 100]}, c: {$mod: ['$i', 1000]}, u: '$i', q: {$mod: ['$i', 4]}, \
q2: {$mod: [{$floor: {$divide: ['$i', 4]}}, 4]}, \
r: {$mod: [{$multiply: ['$i', 7919]}, 10007]}, s: {$mod: [{$multiply: ['$i', 31337]}, 10009]}, \
name: {$concat: ['N', {$toString: {$mod: ['$i', 500]}}]}, text: {$concat: ['note ', {$toString: '$i'}, ' end']}, \
tags: [{$mod: ['$i', 50]}, {$add: [{$mod: ['$i', 50]}, 7]}], night: ['$i', {$add: ['$i', 3]}], \
items: [{sku: {$mod: ['$i', 400]}, n: 1}, {sku: {$mod: [{$multiply: ['$i', 3]}, 401]}, n: 2}], \
open: {$eq: [{$mod: ['$i', 7]}, 0]}, at: {$add: [ISODate('2020-01-01'), {$multiply: ['$i', 21600000]}]}, \
sub: {k: {$mod: ['$i', 100]}}, pad: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}}, {$out: 'orders'}])
db.seed.aggregate([{$project: {i: {$range: [0, 3000]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
number: '$i', boss: {$floor: {$divide: ['$i', 3]}}, name: 'somebody'}}, {$out: 'customers'}])
db.seed.aggregate([{$project: {i: {$range: [0, 300]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
a: {$mod: ['$i', 10]}, s: {$mod: [{$multiply: ['$i', 31337]}, 10009]}, tags: ['$i', 3], name: 'N5'}}, {$out: 'few'}])
db.seed.aggregate([{$project: {i: {$range: [0, 1300]}}}, {$unwind: '$i'}, {$project: {_id: '$i', \
at: {$mod: [{$multiply: ['$i', 7919]}, 1301]}, pad: {$reduce: {input: {$range: [0, 1000]}, initialValue: '', \
in: {$concat: ['$$value', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']}}}}}, {$out: 'wide'}])
";

/// How one rule did.
#[derive(Default)]
struct Score {
    right: u32,
    missed: Vec<&'static str>,
    wrong: Vec<&'static str>,
    quiet: u32,
}

impl Score {
    fn precision(&self) -> f64 {
        f64::from(self.right) / (f64::from(self.right) + self.wrong.len() as f64).max(1.0)
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / (f64::from(self.right) + self.missed.len() as f64).max(1.0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_found_and_nothing_else() {
    let session = fresh(6, 0).await;
    set_up(&session, DATA).await;
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut plain = Vec::new();
    for Case { rule, fault, setup, statement } in CASES {
        for name in ["orders", "customers", "few"] {
            let drop = bson::doc! {"dropIndexes": name, "index": "*"};
            session.database().run_command(drop).await.unwrap();
        }
        let clear = bson::doc! {"planCacheClearFilters": "orders"};
        session.database().run_command(clear).await.unwrap();
        set_up(&session, setup).await;
        let report = diagnosed(&session, statement).await;
        let found = rules_of(&report);
        if rule.is_empty() {
            // A plan without any fault: whatever is said of it is wrong.
            plain.extend(found.into_iter().map(|rule| (rule.to_string(), *statement)));
            continue;
        }
        let score = scores.entry(rule).or_default();
        match (found.contains(rule), fault) {
            (true, true) => score.right += 1,
            (false, true) => score.missed.push(statement),
            (true, false) => score.wrong.push(statement),
            (false, false) => score.quiet += 1,
        }
    }
    session.database().drop().await.unwrap();
    let mut table =
        String::from("| rule | found | missed | wrong | quiet | precision | recall |\n");
    let mut all = Score::default();
    for (rule, score) in &scores {
        table.push_str(&format!(
            "| {rule} | {} | {} | {} | {} | {:.2} | {:.2} |\n",
            score.right,
            score.missed.len(),
            score.wrong.len(),
            score.quiet,
            score.precision(),
            score.recall()
        ));
        all.right += score.right;
        all.missed.extend(&score.missed);
        all.wrong.extend(&score.wrong);
    }
    let wrong = all.wrong.len() + plain.len();
    let precision = f64::from(all.right) / (f64::from(all.right) + wrong as f64);
    table.push_str(&format!("| all | precision {precision:.3} | recall {:.3} |\n", all.recall()));
    writeln!(std::io::stdout(), "{table}").unwrap();
    assert!(
        precision >= 0.95 && all.recall() >= 0.95,
        "{table}missed: {:#?}\nwrong: {:#?}\nof plans without a fault: {plain:#?}",
        all.missed,
        all.wrong
    );
    for rule in marula_tune::mongodb::rules() {
        let score =
            scores.get(rule.info.id).unwrap_or_else(|| panic!("no case of {}", rule.info.id));
        assert!(score.right >= 2 && score.quiet >= 2, "{}: {table}", rule.info.id);
    }
}
