//! Designs of a model: what is proposed and why, each candidate, each operation.

use marula_core::{
    CandidateDesign, Designs, Engine, EngineChoice, EngineDesigns, Report, SetAside, SetAsideKind,
};

use super::super::Look;
use super::grid::{grid, numbers, words};
use super::numbers::{bytes, duration, number, percent, short};
use super::paint::Ink;
use super::{heading, paragraph, text};

/// The report as text.
pub fn designs(report: &Report, designs: &Designs, look: &Look) -> String {
    let mut out = String::new();
    let line = text::wrap(&sentence(designs), paragraph(look), "", "");
    out.push_str(&look.paint.ink(Ink::Strong, line.trim_end()));
    out.push('\n');
    if let Some(choice) = &designs.choice {
        chosen(choice, look, &mut out);
    }
    for engine in &designs.engines {
        of_engine(engine, look, &mut out);
    }
    super::notes(report, look, &mut out);
    out
}

/// The result in one line.
pub fn sentence(designs: &Designs) -> String {
    if let Some(choice) = &designs.choice {
        return format!("{}: {}", designs.model, choice.verdict);
    }
    let each = designs.engines.iter().filter_map(|engine| {
        let best = engine.candidates.first()?;
        let title = engine.server.engine.title();
        Some(format!("{title}: {} ({})", best.name, engine.verdict))
    });
    format!("{}, {}", designs.model, each.collect::<Vec<_>>().join("; "))
}

fn of_engine(engine: &EngineDesigns, look: &Look, out: &mut String) {
    let title = format!("{} {}", engine.server.engine.title(), engine.server.version);
    heading(&title, look, out);
    let is_design = |one: &&SetAside| one.kind == SetAsideKind::Design;
    let aside = match engine.set_aside.iter().filter(is_design).count() {
        0 => String::new(),
        count => format!(" ({count} set aside)"),
    };
    let how = format!(
        "{} rows, {} of the model's; {}{aside} with equal durability, {}",
        short(engine.rows),
        percent(engine.share.min(1.0)),
        text::counted(engine.candidates.len() as u64, "design", "designs"),
        load(engine)
    );
    out.push_str(&text::wrap(&how, paragraph(look), "", ""));
    let rows: Vec<Vec<String>> = engine
        .candidates
        .iter()
        .enumerate()
        .map(|(at, design)| {
            vec![
                if at == 0 { "→".into() } else { String::new() },
                letter(at).to_string(),
                format!("{} ± {}", number(design.work_ms), number(design.doubt_ms)),
                design.goals_missed.to_string(),
                number(design.done_per_second),
                bytes(design.bytes),
                duration(design.filled_ms),
                match design.results_equal {
                    Some(true) => "equal".into(),
                    Some(false) => "DIFFERENT".into(),
                    None => String::new(),
                },
            ]
        })
        .collect();
    let columns = [
        words(""),
        words(""),
        numbers("work ms/s"),
        numbers("goals missed"),
        numbers("done/s"),
        numbers("size"),
        numbers("filled in"),
        words("answers"),
    ];
    out.push('\n');
    grid(&columns, &rows, look, out);
    out.push('\n');
    for (at, design) in engine.candidates.iter().enumerate() {
        let mark = format!("  {}  ", letter(at));
        let said = format!("{} ({})", design.name, design.why);
        out.push_str(&text::wrap(&said, paragraph(look), &mark, "     "));
        // The proposed one's notes come below.
        for note in design.differences().filter(|_| at > 0) {
            out.push_str(&text::wrap(note, paragraph(look), "     · ", "       "));
        }
    }
    let mut said = vec![format!("Proposed: {}: {}.", letter(0), engine.verdict)];
    said.extend(engine.rules_of_thumb.iter().map(|rule| format!("{}.", capital(rule))));
    out.push('\n');
    for line in said {
        out.push_str(&text::wrap(&line, paragraph(look), "", ""));
    }
    if let Some(best) = engine.candidates.first() {
        operations(best, look, out);
        for note in &best.notes {
            out.push_str(&text::wrap(note, paragraph(look), "  · ", "    "));
        }
        if look.verbose {
            out.push('\n');
            out.push_str(&best.script);
        }
    }
    for left in &engine.left_out {
        let said = format!("not measured: {}: {}", left.statement, left.reason);
        out.push_str(&text::wrap(&said, paragraph(look), "  · ", "    "));
    }
    for one in &engine.set_aside {
        out.push_str(&text::wrap(&set_aside(one), paragraph(look), "  · ", "    "));
    }
}

/// What was set aside, and what that means.
pub fn set_aside(one: &SetAside) -> String {
    match one.kind {
        SetAsideKind::Design => format!("design set aside: {}: {}", one.name, one.reason),
        SetAsideKind::Constraint => {
            format!(
                "measured without {}, which the generated data breaks: {}",
                one.name, one.reason
            )
        }
    }
}

/// How long, and with how much work, each design is run.
pub fn load(engine: &EngineDesigns) -> String {
    let idle = engine.candidates.iter().all(|design| design.operations.is_empty());
    if idle && !engine.candidates.is_empty() {
        return "filled, with no work to do".into();
    }
    if engine.seconds <= 0.0 {
        return "each operation alone, none under load".into();
    }
    let pace = if engine.pace < 1.0 { format!(" times {:.2}", engine.pace) } else { String::new() };
    format!("each {} s under load at the model's rates{pace}", number(engine.seconds))
}

