//! What the program ends with; the one place where kinds of trouble become exit codes.

use marula_core::{ErrorKind, Report, Severity};

use crate::args::FailOn;

/// Nothing at or above `--fail-on` was found.
pub const CLEAN: u8 = 0;
/// Something was found.
pub const FINDINGS: u8 = 1;
/// The user interrupted.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a failure.
pub fn of_error(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Usage
        | ErrorKind::Syntax
        | ErrorKind::Refused
        | ErrorKind::NotFound
        | ErrorKind::Unsupported
        | ErrorKind::Io => 2,
        ErrorKind::Unreachable
        | ErrorKind::Denied
        | ErrorKind::ServerDied
        | ErrorKind::Timeout
        | ErrorKind::Server => 3,
        ErrorKind::Lab => 4,
        ErrorKind::Internal => 70,
        ErrorKind::Interrupted => INTERRUPTED,
    }
}

/// The exit code of a report.
pub fn of_report(report: &Report, fail_on: FailOn) -> u8 {
    let differs = |found: &marula_core::SchemaDifference| !found.remains.is_empty();
    if report.schema_difference.as_ref().is_some_and(differs) {
        return FINDINGS;
    }
    let choice = report.designs.as_ref().and_then(|designs| designs.choice.as_ref());
    if choice.is_some_and(|choice| !choice.results_equal) {
        return FINDINGS;
    }
    let tuned = report.tuning.as_ref().filter(|tuning| !tuning.picked.is_empty());
    let gained = tuned.map(|tuning| match tuning.after_ms / tuning.before_ms.max(1e-9) {
        left if left <= 0.6 => Severity::High,
        left if left <= 0.9 => Severity::Medium,
        _ => Severity::Low,
    });
    let stalled = report.rehearsal.as_ref().and_then(crate::render::stalled);
    let gained = gained.into_iter().chain(stalled);
    let severities = report.findings.iter().map(|finding| finding.severity);
    if severities.chain(gained).any(|severity| fail_on.is_reached_by(severity)) {
        FINDINGS
    } else {
        CLEAN
    }
}

#[cfg(test)]
mod tests {
    use marula_core::{Designs, EngineChoice};

    use super::*;

    /// Whoever compares in a script must not take "no verdict" for "no difference".
    #[test]
    fn engines_whose_answers_differ_are_a_finding() {
        let chosen = |results_equal: bool| {
            let choice = EngineChoice {
                engine: None,
                verdict: String::new(),
                results_equal,
                operations: Vec::new(),
                crossovers: Vec::new(),
                qualities: Vec::new(),
            };
            let designs =
                Designs { model: "shop".into(), engines: Vec::new(), choice: Some(choice) };
            Report { designs: Some(designs), ..Report::new("choose") }
        };
        assert_eq!(of_report(&chosen(true), FailOn::Low), CLEAN);
        assert_eq!(of_report(&chosen(false), FailOn::Low), FINDINGS);
    }
}
