use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// An error as data: in a report, or on its way to another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What kind of trouble it was.
    pub kind: ErrorKind,
    /// What happened.
    pub message: String,
    /// Where it happened, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The server's own code, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Failure {
            kind: error.kind(),
            message: error.message().to_owned(),
            place: error.place().map(str::to_owned),
            code: error.server_code().map(str::to_owned),
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
        if let Some(code) = failure.code {
            error = error.code(code);
        }
        failure.hints.into_iter().fold(error, Error::hint)
    }
}
