use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use marula_core::{Engine, Progress, SourceRead, Timestamp, UnreadLine};

use super::chunks::Chunks;
use super::compression;
use crate::tally::printable;
use crate::{Clue, Format, Guess, Place, detect, postgres};

/// Bytes a format is told by.
const HEAD: usize = 256 << 10;
/// Bytes that tell the format of a log that changes.
const FIRST: usize = 8 << 10;
/// The share of lines a format must fit to be taken for sure.
const SURE: f64 = 0.8;

/// What comes out of the files, in order.
pub(super) enum Event {
    /// A source begins.
    Source(Box<SourceRead>),
    /// Its next chunk.
    Chunk { format: Arc<dyn Format>, place: Place, bytes: Vec<u8> },
    /// It has ended, perhaps too early.
    End { format: Arc<dyn Format>, trouble: Option<String> },
}

/// Files read one after the other, a chunk whenever one is asked for.
pub(super) struct Intake<'a> {
    files: std::iter::Zip<std::ops::RangeFrom<u32>, std::slice::Iter<'a, PathBuf>>,
    prefix: Option<&'a str>,
    chunk: usize,
    progress: &'a dyn Progress,
    open: Option<Open>,
    ready: VecDeque<Event>,
    /// Buffers of chunks that are done with.
    spare: Vec<Vec<u8>>,
}

/// The file now read.
struct Open {
    chunks: Chunks,
    format: Arc<dyn Format>,
    number: u32,
    written: Option<Timestamp>,
    /// Its bytes, where that is known and not of the compressed file.
    size: Option<u64>,
    done: u64,
}

impl<'a> Intake<'a> {
    /// `chunk` is the bytes of a chunk.
    pub fn new(
        files: &'a [PathBuf],
        prefix: Option<&'a str>,
        chunk: usize,
        progress: &'a dyn Progress,
    ) -> Self {
        let files = (0..).zip(files);
        Intake {
            files,
            prefix,
            chunk,
            progress,
            open: None,
            ready: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// Takes the buffer of a chunk that is done with, for one to come.
    pub fn give_back(&mut self, mut buffer: Vec<u8>) {
        // One huge entry must not keep its buffer for ever.
        if buffer.capacity() <= 4 * self.chunk {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// What comes next; nothing at the end.
    pub fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.open.is_some() {
                self.read();
            } else {
                let (number, path) = self.files.next()?;
                self.begin(number, path);
            }
        }
    }

    fn begin(&mut self, number: u32, path: &Path) {
        let mut about = SourceRead { name: path.display().to_string(), ..SourceRead::default() };
        self.progress.step(&format!("reading {}", about.name));
        let opened = open(path).and_then(|(size, written, opened)| {
            let (opened, recoded) = compression::decoded(opened)?;
            Ok((size.filter(|_| !recoded), written, opened))
        });
        match opened {
            Ok((size, written, opened)) => {
                about.compression = opened.compression.map(str::to_owned);
                let size = size.filter(|_| opened.compression.is_none());
                let mut chunks = Chunks::new(opened.reader, self.chunk);
                let head = chunks.head(HEAD);
                match first_guess(head, self.prefix, written).map(|guess| guess.format) {
                    Some(format) => {
                        about.format = Some(format.name().to_owned());
                        about.engine = Some(format.engine());
                        about.prefix = format.prefix();
                        if format.engine() == Engine::Postgres {
                            about.language = postgres::language(head).map(str::to_owned);
                        }
                        self.open = Some(Open { chunks, format, number, written, size, done: 0 });
                    }
                    // An empty file, or one of no known format, shows itself by having no format.
                    None => {
                        about.bytes = head.len() as u64;
                        about.unread_samples = first_lines(head);
                        about.ended = chunks.trouble.clone();
                    }
                }
            }
            Err(error) => about.ended = Some(error.to_string()),
        }
        self.ready.push_back(Event::Source(Box::new(about)));
    }

    /// Reads the open file's next chunk.
    fn read(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        let (prefix, written) = (self.prefix, open.written);
        let other = |bytes: &[u8]| {
            let head = &bytes[..bytes.len().min(HEAD)];
            let guess = first_guess(head, prefix, written)?;
            (guess.share >= SURE).then_some(guess.format)
        };
        let mut bytes = self.spare.pop().unwrap_or_default();
        let before = Arc::clone(&open.format);
        match open.chunks.next(&mut open.format, &other, &mut bytes) {
            Some(offset) => {
                if !Arc::ptr_eq(&before, &open.format) {
                    self.ready.push_back(Event::End { format: before, trouble: None });
                }
                open.done += bytes.len() as u64;
                if let Some(size) = open.size {
                    self.progress.advance(open.done, size.max(open.done));
                }
                let place = Place { source: open.number, offset };
                let format = Arc::clone(&open.format);
                self.ready.push_back(Event::Chunk { format, place, bytes });
                self.open = Some(open);
            }
            None => {
                self.spare.push(bytes);
                let trouble = open.chunks.trouble.take();
                let shrunk = trouble.is_none() && open.size.is_some_and(|size| open.done < size);
                let trouble = trouble.or_else(|| {
                    shrunk.then(|| "the file became shorter while it was read".to_owned())
                });
                self.ready.push_back(Event::End { format: open.format, trouble });
            }
        }
    }
}

/// The format a source begins with. Where no format fits most of the head, the log may change
/// in it, and its first lines decide.
fn first_guess(head: &[u8], prefix: Option<&str>, written: Option<Timestamp>) -> Option<Guess> {
    let best = |head| detect(&Clue { head, prefix, written }).into_iter().next();
    let whole = best(head)?;
    if whole.share < SURE && head.len() > FIRST {
        let first = best(&head[..FIRST]).filter(|first| first.share >= SURE);
        return first.or(Some(whole));
    }
    Some(whole)
}

/// The file's size and time of writing, where it has them, and its bytes.
fn open(path: &Path) -> std::io::Result<(Option<u64>, Option<Timestamp>, compression::Opened)> {
    if path.as_os_str() == "-" {
        return Ok((None, now(), compression::open(Box::new(std::io::stdin()))?));
    }
    let file = File::open(path)?;
    let about = file.metadata()?;
    let written = about.modified().ok().and_then(moment);
    if !about.is_file() {
        return Ok((None, written, compression::open(Box::new(file))?));
    }
    // What is written behind this is for the next time: a log may grow faster than it is read.
    let size = about.len();
    Ok((Some(size), written, compression::open(Box::new(file.take(size)))?))
}

fn now() -> Option<Timestamp> {
    moment(std::time::SystemTime::now())
}

fn moment(time: std::time::SystemTime) -> Option<Timestamp> {
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp)
}

/// The beginning of what could not be recognised.
fn first_lines(head: &[u8]) -> Vec<UnreadLine> {
    let lines = head.split(|byte| *byte == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .take(3)
        .map(|(at, line)| UnreadLine { line: at as u64 + 1, text: printable(line, 120) })
        .collect()
}
