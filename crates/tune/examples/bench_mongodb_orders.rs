//! How near the advisor's one set of indexes for many statements comes to the best of all orders
//! of each statement's fields, which are all built to find it.

#![allow(clippy::print_stdout, missing_docs)]

mod shapes;

#[tokio::main]
async fn main() -> marula_core::Result<()> {
    println!(
        "| seed | shapes | orders built | within 10 % (or 20 keys) of the best | indexes | bytes |"
    );
    println!("|---|---|---|---|---|---|");
    let (mut near, mut all) = (0, 0);
    for seed in [1, 2, 3, 4] {
        let outcome = shapes::compare(10_000, 25, seed).await?;
        println!(
            "| {seed} | {} | {} | {} ({:.1} %) | {} instead of {} | {:.1} MB instead of {:.1} MB |",
            outcome.shapes,
            outcome.orders,
            outcome.near,
            100.0 * outcome.near as f64 / outcome.shapes.max(1) as f64,
            outcome.indexes.0,
            outcome.indexes.1,
            outcome.bytes.0 as f64 / 1e6,
            outcome.bytes.1 as f64 / 1e6,
        );
        near += outcome.near;
        all += outcome.shapes;
        for (text, best, given) in &outcome.far {
            println!(
                "|  | {} | | {given} examined, {best} at best | | |",
                text.replace('|', "\\|")
            );
        }
    }
    println!("| all | {all} | | {near} ({:.1} %) | | |", 100.0 * near as f64 / all.max(1) as f64);
    Ok(())
}
