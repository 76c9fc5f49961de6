//! Whether the disk has room for what the lab is about to write.

use std::path::{Path, PathBuf};

use marula_core::{Error, ErrorKind, Result};

use crate::home;

/// Left free unless `MARULA_LAB_KEEP_FREE` says otherwise: others write on this disk, too.
const KEEP_FREE: u64 = 512 << 20;
/// A sample smaller than this tells nothing.
const LEAST_SAMPLE: u64 = 16 << 20;
/// A copy has indexes, is sorted for them, and is copied once more for what cannot be switched.
const TIMES: u64 = 3;

/// The disk under the lab's servers.
#[derive(Debug)]
pub(crate) struct Room {
    folder: PathBuf,
    /// Bytes that may be written.
    free: u64,
    kept: u64,
}

impl Room {
    /// Looks at the disk. `None` when its file system does not tell.
    pub(crate) fn look() -> Result<Option<Self>> {
        let kept = kept_free()?;
        let wanted = home::run();
        let there = wanted.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
        let Ok(about) = rustix::fs::statvfs(there) else { return Ok(None) };
        let free = about.f_bavail.saturating_mul(about.f_frsize);
        let free = free.saturating_sub(kept);
        Ok((about.f_blocks > 0).then(|| Room { folder: there.to_owned(), free, kept }))
    }

    /// Fails unless there is room for `needed` bytes of `what`.
    pub(crate) fn has(&self, needed: u64, what: &str) -> Result<()> {
        if needed <= self.free {
            return Ok(());
        }
        let (needed, free, kept) = (size(needed), size(self.free), size(self.kept));
        let message =
            format!("the disk has no room for {what}: it takes {needed}, and {free} may be used");
        Err(Error::new(ErrorKind::Lab, message)
            .at(self.folder.display().to_string())
            .hint("make room on this disk, or set MARULA_HOME to a folder on another one")
            .hint(format!("{kept} are left free for others; MARULA_LAB_KEEP_FREE changes that")))
    }

    /// How much of `total` bytes may be copied, when up to `limit` are wanted; with a note when
    /// the disk allows less than that.
    pub(crate) fn copy(&self, total: u64, limit: u64) -> Result<(u64, Option<String>)> {
        let wanted = total.min(limit);
        let fits = self.free / TIMES;
        if wanted <= fits {
            return Ok((limit, None));
        }
        if fits < LEAST_SAMPLE {
            return self.has(wanted.saturating_mul(TIMES), "a copy").map(|()| (limit, None));
        }
        let note = format!(
            "the disk under {} has room for a copy of {} only ({} may be used), so a sample of {} \
             was copied",
            self.folder.display(),
            size(fits),
            size(self.free),
            size(total)
        );
        Ok((fits, Some(note)))
    }
}

/// What is kept free for others.
fn kept_free() -> Result<u64> {
    const NAME: &str = "MARULA_LAB_KEEP_FREE";
    let Some(text) = std::env::var(NAME).ok().filter(|text| !text.trim().is_empty()) else {
        return Ok(KEEP_FREE);
    };
    parse(&text).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("'{text}' is not a size"))
            .at(format!("${NAME}"))
            .hint("write a number with M or G: 512M, 20G")
    })
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim().trim_end_matches(['B', 'b']);
    let unit = match text.chars().last()?.to_ascii_uppercase() {
        'M' => 1 << 20,
        'G' => 1 << 30,
        _ => return None,
    };
    text.get(..text.len() - 1)?.trim().parse::<u64>().ok()?.checked_mul(unit)
}

/// Bytes as people say them.
fn size(bytes: u64) -> String {
    let megabytes = bytes as f64 / f64::from(1 << 20);
    match megabytes {
        ..1.0 => format!("{} kB", bytes >> 10),
        ..1024.0 => format!("{megabytes:.0} MB"),
        _ => format!("{:.1} GB", megabytes / 1024.0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MB: u64 = 1 << 20;

    fn room(free: u64) -> Room {
        Room { folder: "/data".into(), free, kept: 512 * MB }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_folder_need_and_room() {
        room(600 * MB).has(600 * MB, "shop").unwrap();
        let error = room(600 * MB).has(2048 * MB, "shop").unwrap_err();
        assert_eq!(
            error.to_string(),
            "/data: the disk has no room for shop: it takes 2.0 GB, and 600 MB may be used"
        );
        assert!(error.hints()[1].starts_with("512 MB are left free"), "{:?}", error.hints());
    }

    #[test]
    fn a_copy_becomes_a_sample_when_the_disk_is_too_small() {
        let limit = 2048 * MB;
        assert_eq!(room(9000 * MB).copy(500 * MB, limit).unwrap(), (limit, None));
        // Small enough to be copied whole, whatever the limit.
        assert_eq!(room(30 * MB).copy(MB, limit).unwrap(), (limit, None));
        let (bytes, note) = room(300 * MB).copy(500 * MB, limit).unwrap();
        assert_eq!(bytes, 100 * MB);
        let note = note.unwrap();
        assert!(note.contains("/data has room for a copy of 100 MB only"), "{note}");
        let error = room(30 * MB).copy(500 * MB, limit).unwrap_err();
        assert!(error.message().contains("no room for a copy: it takes 1.5 GB, and 30 MB"));
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, bytes) in [("512M", Some(512 * MB)), ("20 GB", Some(20 << 30)), ("7", None)] {
            assert_eq!(parse(text), bytes, "{text}");
        }
        for text in ["", "G", "-1G", "99999999999999999999G", "18446744073709551615G", "µM"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
