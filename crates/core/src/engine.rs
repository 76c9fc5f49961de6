use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// One of the two database engines.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MongoDB.
    Mongodb,
}

impl Engine {
    /// The engine's own spelling of its name, for people.
    pub fn title(self) -> &'static str {
        match self {
            Engine::Postgres => "PostgreSQL",
            Engine::Mongodb => "MongoDB",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Postgres => "postgres",
            Engine::Mongodb => "mongodb",
        })
    }
}

impl FromStr for Engine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" | "pg" => Ok(Engine::Postgres),
            "mongodb" | "mongo" => Ok(Engine::Mongodb),
            _ => Err(Error::new(ErrorKind::Usage, format!("no engine is called '{text}'"))
                .hint("write 'postgres' or 'mongodb'")),
        }
    }
}

/// A server's version: `15.18`, `6.0.27`. Parts that were not given are zero.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct Version {
    /// 15 in `15.18`, 6 in `6.0.27`.
    pub major: u16,
    /// 18 in `15.18`, 0 in `6.0.27`.
    pub minor: u16,
    /// 27 in `6.0.27`; always zero for PostgreSQL.
    pub patch: u16,
}

impl Version {
    /// A version from its parts.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Version { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // PostgreSQL counts in two parts since 10, MongoDB in three; no MongoDB major is above 9.
        if self.major >= 10 {
            write!(f, "{}.{}", self.major, self.minor)
        } else {
            write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
        }
    }
}

impl FromStr for Version {
    type Err = Error;

    /// Reads the leading digits and dots, so `15.18 (Debian 15.18-0+deb12u1)`, `18beta1` and
    /// `6.0.27-rc0` are understood.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = [0u16; 3];
        let numbers: String =
            text.trim().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let mut given = 0;
        for (slot, part) in parts.iter_mut().zip(numbers.split('.')) {
            match part.parse() {
                Ok(number) => *slot = number,
                Err(_) => break,
            }
            given += 1;
        }
        if given == 0 {
            return Err(Error::new(ErrorKind::Usage, format!("'{text}' is not a server version"))
                .hint("write it like 15, 15.18 or 6.0.27"));
        }
        Ok(Version::new(parts[0], parts[1], parts[2]))
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_print_them() {
        for (text, shown) in [
            ("15.18 (Debian 15.18-0+deb12u1)", "15.18"),
            ("18beta1", "18.0"),
            ("6.0.27", "6.0.27"),
            ("4.4.2-rc1", "4.4.2"),
        ] {
            assert_eq!(text.parse::<Version>().map(|v| v.to_string()).ok().as_deref(), Some(shown));
        }
        assert!("latest".parse::<Version>().is_err());
        assert!(Version::new(18, 0, 0) > Version::new(15, 18, 0));
    }
}
