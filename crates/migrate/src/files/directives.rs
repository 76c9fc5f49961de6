use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use marula_core::{Error, ErrorKind, Marked, Result};

use crate::migration::{Options, Tool};

/// Which bytes of a file go up and which go down, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sections {
    /// What is applied.
    pub up: Range<usize>,
    /// What takes it back.
    pub down: Option<Range<usize>>,
    /// How the up part wants to run; whether it is in one transaction may still be open.
    pub options: Options,
    /// How the down part wants to run.
    pub down_options: Options,
    /// Whether the file itself said if it wants a transaction.
    pub transaction_said: bool,
}

/// Finds the parts of an SQL file by its tool's directives.
pub(crate) fn sections(path: &Path, text: &str, tool: Tool) -> Result<Sections> {
    match tool {
        Tool::Marula | Tool::Dbmate => migrate(path, text),
        Tool::Goose => goose(path, text),
        Tool::Sqlx => {
            let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let without = first.trim().replace(' ', "").starts_with("--no-transaction");
            Ok(whole(text, !without, without))
        }
        Tool::Flyway => {
            let file = path.display().to_string() + ".conf";
            let without = std::fs::read_to_string(file).is_ok_and(|conf| {
                conf.lines().any(|line| line.replace(' ', "") == "executeInTransaction=false")
            });
            Ok(whole(text, !without, without))
        }
        Tool::Diesel => {
            let about = path.with_file_name("metadata.toml");
            let without = std::fs::read_to_string(about).is_ok_and(|toml| {
                toml.lines().any(|line| line.replace(' ', "") == "run_in_transaction=false")
            });
            Ok(whole(text, !without, without))
        }
        Tool::GolangMigrate | Tool::Prisma => Ok(whole(text, true, false)),
        // psql runs each statement by itself.
        Tool::Plain | Tool::MigrateMongo => Ok(whole(text, false, false)),
    }
}

fn whole(text: &str, transaction: bool, transaction_said: bool) -> Sections {
    let options = Options { transaction, ..Options::default() };
    Sections {
        up: 0..text.len(),
        down: None,
        down_options: options.clone(),
        options,
        transaction_said,
    }
}

/// Lines with where they begin and end.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start..at, line)
    })
}

fn directive<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.trim().strip_prefix("--")?.trim_start().strip_prefix(word)
}

/// `-- migrate:up transaction:false lock_timeout:2s batch:1000` and `-- migrate:down`.
fn migrate(path: &Path, text: &str) -> Result<Sections> {
    let mut found: Vec<(bool, Range<usize>, Options, bool)> = Vec::new();
    for (range, line) in lines(text) {
        let Some(rest) = directive(line, "migrate:") else { continue };
        let mut words = rest.split_whitespace();
        let up = match words.next() {
            Some("up") => true,
            Some("down") => false,
            other => {
                let what = other.unwrap_or("nothing");
                return Err(fault(path, text, range, format!("'migrate:{what}' is no directive"))
                    .hint("write '-- migrate:up' or '-- migrate:down'"));
            }
        };
        if let Some((_, first, _, _)) = found.iter().find(|(was, ..)| *was == up) {
            let line = crate::migration::line_of(text, first.start);
            let word = if up { "up" } else { "down" };
            let what =
                format!("'migrate:{word}' stands here a second time; the first is line {line}");
            return Err(fault(path, text, range, what).hint("put all of it in one part"));
        }
        let mut options = Options::default();
        let mut said = false;
        for word in words {
            option(word, &mut options, &mut said).map_err(|what| {
                fault(path, text, range.clone(), what)
                    .hint("known are transaction:false, lock_timeout:2s, batch:1000, pace:50ms and hold:true")
            })?;
        }
        if options.batch.is_some() {
            // Each batch is a transaction of its own.
            if said && options.transaction {
                let what = "batches and one transaction for all exclude each other".into();
                return Err(
                    fault(path, text, range, what).hint("leave transaction:true out, or batch:")
                );
            }
            options.transaction = false;
            said = true;
        }
        found.push((up, range, options, said));
    }
    if found.is_empty() {
        return Ok(whole(text, true, false));
    }
    let Some(at) = found.iter().position(|(up, ..)| *up) else {
        let range = found[0].1.clone();
        return Err(fault(path, text, range, "there is no '-- migrate:up' in the file".into())
            .hint("write '-- migrate:up' before what is to be applied"));
    };
    let end_of = |at: usize| found.get(at + 1).map_or(text.len(), |next| next.1.start);
    let before = found[0].1.start;
    if !crate::postgres::files::is_blank(&text[..before]) {
        return Err(fault(
            path,
            text,
            0..before,
            "statements stand before the first '-- migrate:'".into(),
        )
        .hint("move them below '-- migrate:up'"));
    }
    let down = found.iter().position(|(up, ..)| !*up);
    Ok(Sections {
        up: found[at].1.end..end_of(at),
        down: down.map(|down| found[down].1.end..end_of(down)),
        options: found[at].2.clone(),
        down_options: down.map(|down| found[down].2.clone()).unwrap_or_default(),
        transaction_said: found[at].3,
    })
}

