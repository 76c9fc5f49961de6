use marula_core::{Error, ErrorKind, Result};

use super::keywords::{Parameters, known};

/// Reads `host=… dbname='…'`: blanks around `=`, single quotes, `\` before a quote or itself.
pub(super) fn parse(text: &str) -> Result<Parameters> {
    let mut found = Parameters::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(found);
        }
        let mut keyword = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_whitespace()) {
            keyword.push(c);
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.next() != Some('=') {
            // Not shown: it may be a part of a password.
            return Err(Error::new(ErrorKind::Usage, "the connection string lacks an '='")
                .hint("write it like: host=localhost dbname=shop user=me"));
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = chars.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match chars.next() {
                Some('\\') => value.extend(chars.next()),
                Some('\'') if quoted => break,
                Some(c) if !quoted && c.is_whitespace() => break,
                Some(c) => value.push(c),
                None if quoted => {
                    return Err(Error::new(
                        ErrorKind::Usage,
                        format!("the value of '{keyword}' lacks its closing quote"),
                    )
                    .hint("close it with '"));
                }
                None => break,
            }
        }
        known(&keyword)?;
        found.insert(keyword, value);
    }
}
