//! MongoDB's logs and profiles: text logs up to 4.2, JSON logs since 4.4, `system.profile` as
//! JSON or BSON.
//!
//! A format reads an entry into an [`operation::Operation`] that borrows from the chunk; `key`
//! names its command without its values, and only for a name that is new `tree` and
//! `marula_mongodb::command::shape` make the shape.

mod advise;
mod batch;
mod cursor;
mod entry;
mod events;
mod json;
mod key;
mod live;
mod live_log;
mod operation;
mod profile;
mod profile_bson;
mod sample;
#[cfg(test)]
mod tests;
mod text;
mod text_events;
mod text_operation;
mod tree;
mod waits;

use std::sync::Arc;

use crate::{Clue, Guess};

pub use advise::advise;
pub use live::{profile as read_profile, recent_log};
pub use live_log::{MongodbLog, clock};
pub(crate) use sample::statement;

/// MongoDB's formats that make sense of a head.
pub(crate) fn detect(clue: &Clue<'_>) -> Vec<Guess> {
    let lines = clue.head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let mut all = 0usize;
    let mut json = 0usize;
    let mut text = 0usize;
    let mut profile = 0usize;
    // The last line may be cut by the head's end; it counts little.
    for line in lines.take(200) {
        all += 1;
        json += usize::from(entry::entry(line).is_some());
        text += usize::from(text_events::is_line(line));
        profile += usize::from(is_profile(line));
    }
    let share = |count: usize| if all == 0 { 0.0 } else { count as f64 / all as f64 };
    vec![
        Guess { format: Arc::new(json::JsonLog), share: share(json) },
        Guess { format: Arc::new(text::TextLog), share: share(text) },
        Guess {
            format: Arc::new(profile::ProfileJson),
            share: share(profile).max(pretty(clue.head)),
        },
        Guess {
            format: Arc::new(profile_bson::ProfileBson),
            share: profile_bson::share(clue.head),
        },
    ]
}

/// Whether a line is a document of the profiler, alone or in an array.
fn is_profile(line: &[u8]) -> bool {
    let document = line.trim_ascii_start();
    let document = document.strip_prefix(b"[").unwrap_or(document);
    profile::profiled(document, 0).is_some()
}

/// Documents of the profiler over many lines.
fn pretty(head: &[u8]) -> f64 {
    let begin = head.iter().position(|byte| !matches!(byte, b'[' | b' ' | b'\r' | b'\n'));
    let head = begin.map_or(head, |begin| &head[begin..]);
    if head.first() == Some(&b'{') && profile::profiled(head, 0).is_some() { 0.9 } else { 0.0 }
}
