//! The queries of TPC-H and TPC-DS as they are written: parsed, let through, taken apart, given
//! candidates and other wordings, all of which the server takes.

use marula_core::{Quiet, RelationalCatalog, Statement};
use marula_postgres::catalog::{self, Scope};
use marula_postgres::explain::{Mode, explain};
use marula_postgres::{Session, guard};
use marula_tune::postgres::{SessionFacts, Shape, candidates, explain as explained, rewrites};
use marula_tune::{ExplainOptions, ProveMode};
use pg_query::Node;

use super::{fresh, set_up, target};

/// `-- Q7` and the statement below it.
fn queries(text: &str) -> Vec<(&str, &str)> {
    text.split("\n-- Q")
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .map(|(number, sql)| (number, sql.trim().trim_end_matches(';')))
        .collect()
}

/// What came of a set of queries.
#[derive(Debug, Default)]
struct Accepted {
    by_us: usize,
    by_server: usize,
    rewritten: Vec<String>,
    complaints: Vec<String>,
}

/// As on a large database: every table has rows, and every column some values.
fn grown(mut catalog: RelationalCatalog) -> RelationalCatalog {
    for relation in &mut catalog.relations {
        relation.rows = Some(1e6);
        for column in &mut relation.columns {
            let statistics =
                marula_core::ColumnStatistics { distinct: 1000.0, width: 8, ..Default::default() };
            column.statistics = Some(statistics);
        }
    }
    catalog
}

async fn accepted(session: &Session, queries: &[(&str, &str)]) -> Accepted {
    let mut accepted = Accepted::default();
    for (number, sql) in queries {
        let parsed = match guard::check(sql) {
            Ok(parsed) => parsed,
            Err(error) => {
                accepted.complaints.push(format!("Q{number}: {error}"));
                continue;
            }
        };
        if let Err(error) = guard::check_in_catalog(session, &parsed).await {
            accepted.complaints.push(format!("Q{number}: {error}"));
            continue;
        }
        let names: Vec<String> = parsed.relations().iter().map(|r| r.qualified()).collect();
        let catalog = grown(catalog::read(session, Scope::Relations(&names)).await.unwrap());
        let root = Node { node: parsed.root().cloned() };
        let shape = Shape::read(&root, Some(&catalog));
        assert!(shape.uses().count() > 0, "Q{number} reads nothing");
        let facts = SessionFacts { time_zone: Some("UTC".into()) };
        let other = rewrites(&root, &catalog, &facts);
        accepted.by_us += 1;
        let statement = Statement::new(marula_core::Engine::Postgres, parsed.text());
        let plan = match explain(session, &statement, Mode::Estimate).await {
            Ok(plan) => plan,
            Err(error) => {
                println!("Q{number}: the server does not take it: {error}");
                continue;
            }
        };
        accepted.by_server += 1;
        let _ = candidates(&shape, &plan, &catalog);
        for new in other {
            let text = new.proposal.up[0].clone();
            let statement = Statement::new(marula_core::Engine::Postgres, &text);
            match explain(session, &statement, Mode::Estimate).await {
                Ok(_) => accepted.rewritten.push(format!("Q{number} {}", new.name)),
                Err(error) => accepted
                    .complaints
                    .push(format!("Q{number}: {} does not plan: {error}\n{text}", new.name)),
            }
        }
        let options = ExplainOptions { prove: ProveMode::Off, ..ExplainOptions::default() };
        if let Err(error) = explained(session, &target(session), sql, &options, &Quiet).await {
            accepted.complaints.push(format!("Q{number}: {error}"));
        }
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_tpc_h_is_accepted_as_it_is_written() {
    let session = fresh(15).await;
    set_up(&session, include_str!("../../tpch/schema.sql")).await;
    let queries = queries(include_str!("../../tpch/queries.sql"));
    let accepted = accepted(&session, &queries).await;
    println!("TPC-H: {accepted:?}");
    assert_eq!((queries.len(), accepted.by_us, accepted.by_server), (22, 22, 22), "{accepted:?}");
    assert!(accepted.complaints.is_empty(), "{}", accepted.complaints.join("\n"));
}

/// The texts are not ours to carry: `scripts/setup --bench` fetches them.
#[tokio::test(flavor = "multi_thread")]
async fn the_queries_of_tpc_ds_are_accepted_as_they_are_written() {
    let folder = marula_lab::home().join("cache").join("tpcds");
    let read = |name: &str| std::fs::read_to_string(folder.join(name));
    let (Ok(schema), Ok(text)) = (read("schema.sql"), read("queries.sql")) else {
        println!("no TPC-DS texts in {}: `scripts/setup --bench` gets them", folder.display());
        return;
    };
    let session = fresh(15).await;
    set_up(&session, &schema).await;
    let queries = queries(&text);
    let accepted = accepted(&session, &queries).await;
    println!("TPC-DS: {accepted:?}");
    assert_eq!(queries.len(), 99);
    assert!(accepted.by_us >= 97, "{accepted:?}");
    assert!(accepted.complaints.is_empty(), "{}", accepted.complaints.join("\n"));
}
