//! What bounds us: reading the bytes at all, unpacking them, naming statements.

use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::Path;
use std::time::Instant;

use marula_core::Result;

use super::measure::{Figures, ours};

/// Tells the limits, each measured alone on one thread, and how near we are.
pub fn tell(log: &Path, bytes: f64, figures: &Figures, sql: bool) -> Result<()> {
    let mine = bytes / figures.one.clock;
    let mut pieces = vec![0; 1 << 20];
    let scan = quickest(|| {
        let mut file = File::open(log)?;
        let mut lines = 0;
        loop {
            let read = file.read(&mut pieces)?;
            if read == 0 {
                return Ok(lines);
            }
            lines += memchr::memchr_iter(b'\n', &pieces[..read]).count();
        }
    })?;
    println!(
        "  limit, memory: read from the page cache and its lines counted, {:.0} MB/s; we are at {:.0} %",
        bytes / scan,
        100.0 * mine / (bytes / scan)
    );
    let packed = log.with_extension("zst");
    zstd::stream::copy_encode(File::open(log)?, BufWriter::new(File::create(&packed)?), 3)?;
    let unpack = quickest(|| {
        Ok(std::io::copy(&mut zstd::Decoder::new(File::open(&packed)?)?, &mut std::io::sink())?)
    })?;
    let took = ours(&packed, 1)?;
    println!(
        "  limit, zstd: unpacked alone, {:.0} MB/s; unpacked and digested, {:.0} MB/s",
        bytes / unpack,
        bytes / took.clock
    );
    std::fs::remove_file(&packed)?;
    if sql {
        let all = std::fs::read(log)?;
        let texts: Vec<&[u8]> = all
            .split(|byte| *byte == b'\n')
            .filter_map(|line| {
                let at = memchr::memmem::find(line, b" ms  statement: ")?;
                Some(&line[at + 16..])
            })
            .collect();
        let size: usize = texts.iter().map(|text| text.len()).sum();
        let keys =
            quickest(|| Ok(texts.iter().fold(0, |sum, text| sum ^ marula_logs::sql_key(text))))?;
        println!(
            "  limit, fingerprints: of the {:.0} MB of statements alone, {:.0} MB/s: {:.0} % of our time",
            size as f64 / 1e6,
            size as f64 / 1e6 / keys,
            100.0 * keys / figures.one.clock
        );
    }
    Ok(())
}

/// The seconds of the quickest of three.
fn quickest<T>(mut work: impl FnMut() -> Result<T>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        std::hint::black_box(work()?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}
