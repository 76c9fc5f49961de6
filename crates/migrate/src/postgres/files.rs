//! SQL files: their parts, cut into statements.

use std::ops::Range;
use std::path::Path;

use marula_core::{Error, ErrorKind, Marked, Result};
use marula_postgres::sql;

use super::classify;
use crate::files::{Parts, Sections, sections};
use crate::migration::{Step, StepKind, Tool, line_of};

/// The parts of an SQL file.
pub(crate) fn parts(path: &Path, text: &str, tool: Tool) -> Result<Parts> {
    let Sections { up, down, mut options, mut down_options, transaction_said } =
        sections(path, text, tool)?;
    let up_steps = steps(path, text, up.clone(), tool)?;
    let down_steps = down.map(|down| steps(path, text, down, tool)).transpose()?;
    // Flyway looks for itself whether a file can run in a transaction.
    if tool == Tool::Flyway && !transaction_said && up_steps.iter().any(outside) {
        options.transaction = false;
        down_options.transaction = false;
    }
    // These send a file as one query: the server runs one statement by itself, several as one
    // transaction.
    if matches!(tool, Tool::GolangMigrate | Tool::Prisma) && up_steps.len() == 1 {
        options.transaction = false;
    }
    Ok(Parts { up: up_steps, down: down_steps, options, down_options, up_range: up })
}

fn outside(step: &Step) -> bool {
    matches!(&step.kind, StepKind::Sql(statement) if classify::outside_transaction(statement))
}

/// The statements of a part of a file.
pub(crate) fn steps(path: &Path, text: &str, range: Range<usize>, tool: Tool) -> Result<Vec<Step>> {
    // What is not of this part is blanked, so that places are places in the file.
    let mut part: String =
        text[..range.start].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    part.push_str(&text[range.clone()]);
    if is_blank(&part) {
        return Ok(Vec::new());
    }
    let statements =
        sql::parse_all(&part).map_err(|error| explain(path, text, &part, tool, error))?;
    let mut at = 0;
    let mut steps = Vec::with_capacity(statements.len());
    for statement in statements {
        let own = statement.text();
        let from = part.get(at..).and_then(|rest| rest.find(own)).map_or(at, |found| at + found);
        let end = from + own.len();
        let start = (from + blank_prefix(own)).min(end);
        at = end;
        steps.push(Step {
            text: part.get(start..end).unwrap_or_default().to_string(),
            start,
            end,
            line: line_of(text, start),
            kind: StepKind::Sql(statement),
        });
    }
    Ok(steps)
}

/// A syntax error with its place in the file, and with what people run into.
fn explain(path: &Path, text: &str, part: &str, tool: Tool, error: Error) -> Error {
    let Some(marked) = error.marked().cloned() else {
        return error.at(path.display().to_string());
    };
    let line = line_of(text, marked.start);
    let place = format!("{}:{line}", path.display());
    let word = text.get(marked.start..marked.end).unwrap_or_default();
    if let Some(at) = part.find("${")
        && tool == Tool::Flyway
    {
        let end = part[at..].find('}').map_or(part.len(), |end| at + end + 1);
        let what = format!("the placeholder {} has no value here", &part[at..end]);
        return Error::new(ErrorKind::Unsupported, what)
            .at(format!("{}:{}", path.display(), line_of(text, at)))
            .mark(Marked {
                name: crate::files::label(path),
                text: text.to_string(),
                start: at,
                end,
            })
            .hint("write the value out, or lint the file as Flyway has filled it in");
    }
    let mut placed = Error::new(error.kind(), error.message().to_string()).at(place).mark(Marked {
        name: crate::files::label(path),
        text: text.to_string(),
        start: marked.start,
        end: marked.end,
    });
    if let Some(copy) = copy_before(part, marked.start) {
        let line = line_of(text, copy);
        return Error::new(
            ErrorKind::Unsupported,
            format!("COPY … FROM stdin with its rows (line {line}) is not read here"),
        )
        .at(format!("{}:{line}", path.display()))
        .mark(Marked {
            name: crate::files::label(path),
            text: text.to_string(),
            start: copy,
            end: part[copy..].find('\n').map_or(part.len(), |end| copy + end),
        })
        .hint(
            "dump the schema alone (pg_dump --schema-only), or the rows as statements (--inserts)",
        );
    }
    if word.starts_with('\\') {
        return placed.hint("leave out psql's backslash commands");
    }
    for hint in error.hints() {
        placed = placed.hint(hint.replace("mend the statement", "mend the file"));
    }
    placed
}

