//! Collections whose documents are not changed as those of others are.

use bson::{Bson, Document};
use marula_core::{Collection, CollectionKind, Error, ErrorKind};

/// What sets a collection apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// Its documents stay in the order they came in, and the oldest go.
    Capped,
    /// It shows documents of another.
    View,
    /// Measurements, packed by time.
    TimeSeries,
}

impl Special {
    /// What a collection is, as it is listed; `None` for an ordinary one.
    pub fn of(known: &Collection) -> Option<Special> {
        match known.kind {
            CollectionKind::View => Some(Special::View),
            CollectionKind::Timeseries => Some(Special::TimeSeries),
            CollectionKind::Collection => {
                let capped = known.options.get("capped").and_then(|capped| capped.as_bool());
                capped.unwrap_or(false).then_some(Special::Capped)
            }
        }
    }

    /// What a `create` makes.
    pub(super) fn of_create(command: &Document) -> Option<Special> {
        let capped = matches!(command.get("capped"), Some(Bson::Boolean(true)));
        match () {
            () if command.contains_key("viewOn") => Some(Special::View),
            () if command.contains_key("timeseries") => Some(Special::TimeSeries),
            () => capped.then_some(Special::Capped),
        }
    }

    /// Why a migration cannot change documents of it.
    pub fn refusal(self, name: &str) -> Error {
        let (what, hint) = match self {
            Special::Capped => (
                "is a capped collection: no transaction writes to it, and so no batch does",
                "bring its documents into an ordinary collection first (an aggregate with $out), \
                 and change them there",
            ),
            Special::View => (
                "is a view: it has no documents of its own",
                "change those of the collection it shows: marula inspect tells which",
            ),
            Special::TimeSeries => (
                "is a time series: no transaction writes to it, and so no batch does",
                "write what the measurements are to be into a new collection (an aggregate with \
                 $out), or let the application write them",
            ),
        };
        Error::new(ErrorKind::Refused, format!("{name} {what}")).hint(hint)
    }
}
