//! How deep a text nests, before a recursive parser sees it.
//!
//! This is a lexer, and nothing more: it knows strings, comments and regular expressions so that
//! brackets in them do not count. Besides brackets it counts what nests without them: chains of
//! prefix operators, arrows, conditionals, labels.

use marula_core::{ErrorKind, Result};

use super::{MAX_DEPTH, marked};

/// How many operators and keywords may stand between two commas, semicolons or brackets.
const MAX_OPERATORS: usize = 2_000;

/// Passes the text, or refuses it with the place where it is too deep.
///
/// # Errors
/// `Syntax` when it nests deeper than [`MAX_DEPTH`].
pub(super) fn check(text: &str) -> Result<()> {
    let bytes = text.as_bytes();
    // Operators seen at each open bracket's level since its last separator.
    let mut open: Vec<usize> = vec![0];
    let mut at = 0;
    // Whether a slash would begin a regular expression rather than divide.
    let mut value_before = false;
    while let Some(byte) = bytes.get(at).copied() {
        let start = at;
        at += 1;
        match byte {
            b'"' | b'\'' | b'`' => {
                at = skip_string(bytes, at, byte);
                value_before = true;
                // Template literals hold expressions; they are looked at as operators only.
                if byte == b'`' {
                    operator(text, &mut open, start)?;
                    let inner = text.get(start..at).unwrap_or("");
                    if inner.matches(['{', '(', '[', '`']).count() > MAX_DEPTH {
                        return Err(too_deep(text, start));
                    }
                }
            }
            b'/' if bytes.get(at) == Some(&b'/') => {
                at = memchr(bytes, at, b'\n').unwrap_or(bytes.len());
            }
            b'/' if bytes.get(at) == Some(&b'*') => at = skip_block(bytes, at + 1),
            b'/' if !value_before => {
                at = skip_regex(bytes, at);
                value_before = true;
            }
            b'{' | b'[' | b'(' => {
                open.push(0);
                if open.len() > MAX_DEPTH {
                    return Err(too_deep(text, start));
                }
                value_before = false;
            }
            b'}' | b']' | b')' => {
                if open.len() > 1 {
                    open.pop();
                }
                value_before = true;
            }
            b',' | b';' => {
                if let Some(count) = open.last_mut() {
                    *count = 0;
                }
                value_before = false;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 128.. => {
                at = skip_word(bytes, at);
                let word = text.get(start..at).unwrap_or("");
                value_before = true;
                if matches!(word, "const" | "let" | "var") {
                    if let Some(count) = open.last_mut() {
                        *count = 0;
                    }
                    value_before = false;
                } else if is_keyword(word) {
                    operator(text, &mut open, start)?;
                    value_before = false;
                }
            }
            b'0'..=b'9' => value_before = true,
            b'.' => {}
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                operator(text, &mut open, start)?;
                value_before = false;
            }
        }
    }
    Ok(())
}

fn operator(text: &str, open: &mut [usize], at: usize) -> Result<()> {
    if let Some(count) = open.last_mut() {
        *count += 1;
        if *count > MAX_OPERATORS {
            return Err(too_deep(text, at));
        }
    }
    Ok(())
}

fn too_deep(text: &str, at: usize) -> marula_core::Error {
    marked(
        ErrorKind::Syntax,
        format!("the text nests deeper than {MAX_DEPTH} levels"),
        text,
        at,
        at + 1,
    )
    .hint("MongoDB itself takes documents up to 200 levels deep: flatten it")
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "new"
            | "typeof"
            | "void"
            | "delete"
            | "await"
            | "yield"
            | "async"
            | "function"
            | "class"
            | "extends"
            | "if"
            | "else"
            | "for"
            | "while"
            | "do"
            | "with"
            | "in"
            | "of"
            | "instanceof"
            | "return"
            | "throw"
            | "case"
            | "default"
            | "import"
            | "export"
            | "static"
            | "get"
            | "set"
            | "try"
            | "catch"
            | "finally"
            | "switch"
    )
}

fn skip_word(bytes: &[u8], mut at: usize) -> usize {
    while bytes
        .get(at)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') || *b >= 128)
    {
        at += 1;
    }
    at
}

fn skip_string(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' => at += 1,
            // An unfinished string ends with its line, as the parser will say.
            b'\n' if quote != b'`' => break,
            byte if *byte == quote => break,
            _ => {}
        }
    }
    at.min(bytes.len())
}

fn skip_block(bytes: &[u8], mut at: usize) -> usize {
    while let Some(star) = memchr(bytes, at, b'*') {
        if bytes.get(star + 1) == Some(&b'/') {
            return star + 2;
        }
        at = star + 1;
    }
    bytes.len()
}

fn skip_regex(bytes: &[u8], mut at: usize) -> usize {
    let mut class = false;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' => at += 1,
            b'\n' => break,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => break,
            _ => {}
        }
    }
    at.min(bytes.len())
}

fn memchr(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    bytes.get(from..)?.iter().position(|byte| *byte == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn brackets_in_strings_comments_and_patterns_do_not_count() {
        let many = "[".repeat(5_000);
        for text in [
            format!("db.a.find({{ x: \"{many}\" }})"),
            format!("// {many}\ndb.a.find()"),
            format!("/* {many} */ db.a.find()"),
            format!("db.a.find({{ x: /{}/ }})", many.replace('[', "\\[")),
        ] {
            assert!(check(&text).is_ok());
        }
    }

    #[test]
    fn what_nests_is_refused_however_it_is_written() {
        for part in ["[", "{a:", "(", "!", "- ", "a=>", "a?", "new ", "if(1)", "a:", "1**"] {
            assert!(check(&part.repeat(10_000)).is_err(), "{part}");
        }
    }
}
