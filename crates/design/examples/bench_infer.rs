//! Takes wide joins of TPC-H's tables apart, for the benchmark.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../tests/tpch/mod.rs"]
mod tpch;

use std::time::Instant;

use marula_core::{Quiet, Result};
use marula_design::infer::read::{Limits, stream_of};
use marula_design::infer::{InferOptions, Rejoined, infer};
use tpch::{judge, wide};

#[tokio::main]
async fn main() -> Result<()> {
    println!("| join | rows × columns | read | inferred | tables | not true | joined again |");
    println!("|---|---|---|---|---|---|---|");
    let four = wide::of_four();
    take_apart("8 tables, scale 0.01", &wide::csv(0.01, usize::MAX, None), 8, true).await?;
    take_apart("4 tables, scale 0.017", &wide::csv(0.017, 100_000, Some(&four)), 4, false).await?;
    println!("limits: 7 of 8 tables, 1 that is not true, 100,000 × 35 within 10 s");
    Ok(())
}

async fn take_apart(join: &str, text: &str, of: usize, prove: bool) -> Result<()> {
    let started = Instant::now();
    let read = stream_of(text.as_bytes(), "wide.csv", Limits::default())?;
    let took = started.elapsed().as_secs_f64();
    let (rows, columns) = (read.source.kept, read.tables[0].columns.len());
    let options = InferOptions { name: "tpch".into(), prove: false };
    let started = Instant::now();
    let inferred = infer(vec![read], &options, &Quiet).await?;
    let inferring = started.elapsed().as_secs_f64();
    let joined = match prove {
        true => {
            let again = stream_of(text.as_bytes(), "wide.csv", Limits::default())?;
            let options = InferOptions { prove, ..options };
            let proved = infer(vec![again], &options, &Quiet).await?;
            let equal = !proved.rejoined.is_empty() && proved.rejoined.iter().all(Rejoined::equal);
            if equal { "equal" } else { "NOT EQUAL" }
        }
        false => "not asked",
    };
    let (found, wrong) = judge::judged(&inferred.model);
    println!(
        "| {join} | {rows} × {columns} | {took:.2} s | {inferring:.2} s | {} of {of} | {} | {joined} |",
        found.len().min(of),
        wrong.len()
    );
    Ok(())
}
