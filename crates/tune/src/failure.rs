//! A server that goes away in the middle: what was found until then is still said.

use marula_core::{Change, Error, ErrorKind, Failure, Proof, Report, Target};

/// Whether `error` says that a server went away.
pub(crate) fn went_away(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ServerDied | ErrorKind::Unreachable)
}

/// The end of the target's server.
pub(crate) fn of_target(error: &Error, target: Option<&Target>) -> Failure {
    Failure {
        kind: ErrorKind::ServerDied,
        place: target.map(|target| target.name.clone()),
        ..Failure::from(error)
    }
}

/// The end of the lab's server.
pub(crate) fn of_lab(error: &Error) -> Failure {
    Failure {
        kind: ErrorKind::Lab,
        message: format!("the lab's server went away in the middle: {}", error.message()),
        place: None,
        code: None,
        hints: vec!["check memory and disk space, then run it again".into()],
    }
}

/// Puts the failure into the report, and says in it what that means for the rest.
pub(crate) fn note(report: &mut Report, failure: Failure) {
    let place = failure.place.as_ref().map_or(String::new(), |place| format!("{place}: "));
    report.notes.push(format!(
        "the work ended early ({place}{}); what is said here was found until then",
        failure.message
    ));
    report.failure = Some(failure);
}

/// The lab's server went away before anything was measured: nothing of the report's changes, nor
/// of the `rest`, was tried.
pub(crate) fn lab_lost(report: &mut Report, error: &Error, rest: Vec<Change>) {
    report.changes.extend(rest);
    let failure = of_lab(error);
    for change in &mut report.changes {
        change.proof = Proof::not_tried(failure.message.clone());
    }
    note(report, failure);
}
