//! Whether the measured best design beats what the rules of thumb give, on models other than those
//! it was built with: RUBiS, eBay, EAC and TPC-C, each with three mixes of reads and writes.
//!
//! The design is chosen on one set of data and compared on another, so that a winner by chance
//! loses again.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Duration;

use marula_core::model::{Model, Rate};
use marula_core::{Engine, Quiet, Result};
use marula_design::search::{Candidate, Work, candidates};
use marula_design::synth::World;
use marula_design::trial::{TrialOptions, Tried, mongodb, postgres};

const MODELS: [&str; 4] = [
    include_str!("models/rubis.yaml"),
    include_str!("models/ebay.yaml"),
    include_str!("models/eac.yaml"),
    include_str!("models/tpcc.yaml"),
];
/// What the writes' rates are multiplied with.
const MIXES: [(&str, f64); 3] = [("few writes", 0.2), ("as written", 1.0), ("many writes", 5.0)];
const ROWS: u64 = 30_000;
/// Differences of less are none.
const NOISE: f64 = 1.07;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    println!(
        "| model | mix | engine | proposed | work of the rules' design over the proposed one's |"
    );
    println!("|---|---|---|---|---:|");
    let (mut all, mut held) = (0, 0);
    for text in MODELS {
        for (mix, factor) in MIXES {
            let model = mixed(text, factor);
            for engine in [Engine::Postgres, Engine::Mongodb] {
                let (proposed, ratio) = compare(&model, engine).await?;
                all += 1;
                held += u32::from(ratio * NOISE >= 1.0);
                println!(
                    "| {} | {mix} | {} | {proposed} | {ratio:.2} |",
                    model.name,
                    engine.title()
                );
            }
        }
    }
    println!(
        "\nas good as the rules' design or better on {held} of {all} workloads (the goal is 80 %)"
    );
    Ok(())
}

fn mixed(text: &str, factor: f64) -> Model {
    let mut model = marula_design::model::read(text, "model.yaml").unwrap().model;
    model.writes.iter_mut().for_each(|write| write.rate = Rate(write.rate.0 * factor));
    model.transactions.iter_mut().for_each(|all| all.rate = Rate(all.rate.0 * factor));
    model
}

/// The proposed design's name, and how much more work the rules' design takes than it does.
async fn compare(model: &Model, engine: Engine) -> Result<(String, f64)> {
    let work = Work::new(model);
    assert!(work.left_out.is_empty(), "{:?}", work.left_out);
    let found = candidates(model, &work, engine, 4);
    let first = measure(&World::new(model, ROWS, 1), &work, &found, engine).await?;
    let best = &first.designs.candidates[0];
    assert!(
        first.designs.candidates.iter().all(|design| design.results_equal == Some(true)),
        "{:#?}",
        best.notes
    );
    if best.by_the_rules {
        return Ok((format!("{} (the rules')", best.name), 1.0));
    }
    let rules = first.designs.candidates.iter().find(|design| design.by_the_rules).unwrap();
    let named =
        |name: &str| found.iter().find(|candidate| candidate.name == name).cloned().unwrap();
    let again = measure(
        &World::new(model, ROWS, 2),
        &work,
        &[named(&best.name), named(&rules.name)],
        engine,
    )
    .await?;
    let ms = |name: &str| {
        again.designs.candidates.iter().find(|design| design.name == name).unwrap().work_ms
    };
    Ok((best.name.clone(), ms(&rules.name) / ms(&best.name)))
}

async fn measure(
    world: &World<'_>,
    work: &Work,
    found: &[Candidate],
    engine: Engine,
) -> Result<Tried> {
    let options = TrialOptions { length: Duration::ZERO, ..TrialOptions::default() };
    match engine {
        Engine::Postgres => postgres(world, work, found, &options, &Quiet).await,
        Engine::Mongodb => mongodb(world, work, found, &options, &Quiet).await,
    }
}
