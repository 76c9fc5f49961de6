//! The checksums of other tools, computed as they do; a file that was checked out with other line
//! endings agrees all the same.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256, Sha384};

use crate::migration::Migration;

/// A checksum as a tool keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sum {
    /// It keeps none.
    #[default]
    None,
    /// sqlx: SHA-384 of the file, in hexadecimal.
    Sha384(String),
    /// Prisma, migrate-mongo: SHA-256 of the file, in hexadecimal.
    Sha256(String),
    /// Flyway: CRC-32 of the lines without what ends them.
    Crc32(i32),
    /// refinery: SipHash-1-3 of name, version and text.
    Refinery(String),
    /// Atlas: SHA-256 of all files up to this one, in base64.
    Atlas(String),
}

impl Sum {
    /// Whether it agrees with a file; `None` when there is nothing to compare.
    pub(super) fn agrees(&self, migration: &Migration, folder: &[Migration]) -> Option<bool> {
        let any = |fits: &dyn Fn(&str) -> bool| {
            Some(variants(&migration.text).iter().any(|text| fits(text)))
        };
        match self {
            Sum::None => None,
            Sum::Sha384(sum) => any(&|text| hex(&Sha384::digest(text)).eq_ignore_ascii_case(sum)),
            Sum::Sha256(sum) => any(&|text| hex(&Sha256::digest(text)).eq_ignore_ascii_case(sum)),
            Sum::Crc32(sum) => Some(lines_crc(&migration.text) == *sum),
            Sum::Refinery(sum) => any(&|text| refinery(migration, text).contains(sum)),
            Sum::Atlas(sum) => Some(atlas(migration, folder).iter().any(|own| own == sum)),
        }
    }
}

/// The text as it may have been checked out.
fn variants(text: &str) -> [String; 5] {
    let unix = text.replace("\r\n", "\n");
    let windows = unix.replace('\n', "\r\n");
    let marked = |text: &str| format!("\u{feff}{text}");
    [text.to_string(), marked(&unix), marked(&windows), unix, windows]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// CRC-32 (IEEE) of the lines.
fn lines_crc(text: &str) -> i32 {
    let mut crc = !0u32;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    (!crc).cast_signed()
}

/// The standard library's hasher is the SipHash-1-3 with keys of zero that refinery uses; which
/// width the version has depends on how refinery was built.
fn refinery(migration: &Migration, text: &str) -> [String; 2] {
    let file = super::file_name(migration);
    let name = file.split_once("__").map_or("", |(_, name)| name);
    let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let version: i64 =
        migration.version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0);
    let sum = |wide: bool| {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        match i32::try_from(version) {
            Ok(narrow) if !wide => narrow.hash(&mut hasher),
            _ => version.hash(&mut hasher),
        }
        text.hash(&mut hasher);
        hasher.finish().to_string()
    };
    [sum(false), sum(true)]
}

/// Atlas goes on with one hash over names and contents, file after file.
fn atlas(migration: &Migration, folder: &[Migration]) -> Vec<String> {
    let mut files: Vec<&Migration> = folder.iter().collect();
    files.sort_by_key(|file| super::file_name(file));
    let mut sums = Vec::new();
    for which in 0..3 {
        let mut hash = Sha256::new();
        for file in &files {
            hash.update(super::file_name(file));
            let unix = file.text.replace("\r\n", "\n");
            hash.update(match which {
                0 => file.text.clone(),
                1 => unix,
                _ => unix.replace('\n', "\r\n"),
            });
            if std::ptr::eq(*file, migration) {
                sums.push(base64(&hash.finalize()));
                break;
            }
        }
    }
    sums
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use marula_core::Engine;

    use super::*;

    fn file(name: &str, text: &str) -> Migration {
        let path = Path::new(name);
        crate::files::parse(path, text, crate::files::tool_of(path, text), Engine::Postgres)
            .unwrap()
    }

    #[test]
    fn checksums_are_the_tools_own_and_survive_line_endings() {
        // The check value of CRC-32, and the test vector of SHA-384.
        assert_eq!(lines_crc("1234\r\n56789\n"), 0xcbf4_3926_u32.cast_signed());
        assert_eq!(&hex(&Sha384::digest("abc"))[..16], "cb00753f45a35e8b");
        assert_eq!(base64(b"Man"), "TWFu");
        assert_eq!(base64(b"Ma"), "TWE=");
        assert_eq!(base64(b"M"), "TQ==");
        let unix = file("1_a.sql", "SELECT 1;\nSELECT 2;\n");
        let windows = file("1_a.sql", "SELECT 1;\r\nSELECT 2;\r\n");
        let sum = Sum::Sha384(hex(&Sha384::digest("SELECT 1;\nSELECT 2;\n")));
        for file in [&unix, &windows] {
            assert_eq!(sum.agrees(file, &[]), Some(true));
        }
        assert_eq!(sum.agrees(&file("1_a.sql", "SELECT 3;\n"), &[]), Some(false));
        assert_eq!(Sum::None.agrees(&unix, &[]), None);
    }
}
