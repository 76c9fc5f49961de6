//! The statements as a table for spreadsheets (RFC 4180: commas, quotes doubled, CR LF).

use marula_core::{Count, Digest, Engine};

const COLUMNS: [&str; 26] = [
    "rank",
    "fingerprint",
    "engine",
    "operation",
    "objects",
    "share",
    "calls",
    "total_ms",
    "mean_ms",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "max_ms",
    "returned",
    "keys",
    "reads",
    "temp_bytes",
    "lock_ms",
    "first_seen",
    "last_seen",
    "databases",
    "users",
    "applications",
    "hosts",
    "plans",
    "shape",
];

/// The statements of a digest, one a record, under a head.
pub fn statements(digest: &Digest) -> String {
    let mut out = String::new();
    record(COLUMNS.iter().map(ToString::to_string), &mut out);
    for (at, one) in digest.statements.iter().enumerate() {
        let load = &one.load;
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let ms = |ms: Option<f64>| ms.map(|ms| ms.to_string()).unwrap_or_default();
        let engine = if one.engine == Engine::Postgres { "postgres" } else { "mongodb" };
        let cells = [
            (at + 1).to_string(),
            one.fingerprint.0.clone(),
            engine.into(),
            one.operation.clone(),
            one.objects.join(" "),
            one.share.to_string(),
            load.calls.to_string(),
            load.total_ms.to_string(),
            load.mean_ms.to_string(),
            ms(load.p50_ms),
            ms(load.p95_ms),
            ms(load.p99_ms),
            ms(load.max_ms),
            number(load.returned),
            number(load.keys),
            number(load.reads),
            number(load.temp_bytes),
            load.lock_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            one.span.map(|span| span.from.to_string()).unwrap_or_default(),
            one.span.map(|span| span.to.to_string()).unwrap_or_default(),
            names(&one.databases),
            names(&one.users),
            names(&one.applications),
            names(&one.hosts),
            names(&one.plans),
            one.shape.clone(),
        ];
        record(cells.into_iter(), &mut out);
    }
    out
}

fn names(counts: &[Count]) -> String {
    counts.iter().map(|count| count.name.as_str()).collect::<Vec<_>>().join("; ")
}

fn record(cells: impl Iterator<Item = String>, out: &mut String) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&field(&cell));
    }
    out.push_str("\r\n");
}

/// A field, quoted where it has to be. Text that a spreadsheet would take for a formula is led in
/// by an apostrophe: what stands in a log may have been put there by anybody.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '@', '\t', '\r'])
        || (text.starts_with('-') && text.parse::<f64>().is_err());
    let text = if formula { format!("'{text}") } else { text.to_string() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_no_formula_gets_through() {
        assert_eq!(field("a b"), "a b");
        assert_eq!(field("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(field("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(field("-1.5"), "-1.5");
        assert_eq!(field("-- note"), "'-- note");
    }
}
