use std::io::{self, BufReader, Cursor, Read};

use super::utf16::Utf16;

/// A source's bytes, decompressed.
pub(super) struct Opened {
    /// The compression's name.
    pub compression: Option<&'static str>,
    /// The bytes.
    pub reader: Box<dyn Read + Send>,
}

/// Bytes read from a compressed file at a time.
const COMPRESSED: usize = 256 << 10;
/// Memory an xz stream may ask for.
const XZ_MEMORY: u64 = 100 << 20;

/// Looks at the first bytes and puts the decompression in front that they call for.
///
/// # Errors
/// When the first bytes cannot be read, or the compression is not known.
pub(super) fn open(mut source: Box<dyn Read + Send>) -> io::Result<Opened> {
    let mut magic = [0; 6];
    let mut have = 0;
    while have < magic.len() {
        match source.read(&mut magic[have..]) {
            Ok(0) => break,
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let whole = Cursor::new(magic[..have].to_vec()).chain(source);
    let buffered = |whole| BufReader::with_capacity(COMPRESSED, whole);
    Ok(match &magic[..have] {
        [0x1f, 0x8b, ..] => Opened {
            compression: Some("gzip"),
            reader: Box::new(flate2::bufread::MultiGzDecoder::new(buffered(whole))),
        },
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(whole))?;
            // 64 MB: more than any level uses without --long.
            decoder.window_log_max(26)?;
            Opened { compression: Some("zstd"), reader: Box::new(decoder) }
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                XZ_MEMORY,
                liblzma::stream::CONCATENATED,
            )
            .map_err(io::Error::other)?;
            Opened {
                compression: Some("xz"),
                reader: Box::new(liblzma::bufread::XzDecoder::new_stream(buffered(whole), stream)),
            }
        }
        [b'B', b'Z', b'h', ..] => return Err(unknown("bzip2", "bzcat")),
        [b'P', b'K', 3, 4, ..] => return Err(unknown("zip", "unzip -p")),
        _ => Opened { compression: None, reader: Box::new(whole) },
    })
}

/// Takes a byte order mark off, and makes UTF-8 of UTF-16. Others are left as they are.
///
/// # Errors
/// When the first bytes cannot be read.
pub(super) fn decoded(opened: Opened) -> io::Result<(Opened, bool)> {
    let Opened { compression, mut reader } = opened;
    let mut mark = [0; 3];
    let mut have = 0;
    while have < mark.len() {
        match reader.read(&mut mark[have..]) {
            Ok(0) => break,
            Ok(more) => have += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Where the damage is, the reader will tell.
            Err(error) if have == 0 => return Err(error),
            Err(_) => break,
        }
    }
    let behind = |from: usize, reader| Cursor::new(mark[from..have].to_vec()).chain(reader);
    let (reader, wide): (Box<dyn Read + Send>, bool) = match &mark[..have] {
        [0xff, 0xfe, ..] => (Box::new(Utf16::new(behind(2, reader), true)), true),
        [0xfe, 0xff, ..] => (Box::new(Utf16::new(behind(2, reader), false)), true),
        [0xef, 0xbb, 0xbf] => (Box::new(behind(3, reader)), true),
        _ => (Box::new(behind(0, reader)), false),
    };
    Ok((Opened { compression, reader }, wide))
}

fn unknown(name: &str, tool: &str) -> io::Error {
    io::Error::other(format!("{name} is not read: pipe `{tool}` into standard input"))
}
