//! A file of any form, packed or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use marula_core::{Error, ErrorKind, Result};

use super::builder::Shredder;
use super::document::Node;
use super::records::{self, End, LONGEST, Record, Records};
use super::sniff::{LOOK, Sniffed, sniff};
use super::{Form, Limits, Read, SourceRead, What, bson, csv, json};

/// Reads a file. What is broken in it is said in the result and not an error.
///
/// # Errors
/// When the file is not there or cannot be read.
pub fn file(path: &Path, limits: Limits) -> Result<Read> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Usage, format!("cannot be read: {error}"))
            .at(name.clone())
            .hint("check the path and its permissions")
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::new(ErrorKind::Usage, "is a folder").at(name).hint("name its files"));
    }
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let packed = reader.fill_buf().map_err(failed)?.starts_with(&[0x1F, 0x8B]);
    let stream: Box<dyn std::io::Read> = match packed {
        true => Box::new(Gentle { inner: MultiGzDecoder::new(reader), broken: None }),
        false => Box::new(reader),
    };
    stream_of(stream, &name, limits).map_err(|error| match error.place() {
        None => error.at(name.clone()),
        Some(_) => error,
    })
}

/// Ends where a packed file is broken: what was unpacked until then is used.
struct Gentle<R> {
    inner: R,
    broken: Option<std::io::Error>,
}

impl<R: std::io::Read> std::io::Read for Gentle<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.broken.is_some() {
            return Ok(0);
        }
        self.inner.read(buffer).or_else(|error| {
            self.broken = Some(error);
            Ok(0)
        })
    }
}

/// Reads a stream whose form its name and first bytes tell.
pub fn stream_of(stream: impl std::io::Read, name: &str, limits: Limits) -> Result<Read> {
    let mut stream = stream;
    let mut start = Vec::new();
    (&mut stream).take(LOOK as u64).read_to_end(&mut start)?;
    let bare = name.strip_suffix(".gz").unwrap_or(name);
    let mark = if start.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
    let sniffed = sniff(bare, start.get(mark..).unwrap_or_default());
    let table = table_name(bare);
    let mut source = SourceRead::new(name, sniffed.form());
    let rest = std::io::Cursor::new(start.split_off(mark)).chain(stream);
    let reader = BufReader::with_capacity(1 << 18, rest);
    let mut read = match sniffed {
        Sniffed::Json => documents(reader, source, &table, limits),
        Sniffed::JsonLines => lines(reader, source, &table, limits),
        Sniffed::Bson => bson::read(reader, source, &table, limits),
        Sniffed::Csv(dialect) => {
            let delimiter = match dialect.delimiter {
                b'\t' => "tab".to_string(),
                other => format!("'{}'", char::from(other)),
            };
            let header = if dialect.header { "names in the first row" } else { "no row of names" };
            source.how = format!("delimiter {delimiter}, {header}");
            csv::read(reader, source, &table, dialect, limits)
        }
        Sniffed::Utf16 => {
            source.trouble(What::NotUtf8, 1, "UTF-16: save it as UTF-8");
            Ok(nothing(source, &table, limits))
        }
        Sniffed::Returns => {
            let how = "its lines end in carriage returns alone: save it with line feeds";
            source.trouble(What::Malformed, 1, how);
            Ok(nothing(source, &table, limits))
        }
    }?;
    if read.source.read == 0 && read.source.trouble.is_empty() {
        read.source.trouble(What::Empty, 1, "no rows");
    }
    Ok(read)
}

/// What comes of a file that cannot be read as it is.
fn nothing(mut source: SourceRead, table: &str, limits: Limits) -> Read {
    let tables = Shredder::new(table, limits).finish(&mut source);
    Read { tables, source }
}

/// What the rows of a file are called: its name without folder and ending.
fn table_name(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.split('.').find(|part| !part.is_empty()).unwrap_or("data");
    let words = crate::names::words(stem).join("_");
    if words.is_empty() { "data".into() } else { words }
}

fn lines(
    mut reader: impl BufRead,
    mut source: SourceRead,
    table: &str,
    limits: Limits,
) -> Result<Read> {
    let mut shredder = Shredder::new(table, limits);
    let mut number = 0;
    while let Some(record) = records::line(&mut reader, &mut number)? {
        if record.end == End::Whole && record.bytes.trim_ascii().is_empty() {
            continue;
        }
        document(&record, &mut shredder, &mut source);
    }
    let tables = shredder.finish(&mut source);
    Ok(Read { tables, source })
}

fn documents(
    reader: impl BufRead,
    mut source: SourceRead,
    table: &str,
    limits: Limits,
) -> Result<Read> {
    let mut shredder = Shredder::new(table, limits);
    let mut records = Records::new(reader);
    while let Some(record) = records.next()? {
        document(&record, &mut shredder, &mut source);
    }
    let told = source.trouble.iter().any(|known| known.what == What::CutOff);
    if let (Some(line), false) = (records.array, told) {
        source.trouble(What::CutOff, line, "the array that begins here does not end");
    }
    source.form = Form::Json;
    let tables = shredder.finish(&mut source);
    Ok(Read { tables, source })
}

fn document(record: &Record, shredder: &mut Shredder, source: &mut SourceRead) {
    source.read += 1;
    if let Err((what, line, detail)) = take(record, shredder, source) {
        source.trouble(what, line, detail);
        source.set_aside += 1;
    }
}

fn take(
    record: &Record,
    shredder: &mut Shredder,
    source: &mut SourceRead,
) -> Result<(), (What, u64, String)> {
    let line = record.line;
    if record.end == End::TooLong {
        return Err((What::TooLong, line, format!("more than {} MB", LONGEST >> 20)));
    }
    let text = std::str::from_utf8(&record.bytes)
        .map_err(|error| (What::NotUtf8, line, format!("byte {}", error.valid_up_to() + 1)))?;
    if record.end == End::Cut {
        return Err((What::CutOff, line, "the file ends in this document".into()));
    }
    let mut seen = json::Seen::default();
    let node = json::parse(text, &mut seen).map_err(|wrong| {
        let before = text.get(..wrong.at).unwrap_or(text);
        let at = line + before.matches('\n').count() as u64;
        // On the document's first line others may stand before it.
        let first = if at == line { record.column } else { 0 };
        let last = before.rsplit('\n').next().map_or(0, |last| last.chars().count());
        let column = first + last + 1;
        let what = if wrong.cut { What::CutOff } else { What::Malformed };
        (what, at, format!("column {column}: {}", wrong.what))
    })?;
    let Node::Object(fields) = node else {
        return Err((What::NoObject, line, format!("{} stands here", node.word())));
    };
    if let Some(path) = seen.twice {
        source.trouble(What::DuplicateField, line, path);
    }
    if let Some(path) = seen.deep {
        source.trouble(What::TooDeep, line, path);
    }
    if let Some(replaced) = seen.replaced {
        let before = text.get(..replaced.at).unwrap_or_default().matches('\n').count() as u64;
        source.trouble(What::Replaced, line + before, replaced.words());
    }
    match shredder.document(&fields, line, source) {
        true => source.kept += 1,
        false => source.beyond += 1,
    }
    Ok(())
}
