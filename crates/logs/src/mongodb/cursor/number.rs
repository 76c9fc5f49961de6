use super::{Cursor, Json};

/// A number's value; a fraction is cut off. `None` when it is no number or negative.
#[inline]
pub fn number(raw: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (place, &byte) in raw.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
            }
            b'.' if place > 0 => break,
            _ => return None,
        }
    }
    (!raw.is_empty()).then_some(value)
}

/// The same, where mongoexport and mongosh may write `{"$numberLong": "5"}`.
pub fn number_of(raw: &[u8]) -> Option<u64> {
    match raw.first() {
        Some(b'{') => {
            let mut cursor = Cursor::new(raw, Json);
            cursor.eat(b'{');
            cursor.key()?;
            number(cursor.string())
        }
        _ => number(raw),
    }
}
