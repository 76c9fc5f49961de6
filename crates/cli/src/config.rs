//! `marula.toml`: found by walking up from the working folder, then the user's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use marula_core::{Error, ErrorKind, Marked, Result, nearest};
use serde::Deserialize;

use crate::args::{Color, FailOn, Format, Prove};

/// One configuration file as it is written. Durations are checked where they are used.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    format: Option<Format>,
    color: Option<Color>,
    timeout: Option<Time>,
    goal: Option<Time>,
    prove: Option<Prove>,
    fail_on: Option<FailOn>,
    #[serde(default)]
    targets: BTreeMap<String, TargetEntry>,
}

/// A duration as the flags take it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub std::time::Duration);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        crate::duration::parse(&text).map(Time)
    }
}

/// How to reach one target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetEntry {
    /// A URL or conninfo string, `env:VARIABLE` or `file:PATH`.
    pub url: Option<String>,
    /// A service of `pg_service.conf`.
    pub service: Option<String>,
    /// What marula may do there; nothing but reading unless this says otherwise.
    #[serde(default)]
    pub access: Access,
    /// Its log files and folders, for agents: they can name no other files.
    #[serde(default)]
    pub logs: Vec<PathBuf>,
    /// The folder of the file that declares it: relative `file:` paths start there.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// What marula may do on a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Only read.
    #[default]
    ReadOnly,
    /// Commands that write may write.
    ReadWrite,
}

/// All layers together; the project's file wins over the user's.
#[derive(Debug, Default)]
pub struct Config {
    /// How results are written.
    pub format: Option<Format>,
    /// When to colour.
    pub color: Option<Color>,
    /// The time limit.
    pub timeout: Option<Time>,
    /// The time a query may take.
    pub goal: Option<Time>,
    /// Where proposals are proved.
    pub prove: Option<Prove>,
    /// The least severity that makes the exit code 1.
    pub fail_on: Option<FailOn>,
    /// Targets by name.
    pub targets: BTreeMap<String, TargetEntry>,
    /// What the user should know about the files.
    pub warnings: Vec<String>,
}

const KEYS: [&str; 11] = [
    "format", "color", "timeout", "goal", "prove", "fail-on", "targets", "url", "service",
    "access", "logs",
];

impl Config {
    /// Reads `explicit`, or the project's and the user's files where there are any.
    pub fn load(explicit: Option<&Path>, folder: &Path, user: Option<&Path>) -> Result<Config> {
        let mut config = Config::default();
        match explicit {
            Some(path) => config.under(path, true)?,
            None => {
                let project = folder.ancestors().map(|above| above.join("marula.toml"));
                if let Some(path) = project.into_iter().find(|path| path.is_file()) {
                    config.under(&path, true)?;
                }
                if let Some(path) = user {
                    config.under(path, false)?;
                }
            }
        }
        Ok(config)
    }

    /// Puts a file's values under those already there.
    fn under(&mut self, path: &Path, required: bool) -> Result<()> {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(());
            }
            Err(error) => {
                return Err(Error::new(ErrorKind::Usage, format!("cannot be read: {error}"))
                    .at(shown)
                    .hint("check the path and its permissions"));
            }
        };
        let mut file: File =
            toml::from_str(&text).map_err(|error| explain(&error, &shown, &text))?;
        let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        for (name, mut entry) in std::mem::take(&mut file.targets) {
            entry.check(&name).map_err(|error| error.at(shown.clone()))?;
            if entry.holds_password() {
                self.warnings.push(format!(
                    "{shown} holds the password of target '{name}'; move it to ~/.pgpass, or \
                     write url = \"env:VARIABLE\" or \"file:PATH\""
                ));
            }
            entry.folder.clone_from(&folder);
            self.targets.entry(name).or_insert(entry);
        }
        self.format = self.format.or(file.format);
        self.color = self.color.or(file.color);
        self.timeout = self.timeout.or(file.timeout);
        self.goal = self.goal.or(file.goal);
        self.prove = self.prove.or(file.prove);
        self.fail_on = self.fail_on.or(file.fail_on);
        Ok(())
    }
}

