//! What a DO block runs: the statements of its body, as far as they can be read.
//!
//! The body is cut at its semicolons by the server's own lexer; what follows a PL/pgSQL keyword
//! (`BEGIN`, `THEN`, `LOOP`, `ELSE`) and begins like an SQL statement is one. Conditions are not
//! weighed: what may run is read as if it did.

use marula_postgres::sql::{self, ParsedStatement, quote_ident, quote_literal};
use pg_query::NodeEnum;
use pg_query::protobuf as pb;

use super::context::strings;

/// The body of a DO block.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Its statements, in order, each with how many lines below the block's first it begins.
    pub statements: Vec<(ParsedStatement, usize)>,
    /// What is executed and put together at run time, in the same way.
    pub unread: Vec<(String, usize)>,
    /// Whether it ends transactions itself.
    pub commits: bool,
}

/// Words a statement begins with that matters to a migration.
const BEGINNINGS: [&str; 21] = [
    "ALTER", "CLUSTER", "COMMENT", "COMMIT", "CREATE", "DELETE", "DROP", "GRANT", "INSERT", "LOCK",
    "MERGE", "REASSIGN", "REFRESH", "REINDEX", "REVOKE", "ROLLBACK", "SET", "TRUNCATE", "UPDATE",
    "VACUUM", "WITH",
];

/// Words after which a statement begins.
const BEFORE: [&str; 4] = ["BEGIN", "ELSE", "LOOP", "THEN"];

/// The body of a statement that is a DO block in PL/pgSQL.
pub(super) fn body(statement: &ParsedStatement) -> Option<Body> {
    let Some(NodeEnum::DoStmt(block)) = statement.root() else { return None };
    let option = |wanted: &str| {
        block.args.iter().find_map(|arg| match arg.node.as_ref()? {
            NodeEnum::DefElem(option) if option.defname == wanted => {
                match option.arg.as_deref()?.node.as_ref()? {
                    NodeEnum::String(text) => Some(text.sval.as_str()),
                    _ => None,
                }
            }
            _ => None,
        })
    };
    if option("language").is_some_and(|language| !language.eq_ignore_ascii_case("plpgsql")) {
        return None;
    }
    let text = option("as")?;
    let whole = statement.text();
    let start = whole.trim_start();
    let above = start.find(text).map_or(0, |at| lines(&start[..at]));
    let mut body = Body::default();
    let Ok(tokens) = sql::tokens(text) else { return Some(body) };
    let mut segment: Vec<(usize, usize)> = Vec::new();
    for token in &tokens {
        let (Ok(from), Ok(to)) = (usize::try_from(token.start), usize::try_from(token.end)) else {
            continue;
        };
        match pb::Token::try_from(token.token) {
            Ok(pb::Token::SqlComment | pb::Token::CComment) => {}
            Ok(pb::Token::Ascii59) => body.read(text, above, &std::mem::take(&mut segment)),
            _ => segment.push((from, to)),
        }
    }
    body.read(text, above, &segment);
    Some(body)
}

/// A statement, and after it what it runs if it is a block.
pub(super) fn with_body(statement: &ParsedStatement) -> Vec<ParsedStatement> {
    let inner = body(statement).map(|body| body.statements).unwrap_or_default();
    std::iter::once(statement.clone()).chain(inner.into_iter().map(|(inner, _)| inner)).collect()
}

impl Body {
    /// Reads what stands between two semicolons.
    fn read(&mut self, text: &str, above: usize, segment: &[(usize, usize)]) {
        let word = |at: usize| {
            let (from, to) = *segment.get(at)?;
            text.get(from..to).map(str::to_ascii_uppercase)
        };
        let begins = |at: usize| {
            at == 0 || word(at - 1).is_some_and(|before| BEFORE.contains(&before.as_str()))
        };
        let first = (0..segment.len()).filter(|at| begins(*at)).find(|at| {
            word(*at).is_some_and(|word| word == "EXECUTE" || BEGINNINGS.contains(&word.as_str()))
        });
        let (Some(first), Some((_, end))) = (first, segment.last()) else { return };
        let below = above + lines(&text[..segment[first].0]);
        let own = text.get(segment[first].0..*end).unwrap_or_default();
        // Parameters and variables that take results are no part of it.
        let mut depth = 0;
        let cut = (first..segment.len()).find(|at| match word(*at).as_deref() {
            Some("(") => {
                depth += 1;
                false
            }
            Some(")") => {
                depth -= 1;
                false
            }
            Some("USING" | "INTO") => depth == 0,
            _ => false,
        });
        let bare = cut.and_then(|at| text.get(segment[first].0..segment[at].0)).unwrap_or(own);
        let found = if word(first).as_deref() == Some("EXECUTE") {
            executed(&bare["EXECUTE".len()..]).and_then(|made| sql::parse_all(&made).ok())
        } else {
            sql::parse_all(own).or_else(|_| sql::parse_all(bare)).ok()
        };
        match found {
            Some(statements) => {
                for statement in statements {
                    self.commits |= matches!(statement.root(), Some(NodeEnum::TransactionStmt(_)));
                    self.statements.push((statement, below));
                }
            }
            None => self.unread.push((own.split_whitespace().collect::<Vec<_>>().join(" "), below)),
        }
    }
}

