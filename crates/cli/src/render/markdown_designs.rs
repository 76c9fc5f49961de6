//! Designs of a model for pull requests and tickets.

use marula_core::{Designs, Engine, EngineDesigns};

use super::human::designs::load;
use super::markdown::{cell, fence, line};
use super::numbers::{bytes, duration, number, percent, short};

/// Each engine's designs, and which engine serves the model better.
pub fn designs(designs: &Designs, out: &mut String) {
    if let Some(choice) = &designs.choice {
        out.push_str("\n| operation | PostgreSQL | MongoDB | better |\n|---|---:|---:|---|\n");
        for one in &choice.operations {
            let better = one.engine.map_or("no difference", Engine::title);
            out.push_str(&format!(
                "| {} | {} | {} | {better} |\n",
                cell(&one.name),
                duration(one.postgres_ms),
                duration(one.mongodb_ms)
            ));
        }
        out.push_str("\n### Where it would turn\n\n");
        choice.crossovers.iter().for_each(|said| out.push_str(&format!("- {}\n", line(said))));
        out.push_str("\n### What else tells them apart\n\n| about | the model | PostgreSQL | MongoDB |\n|---|---|---|---|\n");
        for one in &choice.qualities {
            let cells =
                [&one.about, &one.model, &one.postgres, &one.mongodb].map(|text| cell(text));
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    designs.engines.iter().for_each(|engine| of_engine(engine, out));
}

fn of_engine(engine: &EngineDesigns, out: &mut String) {
    out.push_str(&format!(
        "\n### {} {}\n\n{} rows, {} of the model's; {}.\n\n",
        engine.server.engine.title(),
        engine.server.version,
        short(engine.rows),
        percent(engine.share.min(1.0)),
        load(engine)
    ));
    out.push_str(
        "| design | work ms/s | goals missed | size | answers |\n|---|---:|---:|---:|---|\n",
    );
    for design in &engine.candidates {
        let answers = match design.results_equal {
            Some(true) => "equal",
            Some(false) => "**different**",
            None => "",
        };
        out.push_str(&format!(
            "| {} | {} | {} | {} | {answers} |\n",
            cell(&design.name),
            number(design.work_ms),
            design.goals_missed,
            bytes(design.bytes)
        ));
    }
    for design in &engine.candidates {
        for note in design.differences() {
            out.push_str(&format!("\n{}: {}.\n", line(&design.name), line(note)));
        }
    }
    out.push_str(&format!("\nProposed: the first: {}.\n", line(&engine.verdict)));
    engine.rules_of_thumb.iter().for_each(|rule| out.push_str(&format!("\n{}.\n", line(rule))));
    let Some(best) = engine.candidates.first() else { return };
    out.push_str(
        "\n| operation | rate | alone | p50 | p99 | goal |\n|---|---:|---:|---:|---:|---|\n",
    );
    for one in &best.operations {
        let goal = one.goal_ms.map_or(String::new(), |goal| {
            format!("{} {}", duration(goal), if one.p99_ms <= goal { "met" } else { "**missed**" })
        });
        out.push_str(&format!(
            "| {} | {}/s | {} | {} | {} | {goal} |\n",
            cell(&one.name),
            number(one.rate),
            duration(one.alone_ms),
            duration(one.p50_ms),
            duration(one.p99_ms)
        ));
    }
    let left = engine.left_out.iter();
    let mut said: Vec<String> =
        left.map(|left| format!("not measured: {}: {}", left.statement, left.reason)).collect();
    said.extend(engine.set_aside.iter().map(super::human::designs::set_aside));
    if !said.is_empty() {
        out.push('\n');
    }
    said.iter().for_each(|said| out.push_str(&format!("- {}\n", line(said))));
    fence(&best.script, engine.server.engine, out);
}
