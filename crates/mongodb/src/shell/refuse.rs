//! Refusals with the place marked: the text and where its parser's offsets lie in it.

use marula_core::{Error, ErrorKind};
use oxc_span::Span;

use super::{Purpose, instead, marked};

/// The text being parsed. The parser may have been given a few bytes before it.
pub(super) struct Source<'t> {
    /// What the person wrote.
    pub text: &'t str,
    /// How many bytes the parser saw before it.
    pub shift: usize,
    /// What it is read for.
    pub purpose: Purpose,
}

impl Source<'_> {
    /// An error of that kind at that place.
    pub fn error(&self, kind: ErrorKind, message: impl Into<String>, span: Span) -> Error {
        let start = (span.start as usize).saturating_sub(self.shift);
        let end = (span.end as usize).saturating_sub(self.shift);
        marked(kind, message.into(), self.text, start, end)
    }

    /// What was written there, shortened to be named in a message.
    pub fn excerpt(&self, span: Span) -> String {
        let start = (span.start as usize).saturating_sub(self.shift);
        let end = (span.end as usize).saturating_sub(self.shift);
        let text = self.text.get(start..end).unwrap_or("");
        let line = text.lines().next().unwrap_or("");
        let mut short: String = line.chars().take(40).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        short
    }

    /// For a construct that would have to run.
    pub fn not_constant(&self, what: &str, span: Span) -> Error {
        self.error(ErrorKind::Refused, format!("{what} is not evaluated here"), span)
            .hint("write the value itself: the text is parsed and never run")
    }

    /// For a method that is not read: in a query the hint is `near`, a guess, or `usual`.
    pub fn no_method(
        &self,
        message: impl Into<String>,
        method: &str,
        near: Option<String>,
        usual: &str,
        span: Span,
    ) -> Error {
        let error = self.error(ErrorKind::Refused, message, span);
        match (self.purpose, instead::of(method), near) {
            (Purpose::Query, _, Some(near)) => error.hint(near),
            (Purpose::Query, _, None) => error.hint(usual),
            // What has a way of its own is not guessed at: rename is near to remove.
            (Purpose::Migration, Some(own), _) => error.hint(own),
            (Purpose::Migration, None, Some(near)) => error.hint(near).hint(instead::COMMAND),
            (Purpose::Migration, None, None) => error.hint(instead::COMMAND),
        }
    }

    /// For arguments that do not fit the call.
    pub fn usage(&self, message: impl Into<String>, span: Span) -> Error {
        self.error(ErrorKind::Syntax, message, span)
    }
}
