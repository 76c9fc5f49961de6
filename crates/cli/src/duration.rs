//! Durations as people type them: `100ms`, `2s`, `1m`, `1.5h`.

use std::time::Duration;

/// Reads a duration with its unit; the error says how to write one.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let how =
        || format!("'{text}' is not a duration; write a number with ms, s, m or h: 100ms, 2s");
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(how)?;
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.parse().map_err(|_| how())?;
    let seconds = match unit.trim() {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" | "sec" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(how()),
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && seconds <= 30.0 * 86_400.0 => Ok(duration),
        _ => Err(format!("'{text}' is out of range; write a time above zero and below 30 days")),
    }
}

/// The same, and none at all: `0s`.
pub fn parse_or_none(text: &str) -> Result<Duration, String> {
    let zero = ["0", "0s", "0ms", "0m"].contains(&text.trim());
    if zero { Ok(Duration::ZERO) } else { parse(text) }
}

/// The same in milliseconds, as reports have it.
pub fn as_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit_and_never_without() {
        for (text, ms) in [("100ms", 100.0), ("2s", 2e3), ("1m", 6e4), ("1.5h", 5.4e6)] {
            assert_eq!(parse(text).map(as_ms), Ok(ms), "{text}");
        }
        for text in ["", "100", "s", "-1s", "1.2.3s", "1d", "0s", "99999999999h", "1e9s", "∞s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
