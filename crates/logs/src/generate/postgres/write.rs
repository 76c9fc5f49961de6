use marula_core::Timestamp;

use super::Kind;
use super::story::Entry;

/// Date, time and milliseconds as the server writes them.
fn moment(at: Timestamp, fraction: bool) -> String {
    let (year, month, day, ms) = at.to_civil();
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let date = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    if fraction { format!("{date}.{:03} UTC", ms % 1000) } else { format!("{date} UTC") }
}

/// Writes one entry as its kind of log has it.
pub(super) fn write(kind: &Kind, entry: &Entry, number: u64, out: &mut Vec<u8>) {
    match kind {
        Kind::Stderr(prefix) => out.extend_from_slice(stderr(prefix, entry, number).as_bytes()),
        Kind::Csv(columns) => csv(*columns, entry, number, out),
        Kind::Json => json(entry, number, out),
        Kind::Syslog(prefix) => syslog(prefix, entry, number, out),
        Kind::CloudSql => cloud(entry, number, out),
    }
}

fn prefix(prefix: &str, entry: &Entry, number: u64, out: &mut String) {
    let mut escapes = prefix.chars();
    let session = entry.session.as_ref();
    let of = |name: fn(&super::story::Session) -> &str| session.map_or("", name).to_owned();
    while let Some(letter) = escapes.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let value = match escapes.next() {
            Some('q') if session.is_none() => return,
            Some('m') => moment(entry.at, true),
            Some('t') => moment(entry.at, false),
            Some('s') => moment(Timestamp(entry.at.0 - 60_000), false),
            Some('n') => format!("{}.{:03}", entry.at.0 / 1000, entry.at.0 % 1000),
            Some('p') => session.map_or(77, |session| session.pid).to_string(),
            Some('l') => number.to_string(),
            Some('c') => "65e1c2a0.1267".into(),
            Some('v') => session.map_or(String::new(), |_| "3/456".into()),
            Some('x') => "0".into(),
            Some('e') => entry.code.into(),
            Some('u') => of(|session| session.user),
            Some('d') => of(|session| session.database),
            Some('a') => of(|session| session.application),
            Some('h') => of(|session| session.host),
            Some('r') => session.map_or(String::new(), |session| match session.host {
                "[local]" => "[local]".into(),
                host => format!("{host}(51234)"),
            }),
            Some('i') => "SELECT".into(),
            Some('b') => "client backend".into(),
            Some('Q') => "-812345".into(),
            _ => String::new(),
        };
        out.push_str(&value);
    }
}

fn stderr(of: &str, entry: &Entry, number: u64) -> String {
    let mut out = String::new();
    let parts = [
        (entry.severity, &entry.message),
        ("DETAIL", &entry.detail),
        ("HINT", &entry.hint),
        ("CONTEXT", &entry.context),
        ("STATEMENT", &entry.statement),
    ];
    for (label, text) in parts {
        if !text.is_empty() {
            prefix(of, entry, number, &mut out);
            out.push_str(label);
            out.push_str(":  ");
            out.push_str(&text.replace('\n', "\n\t"));
            out.push('\n');
        }
    }
    out
}

fn csv(columns: usize, entry: &Entry, number: u64, out: &mut Vec<u8>) {
    let session = entry.session.as_ref();
    let quoted = |text: &str| {
        if text.is_empty() { String::new() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
    };
    let name = |name: fn(&super::story::Session) -> &str| quoted(session.map_or("", name));
    let mut fields = vec![
        moment(entry.at, true),
        name(|session| session.user),
        name(|session| session.database),
        session.map_or(77, |session| session.pid).to_string(),
        session.map_or(String::new(), |session| match session.host {
            "[local]" => "\"[local]\"".into(),
            host => format!("\"{host}:51234\""),
        }),
        "65e1c2a0.1267".into(),
        number.to_string(),
        quoted("SELECT"),
        moment(entry.at, false),
        "3/456".into(),
        "0".into(),
        entry.severity.into(),
        entry.code.into(),
        quoted(&entry.message),
        quoted(&entry.detail),
        quoted(&entry.hint),
        String::new(),
        String::new(),
        quoted(&entry.context),
        quoted(&entry.statement),
        String::new(),
        String::new(),
        name(|session| session.application),
    ];
    for more in ["\"client backend\"", "", "0"] {
        if fields.len() < columns {
            fields.push(more.into());
        }
    }
    out.extend_from_slice(fields.join(",").as_bytes());
    out.push(b'\n');
}

fn json(entry: &Entry, number: u64, out: &mut Vec<u8>) {
    let mut fields = serde_json::Map::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            fields.insert(key.into(), value.into());
        }
    };
    put("timestamp", &moment(entry.at, true));
    if let Some(session) = &entry.session {
        put("user", session.user);
        put("dbname", session.database);
        put("remote_host", session.host);
        put("application_name", session.application);
    }
    put("error_severity", entry.severity);
    put("state_code", entry.code);
    put("message", &entry.message);
    put("detail", &entry.detail);
    put("hint", &entry.hint);
    put("context", &entry.context);
    put("statement", &entry.statement);
    put("backend_type", "client backend");
    let pid = entry.session.as_ref().map_or(77, |session| session.pid);
    fields.insert("pid".into(), pid.into());
    fields.insert("line_num".into(), number.into());
    fields.insert("query_id".into(), (-5).into());
    out.extend_from_slice(serde_json::Value::Object(fields).to_string().as_bytes());
    out.push(b'\n');
}

/// The longest piece the server gives to syslog.
const SYSLOG: usize = 900;

fn syslog(of: &str, entry: &Entry, number: u64, out: &mut Vec<u8>) {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, month, day, ms) = entry.at.to_civil();
    let pid = entry.session.as_ref().map_or(77, |session| session.pid);
    let header = format!(
        "{} {day:2} {:02}:{:02}:{:02} db1 postgres[{pid}]: ",
        MONTHS[(month - 1) as usize % 12],
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1000 % 60
    );
    let whole = stderr(of, entry, number);
    let mut piece = 0;
    for line in whole.trim_end_matches('\n').split('\n') {
        let mut rest = line;
        while !rest.is_empty() {
            let mut end = rest.len().min(SYSLOG);
            if end < rest.len() {
                end = (0..=end).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(end);
                end = rest[..end].rfind(' ').filter(|space| *space > 0).unwrap_or(end);
            }
            piece += 1;
            let text = rest[..end].replace('\t', "#011");
            out.extend_from_slice(format!("{header}[{number}-{piece}] {text}\n").as_bytes());
            rest = &rest[end..];
        }
    }
}

fn cloud(entry: &Entry, number: u64, out: &mut Vec<u8>) {
    let text = stderr("%m [%p]: [%l-1] db=%d,user=%u ", entry, number);
    let (date, time) = (moment(entry.at, true), "Z");
    let stamp = date.replace(" UTC", time).replacen(' ', "T", 1);
    let line = serde_json::json!({
        "insertId": format!("s={number}"),
        "logName": "projects/p/logs/cloudsql.googleapis.com%2Fpostgres.log",
        "resource": { "type": "cloudsql_database", "labels": { "database_id": "p:db1" } },
        "severity": "INFO",
        "textPayload": text.trim_end_matches('\n'),
        "timestamp": stamp,
    });
    out.extend_from_slice(line.to_string().as_bytes());
    out.push(b'\n');
}
