//! How near the advisor's one set of indexes for many statements comes to the best of all orders
//! of each statement's fields, which are all built to find it.

#![allow(clippy::print_stdout, missing_docs)]

mod shapes;

#[tokio::main]
async fn main() -> marula_core::Result<()> {
    // Each named seed, or four of them.
    println!(
        "| seed | shapes | orders built | within 10 % (or 20 keys) of the best | indexes | bytes |"
    );
    println!("|---|---|---|---|---|---|");
    let (mut near, mut all) = (0, 0);
    let seeds: Vec<u64> = std::env::args().skip(1).filter_map(|seed| seed.parse().ok()).collect();
    let seeds = if seeds.is_empty() { vec![1, 2, 3, 4] } else { seeds };
    for seed in seeds {
        let outcome = shapes::compare(10_000, 25, seed).await?;
        println!(
            "| {seed} | {} | {} | {} ({:.1} %; {} of them by the clock) | {} instead of {} | {:.1} MB instead of {:.1} MB |",
            outcome.shapes,
            outcome.orders,
            outcome.near,
            100.0 * outcome.near as f64 / outcome.shapes.max(1) as f64,
            outcome.by_clock,
            outcome.indexes.0,
            outcome.indexes.1,
            outcome.bytes.0 as f64 / 1e6,
            outcome.bytes.1 as f64 / 1e6,
        );
        near += outcome.near;
        all += outcome.shapes;
        for far in &outcome.far {
            println!(
                "|  | {} | | {} examined instead of {}, {} at best | {:?} instead of {} | {:.1} \
                 ms instead of {:.1} ms |",
                far.statement.replace('|', "\\|"),
                far.given,
                far.before,
                far.best,
                far.used,
                far.order.as_deref().unwrap_or("the collection"),
                far.ms.1,
                far.ms.0,
            );
        }
        for title in &outcome.picked {
            println!("+ {title}");
        }
        for (title, reason) in &outcome.turned_down {
            println!("- {title}: {reason}");
        }
    }
    println!("| all | {all} | | {near} ({:.1} %) | | |", 100.0 * near as f64 / all.max(1) as f64);
    Ok(())
}
