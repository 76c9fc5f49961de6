use marula_core::Timestamp;

/// Reads `2026-01-02 03:04:05[.678][ UTC]` (or with a `T`, and any offset) at the beginning of
/// `text`; gives the moment and how many bytes it took. A zone without a known offset is UTC.
pub(super) fn timestamp(text: &[u8]) -> Option<(Timestamp, usize)> {
    let (local, mut end) = local(text)?;
    let mut offset = 0;
    let zone = match text.get(end) {
        Some(b' ') => end + 1,
        _ => end,
    };
    match text.get(zone) {
        Some(b'+' | b'-') => {
            if let Some((seconds, length)) = numeric(&text[zone..]) {
                offset = seconds;
                end = zone + length;
            }
        }
        Some(b'Z') if !text.get(zone + 1).is_some_and(u8::is_ascii_alphanumeric) => end = zone + 1,
        Some(b'A'..=b'Z') if zone > end => {
            let length = text[zone..].iter().take_while(|b| b.is_ascii_uppercase()).count();
            let behind = text.get(zone + length);
            if (2..=5).contains(&length)
                && !behind.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
            {
                offset = zone_seconds(&text[zone..zone + length]);
                end = zone + length;
            }
        }
        _ => {}
    }
    Some((Timestamp(local.0 - offset * 1000), end))
}

/// Date and time without a zone.
fn local(text: &[u8]) -> Option<(Timestamp, usize)> {
    let head = text.get(..19)?;
    let two = |at: usize| -> Option<i64> {
        let (tens, ones) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
    };
    let signs = head[4] == b'-' && head[7] == b'-' && head[13] == b':' && head[16] == b':';
    if !signs || !matches!(head[10], b' ' | b'T') {
        return None;
    }
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 24
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut ms = ((hour * 60 + minute) * 60 + second) * 1000;
    let mut end = 19;
    if let Some(b'.' | b',') = text.get(19) {
        let digits = text[20..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            for (digit, worth) in text[20..20 + digits].iter().zip([100, 10, 1]) {
                ms += i64::from(digit - b'0') * worth;
            }
            end = 20 + digits;
        }
    }
    Some((Timestamp::from_civil(year, month, day, ms), end))
}

/// `+02`, `-0330`, `+05:30`: seconds and length.
fn numeric(text: &[u8]) -> Option<(i64, usize)> {
    let digit =
        |at: usize| text.get(at).filter(|b| b.is_ascii_digit()).map(|b| i64::from(b - b'0'));
    let mut seconds = (digit(1)? * 10 + digit(2)?) * 3600;
    let mut length = 3;
    let minutes = if text.get(3) == Some(&b':') { 4 } else { 3 };
    if let (Some(tens), Some(ones)) = (digit(minutes), digit(minutes + 1)) {
        seconds += (tens * 10 + ones) * 60;
        length = minutes + 2;
    }
    Some((if text[0] == b'-' { -seconds } else { seconds }, length))
}

/// Seconds east of Greenwich of the abbreviations PostgreSQL writes most; 0 for others.
fn zone_seconds(name: &[u8]) -> i64 {
    let quarters = match name {
        b"CET" | b"BST" | b"WEST" | b"WAT" | b"MEZ" => 4,
        b"CEST" | b"EET" | b"SAST" | b"CAT" | b"MESZ" => 8,
        b"EEST" | b"MSK" | b"EAT" | b"TRT" => 12,
        b"MSD" | b"GST" => 16,
        b"PKT" => 20,
        b"IST" => 22,
        b"ICT" | b"WIB" => 28,
        b"HKT" | b"SGT" | b"AWST" | b"PHT" => 32,
        b"JST" | b"KST" => 36,
        b"ACST" => 38,
        b"AEST" => 40,
        b"ACDT" => 42,
        b"AEDT" => 44,
        b"NZST" => 48,
        b"NZDT" => 52,
        b"NST" => -14,
        b"NDT" => -10,
        b"BRT" | b"ART" | b"ADT" => -12,
        b"AST" | b"EDT" => -16,
        b"EST" | b"CDT" => -20,
        b"CST" | b"MDT" => -24,
        b"MST" | b"PDT" => -28,
        b"PST" | b"AKDT" => -32,
        b"AKST" => -36,
        b"HST" => -40,
        _ => 0,
    };
    quarters * 900
}

/// Seconds since 1970 with a fraction, as `%n` writes them.
pub(super) fn epoch(text: &[u8]) -> Option<(Timestamp, usize)> {
    let whole = text.iter().take(12).take_while(|b| b.is_ascii_digit()).count();
    if whole < 9 {
        return None;
    }
    let mut ms = text[..whole].iter().fold(0i64, |sum, b| sum * 10 + i64::from(b - b'0')) * 1000;
    let mut end = whole;
    if text.get(whole) == Some(&b'.') {
        let digits = text[whole + 1..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
        for (digit, worth) in text[whole + 1..whole + 1 + digits].iter().zip([100, 10, 1]) {
            ms += i64::from(digit - b'0') * worth;
        }
        end = whole + 1 + digits;
    }
    Some((Timestamp(ms), end))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn moments_with_zones() {
        let noon: Timestamp = "2026-03-01T12:00:00.250Z".parse().unwrap();
        for text in [
            "2026-03-01 12:00:00.250 UTC [1]",
            "2026-03-01 13:00:00.250 CET:",
            "2026-03-01T12:00:00.250Z x",
            "2026-03-01 07:00:00.250 EST",
            "2026-03-01 17:30:00.250 +0530 ",
            "2026-03-01 12:00:00,250",
            "2026-03-01T14:00:00.250000+02:00 host",
        ] {
            assert_eq!(timestamp(text.as_bytes()).map(|t| t.0), Some(noon), "{text}");
        }
        assert_eq!(timestamp(b"2026-03-01 12:00:00 LOG_x").unwrap().1, 19);
        assert_eq!(epoch(b"1772366400.250 x"), Some((noon, 14)));
        for text in ["", "2026-03-01", "2026-13-01 00:00:00", "äöüäöüäöüäöüä", "2026-03-01 12:00:0"]
        {
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
        }
    }
}