/// How many lines end in a text.
fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// The text that EXECUTE runs, where it is the same at every run.
fn executed(expression: &str) -> Option<String> {
    let statement = sql::parse(&format!("SELECT {expression}")).ok()?;
    let [target] = statement.select()?.target_list.as_slice() else { return None };
    match target.node.as_ref()? {
        NodeEnum::ResTarget(target) => constant(target.val.as_deref()?),
        _ => None,
    }
}

/// A text that is the same at every run.
fn constant(node: &pb::Node) -> Option<String> {
    match node.node.as_ref()? {
        NodeEnum::AConst(literal) => match literal.val.as_ref()? {
            pb::a_const::Val::Sval(text) => Some(text.sval.clone()),
            pb::a_const::Val::Ival(number) => Some(number.ival.to_string()),
            _ => None,
        },
        NodeEnum::TypeCast(cast) => constant(cast.arg.as_deref()?),
        NodeEnum::AExpr(joined) if strings(&joined.name) == ["||"] => {
            Some(constant(joined.lexpr.as_deref()?)? + &constant(joined.rexpr.as_deref()?)?)
        }
        NodeEnum::FuncCall(call) => {
            let args = call.args.iter().map(constant).collect::<Option<Vec<_>>>()?;
            match (strings(&call.funcname).pop()?.as_str(), args.as_slice()) {
                ("format", [template, values @ ..]) => formatted(template, values),
                ("quote_ident", [name]) => Some(quote_ident(name)),
                ("quote_literal", [text]) => Some(quote_literal(text)),
                ("concat", parts) => Some(parts.concat()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What `format` gives; only values in their order are read.
fn formatted(template: &str, values: &[String]) -> Option<String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let mark = after.chars().next()?;
        match mark {
            '%' => out.push('%'),
            'I' => out.push_str(&quote_ident(values.next()?)),
            'L' => out.push_str(&quote_literal(values.next()?)),
            's' => out.push_str(values.next()?),
            _ => return None,
        }
        rest = &after[mark.len_utf8()..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Body {
        body(&sql::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn statements_behind_conditions_and_in_loops_are_read() {
        let found = read(
            "DO $$\nDECLARE r record;\nBEGIN\n  IF NOT EXISTS (SELECT FROM pg_class) THEN\n    \
             ALTER TABLE users ADD COLUMN a int;\n  ELSE\n    -- DROP TABLE users;\n    UPDATE users \
             SET age = 1;\n  END IF;\n  FOR r IN SELECT 1 LOOP EXECUTE 'CREATE INDEX i ON users \
             (age)'; END LOOP;\nEND $$",
        );
        let texts: Vec<_> = found.statements.iter().map(|(s, at)| (s.text(), *at)).collect();
        assert_eq!(
            texts,
            [
                ("ALTER TABLE users ADD COLUMN a int", 4),
                ("UPDATE users SET age = 1", 7),
                ("CREATE INDEX i ON users (age)", 9)
            ]
        );
        assert!(found.unread.is_empty() && !found.commits);
    }

    #[test]
    fn what_is_put_together_is_read_where_it_is_always_the_same() {
        let found = read(
            "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD a int', 'my table') USING 1; EXECUTE \
             'DROP TABLE ' || quote_ident('t'); EXECUTE format('DROP TABLE %I', r.name); COMMIT; END $$",
        );
        let texts: Vec<_> = found.statements.iter().map(|(s, _)| s.text()).collect();
        assert_eq!(texts, ["ALTER TABLE \"my table\" ADD a int", "DROP TABLE t", "COMMIT"]);
        assert_eq!(found.unread, [("EXECUTE format('DROP TABLE %I', r.name)".to_string(), 0)]);
        assert!(found.commits);
    }

    #[test]
    fn a_body_without_anything_runs_nothing() {
        for text in ["DO ''", "DO $$ $$", "DO $$\n-- nothing\n$$"] {
            assert!(read(text).statements.is_empty(), "{text}");
        }
    }

    #[test]
    fn other_languages_are_left_alone() {
        let statement = sql::parse("DO LANGUAGE plpython3u $$ plpy.execute('x') $$").unwrap();
        assert!(body(&statement).is_none());
    }
}
