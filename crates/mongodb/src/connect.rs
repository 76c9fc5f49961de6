//! Where a server is and how to log in: MongoDB's own connection strings.

use std::fmt;

use marula_core::{Error, ErrorKind, Result, redact};
use mongodb::options::ConnectionString;
use secrecy::{ExposeSecret, SecretString};

/// A parsed `mongodb://` or `mongodb+srv://` address. Shown without its password.
///
/// Unix sockets are written as in every driver: `mongodb://%2Frun%2Fmongodb-27017.sock/shop`.
/// TLS is asked for in the address (`tls=true`, `tlsCAFile=…`).
#[derive(Clone)]
pub struct ConnectSpec {
    url: SecretString,
    shown: String,
    database: Option<String>,
    password: Option<SecretString>,
}

impl ConnectSpec {
    /// Reads an address. Nothing is looked up or opened.
    ///
    /// # Errors
    /// `Usage` when it is no MongoDB address; the message never holds the password.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let shown = redact(text);
        let bad = |reason: String| {
            Error::new(ErrorKind::Usage, format!("not a MongoDB address: {reason}"))
                .at(shown.clone())
                .hint("write it like mongodb://user@host:27017/database?tls=true")
        };
        if !text.starts_with("mongodb://") && !text.starts_with("mongodb+srv://") {
            return Err(bad("it begins with neither mongodb:// nor mongodb+srv://".into()));
        }
        let escape = "write @ : / ? # [ ] % in a user's name or password as %40 %3A %2F …";
        // The driver (3.9) panics where a character of many bytes follows the sign.
        if !percents_are_codes(text) {
            return Err(bad("a % is not followed by two hexadecimal digits".into()).hint(escape));
        }
        let parsed = ConnectionString::parse(text).map_err(|error| {
            let error = bad(without_secrets(&crate::error::reason(&error), text));
            if text.contains('@') { error.hint(escape) } else { error }
        })?;
        Ok(ConnectSpec {
            database: parsed.default_database.clone(),
            url: SecretString::from(text.to_string()),
            shown,
            password: None,
        })
    }

    /// A server without login on a TCP port of this machine.
    pub fn local(port: u16, database: &str) -> Self {
        let url = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
        ConnectSpec {
            shown: url.clone(),
            url: SecretString::from(url),
            database: Some(database.to_string()),
            password: None,
        }
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        ConnectSpec { database: Some(database.to_string()), ..self.clone() }
    }

    /// The same, with a password that is not in the address.
    #[must_use]
    pub fn with_password(&self, password: SecretString) -> Self {
        ConnectSpec { password: Some(password), ..self.clone() }
    }

    /// The database, when one is chosen.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The whole address with its password: for the driver alone.
    pub(crate) fn url(&self) -> &str {
        self.url.expose_secret()
    }

    pub(crate) fn password(&self) -> Option<&SecretString> {
        self.password.as_ref()
    }

    /// `text` without the password, wherever it might stand in it.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = without_secrets(text, self.url());
        if let Some(password) = &self.password
            && !password.expose_secret().is_empty()
        {
            clean = clean.replace(password.expose_secret(), "***");
        }
        clean
    }
}

/// Whether every `%` begins a code of two hexadecimal digits, as RFC 3986 wants it.
fn percents_are_codes(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|after| after.len() >= 2 && after.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit))
}

/// Takes the whole address and the password in it out of a message.
fn without_secrets(message: &str, url: &str) -> String {
    let mut clean = redact(&message.replace(url, &redact(url)));
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    // An address that was pasted twice has two, and of one with an @ in it no part is shown.
    let whole = rest.rsplit_once('@').and_then(|(login, _)| login.split_once(':'));
    let parts = rest.split('@').filter_map(|login| login.rsplit_once(':'));
    for (_, password) in whole.into_iter().chain(parts).filter(|(_, password)| password.len() > 2) {
        // The driver writes the names of options in lower case.
        clean = clean.replace(password, "***").replace(&password.to_lowercase(), "***");
    }
    clean
}

impl fmt::Display for ConnectSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for ConnectSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectSpec({}, database {:?})", self.shown, self.database)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_the_password() {
        for (text, shown, database) in [
            ("mongodb://ann:secret@db:27017/shop", "mongodb://ann:***@db:27017/shop", Some("shop")),
            ("mongodb://db", "mongodb://db", None),
            (
                "mongodb://a,b:27018/shop?replicaSet=rs0",
                "mongodb://a,b:27018/shop?replicaSet=rs0",
                Some("shop"),
            ),
            (
                "mongodb://%2Ftmp%2Fmongodb-27017.sock/shop",
                "mongodb://%2Ftmp%2Fmongodb-27017.sock/shop",
                Some("shop"),
            ),
            (
                "mongodb://ann:s%40x@db/shop?tls=true",
                "mongodb://ann:***@db/shop?tls=true",
                Some("shop"),
            ),
        ] {
            let spec = ConnectSpec::parse(text).unwrap();
            assert_eq!(spec.to_string(), shown);
            assert_eq!(spec.database(), database);
            assert!(!format!("{spec:?}").contains("secret"));
        }
    }

    #[test]
    fn a_bad_address_is_refused_without_repeating_its_password() {
        for text in [
            "postgres://ann:hunter2@db/shop",
            "mongodb://ann:hunter2@@db/shop",
            "mongodb://ann:hunt:er2@db/shop",
            "mongodb://ann:hunter2@db:port/shop",
            "mongodb://ann:hunter2@/shop",
            "mongodb://ann:hunter2@db/shop?nonsense",
        ] {
            let error = ConnectSpec::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
