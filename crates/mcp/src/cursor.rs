//! Where the next page begins. A cursor belongs to the arguments it was given for: with others it
//! is refused rather than misunderstood.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use marula_core::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

/// The cursor of the page that begins at `offset`.
pub fn encode(offset: u64, question: &str) -> String {
    let mut bytes = offset.to_be_bytes().to_vec();
    bytes.extend(name(question));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where the page begins; without a cursor at the beginning.
///
/// # Errors
/// `Usage` when it is none, or one of another question.
pub fn decode(cursor: Option<&str>, question: &str) -> Result<u64> {
    let Some(cursor) = cursor else { return Ok(0) };
    let wrong = |what: &str| {
        Err(Error::new(ErrorKind::Usage, what.to_string())
            .hint("give the cursor of the last answer with the same other arguments, or none"))
    };
    let bytes = match URL_SAFE_NO_PAD.decode(cursor) {
        Ok(bytes) if bytes.len() == 16 => bytes,
        _ => return wrong("this is no cursor"),
    };
    let (offset, of) = bytes.split_at(8);
    if of != name(question) {
        return wrong("the cursor belongs to another question");
    }
    Ok(u64::from_be_bytes(offset.try_into().unwrap_or_default()))
}

fn name(question: &str) -> [u8; 8] {
    let digest = Sha256::digest(question.as_bytes());
    let mut name = [0; 8];
    name.copy_from_slice(&digest[..8]);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_its_page_of_its_question_only() {
        let cursor = encode(70, "describe shop");
        assert_eq!(decode(Some(&cursor), "describe shop").ok(), Some(70));
        assert_eq!(decode(None, "anything").ok(), Some(0));
        for (cursor, question) in
            [(cursor.as_str(), "describe prod"), ("70", "describe shop"), ("", "describe shop")]
        {
            let error = decode(Some(cursor), question).err();
            assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Usage), "{cursor}");
        }
    }
}
