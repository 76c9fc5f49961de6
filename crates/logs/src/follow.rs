use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use marula_core::{Digest, Error, ErrorKind, Result, SourceRead, Timestamp};

use crate::{Clue, Collector, Format, Place, Request, detect, read};

/// Bytes a format is told by.
const HEAD: u64 = 256 << 10;
/// The most that is kept of one file; a faster log is digested over a shorter stretch.
const KEPT: usize = 32 << 20;
/// The most that is read of one file at once; a burst is caught up with step by step.
const STEP: u64 = 8 << 20;

/// Logs that grow, digested over the last stretch of time as often as one asks.
pub struct Follow {
    request: Request,
    window: Duration,
    tails: Vec<Tail>,
}

/// One file's end.
struct Tail {
    path: PathBuf,
    /// The file itself, whatever its name is by now: a rotated log is read to its end.
    file: Option<File>,
    format: Option<Arc<dyn Format>>,
    /// What was read ends here.
    offset: u64,
    /// Whole entries, with when they were read.
    recent: VecDeque<(Instant, Vec<u8>)>,
    /// An entry that may go on.
    open: Vec<u8>,
    trouble: Option<String>,
}

impl Follow {
    /// Begins at the files' ends. `window` is how far a digest looks back.
    ///
    /// # Errors
    /// `NotFound` or `Io` when an input is not there; `Usage` for standard input.
    pub fn begin(request: &Request, window: Duration) -> Result<Self> {
        if request.inputs.iter().any(|input| input.as_os_str() == "-") {
            return Err(Error::new(ErrorKind::Usage, "standard input cannot be followed")
                .hint("name the log file with --follow"));
        }
        let tails = read::expand(&request.inputs)?.into_iter().map(Tail::begin).collect();
        Ok(Follow { request: request.clone(), window, tails })
    }

    /// Follows a further file from its beginning: the log went on in it.
    pub fn add(&mut self, path: PathBuf) {
        self.tails.push(Tail { offset: 0, ..Tail::begin(path) });
    }

    /// Reads what was added since the last call and digests the last stretch.
    pub fn poll(&mut self) -> Digest {
        let now = Instant::now();
        let mut collector = Collector::new(&self.request);
        for tail in &mut self.tails {
            tail.trouble = tail.read(now, self.request.prefix.as_deref()).err();
            tail.forget(now, self.window);
            let format = tail.format.clone();
            collector.source(tail.source(), |tally| {
                let Some(format) = format else { return };
                let mut open = None;
                let mut place = Place::default();
                for (_, chunk) in &tail.recent {
                    let edges = format.read(chunk, place, tally);
                    open = format.stitch(open, edges, tally);
                    place.offset += chunk.len() as u64;
                }
                format.finish(open, tally);
            });
        }
        collector.finish(&self.request)
    }
}

impl Tail {
    fn begin(path: PathBuf) -> Self {
        let file = File::open(&path).ok();
        let about = file.as_ref().and_then(|file| file.metadata().ok());
        let offset = about.map_or(0, |about| about.len());
        Tail {
            path,
            file,
            format: None,
            offset,
            recent: VecDeque::new(),
            open: Vec::new(),
            trouble: None,
        }
    }

    fn source(&self) -> SourceRead {
        SourceRead {
            name: self.path.display().to_string(),
            format: self.format.as_ref().map(|format| format.name().to_owned()),
            engine: self.format.as_ref().map(|format| format.engine()),
            prefix: self.format.as_ref().and_then(|format| format.prefix()),
            bytes: self.recent.iter().map(|(_, chunk)| chunk.len() as u64).sum(),
            ended: self.trouble.clone(),
            ..SourceRead::default()
        }
    }

    /// Takes what was added. A file that became shorter was emptied and begins anew; one of which
    /// the name stands for another file now was rotated: its rest is read, and then the new one.
    fn read(&mut self, now: Instant, prefix: Option<&str>) -> std::result::Result<(), String> {
        let told = |error: std::io::Error| error.to_string();
        let named = match File::open(&self.path) {
            Ok(named) => named,
            Err(error) => {
                // Renamed, and the next one is not there yet.
                self.take(now, prefix).map_err(told)?;
                return Err(told(error));
            }
        };
        let new = named.metadata().map_err(told)?;
        let old = self.file.as_ref().and_then(|file| file.metadata().ok());
        if old.is_none_or(|old| !is_same(&old, &new)) {
            // An empty log of a format not known yet is told by its name's file.
            self.take(now, prefix).map_err(told)?;
            close(&mut self.open, &mut self.recent, now);
            self.file = Some(named);
            self.offset = 0;
        }
        self.take(now, prefix).map_err(told)
    }

    /// Takes what was added to the file that is open.
    fn take(&mut self, now: Instant, prefix: Option<&str>) -> std::io::Result<()> {
        let Some(mut file) = self.file.as_ref() else { return Ok(()) };
        let size = file.metadata()?.len();
        if size < self.offset {
            self.offset = 0;
            close(&mut self.open, &mut self.recent, now);
        }
        if self.format.is_none() {
            self.format = recognised(file, prefix);
        }
        let Some(format) = self.format.clone() else { return Ok(()) };
        if size == self.offset {
            // Written whole and quiet since: the last entry of a log that goes on elsewhere.
            if self.open.ends_with(b"\n") {
                close(&mut self.open, &mut self.recent, now);
            }
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let read = file.take(STEP).read_to_end(&mut self.open)?;
        self.offset += read as u64;
        let whole = format.cut(&self.open).min(self.open.len());
        if whole > 0 {
            let rest = self.open.split_off(whole);
            self.recent.push_back((now, std::mem::replace(&mut self.open, rest)));
        } else if self.open.len() > KEPT {
            self.open.clear();
        }
        Ok(())
    }

    fn forget(&mut self, now: Instant, window: Duration) {
        let mut bytes: usize = self.recent.iter().map(|(_, chunk)| chunk.len()).sum();
        while let Some((at, chunk)) = self.recent.front() {
            if now.duration_since(*at) <= window && bytes <= KEPT {
                break;
            }
            bytes -= chunk.len();
            self.recent.pop_front();
        }
    }
}

/// Takes an entry that might have gone on as it is.
fn close(open: &mut Vec<u8>, recent: &mut VecDeque<(Instant, Vec<u8>)>, now: Instant) {
    if !open.is_empty() {
        recent.push_back((now, std::mem::take(open)));
    }
}

/// Whether both are of one file.
#[cfg(unix)]
fn is_same(old: &Metadata, new: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (old.dev(), old.ino()) == (new.dev(), new.ino())
}

/// Elsewhere only a file that became shorter shows that it is another.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// The format a file's beginning is of; nothing for one that is still empty.
fn recognised(mut file: &File, prefix: Option<&str>) -> Option<Arc<dyn Format>> {
    let written = file.metadata().and_then(|about| about.modified()).ok();
    let written = written
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .map(Timestamp);
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(HEAD).read_to_end(&mut head).ok()?;
    detect(&Clue { head: &head, prefix, written }).into_iter().next().map(|guess| guess.format)
}
