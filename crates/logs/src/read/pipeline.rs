use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use marula_core::{Progress, SourceRead, Timestamp, UnreadLine};

use super::chunks::Chunks;
use super::compression;
use crate::sum::Sum;
use crate::tally::{Scope, printable};
use crate::{Clue, Edges, Format, Guess, Place, Tally, detect};

/// Bytes a format is told by.
const HEAD: usize = 256 << 10;
/// Bytes that tell the format of a log that changes.
const FIRST: usize = 8 << 10;
/// The share of lines a format must fit to be taken for sure.
const SURE: f64 = 0.8;
/// The most threads that read: beyond that memory would not hold.
const THREADS: usize = 16;

/// What the reader sends, in order.
enum Event {
    /// A source begins.
    Source(Box<SourceRead>),
    /// Its next chunk.
    Chunk(Chunk),
    /// It has ended, perhaps too early.
    End { format: Arc<dyn Format>, trouble: Option<String> },
}

struct Chunk {
    format: Arc<dyn Format>,
    place: Place,
    bytes: Vec<u8>,
    /// Set once it is read.
    read: Option<Box<(Tally, Edges)>>,
}

/// Reads all files and adds them up, with `threads` readers.
pub(crate) fn run(
    files: &[PathBuf],
    prefix: Option<&str>,
    scope: &Arc<Scope>,
    threads: usize,
    chunk: usize,
    progress: &dyn Progress,
) -> Sum {
    let mut merger = Merger { sum: Sum::default(), open: None, scope: Arc::clone(scope) };
    let threads = threads.clamp(1, THREADS);
    if threads == 1 {
        let mut spare = Vec::new();
        read_all(files, prefix, chunk, progress, &mut |mut event| {
            read(&mut event, scope);
            merger.take(event, &mut |bytes| spare = bytes);
            std::mem::take(&mut spare)
        });
        return merger.sum;
    }
    let (jobs, to_read) = sync_channel::<(u64, Event)>(threads);
    let (done, to_merge) = channel::<(u64, Event)>();
    let (free, spare) = channel::<Vec<u8>>();
    for _ in 0..2 * threads + 2 {
        let _ = free.send(Vec::new());
    }
    let to_read = Mutex::new(to_read);
    std::thread::scope(|threads_of| {
        for _ in 0..threads {
            let done = done.clone();
            let to_read = &to_read;
            threads_of.spawn(move || work(to_read, &done, scope));
        }
        drop(done);
        let merged = threads_of.spawn(move || merge(&to_merge, &free, merger));
        feed(files, prefix, chunk, progress, &jobs, &spare);
        drop(jobs);
        match merged.join() {
            Ok(sum) => sum,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Numbers what is read and hands it to the workers.
fn feed(
    files: &[PathBuf],
    prefix: Option<&str>,
    chunk: usize,
    progress: &dyn Progress,
    jobs: &SyncSender<(u64, Event)>,
    spare: &Receiver<Vec<u8>>,
) {
    let mut number = 0;
    read_all(files, prefix, chunk, progress, &mut |event| {
        let is_chunk = matches!(event, Event::Chunk(_));
        let _ = jobs.send((number, event));
        number += 1;
        // Waits until a chunk is merged: so memory stays bounded however far ahead we could read.
        if is_chunk { spare.recv().unwrap_or_default() } else { Vec::new() }
    });
}

fn work(jobs: &Mutex<Receiver<(u64, Event)>>, done: &Sender<(u64, Event)>, scope: &Arc<Scope>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, mut event)) = job else { return };
        read(&mut event, scope);
        if done.send((number, event)).is_err() {
            return;
        }
    }
}

fn read(event: &mut Event, scope: &Arc<Scope>) {
    if let Event::Chunk(chunk) = event {
        let mut tally = Tally::new(Arc::clone(scope), chunk.place);
        let edges = chunk.format.read(&chunk.bytes, chunk.place, &mut tally);
        chunk.read = Some(Box::new((tally, edges)));
    }
}

/// Takes events in their order, whatever order they arrive in.
fn merge(done: &Receiver<(u64, Event)>, free: &Sender<Vec<u8>>, mut merger: Merger) -> Sum {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    while let Ok((number, event)) = done.recv() {
        waiting.insert(number, event);
        while let Some(event) = waiting.remove(&next) {
            merger.take(event, &mut |bytes| {
                let _ = free.send(bytes);
            });
            next += 1;
        }
    }
    merger.sum
}

struct Merger {
    sum: Sum,
    open: Edges,
    scope: Arc<Scope>,
}

impl Merger {
    fn take(&mut self, event: Event, free: &mut dyn FnMut(Vec<u8>)) {
        match event {
            Event::Source(read) => self.sum.begin_source(*read),
            Event::Chunk(chunk) => {
                if let Some((tally, edges)) = chunk.read.map(|read| *read) {
                    let mut seam = Tally::new(Arc::clone(&self.scope), chunk.place);
                    let open = self.open.take();
                    if open.is_some() || edges.is_some() {
                        self.open = chunk.format.stitch(open, edges, &mut seam);
                    }
                    self.sum.add_seam(seam);
                    self.sum.add_chunk(tally, chunk.place.offset, &chunk.bytes);
                }
                free(chunk.bytes);
            }
            Event::End { format, trouble } => {
                let open = self.open.take();
                if open.is_some() {
                    let mut seam = Tally::new(Arc::clone(&self.scope), Place::default());
                    format.finish(open, &mut seam);
                    self.sum.add_seam(seam);
                }
                if let Some(source) = self.sum.source() {
                    source.ended = trouble;
                }
            }
        }
    }
}

/// Reads the files one after the other. `send` takes an event and gives an empty buffer back.
fn read_all(
    files: &[PathBuf],
    prefix: Option<&str>,
    chunk: usize,
    progress: &dyn Progress,
    send: &mut dyn FnMut(Event) -> Vec<u8>,
) {
    let mut buffer = Vec::new();
    for (number, path) in (0u32..).zip(files) {
        let mut about = SourceRead { name: path.display().to_string(), ..SourceRead::default() };
        progress.step(&format!("reading {}", about.name));
        let (size, written, opened) = match open(path) {
            Ok(opened) => opened,
            Err(error) => {
                about.ended = Some(error.to_string());
                send(Event::Source(Box::new(about)));
                continue;
            }
        };
        about.compression = opened.compression.map(str::to_owned);
        let compressed = opened.compression.is_some();
        let mut chunks = Chunks::new(opened.reader, chunk);
        let head = chunks.head(HEAD);
        let guess = first_guess(head, prefix, written);
        let Some(mut format) = guess.map(|guess| guess.format) else {
            about.bytes = head.len() as u64;
            about.unread_samples = first_lines(head);
            // An empty file, or one of no known format, shows itself by having no format.
            about.ended = chunks.trouble.clone();
            send(Event::Source(Box::new(about)));
            continue;
        };
        about.format = Some(format.name().to_owned());
        about.engine = Some(format.engine());
        about.prefix = format.prefix();
        send(Event::Source(Box::new(about)));
        let mut done = 0;
        let mut before = Arc::clone(&format);
        let other = |bytes: &[u8]| {
            let head = &bytes[..bytes.len().min(HEAD)];
            let guess = first_guess(head, prefix, written)?;
            (guess.share >= SURE).then_some(guess.format)
        };
        while let Some(offset) = chunks.next(&mut format, &other, &mut buffer) {
            if !Arc::ptr_eq(&before, &format) {
                send(Event::End { format: before, trouble: None });
                before = Arc::clone(&format);
            }
            done += buffer.len() as u64;
            let place = Place { source: number, offset };
            let bytes = std::mem::take(&mut buffer);
            let format = Arc::clone(&format);
            buffer = send(Event::Chunk(Chunk { format, place, bytes, read: None }));
            if !compressed {
                progress.advance(done, size.unwrap_or(0).max(done));
            }
        }
        let shrunk = !compressed && chunks.trouble.is_none() && size.is_some_and(|s| done < s);
        let trouble = chunks
            .trouble
            .take()
            .or_else(|| shrunk.then(|| "the file became shorter while it was read".to_owned()));
        send(Event::End { format, trouble });
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
fn open(path: &PathBuf) -> std::io::Result<(Option<u64>, Option<Timestamp>, compression::Opened)> {
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
