//! What texts look like that were meant to be something else.

/// What all of some texts look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// `550e8400-e29b-41d4-a716-446655440000`.
    Uuid,
    /// 24 hexadecimal digits.
    ObjectId,
    /// `2026-01-31T10:00:00Z`.
    Timestamp,
    /// `2026-01-31`.
    Date,
    /// `12.50`; not `007` or `+49…`, which are codes.
    Number,
    /// `Y`, `no`, `true`.
    Boolean,
    /// `a,b,c`: several values in one.
    List,
    /// An object or array in JSON.
    Json,
}

/// Fewer distinct values say nothing about the others; a boolean has no more than two.
const ENOUGH: usize = 5;

/// What they all look like, empty ones aside.
pub fn looks<'v>(values: impl IntoIterator<Item = &'v str>) -> Option<Looks> {
    let values: Vec<&str> =
        values.into_iter().map(str::trim).filter(|value| !value.is_empty()).collect();
    let all = |is: fn(&str) -> bool| values.iter().all(|value| is(value));
    if values.len() >= 2 && is_boolean(&values) {
        return Some(Looks::Boolean);
    }
    if values.len() < ENOUGH {
        return None;
    }
    [
        (Looks::Uuid, is_uuid as fn(&str) -> bool),
        (Looks::ObjectId, is_object_id),
        (Looks::Timestamp, is_timestamp),
        (Looks::Date, is_date),
        (Looks::Number, is_number),
        (Looks::Json, is_json),
    ]
    .into_iter()
    .find(|(_, is)| all(*is))
    .map(|(found, _)| found)
    .or_else(|| is_list(&values).then_some(Looks::List))
}

pub(crate) fn is_boolean(values: &[&str]) -> bool {
    const PAIRS: [[&str; 2]; 6] =
        [["y", "n"], ["yes", "no"], ["t", "f"], ["true", "false"], ["on", "off"], ["0", "1"]];
    let lower: Vec<String> = values.iter().map(|value| value.to_lowercase()).collect();
    PAIRS.iter().any(|pair| {
        lower.iter().all(|value| pair.contains(&value.as_str()))
            && pair.iter().all(|word| lower.iter().any(|value| value == word))
    })
}

pub(crate) fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

pub(crate) fn is_object_id(value: &str) -> bool {
    // A number of 24 digits is a number.
    value.len() == 24
        && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

pub(crate) fn is_date(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let within = |text: &str, most: u32| {
        text.len() == 2 && text.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number))
    };
    year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && within(month, 12)
        && within(day, 31)
}

pub(crate) fn is_timestamp(value: &str) -> bool {
    let Some((date, time)) = value.split_once(['T', ' ']) else { return false };
    let mut parts = time.split(':');
    let two = |part: Option<&str>| {
        part.is_some_and(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
    };
    is_date(date) && two(parts.next()) && two(parts.next().and_then(|part| part.get(..2)))
}

pub(crate) fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain(whole) && plain(fraction) && (whole == "0" || !whole.starts_with('0'))
}

pub(crate) fn is_json(value: &str) -> bool {
    (value.starts_with('{') || value.starts_with('['))
        && serde_json::from_str::<serde_json::Value>(value).is_ok()
}

/// Short values with one separator in nearly all of them, and no spaces but behind it.
fn is_list(values: &[&str]) -> bool {
    [',', ';', '|'].into_iter().any(|separator| {
        let lists = values.iter().filter(|value| {
            let parts: Vec<&str> = value.split(separator).map(str::trim).collect();
            parts.len() > 1
                && parts.iter().all(|part| {
                    !part.is_empty() && part.len() <= 40 && !part.contains(char::is_whitespace)
                })
        });
        lists.count() * 10 >= values.len() * 8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_by_their_looks() {
        for (values, expected) in [
            (vec!["Y", "N", "y"], Some(Looks::Boolean)),
            (vec!["Y"], None),
            (
                vec!["2024-01-02", "2024-12-31", "1999-05-05", "2000-01-01", "2001-01-01"],
                Some(Looks::Date),
            ),
            (
                vec![
                    "2024-01-02T10:00:00Z",
                    "2024-12-31 10:00",
                    "1999-05-05 01:02:03+02",
                    "2000-01-01T00:00:00.123Z",
                    "2001-01-01 10:00",
                ],
                Some(Looks::Timestamp),
            ),
            (vec!["1", "2.5", "-3", "400", "0.1"], Some(Looks::Number)),
            (vec!["007", "1", "2", "3", "4"], None),
            (vec!["a,b", "c,d,e", "a,c", "b,d", "c,e"], Some(Looks::List)),
            (vec!["Hello, world", "One, two and three", "a, b c", "x y, z", "k l, m n"], None),
            (vec!["{\"a\":1}", "[1]", "{}", "[]", "{\"b\":2}"], Some(Looks::Json)),
            (vec!["paid", "open", "late", "new", "gone"], None),
            (vec![], None),
        ] {
            assert_eq!(looks(values.iter().copied()), expected, "{values:?}");
        }
        let ids = ["64b7f0c2a1b2c3d4e5f60718"; 5];
        assert_eq!(looks(ids), Some(Looks::ObjectId));
        assert_eq!(looks(["550e8400-e29b-41d4-a716-446655440000"; 5]), Some(Looks::Uuid));
    }
}
