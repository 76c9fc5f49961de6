//! What the server's messages say. The English ones: a server with another `lc_messages` is not
//! understood, except for its csvlog's and jsonlog's columns.

use marula_core::EventKind;
use memchr::memmem;

/// What a LOG message says.
pub(super) enum Said<'a> {
    /// `duration: … ms`, in microseconds.
    Duration(u64, Duration<'a>),
    /// `statement: …` or `execute …: …` before it ran.
    Statement {
        text: &'a [u8],
        extended: bool,
    },
    Event {
        kind: EventKind,
        amount: Option<f64>,
        about: &'a [u8],
    },
    /// A lock is waited for.
    Waiting {
        about: &'a [u8],
    },
    /// It was got.
    Acquired {
        ms: f64,
        about: &'a [u8],
    },
    CheckpointStarts {
        reason: &'a [u8],
    },
    CheckpointEnds {
        ms: Option<f64>,
    },
    Other,
}

/// What a duration is of.
pub(super) enum Duration<'a> {
    /// This statement's run.
    Statement(&'a [u8]),
    /// Its parsing or binding.
    Step,
    /// Something logged before.
    Alone,
    /// A plan by auto_explain.
    Plan(&'a [u8]),
}

fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    memmem::find(text, mark).map(|at| &text[at + mark.len()..])
}

fn between<'a>(text: &'a [u8], open: &[u8], close: &[u8]) -> Option<&'a [u8]> {
    let text = after(text, open)?;
    memmem::find(text, close).map(|end| &text[..end])
}

/// The number at the beginning.
fn number(text: &[u8]) -> Option<f64> {
    let end = text.iter().take(30).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}

/// What a message says.
#[inline]
pub(super) fn said(message: &[u8]) -> Said<'_> {
    if let Some(text) = message.strip_prefix(b"duration: ")
        && let Some((micros, duration)) = duration(text)
    {
        return Said::Duration(micros, duration);
    }
    match message.first() {
        Some(b's') => match message.strip_prefix(b"statement: ") {
            Some(text) => Said::Statement { text, extended: false },
            None => Said::Other,
        },
        Some(b'e') => match executed(message) {
            Some(text) => Said::Statement { text, extended: true },
            None => Said::Other,
        },
        Some(b'p') => lock(message).unwrap_or(Said::Other),
        Some(b't') => temp_file(message).unwrap_or(Said::Other),
        Some(b'c' | b'r') => {
            checkpoint(message).or_else(|| connection(message)).unwrap_or(Said::Other)
        }
        Some(b'a') => vacuum(message).unwrap_or(Said::Other),
        Some(b'd') => ended(message).unwrap_or(Said::Other),
        _ => Said::Other,
    }
}

/// `12.345 ms  statement: select …`
#[inline]
fn duration(text: &[u8]) -> Option<(u64, Duration<'_>)> {
    let mut micros = 0u64;
    let mut at = 0;
    // Eleven days in microseconds are 12 digits; 15 digits cannot overflow.
    while let Some(digit @ b'0'..=b'9') = text.get(at)
        && at < 15
    {
        micros = micros * 10 + u64::from(digit - b'0');
        at += 1;
    }
    if at == 0 {
        return None;
    }
    micros *= 1000;
    if text.get(at) == Some(&b'.') {
        at += 1;
        for worth in [100, 10, 1] {
            if let Some(digit @ b'0'..=b'9') = text.get(at) {
                micros += u64::from(digit - b'0') * worth;
                at += 1;
            }
        }
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
    }
    let rest = text.get(at..)?.strip_prefix(b" ms")?;
    let rest = rest.trim_ascii_start();
    let duration = match rest.first() {
        None => Duration::Alone,
        Some(b's') => Duration::Statement(rest.strip_prefix(b"statement: ")?),
        Some(b'e') => Duration::Statement(executed(rest)?),
        Some(b'p') if rest.starts_with(b"parse ") => Duration::Step,
        Some(b'b') if rest.starts_with(b"bind ") => Duration::Step,
        Some(b'p') => Duration::Plan(rest.strip_prefix(b"plan:")?.trim_ascii_start()),
        Some(b'f') => Duration::Statement(rest.strip_prefix(b"fastpath function call: ")?),
        _ => return None,
    };
    Some((micros, duration))
}

/// `execute NAME: …`, `execute fetch from NAME/PORTAL: …`. Names may hold anything but `: `.
fn executed(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"execute ")?;
    let name = &text[..text.len().min(400)];
    let colon = memchr::memchr_iter(b':', name).find(|at| text.get(at + 1) == Some(&b' '))?;
    Some(&text[colon + 2..])
}

