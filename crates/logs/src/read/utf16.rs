use std::io::{self, Read};

/// Bytes taken at a time.
const PIECE: usize = 64 << 10;

/// UTF-16 with a byte order mark as UTF-8: what PowerShell writes into a file.
pub(super) struct Utf16<R> {
    source: R,
    little: bool,
    /// What was read and not yet taken apart: an odd byte, or half a pair.
    rest: Vec<u8>,
    /// What is ready, and how much of it was given.
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    /// `source` stands behind the mark.
    pub fn new(source: R, little: bool) -> Self {
        Utf16 { source, little, rest: Vec::new(), ready: Vec::new(), given: 0, ended: false }
    }

    fn more(&mut self) -> io::Result<()> {
        let have = self.rest.len();
        self.rest.resize(have + PIECE, 0);
        let read = self.source.read(&mut self.rest[have..]);
        self.rest.truncate(have + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        let (pairs, odd) = self.rest.as_chunks::<2>();
        let mut units: Vec<u16> =
            pairs
                .iter()
                .map(|pair| {
                    if self.little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) }
                })
                .collect();
        let mut rest = odd.to_vec();
        // The first half of a pair waits for the second.
        if !self.ended && matches!(units.last(), Some(0xd800..=0xdbff)) {
            units.pop();
            rest = [pairs.last().map_or(&[][..], |pair| pair), &rest].concat();
        }
        self.ready = String::from_utf16_lossy(&units).into_bytes();
        self.given = 0;
        self.rest = if self.ended { Vec::new() } else { rest };
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && !self.ended {
            self.more()?;
        }
        let length = buffer.len().min(self.ready.len() - self.given);
        buffer[..length].copy_from_slice(&self.ready[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}
