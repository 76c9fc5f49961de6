//! What `up` and its supervisor say to each other, a line of JSON each.

use marula_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Lab, Request};

/// From `up`, on the supervisor's standard input. Its end means that `up` is gone.
#[derive(Serialize, Deserialize)]
pub(super) enum Order {
    /// Start this lab.
    Start(Request),
    /// The data is loaded.
    Ready,
    /// Live on without `up`.
    Keep,
}

/// From the supervisor, on its standard output.
#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    /// The servers run.
    Started(Lab),
    /// They do not.
    Failed(Failure),
}

/// An error on its way between two processes.
#[derive(Serialize, Deserialize)]
pub(super) struct Failure {
    kind: ErrorKind,
    message: String,
    place: Option<String>,
    hints: Vec<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Failure {
            kind: error.kind(),
            message: error.message().to_owned(),
            place: error.place().map(str::to_owned),
            hints: error.hints().to_vec(),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let mut error = Error::new(failure.kind, failure.message);
        if let Some(place) = failure.place {
            error = error.at(place);
        }
        failure.hints.into_iter().fold(error, Error::hint)
    }
}