fn option(word: &str, options: &mut Options, said: &mut bool) -> Result<(), String> {
    let (key, value) = word.split_once(':').ok_or_else(|| format!("'{word}' is no option"))?;
    match key {
        "transaction" => {
            options.transaction = match value {
                "true" => true,
                "false" => false,
                _ => return Err(format!("'{value}' is neither true nor false")),
            };
            *said = true;
        }
        "lock_timeout" => {
            options.lock_timeout =
                Some(duration(value).ok_or_else(|| format!("'{value}' is no time"))?);
        }
        "batch" => {
            let batch = value.parse().ok().filter(|batch| *batch > 0);
            options.batch = Some(batch.ok_or_else(|| format!("'{value}' is no batch size"))?);
        }
        "hold" => {
            options.hold = match value {
                "true" => true,
                "false" => false,
                _ => return Err(format!("'{value}' is neither true nor false")),
            };
        }
        "pace" => {
            options.pace = Some(duration(value).ok_or_else(|| format!("'{value}' is no time"))?);
        }
        _ => return Err(format!("'{key}' is no option")),
    }
    Ok(())
}

/// `200ms`, `2s`, `1min`, `2` (seconds).
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit()).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" | "min" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

/// `-- +goose Up`, `-- +goose Down`, `-- +goose NO TRANSACTION`.
fn goose(path: &Path, text: &str) -> Result<Sections> {
    let (mut up, mut down, mut transaction) = (None, None, true);
    let mut marks = Vec::new();
    for (range, line) in lines(text) {
        let Some(rest) = directive(line, "+goose") else { continue };
        match rest.trim().to_ascii_lowercase().as_str() {
            "up" => {
                up.get_or_insert(range.end);
                marks.push(range.start);
            }
            "down" => {
                down.get_or_insert(range.end);
                marks.push(range.start);
            }
            "no transaction" => transaction = false,
            "statementbegin" | "statementend" | "envsub off" => {}
            "envsub on" => {
                return Err(fault(path, text, range, "goose ENVSUB is not supported".into())
                    .hint("write the values out, or leave the file to goose"));
            }
            other => {
                return Err(fault(path, text, range, format!("'+goose {other}' is no annotation"))
                    .hint("goose knows Up, Down, StatementBegin, StatementEnd, NO TRANSACTION"));
            }
        }
    }
    let Some(up) = up else {
        return Err(fault(path, text, 0..0, "there is no '-- +goose Up' in the file".into())
            .hint("write '-- +goose Up' before what is to be applied"));
    };
    let end_of = |start: usize| {
        marks.iter().copied().filter(|mark| *mark >= start).min().unwrap_or(text.len())
    };
    let options = Options { transaction, ..Options::default() };
    Ok(Sections {
        up: up..end_of(up),
        down: down.map(|down| down..end_of(down)),
        down_options: options.clone(),
        options,
        transaction_said: !transaction,
    })
}

/// A syntax error at a place of the file.
pub(crate) fn fault(path: &Path, text: &str, range: Range<usize>, what: String) -> Error {
    let end =
        text.get(range.clone()).map_or(range.start, |part| range.start + part.trim_end().len());
    let line = crate::migration::line_of(text, range.start);
    Error::new(ErrorKind::Syntax, what).at(format!("{}:{line}", path.display())).mark(Marked {
        name: crate::files::label(path),
        text: text.to_string(),
        start: range.start,
        end,
    })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn at(tool: Tool, text: &str) -> Result<Sections> {
        sections(Path::new("1_x.sql"), text, tool)
    }

    #[test]
    fn parts_are_found() {
        let text = "-- migrate:up transaction:false lock_timeout:2s\nA;\n-- migrate:down\nB;\n";
        let found = at(Tool::Marula, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(&text[found.up.clone()], "A;\n");
        assert_eq!(&text[found.down.clone().unwrap_or_default()], "B;\n");
        assert!(!found.options.transaction);
        assert_eq!(found.options.lock_timeout, Some(Duration::from_secs(2)));
        let text = "-- +goose NO TRANSACTION\n-- +goose Up\nA;\n-- +goose Down\nB;";
        let found = at(Tool::Goose, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((&text[found.up.clone()], found.options.transaction), ("A;\n", false));
        assert!(!at(Tool::Sqlx, "-- no-transaction\nA").is_ok_and(|s| s.options.transaction));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, said) in [
            ("-- migrate:upp\n", "'migrate:upp' is no directive"),
            ("-- migrate:up lock:2s\n", "'lock' is no option"),
            ("-- migrate:down\n", "there is no '-- migrate:up' in the file"),
            ("A;\n-- migrate:up\n", "statements stand before the first '-- migrate:'"),
            (
                "-- migrate:up\n-- migrate:up\n",
                "'migrate:up' stands here a second time; the first is line 1",
            ),
        ] {
            let error = at(Tool::Marula, text).err().map(|error| error.message().to_string());
            assert_eq!(error.as_deref(), Some(said));
        }
    }
}