fn operations(design: &CandidateDesign, look: &Look, out: &mut String) {
    let rows: Vec<Vec<String>> = design
        .operations
        .iter()
        .map(|one| {
            let loaded = one.runs > 0;
            let or_not = |text: String| if loaded { text } else { "–".into() };
            vec![
                format!("  {}", one.name),
                format!("{}/s", number(one.rate)),
                duration(one.alone_ms),
                or_not(duration(one.p50_ms)),
                or_not(duration(one.p99_ms)),
                match one.goal_ms {
                    Some(goal) if !loaded => duration(goal),
                    Some(goal) if one.p99_ms <= goal => format!("{} met", duration(goal)),
                    Some(goal) => format!("{} missed", duration(goal)),
                    None => String::new(),
                },
                if one.failed > 0 { one.failed.to_string() } else { String::new() },
            ]
        })
        .collect();
    let columns = [
        words("  its operations"),
        numbers("rate"),
        numbers("alone"),
        numbers("p50"),
        numbers("p99"),
        words("goal"),
        numbers("failed"),
    ];
    out.push('\n');
    grid(&columns, &rows, look, out);
    out.push('\n');
}

fn chosen(choice: &EngineChoice, look: &Look, out: &mut String) {
    if !choice.results_equal {
        out.push_str("The engines' answers differ; see the notes.\n");
    }
    heading("Operation by operation", look, out);
    let rows: Vec<Vec<String>> = choice
        .operations
        .iter()
        .map(|one| {
            let better = one.engine.map_or("no difference", Engine::title);
            vec![
                format!("  {}", one.name),
                duration(one.postgres_ms),
                duration(one.mongodb_ms),
                better.into(),
            ]
        })
        .collect();
    let columns =
        [words("  operation"), numbers("PostgreSQL"), numbers("MongoDB"), words("better")];
    grid(&columns, &rows, look, out);
    if !choice.crossovers.is_empty() {
        heading("Where it would turn", look, out);
    }
    for line in &choice.crossovers {
        out.push_str(&text::wrap(line, paragraph(look), "  · ", "    "));
    }
    heading("What else tells them apart", look, out);
    for one in &choice.qualities {
        out.push_str(&text::wrap(
            &format!("{}: {}", one.about, one.model),
            paragraph(look),
            "  · ",
            "    ",
        ));
        out.push_str(&text::wrap(
            &format!("PostgreSQL: {}", one.postgres),
            paragraph(look),
            "      ",
            "      ",
        ));
        out.push_str(&text::wrap(
            &format!("MongoDB: {}", one.mongodb),
            paragraph(look),
            "      ",
            "      ",
        ));
    }
}

fn letter(at: usize) -> String {
    char::from(b'A' + (at % 26) as u8).to_string()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::render::Paint;
    use marula_core::{LabServer, LeftOut, Version};

    #[test]
    fn what_is_not_under_load_is_said_to_run_alone() {
        let engine = |seconds: f64, pace: f64| -> EngineDesigns {
            serde_json::from_value(serde_json::json!({
                "server": {"engine": "postgres", "version": "18.0"}, "rows": 10, "share": 1.0,
                "pace": pace, "seconds": seconds, "candidates": [], "verdict": "",
                "rules_of_thumb": [], "left_out": [],
            }))
            .unwrap()
        };
        assert_eq!(load(&engine(0.0, 1.0)), "each operation alone, none under load");
        assert_eq!(load(&engine(0.5, 1.0)), "each 0.5 s under load at the model's rates");
        assert_eq!(
            load(&engine(10.0, 0.25)),
            "each 10 s under load at the model's rates times 0.25"
        );
    }

    /// What was set aside is counted, and told with the server's reason.
    #[test]
    fn what_was_set_aside_is_told() {
        let aside =
            |kind, name: &str| SetAside { kind, name: name.into(), reason: "no (1)".into() };
        let engine = EngineDesigns {
            server: LabServer { engine: Engine::Postgres, version: Version::new(18, 0, 0) },
            rows: 10,
            share: 1.0,
            pace: 1.0,
            seconds: 1.0,
            candidates: vec![CandidateDesign { name: "normalised".into(), ..Default::default() }],
            verdict: "the only one that was measured".into(),
            rules_of_thumb: Vec::new(),
            left_out: vec![LeftOut { statement: "pay".into(), calls: 0, reason: "no (2)".into() }],
            set_aside: vec![
                aside(SetAsideKind::Design, "lines in orders"),
                aside(SetAsideKind::Constraint, "the check c of t"),
            ],
        };
        let designs = Designs { engines: vec![engine], ..Designs::default() };
        let report = Report { designs: Some(designs.clone()), ..Report::new("design") };
        let look = Look { width: 200, paint: Paint(false), verbose: false, file: None };
        let told = super::designs(&report, &designs, &look).replace("\n    ", " ");
        for line in [
            "1 design (1 set aside) with equal durability",
            "not measured: pay: no (2)",
            "design set aside: lines in orders: no (1)",
            "measured without the check c of t, which the generated data breaks: no (1)",
        ] {
            assert!(told.contains(line), "{line}\n{told}");
        }
    }
}
