//! What can be read besides what tools answer: pages of rules, catalogues, whole reports.

use std::sync::Arc;

use marula_core::{Engine, Error, ErrorKind, Result, nearest};
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::Value;

use crate::{State, rules, text};

/// The most bytes of one resource.
const BYTES: usize = 1 << 20;

/// The kinds of resources.
pub fn templates() -> Vec<ResourceTemplate> {
    let one = |uri: &str, name: &str, about: &str, kind: &str| {
        ResourceTemplate::new(uri, name).with_description(about).with_mime_type(kind)
    };
    vec![
        one(
            "marula://rules/{id}",
            "rule",
            "A rule's page: what it finds, why it matters, examples that are tested",
            "text/markdown",
        ),
        one(
            "marula://targets/{alias}/catalog",
            "catalog",
            "What a target holds, whole: use the describe tool for parts",
            "application/json",
        ),
        one(
            "marula://labs/{id}/report",
            "report",
            "The whole report behind an answer of this session",
            "application/json",
        ),
    ]
}

/// The resources there are now: catalogues and reports. Rules are many, and are named by findings.
pub fn list(state: &State) -> Vec<Resource> {
    let targets = state.host().targets().into_iter().map(|target| {
        Resource::new(
            format!("marula://targets/{}/catalog", encoded(&target.alias)),
            format!("catalog of {}", target.alias),
        )
        .with_mime_type("application/json")
    });
    let reports = state.reports.list().into_iter().map(|kept| {
        Resource::new(format!("marula://labs/{}/report", kept.id), text::spelled(&kept.title))
            .with_mime_type("application/json")
    });
    targets.chain(reports).collect()
}

/// Reads one.
///
/// # Errors
/// `NotFound`, and what reading a catalogue says.
pub async fn read(state: &Arc<State>, uri: &str) -> Result<ReadResourceResult> {
    let unknown = || {
        Error::new(ErrorKind::NotFound, "there is no such resource").hint(
            "read marula://rules/ID, marula://targets/ALIAS/catalog or marula://labs/ID/report",
        )
    };
    let path = uri.strip_prefix("marula://").ok_or_else(unknown)?;
    let contents = match path.split_once('/').ok_or_else(unknown)? {
        ("rules", id) => ResourceContents::text(rule(id)?, uri).with_mime_type("text/markdown"),
        ("targets", rest) => {
            let alias = decoded(rest.strip_suffix("/catalog").ok_or_else(unknown)?);
            json(uri, catalog(state, &alias).await?)?
        }
        ("labs", rest) => {
            let id = rest.strip_suffix("/report").ok_or_else(unknown)?;
            let report = state.reports.get(id)?;
            json(uri, serde_json::to_value(&report.report).map_err(unwritten)?)?
        }
        _ => return Err(unknown()),
    };
    Ok(ReadResourceResult::new(vec![contents]))
}

fn rule(id: &str) -> Result<String> {
    let all = rules::all();
    match all.iter().find(|rule| rule.id == id) {
        Some(rule) => Ok(rules::page(rule)),
        None => {
            let error = Error::new(ErrorKind::NotFound, "no rule has this id");
            Err(match nearest(id, all.iter().map(|rule| rule.id)).first() {
                Some(near) => error.hint(format!("did you mean '{near}'?")),
                None => error.hint("take the id from a finding"),
            })
        }
    }
}

async fn catalog(state: &Arc<State>, alias: &str) -> Result<Value> {
    let lease = state.lend(alias).await?;
    let read = match lease.found.engine {
        Engine::Postgres => {
            use marula_postgres::catalog::{Scope, read};
            match read(lease.postgres()?, Scope::All).await {
                Ok(catalog) => serde_json::to_value(catalog).map_err(unwritten),
                Err(error) => Err(error),
            }
        }
        Engine::Mongodb => {
            use marula_mongodb::catalog::{Scope, read};
            match read(lease.mongodb()?, Scope::All, None).await {
                Ok(catalog) => serde_json::to_value(catalog).map_err(unwritten),
                Err(error) => Err(error),
            }
        }
    };
    lease.ended(read)
}

fn json(uri: &str, mut value: Value) -> Result<ResourceContents> {
    text::tidy(&mut value);
    let whole = serde_json::json!({ "notice": text::NOTICE, "content": value });
    let text = serde_json::to_string(&whole).map_err(unwritten)?;
    if text.len() > BYTES {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("it has {} bytes, and {BYTES} are the most", text.len()),
        )
        .hint("use the describe tool, which gives it in pages"));
    }
    Ok(ResourceContents::text(text, uri).with_mime_type("application/json"))
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "it cannot be written as JSON").because(error)
}

/// An alias as a part of a URI: a lab's has slashes.
fn encoded(alias: &str) -> String {
    let mut out = String::new();
    for byte in alias.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let two = part.get(at + 1..at + 3).and_then(|two| u8::from_str_radix(two, 16).ok());
        match (byte, two) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_goes_through_a_uri() {
        for alias in ["shop", "lab/demo/postgres", "größe 100%", "%zz%4"] {
            assert_eq!(decoded(&encoded(alias)), alias);
        }
        assert_eq!(encoded("lab/demo/postgres"), "lab%2Fdemo%2Fpostgres");
        assert_eq!(decoded("lab/demo/postgres"), "lab/demo/postgres");
    }
}
