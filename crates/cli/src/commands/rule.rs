//! `marula rule`.

use marula_core::{Engine, Error, ErrorKind, Result, RuleInfo, Severity, nearest};

use crate::app::{App, Outcome};
use crate::args::{self, Format};
use crate::render::text;

/// One rule's page, or the list of all.
pub fn run(app: &App, args: &args::Rule) -> Result<Outcome> {
    let rules = crate::rules::all();
    let chosen: Vec<&RuleInfo> = match &args.id {
        None => rules.clone(),
        Some(id) => rules.iter().copied().filter(|rule| rule.id == *id).collect(),
    };
    if let (Some(id), true) = (&args.id, chosen.is_empty()) {
        let near = nearest(id, rules.iter().map(|rule| rule.id));
        let error = Error::new(ErrorKind::NotFound, format!("no rule is called '{id}'"));
        return Err(match near.first() {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint("list all rules with: marula rule"),
        });
    }
    Ok(Outcome::Text(match (app.format(), &args.id) {
        (Format::Json, _) => json(&chosen)?,
        (_, Some(_)) => {
            chosen.iter().map(|rule| marula_mcp::rule_page(rule)).collect::<Vec<_>>().join("\n")
        }
        (_, None) => list(&chosen),
    }))
}

fn json(rules: &[&RuleInfo]) -> Result<String> {
    serde_json::to_string_pretty(rules).map(|text| text + "\n").map_err(|error| {
        Error::new(ErrorKind::Internal, "the rules cannot be written as JSON").because(error)
    })
}

fn list(rules: &[&RuleInfo]) -> String {
    let mut out = String::new();
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let own: Vec<_> = rules.iter().filter(|rule| rule.engine == engine).collect();
        if own.is_empty() {
            continue;
        }
        out.push_str(&format!("{}{}\n", if out.is_empty() { "" } else { "\n" }, engine.title()));
        let widest = own.iter().map(|rule| text::width(rule.id)).max().unwrap_or(0);
        for rule in own {
            out.push_str(&format!(
                "  {}  {}  {}\n",
                text::left(rule.id, widest),
                text::left(severity(rule.severity), 6),
                rule.title
            ));
        }
    }
    out
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    }
}
