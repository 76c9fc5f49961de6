use std::io::{self, Read};

use crate::Format;

/// Bytes of a chunk; it grows when an entry does not fit.
pub(crate) const CHUNK: usize = 2 << 20;
/// The longest entry; a longer one is cut anywhere.
const LONGEST: usize = 32 << 20;

/// A source's bytes, cut into chunks of whole entries.
pub(super) struct Chunks {
    reader: Box<dyn Read>,
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
    pub fn new(reader: Box<dyn Read>, size: usize) -> Self {
        Chunks { reader, size, rest: Vec::new(), offset: 0, ended: false, trouble: None }
    }

    /// The first bytes, to tell the format by. They are part of the first chunk.
    pub fn head(&mut self, length: usize) -> &[u8] {
        let mut head = std::mem::take(&mut self.rest);
        self.fill(&mut head, length);
        self.rest = head;
        &self.rest
    }

    /// Fills `buffer` with the next chunk; gives its place, or nothing at the end.
    pub fn next(&mut self, format: &dyn Format, buffer: &mut Vec<u8>) -> Option<u64> {
        buffer.clear();
        buffer.append(&mut self.rest);
        let mut wanted = self.size;
        loop {
            self.fill(buffer, wanted);
            if buffer.is_empty() {
                return None;
            }
            let cut = match () {
                () if self.ended => buffer.len(),
                () => format.cut(buffer).min(buffer.len()),
            };
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
