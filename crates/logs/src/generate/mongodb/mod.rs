//! Logs and profiles of MongoDB, all formats from one workload.

mod calls;
mod json;
mod profile;
mod text;

use std::io::{self, Write};

use bson::Document;

use super::{Random, Truth};
use calls::Call;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Text, as 4.2 writes it.
    Text,
    /// JSON, as this major version writes it: 4 (4.4), 5, 6, 8.
    Json(u8),
    /// `system.profile` as JSON lines.
    Profile,
    /// `system.profile` as an array of canonical extended JSON.
    ProfileArray,
    /// `system.profile` as mongodump writes it.
    ProfileBson,
}

/// What to write.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// How it is written.
    pub flavour: Flavour,
    /// Operations to tell of; the workload is the same whatever the flavour.
    pub operations: u64,
    /// Ends it earlier, at about so many bytes.
    pub bytes: u64,
}

/// An operation as it happened, ready to be written.
struct Happened<'a> {
    /// Milliseconds since 1970.
    at: i64,
    connection: u64,
    application: &'a str,
    host: u64,
    ms: u64,
    /// Microseconds of waiting for a lock, and whether its sort went to disk and with how many bytes.
    waited: u64,
    spilled: Option<u64>,
    call: &'a Call,
}

/// 2026-01-05T08:00:00Z.
const BEGIN: i64 = 1_767_600_000_000;
const APPLICATIONS: [&str; 3] = ["shop-web", "billing", "reports"];
const CONNECTIONS: u64 = 40;

/// Writes a log.
///
/// # Errors
/// What `out` gives.
pub fn write(out: &mut impl Write, options: &Options) -> io::Result<Truth> {
    let mut log = Log { random: Random::new(options.seed), at: BEGIN, truth: Truth::default() };
    let mut buffer = Vec::with_capacity(1 << 16);
    // What is left of each connection's batch.
    let mut batches: Vec<Vec<Call>> = (0..CONNECTIONS).map(|_| Vec::new()).collect();
    let is_log = matches!(options.flavour, Flavour::Text | Flavour::Json(_));
    if options.flavour == Flavour::ProfileArray {
        buffer.push(b'[');
    }
    let mut done = 0;
    while done < options.operations && log.truth.bytes < options.bytes
        || batches.iter().any(|batch| !batch.is_empty())
    {
        let connection = log.random.below(CONNECTIONS);
        let batch = &mut batches[connection as usize];
        let noise = log.random.below(20);
        if batch.is_empty() {
            if done >= options.operations || log.truth.bytes >= options.bytes {
                continue;
            }
            if noise == 0 {
                log.noise(&mut buffer, options.flavour);
            }
            *batch = calls::next(&mut log.random);
            // The next is popped from the end.
            batch.reverse();
        }
        let Some(call) = batch.pop() else { continue };
        let wraps = call.wraps;
        if !wraps {
            done += 1;
        }
        if !wraps || is_log {
            log.operation(&mut buffer, options.flavour, connection, &call);
        }
        log.truth.bytes += buffer.len() as u64;
        out.write_all(&buffer)?;
        buffer.clear();
    }
    if options.flavour == Flavour::ProfileArray {
        buffer.extend_from_slice(b"]\n");
        log.truth.bytes += buffer.len() as u64;
        out.write_all(&buffer)?;
    }
    Ok(log.truth)
}

struct Log {
    random: Random,
    at: i64,
    truth: Truth,
}

impl Log {
    fn operation(&mut self, out: &mut Vec<u8>, flavour: Flavour, connection: u64, call: &Call) {
        self.at += self.random.below(40) as i64;
        // Mostly quick, sometimes very slow.
        let scale = self.random.below(10);
        let ms = call.base + self.random.below((call.base + 1) << scale);
        let (waits, spills) = (self.random.once_in(40), self.random.once_in(4));
        let waited = if waits && !call.wraps { 1 + self.random.below(900_000) } else { 0 };
        let spilled = (spills && call.sorts).then(|| 1 + self.random.below(80_000_000));
        // Only newer servers tell how much.
        let told = spilled.filter(|_| flavour == Flavour::Json(8)).unwrap_or(0);
        if !call.wraps {
            self.truth.lock_waits.0 += u64::from(waited > 0);
            self.truth.lock_waits.1 += waited;
            self.truth.spills.0 += u64::from(spilled.is_some());
            self.truth.spills.1 += told;
            let known = self.truth.statements.entry(call.shape.to_owned()).or_default();
            known.micros.push(ms * 1000);
            known.waited += waited;
            known.spilled += told;
            known.returned += call.returned.map_or(0, |(_, count)| count);
            known.keys += call.keys.unwrap_or(0);
            known.reads += call.documents.unwrap_or(0);
            self.truth.truncated += u64::from(call.cut.is_some());
            if let Some((_, name, _)) = call.error {
                *self.truth.errors.entry(name.to_owned()).or_default() += 1;
            }
        }
        let first = self.truth.entries == 0;
        self.truth.entries += 1;
        let happened = Happened {
            at: self.at,
            connection,
            application: APPLICATIONS[(connection % 3) as usize],
            host: connection % 7,
            ms,
            waited,
            spilled,
            call,
        };
        match flavour {
            Flavour::Json(major) => json::operation(out, &happened, major),
            Flavour::Text => text::operation(out, &happened),
            Flavour::Profile => profile::line(out, &happened),
            Flavour::ProfileArray => profile::item(out, &happened, first),
            Flavour::ProfileBson => profile::bson(out, &happened),
        }
    }

    /// What else a log tells.
    fn noise(&mut self, out: &mut Vec<u8>, flavour: Flavour) {
        let builds = self.random.once_in(10);
        let took = 5 + self.random.below(60_000);
        let host = self.random.below(7);
        let before = self.at;
        let lines = match flavour {
            Flavour::Json(_) if builds => json::index_build(out, before, took),
            Flavour::Json(_) => json::connection(out, before, host),
            Flavour::Text if builds => text::index_build(out, before, took),
            Flavour::Text => text::connection(out, before, host),
            _ => return,
        };
        self.truth.entries += lines;
        if builds {
            self.truth.index_builds.0 += 1;
            self.truth.index_builds.1 += took;
        } else {
            self.truth.connected += 1;
        }
    }
}

/// A document as text logs print it.
pub fn text_of(document: &Document) -> String {
    let mut out = Vec::new();
    text::document(&mut out, document);
    String::from_utf8_lossy(&out).into_owned()
}

/// A command with what a driver adds to it.
fn enveloped(call: &Call, command: &Document) -> Document {
    let mut command = command.clone();
    if call.kind == "command" {
        let id = bson::Uuid::from_bytes([7; 16]);
        command.insert("lsid", bson::doc! { "id": id });
        command.insert("$db", "shop");
        command.insert("$readPreference", bson::doc! { "mode": "primaryPreferred" });
    }
    command
}