/// `process 1 still waiting for ShareLock on transaction 2 after 3.4 ms`
fn lock(message: &[u8]) -> Option<Said<'_>> {
    let rest = message.strip_prefix(b"process ")?;
    let rest = rest.trim_ascii_start();
    let rest = &rest[rest.iter().take_while(|b| b.is_ascii_digit()).count()..];
    if let Some(lock) = rest.strip_prefix(b" still waiting for ") {
        return Some(Said::Waiting { about: lock_name(lock) });
    }
    if let Some(lock) = rest.strip_prefix(b" acquired ") {
        return Some(Said::Acquired {
            ms: number(after(lock, b" after ")?)?,
            about: lock_name(lock),
        });
    }
    None
}

/// The lock's mode and kind, without numbers: `ShareLock on transaction`.
fn lock_name(text: &[u8]) -> &[u8] {
    let end = text.iter().position(u8::is_ascii_digit).unwrap_or(text.len());
    let name = text[..end].trim_ascii_end();
    name.strip_suffix(b" (").unwrap_or(name)
}

fn temp_file(message: &[u8]) -> Option<Said<'_>> {
    let rest = message.strip_prefix(b"temporary file: path ")?;
    let bytes = number(after(rest, b", size ")?);
    Some(Said::Event { kind: EventKind::TempFile, amount: bytes, about: b"" })
}

fn checkpoint(message: &[u8]) -> Option<Said<'_>> {
    let rest =
        message.strip_prefix(b"checkpoint ").or_else(|| message.strip_prefix(b"restartpoint "))?;
    if let Some(reason) = rest.strip_prefix(b"starting: ") {
        return Some(Said::CheckpointStarts { reason });
    }
    rest.starts_with(b"complete").then(|| Said::CheckpointEnds {
        ms: after(rest, b"total=").and_then(number).map(|seconds| seconds * 1000.0),
    })
}

fn connection(message: &[u8]) -> Option<Said<'_>> {
    let who = message
        .strip_prefix(b"connection authorized: ")
        .or_else(|| message.strip_prefix(b"replication connection authorized: "))?;
    // `user=app database=shop application_name=web SSL enabled (…)`
    let end = [b" application_name=".as_slice(), b" SSL ", b" GSS "]
        .iter()
        .filter_map(|mark| memmem::find(who, mark))
        .min()
        .unwrap_or(who.len());
    Some(Said::Event { kind: EventKind::Connected, amount: None, about: &who[..end] })
}

fn vacuum(message: &[u8]) -> Option<Said<'_>> {
    let rest = message.strip_prefix(b"automatic ")?;
    let kind = if rest.starts_with(b"analyze ") {
        EventKind::Autoanalyze
    } else if memmem::find(&rest[..rest.len().min(60)], b"vacuum ").is_some() {
        EventKind::Autovacuum
    } else {
        return None;
    };
    let table = between(rest, b"table \"", b"\"").unwrap_or_default();
    let seconds = after(rest, b"elapsed: ").and_then(number);
    Some(Said::Event { kind, amount: seconds.map(|seconds| seconds * 1000.0), about: table })
}

/// Disconnections, and the server's start and end.
fn ended(message: &[u8]) -> Option<Said<'_>> {
    if let Some(rest) = message.strip_prefix(b"disconnection: session time: ") {
        let mut parts = rest.splitn(2, |b| *b == b' ');
        let time = parts.next()?;
        let mut ms = 0.0;
        for part in time.split(|b| *b == b':') {
            ms = ms * 60.0 + number(part)? * 1000.0;
        }
        let who = parts.next().unwrap_or_default();
        let end = memmem::find(who, b" host=").unwrap_or(who.len());
        return Some(Said::Event {
            kind: EventKind::Disconnected,
            amount: Some(ms),
            about: &who[..end],
        });
    }
    let event = |kind, about| Some(Said::Event { kind, amount: None, about });
    match message {
        b"database system is ready to accept connections" => event(EventKind::Started, b""),
        b"database system is shut down" => event(EventKind::Stopped, b"shut down"),
        _ if message.starts_with(b"database system was interrupted") => {
            event(EventKind::Stopped, b"crash")
        }
        _ => None,
    }
}

/// What an error means besides.
pub(super) fn failed(message: &[u8]) -> Option<(EventKind, &[u8])> {
    if message == b"deadlock detected" {
        return Some((EventKind::Deadlock, b""));
    }
    let reason = message
        .strip_prefix(b"canceling ")
        .or_else(|| message.strip_prefix(b"terminating connection "))?;
    Some((EventKind::Cancelled, after(reason, b"due to ").unwrap_or(reason)))
}

/// The relation an error's CONTEXT names.
pub(super) fn locked(context: &[u8]) -> &[u8] {
    between(context, b"relation \"", b"\"").unwrap_or_default()
}

/// The bound parameters in a DETAIL: `parameters: $1 = '42'`, and 16's `Parameters: …`.
pub(super) fn parameters_of(detail: &[u8]) -> &[u8] {
    match detail {
        [b'p' | b'P', rest @ ..] => rest.strip_prefix(b"arameters: ").unwrap_or_default(),
        _ => b"",
    }
}
