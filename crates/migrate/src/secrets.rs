//! What may be shown of a statement: no password that is written in it.

use marula_core::{Engine, redact};
use marula_postgres::sql;
use pg_query::protobuf::{ScanToken, Token};

/// A step's text without the passwords in it.
pub(crate) fn shown(engine: Engine, text: &str) -> String {
    let bare = match engine {
        Engine::Postgres => of_sql(text),
        Engine::Mongodb => of_command(text),
    };
    redact(&bare)
}

/// `PASSWORD 'x'` and `OPTIONS (password 'x')`: the literal behind the word.
fn of_sql(text: &str) -> String {
    let says = text.to_ascii_lowercase().contains("password");
    let Some(tokens) = says.then(|| sql::tokens(text)).and_then(Result::ok) else {
        return text.to_owned();
    };
    let place = |token: &ScanToken| {
        Some((usize::try_from(token.start).ok()?, usize::try_from(token.end).ok()?))
    };
    let mut out = String::new();
    let mut copied = 0;
    for (word, literal) in tokens.iter().zip(tokens.iter().skip(1)) {
        let (Some((start, end)), Some((from, to))) = (place(word), place(literal)) else {
            continue;
        };
        let word = text.get(start..end).unwrap_or_default().trim_matches('"');
        let is_text = Token::try_from(literal.token) == Ok(Token::Sconst);
        if is_text && word.to_ascii_lowercase().ends_with("password") {
            out.push_str(text.get(copied..from).unwrap_or_default());
            out.push_str("'***'");
            copied = to;
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

/// `pwd: "x"` in JSON, YAML and mongosh: the text behind the key.
fn of_command(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("pwd") {
        let (head, tail) = rest.split_at(at + "pwd".len());
        out.push_str(head);
        rest = tail;
        let value = tail.trim_start_matches(['"', '\'']).trim_start();
        let Some(value) = value.strip_prefix(':').map(str::trim_start) else { continue };
        let Some(quote) = value.chars().next().filter(|c| ['"', '\''].contains(c)) else {
            continue;
        };
        let mut escaped = false;
        let end = value[1..].find(|c| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { continue };
        out.push_str(&tail[..tail.len() - value.len()]);
        out.push_str(&format!("{quote}***{quote}"));
        rest = &value[end + 2..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_nothing_else() {
        for (text, wanted) in [
            (
                "CREATE ROLE a LOGIN PASSWORD 'hunter2' IN ROLE b",
                "CREATE ROLE a LOGIN PASSWORD '***' IN ROLE b",
            ),
            ("ALTER ROLE a ENCRYPTED PASSWORD E'x\\'y'", "ALTER ROLE a ENCRYPTED PASSWORD '***'"),
            (
                "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'p')",
                "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '***')",
            ),
            (
                "INSERT INTO t VALUES ('password', 'kept')",
                "INSERT INTO t VALUES ('password', 'kept')",
            ),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'host=h password=p dbname=d' PUBLICATION p",
                "CREATE SUBSCRIPTION s CONNECTION 'host=h password=*** dbname=d' PUBLICATION p",
            ),
        ] {
            assert_eq!(shown(Engine::Postgres, text), wanted);
        }
        for (text, wanted) in [
            (
                r#"{"createUser": "a", "pwd": "x\"y", "roles": []}"#,
                r#"{"createUser": "a", "pwd": "***", "roles": []}"#,
            ),
            (
                "db.createUser({user: 'a', pwd: 'x', roles: []})",
                "db.createUser({user: 'a', pwd: '***', roles: []})",
            ),
            (r#"{"find": "pwd"}"#, r#"{"find": "pwd"}"#),
        ] {
            assert_eq!(shown(Engine::Mongodb, text), wanted);
        }
    }
}
