use std::io::{self, Read};
use std::sync::Arc;

use crate::Format;

/// Bytes of a chunk; it grows when an entry does not fit.
pub(crate) const CHUNK: usize = 2 << 20;
/// Bytes without an entry after which the log may be of another format from there on, and behind
/// the last entry of a source.
const STRANGE: usize = 64 << 10;
const LAST_ENTRY: usize = 4 << 10;
/// The longest entry; a longer one is cut anywhere.
const LONGEST: usize = 32 << 20;

/// Tells the format of bytes.
pub(super) type Detect<'a> = dyn Fn(&[u8]) -> Option<Arc<dyn Format>> + 'a;

/// A source's bytes, cut into chunks of whole entries.
pub(super) struct Chunks {
    reader: Box<dyn Read + Send>,
    /// Bytes of a chunk.
    size: usize,
    /// What was read behind the last cut.
    rest: Vec<u8>,
    /// Where the next chunk begins.
    offset: u64,
    ended: bool,
    /// Why it ended before its end.
    pub trouble: Option<String>,
}

impl Chunks {
    pub fn new(reader: Box<dyn Read + Send>, size: usize) -> Self {
        Chunks { reader, size, rest: Vec::new(), offset: 0, ended: false, trouble: None }
    }

    /// The first bytes, to tell the format by. They are part of the first chunk.
    pub fn head(&mut self, length: usize) -> &[u8] {
        let mut head = std::mem::take(&mut self.rest);
        self.fill(&mut head, length);
        self.rest = head;
        &self.rest
    }

    /// Fills `buffer` with the next chunk; gives its place, or nothing at the end. `format` changes
    /// where the log does (a server restarted with another prefix): `detect` tells into what.
    pub fn next(
        &mut self,
        format: &mut Arc<dyn Format>,
        detect: &Detect<'_>,
        buffer: &mut Vec<u8>,
    ) -> Option<u64> {
        buffer.clear();
        buffer.append(&mut self.rest);
        let mut wanted = self.size;
        loop {
            self.fill(buffer, wanted);
            if buffer.is_empty() {
                return None;
            }
            if buffer.len() > LAST_ENTRY
                && format.cut(&buffer[..buffer.len().min(STRANGE)]) == 0
                && let Some(other) = detect(buffer)
                && (other.name(), other.prefix()) != (format.name(), format.prefix())
            {
                *format = other;
            }
            let cut = format.cut(buffer).min(buffer.len());
            // The last entry may go on for as long as there is something to read.
            let rest = buffer.len() - cut;
            let cut =
                if self.ended && (rest <= LAST_ENTRY || cut == 0) { buffer.len() } else { cut };
            if cut > 0 || buffer.len() >= LONGEST {
                let cut = if cut == 0 { buffer.len() } else { cut };
                self.rest.extend_from_slice(&buffer[cut..]);
                buffer.truncate(cut);
                let offset = self.offset;
                self.offset += cut as u64;
                return Some(offset);
            }
            wanted = (buffer.len() * 2).min(LONGEST);
        }
    }

    /// Reads until `buffer` holds `wanted` bytes or the source ends.
    fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) {
        while !self.ended && buffer.len() < wanted {
            let have = buffer.len();
            buffer.resize(wanted, 0);
            let read = self.reader.read(&mut buffer[have..]);
            match read {
                Ok(0) => self.ended = true,
                Ok(more) => {
                    buffer.truncate(have + more);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.trouble = Some(error.to_string());
                }
            }
            buffer.truncate(have);
        }
    }
}
