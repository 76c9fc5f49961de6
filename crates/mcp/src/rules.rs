//! The rules' pages.

use marula_core::{Engine, RuleInfo, Severity};

/// Every rule: on plans first, then on migrations, then on designs.
pub fn all() -> Vec<&'static RuleInfo> {
    let migrations = marula_migrate::rules();
    let designs = marula_design::rules();
    marula_tune::rules().iter().chain(migrations).chain(designs).copied().collect()
}

/// A rule's page as Markdown.
pub fn page(rule: &RuleInfo) -> String {
    let since = rule.since.map(|version| format!(", since {version}")).unwrap_or_default();
    let mut out = format!(
        "# {}\n\n{} ({}{since}, at most {})\n\n{}\n",
        rule.id,
        rule.title,
        rule.engine.title(),
        severity(rule.severity),
        rule.page.trim()
    );
    let language = if rule.engine == Engine::Postgres { "sql" } else { "javascript" };
    for example in rule.examples {
        let fires = if example.fires { "fires" } else { "stays quiet" };
        out.push_str(&format!("\n## {}: {fires}\n\n```{language}\n", example.name));
        for part in [example.setup, example.statement] {
            if !part.trim().is_empty() {
                out.push_str(&format!("{}\n", part.trim()));
            }
        }
        out.push_str("```\n");
    }
    out.push_str(&format!("\nSource: {}\n", rule.source.trim()));
    out
}

/// A severity as it is written.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    }
}