impl TargetEntry {
    fn check(&self, name: &str) -> Result<()> {
        match (&self.url, &self.service) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err(Error::new(
                ErrorKind::Usage,
                format!("target '{name}' needs one of url and service"),
            )
            .hint(format!("write [targets.{name}] with url = \"env:VARIABLE\""))),
        }
    }

    fn holds_password(&self) -> bool {
        self.url.as_deref().is_some_and(|url| marula_core::redact(url) != url)
    }
}

/// `$XDG_CONFIG_HOME/marula/config.toml`, or the same below `~/.config`.
pub fn user_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("marula").join("config.toml"))
}

/// The parser's error, with the place marked and, for an unknown key, the nearest known one.
fn explain(error: &toml::de::Error, name: &str, text: &str) -> Error {
    let first = error.message().lines().next().unwrap_or_default();
    let mut found = Error::new(ErrorKind::Usage, first.to_string());
    if let Some(span) = error.span() {
        let key = text.get(span.clone()).unwrap_or_default();
        if first.starts_with("unknown field") {
            found = Error::new(ErrorKind::Usage, format!("there is no key '{key}'"));
            found = match nearest(key, KEYS).first() {
                Some(near) => found.hint(format!("did you mean '{near}'?")),
                None => found.hint(format!("the keys are {}", KEYS.join(", "))),
            };
        }
        // Only the line at fault is shown: the others may hold what is nobody's business.
        let start = text[..span.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = marula_core::redact(&text[start..end]);
        let above = "\n".repeat(text[..start].matches('\n').count());
        if line == text[start..end] {
            found = found.mark(Marked {
                name: name.to_string(),
                text: above.clone() + &line,
                start: above.len() + span.start - start,
                end: above.len() + span.end.min(end).max(span.start) - start,
            });
        }
    }
    found.at(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn the_projects_file_is_found_above_and_wins_over_the_users() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "marula.toml", "format = 'json'\n[targets.shop]\nurl = 'env:SHOP'\n");
        let user = write(
            folder.path(),
            "user.toml",
            "format = 'human'\ntimeout = '5s'\n[targets.shop]\nservice = 'x'\n[targets.b]\nservice = 'b'",
        );
        let below = folder.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let config = Config::load(None, &below, Some(&user)).unwrap();
        assert_eq!(config.format, Some(Format::Json));
        assert_eq!(config.timeout.map(|time| time.0.as_secs()), Some(5));
        assert_eq!(config.targets["shop"].url.as_deref(), Some("env:SHOP"));
        assert_eq!(config.targets["shop"].access, Access::ReadOnly);
        assert_eq!(config.targets["b"].service.as_deref(), Some("b"));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_the_nearest_name() {
        let folder = tempfile::tempdir().unwrap();
        for (text, message, hint) in [
            ("fromat = 'json'", "there is no key 'fromat'", "did you mean 'format'?"),
            ("[targets.a]\nulr = 'x'", "there is no key 'ulr'", "did you mean 'url'?"),
            (
                "[targets.a]\n",
                "target 'a' needs one of url and service",
                "write [targets.a] with url = \"env:VARIABLE\"",
            ),
        ] {
            let path = write(folder.path(), "marula.toml", text);
            let error = Config::load(Some(&path), folder.path(), None).unwrap_err();
            assert_eq!(error.message(), message);
            assert_eq!(error.hints(), [hint]);
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }

    #[test]
    fn a_password_in_the_file_is_warned_about_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path =
            write(folder.path(), "marula.toml", "[targets.a]\nurl = 'postgres://u:hush@h/d'");
        let config = Config::load(Some(&path), folder.path(), None).unwrap();
        assert_eq!(config.warnings.len(), 1);
        assert!(!config.warnings[0].contains("hush"));
        let path =
            write(folder.path(), "marula.toml", "[targets.a]\nurl = 'postgres://u:hush@h/d' x");
        let error = Config::load(Some(&path), folder.path(), None).unwrap_err();
        assert!(!format!("{error} {:?}", error.marked()).contains("hush"));
    }
}
