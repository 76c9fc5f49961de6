use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Engine, Version};

/// What sort of place a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A server of the user's: read-only unless the configuration says otherwise.
    Server,
    /// A server marula started itself.
    Lab,
    /// A saved plan: there is no server behind it.
    PlanFile,
}

/// A named place to work on, as it is shown: without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The name the user gave, redacted: an alias, `lab/demo/postgres`, a URL, a file.
    pub name: String,
    /// What sort of place it is.
    pub kind: TargetKind,
    /// The engine behind it.
    pub engine: Engine,
    /// The database, when one is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The server's version, once connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// Hides the password of every URL and of every `password=` in `text`.
///
/// `postgres://ann:secret@db/shop` becomes `postgres://ann:***@db/shop`. A password that itself
/// holds an `@` is hidden up to the last `@` before the path.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (head, tail) = rest.split_at(scheme + 3);
        out.push_str(head);
        let word = tail.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(tail.len());
        let path = tail[..word].find(['/', '?']).unwrap_or(word);
        // A slash inside a password is not legal in a URL, but people type it.
        let authority = match tail[..word].rfind('@') {
            Some(at) if at > path && tail[..path].contains(':') => at,
            _ => tail[..path].rfind('@').unwrap_or(0),
        };
        match tail[..authority].find(':') {
            Some(colon) => {
                out.push_str(&tail[..=colon]);
                out.push_str("***");
            }
            None => out.push_str(&tail[..authority]),
        }
        rest = &tail[authority..];
    }
    out.push_str(rest);
    redact_pairs(&out)
}

fn redact_pairs(text: &str) -> String {
    const KEYS: [&str; 2] = ["password=", "sslpassword="];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, key)) =
        KEYS.iter().filter_map(|key| Some((find_ignoring_case(rest, key)?, key))).min()
    {
        let value = at + key.len();
        out.push_str(&rest[..value]);
        out.push_str("***");
        let tail = &rest[value..];
        let end = match tail.strip_prefix('\'') {
            Some(quoted) => quoted.find('\'').map_or(tail.len(), |end| end + 2),
            None => tail.find(|c: char| c.is_whitespace() || c == '&').unwrap_or(tail.len()),
        };
        rest = &tail[end..];
    }
    out.push_str(rest);
    out
}

fn find_ignoring_case(text: &str, key: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        for (text, shown) in [
            ("postgres://ann:secret@db:5432/shop", "postgres://ann:***@db:5432/shop"),
            ("postgres://ann@db/shop", "postgres://ann@db/shop"),
            ("mongodb://a:p@ss@h1,h2/?x=1", "mongodb://a:***@h1,h2/?x=1"),
            ("mongodb://a:p/w@h/db", "mongodb://a:***@h/db"),
            ("host=db password='a b' user=ann", "host=db password=*** user=ann"),
            (
                "cannot open postgres://u:x@h/d?password=y&z=1 now",
                "cannot open postgres://u:***@h/d?password=***&z=1 now",
            ),
        ] {
            assert_eq!(redact(text), shown);
        }
    }
}
