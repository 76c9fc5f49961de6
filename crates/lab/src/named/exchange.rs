//! What `up` and its supervisor say to each other, a line of JSON each.

use marula_core::Failure;
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
