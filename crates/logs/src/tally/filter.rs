use marula_core::Timestamp;
use memchr::memmem;

use crate::{Filter, Origin};

/// The application's name of this program's sessions.
const OWN: &[u8] = b"marula";
/// What this program's statements begin with that read a server's log.
const MARK: &[u8] = b"/* marula reads the log */";
/// Where it stands at the latest.
const MARK_WITHIN: usize = 64;

/// A filter made ready.
#[derive(Debug, Clone, Default)]
pub struct Sieve {
    filter: Filter,
    text: Option<Vec<u8>>,
    min_micros: u64,
    idle: bool,
}

impl Sieve {
    /// The filter, ready to be asked.
    pub fn new(filter: &Filter) -> Self {
        Sieve {
            text: filter.text.as_ref().map(|text| text.to_ascii_lowercase().into_bytes()),
            min_micros: filter
                .min_duration
                .map_or(0, |least| u64::try_from(least.as_micros()).unwrap_or(u64::MAX)),
            idle: *filter == Filter::default(),
            filter: filter.clone(),
        }
    }

    /// Whether something of this moment and origin is wanted.
    pub fn wants(&self, at: Option<Timestamp>, origin: &Origin<'_>) -> bool {
        if self.idle {
            return true;
        }
        let one_of = |wanted: &[String], name: &[u8]| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted.as_bytes() == name)
        };
        let in_time = match at {
            Some(at) => {
                self.filter.from.is_none_or(|from| at >= from)
                    && self.filter.to.is_none_or(|to| at < to)
            }
            None => self.filter.from.is_none() && self.filter.to.is_none(),
        };
        in_time
            && one_of(&self.filter.databases, origin.database)
            && one_of(&self.filter.users, origin.user)
            && one_of(&self.filter.applications, origin.application)
            && !(self.filter.not_own && origin.application == OWN)
    }

    /// Whether a text of this duration is wanted.
    pub fn wants_run(&self, micros: u64, text: &[u8]) -> bool {
        self.idle || (micros >= self.min_micros && self.holds_text(text) && !self.is_own(text))
    }

    /// Whether one of the texts holds what is looked for.
    pub fn wants_text(&self, texts: &[&[u8]]) -> bool {
        self.idle || texts.iter().any(|text| self.holds_text(text))
    }

    /// A log that does not name applications has a mark in the text.
    fn is_own(&self, text: &[u8]) -> bool {
        let begin = &text[..text.len().min(MARK_WITHIN)];
        self.filter.not_own && memmem::find(begin, MARK).is_some()
    }

    fn holds_text(&self, text: &[u8]) -> bool {
        self.text
            .as_ref()
            .is_none_or(|wanted| memmem::find(&text.to_ascii_lowercase(), wanted).is_some())
    }
}
