//! What is asked of migrations, and what comes of it: the same for both engines.

mod words;

use std::path::PathBuf;
use std::time::Duration;

use marula_core::{Engine, Evidence, Finding, MigrationHazard, Place, Severity, Version};

use crate::ignore::Ignore;
use crate::migration::{Migration, Step};
use crate::rule::{Draft, Size};

/// What is known of where the migrations will run.
#[derive(Debug, Clone, Default)]
pub struct LintOptions {
    /// The server's version; the newest that is known when it is not said.
    pub version: Option<Version>,
}

/// What was found in one file.
#[derive(Debug)]
pub struct Linted {
    /// The file, as it was named.
    pub file: String,
    /// What was found, in the order of the statements.
    pub findings: Vec<Finding>,
    /// How many findings comments silenced.
    pub ignored: usize,
    /// How long it took.
    pub took: Duration,
}

/// How sizes are looked up.
pub(crate) type Sizes<'a> = &'a dyn Fn(&str) -> Option<Size>;

/// A statement's drafts as findings, ignores minded.
pub(crate) struct Teller<'a> {
    /// The file.
    pub migration: &'a Migration,
    /// Its ignores.
    pub ignores: Vec<Ignore>,
    /// What was found so far.
    pub findings: Vec<Finding>,
    /// How many were silenced.
    pub ignored: usize,
    previous_end: usize,
}

impl<'a> Teller<'a> {
    /// For one file.
    pub(crate) fn new(migration: &'a Migration) -> Self {
        let marks: &[&str] = match migration.engine {
            Engine::Postgres => &["--", "/*"],
            Engine::Mongodb => &["//", "/*", "#", "\""],
        };
        Teller {
            ignores: crate::ignore::of(&migration.text, marks),
            migration,
            findings: Vec::new(),
            ignored: 0,
            previous_end: 0,
        }
    }

    /// Puts what was found in a statement into words.
    pub(crate) fn tell(&mut self, index: usize, step: &Step, drafts: Vec<Draft>, sizes: Sizes<'_>) {
        let last = crate::migration::line_of(&self.migration.text, step.end);
        for draft in drafts {
            let silenced = self
                .ignores
                .iter()
                .find(|ignore| ignore.covers(draft.rule, (step.line, last), self.previous_end));
            if let Some(ignore) = silenced {
                ignore.used.set(true);
                if !ignore.reason.is_empty() {
                    self.ignored += 1;
                    continue;
                }
            }
            let size = draft.object.as_deref().and_then(sizes);
            self.findings.push(self.finding(index, step, draft, size));
        }
        self.previous_end = last;
    }

    fn finding(&self, index: usize, step: &Step, draft: Draft, size: Option<Size>) -> Finding {
        let explanation = words::explanation(self.migration.engine, &draft, size);
        let mut evidence = vec![];
        if let Some(lock) = draft.lock {
            evidence.push(Evidence::text("lock", lock));
        }
        evidence.push(Evidence::text("work", words::work(draft.work)));
        evidence.push(Evidence::text("blocks", words::blocks(draft.blocks)));
        if let Some(size) = size {
            let unit = match self.migration.engine {
                Engine::Postgres => "rows",
                Engine::Mongodb => "documents",
            };
            evidence.push(Evidence::number(unit, size.rows.max(0.0), None));
            evidence.push(Evidence::number("size", size.bytes as f64, Some("bytes")));
        }
        evidence.extend(draft.evidence);
        let tiny = size.is_some_and(|size| size.tiny());
        let grows = draft.work != marula_core::MigrationWork::None;
        Finding {
            rule: draft.rule.into(),
            // What is tiny is done in a moment, whatever is done.
            severity: if tiny && grows { Severity::Info } else { draft.severity },
            title: draft.title,
            place: Place {
                relation: draft.object.clone(),
                expression: Some(shown(self.migration.engine, &step.text)),
                file: Some(self.migration.path.display().to_string()),
                line: Some(step.line + draft.below),
                ..Place::default()
            },
            evidence,
            explanation,
            changes: Vec::new(),
            hazard: Some(MigrationHazard {
                statement: index,
                lock: draft.lock.map(Into::into),
                object: draft.object,
                work: draft.work,
                blocks: draft.blocks,
            }),
        }
    }

    /// What is to be said of the ignores themselves.
    pub(crate) fn finish(mut self, known: &[&'static str]) -> (Vec<Finding>, usize) {
        for ignore in &self.ignores {
            let (title, why) = if !known.contains(&ignore.rule.as_str()) {
                let near = marula_core::nearest(&ignore.rule, known.iter().copied());
                let hint = near.first().map(|near| format!(" Did you mean '{near}'?"));
                (
                    format!("the ignore names no rule: '{}'", ignore.rule),
                    format!("List all rules with: marula rule.{}", hint.unwrap_or_default()),
                )
            } else if ignore.reason.is_empty() {
                (
                    format!("the ignore of {} gives no reason, and is not heeded", ignore.rule),
                    "Write the reason behind the rule's id, for who reads the file next.".into(),
                )
            } else if !ignore.used.get() {
                (
                    format!("the ignore of {} is no longer needed", ignore.rule),
                    "Nothing is found there any more: take the comment out.".into(),
                )
            } else {
                continue;
            };
            self.findings.push(Finding {
                rule: "needless-ignore".into(),
                severity: Severity::Low,
                title,
                place: Place {
                    file: Some(self.migration.path.display().to_string()),
                    line: Some(ignore.line),
                    ..Place::default()
                },
                evidence: Vec::new(),
                explanation: why,
                changes: Vec::new(),
                hazard: None,
            });
        }
        (self.findings, self.ignored)
    }
}

/// The beginning of a step's text, without secrets.
fn shown(engine: Engine, text: &str) -> String {
    crate::secrets::shown(engine, text).chars().take(200).collect()
}

/// A rewritten file.
#[derive(Debug)]
pub struct Fixed {
    /// Its text.
    pub text: String,
    /// The rules whose findings are gone.
    pub mended: Vec<String>,
    /// What else is to be written for it: Flyway keeps such settings in a file beside.
    pub beside: Option<(PathBuf, String)>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// The rules of which a rewritten file has fewer findings; none when more than before keeps others
/// waiting.
pub(crate) fn mended(before: &[Finding], after: &[Finding]) -> Vec<String> {
    let grows = |f: &&Finding| f.hazard.as_ref().is_some_and(MigrationHazard::grows_while_blocking);
    let heavy = |findings: &[Finding]| findings.iter().filter(grows).count();
    // What is only waited for briefly may stay.
    let count = |findings: &[Finding], rule: &str| {
        findings.iter().filter(|f| f.rule == rule && f.severity > Severity::Info).count()
    };
    let mut all: Vec<String> = Vec::new();
    for finding in before {
        if count(after, &finding.rule) < count(before, &finding.rule)
            && !all.contains(&finding.rule)
        {
            all.push(finding.rule.clone());
        }
    }
    if heavy(after) <= heavy(before) { all } else { Vec::new() }
}
