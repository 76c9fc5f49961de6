//! What `--compare` names besides logs: a report of an earlier run, or a saved workload.

use std::io::Read;
use std::path::Path;

use marula_core::{
    Digest, Error, ErrorKind, Fingerprint, Load, Report, Result, SourceRead, StatementDigest,
    Workload,
};

/// A saved file is no larger; logs may be.
const LARGEST: u64 = 256 << 20;

/// The digest in a report or a workload; `None` for a file that is neither, and so a log.
pub fn saved(path: &Path) -> Result<Option<Digest>> {
    let Ok(about) = std::fs::metadata(path) else { return Ok(None) };
    if !about.is_file() || about.len() > LARGEST {
        return Ok(None);
    }
    let told = |error: std::io::Error| {
        Error::new(ErrorKind::Io, error.to_string()).at(path.display().to_string())
    };
    let mut file = std::fs::File::open(path).map_err(told)?;
    let mut head = [0; 4096];
    let read = file.read(&mut head).map_err(told)?;
    let head = String::from_utf8_lossy(&head[..read]);
    let begins = head.trim_start();
    let report = begins.starts_with('{') && head.contains("\"schema_version\"");
    let workload =
        begins.starts_with('{') && head.contains("\"engine\"") && head.contains("\"statements\"");
    if !report && !workload {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(told)?;
    let place = path.display().to_string();
    if report && let Ok(report) = serde_json::from_str::<Report>(&text) {
        let digest = report.digest.ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("this is a report of marula {}", report.command))
                .at(place)
                .hint("name one that marula logs --format json wrote")
        })?;
        return Ok(Some(digest));
    }
    Ok(serde_json::from_str::<Workload>(&text).ok().map(|workload| digest(workload, &place)))
}

/// A workload as far as it is a digest: calls and times by statement.
fn digest(workload: Workload, name: &str) -> Digest {
    let engine = workload.engine;
    let load = |calls: u64, total_ms: f64| Load {
        calls,
        total_ms,
        mean_ms: if calls > 0 { total_ms / calls as f64 } else { 0.0 },
        ..Load::default()
    };
    let statements: Vec<StatementDigest> = workload
        .statements
        .into_iter()
        .filter_map(|one| {
            Some(StatementDigest {
                fingerprint: one.statement.fingerprint.unwrap_or(Fingerprint(String::new())),
                engine,
                shape: one.statement.text,
                operation: String::new(),
                objects: Vec::new(),
                incomplete: false,
                load: load(one.calls, one.total_ms?),
                share: 0.0,
                span: None,
                plans: Vec::new(),
                users: Vec::new(),
                applications: Vec::new(),
                hosts: Vec::new(),
                databases: Vec::new(),
                timeline: Vec::new(),
                samples: Vec::new(),
                partial: None,
            })
        })
        .collect();
    let calls = statements.iter().map(|one| one.load.calls).sum();
    let total_ms = statements.iter().map(|one| one.load.total_ms).sum();
    Digest {
        sources: vec![SourceRead {
            name: name.into(),
            format: Some("marula workload".into()),
            engine: Some(engine),
            ..SourceRead::default()
        }],
        span: None,
        totals: load(calls, total_ms),
        statements,
        statements_left_out: 0,
        timeline: marula_core::Timeline::default(),
        histogram: Vec::new(),
        errors: Vec::new(),
        events: Vec::new(),
        origins: Vec::new(),
        objects: Vec::new(),
    }
}