/// Where the `COPY … FROM stdin` begins whose rows a fault lies in.
fn copy_before(text: &str, fault: usize) -> Option<usize> {
    let mut at = 0;
    let mut found = None;
    for line in text.split_inclusive('\n') {
        if at > fault {
            break;
        }
        let lower = line.trim().to_ascii_lowercase();
        if lower.starts_with("copy ") && lower.ends_with("from stdin;")
            || lower.starts_with("copy ") && lower.contains(" from stdin with")
        {
            found = Some(at + line.len() - line.trim_start().len());
        } else if lower == "\\." && at < fault {
            found = None;
        }
        at += line.len();
    }
    found
}

/// How many bytes of white space, comments and stray semicolons stand at the beginning.
pub(crate) fn blank_prefix(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b if b.is_ascii_whitespace() || b == b';' || b == 0x0b => at += 1,
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end + 1);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let mut depth = 0usize;
                while at < bytes.len() {
                    if bytes[at..].starts_with(b"/*") {
                        depth += 1;
                        at += 2;
                    } else if bytes[at..].starts_with(b"*/") {
                        depth = depth.saturating_sub(1);
                        at += 2;
                        if depth == 0 {
                            break;
                        }
                    } else {
                        at += 1;
                    }
                }
            }
            _ => break,
        }
    }
    at
}

/// Whether there is nothing but white space and comments.
pub(crate) fn is_blank(text: &str) -> bool {
    blank_prefix(text) >= text.len()
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn statements_keep_their_place() {
        let text = "-- one\nSELECT 1; -- behind\n/* a /* b */ c */ SELECT\n2;\n\n";
        let steps = steps(Path::new("x.sql"), text, 0..text.len(), Tool::Plain);
        let steps = steps.unwrap_or_else(|error| panic!("{error}"));
        let shown: Vec<_> = steps.iter().map(|step| (step.text.as_str(), step.line)).collect();
        assert_eq!(shown, [("SELECT 1", 2), ("SELECT\n2", 3)]);
        assert_eq!(&text[steps[1].start..steps[1].end], "SELECT\n2");
    }

    fn fault(text: &str) -> Error {
        match steps(Path::new("dump.sql"), text, 0..text.len(), Tool::Plain) {
            Ok(_) => panic!("{text} is read"),
            Err(error) => error,
        }
    }

    #[test]
    fn what_psql_alone_reads_is_named() {
        let error = fault("CREATE TABLE t (a int);\n\nCOPY public.t (a) FROM stdin;\n1\n\\.\n");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("COPY … FROM stdin"), "{error}");
        assert_eq!(error.place(), Some("dump.sql:3"));
        for text in ["\\set a 1\nSELECT 1;\n", "SELECT 1;\n\\set a 1\nSELECT 2;\n"] {
            assert_eq!(fault(text).hints(), ["leave out psql's backslash commands"], "{text}");
        }
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let text = "SELECT 1;\n\nALTER TABEL t ADD c int;\n";
        let error = steps(Path::new("x.sql"), text, 0..text.len(), Tool::Plain).err();
        let error =
            error.map(|error| (error.place().map(String::from), error.message().to_string()));
        let (place, message) = error.unwrap_or_default();
        assert_eq!(place.as_deref(), Some("x.sql:3"));
        assert!(message.contains("TABEL"), "{message}");
    }
}
