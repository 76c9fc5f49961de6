//! Numbers for people: three figures are enough, and the unit says the size.

pub use marula_core::grouped;

/// `0.042 ms`, `4.2 ms`, `412 ms`, `9.84 s`, `2 min 5 s`.
pub fn duration(ms: f64) -> String {
    if !ms.is_finite() || ms < 0.0 {
        return "?".into();
    }
    // The bounds are where rounding would show four figures.
    if ms < 0.0005 {
        "0 ms".into()
    } else if ms < 9.95 {
        format!("{} ms", figures(ms, 2))
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else if ms < 59_950.0 {
        format!("{} s", figures(ms / 1e3, 3))
    } else if ms < 3_599_500.0 {
        let seconds = (ms / 1e3).round() as u64;
        match seconds % 60 {
            0 => format!("{} min", seconds / 60),
            rest => format!("{} min {rest} s", seconds / 60),
        }
    } else {
        let minutes = (ms / 6e4).round() as u64;
        format!("{} h {} min", grouped(minutes / 60), minutes % 60)
    }
}

/// A whole number grouped, a broken one with as many places as it needs.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    if size >= 1e18 {
        format!("{value:.3e}")
    } else if size >= 100.0 || size.fract() == 0.0 {
        format!("{sign}{}", grouped(size.round() as u64))
    } else {
        format!("{sign}{}", figures(size, 3))
    }
}

/// `950`, `12.5 k`, `1.3 M`: for headlines.
pub fn short(number: u64) -> String {
    let size = number as f64;
    match size {
        s if s < 9_995.0 => grouped(number),
        s if s < 999_500.0 => format!("{} k", figures(s / 1e3, 3)),
        s if s < 999_500_000.0 => format!("{} M", figures(s / 1e6, 2.max(digits(s / 1e6)))),
        s => format!("{} G", figures(s / 1e9, 2.max(digits(s / 1e9)))),
    }
}

/// `8 kB`, `21.4 MB`: powers of 1024 as both servers' own tools print them.
pub fn bytes(number: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut size = number as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{number} bytes")
    } else {
        format!("{} {}", figures(size, 3), units[unit])
    }
}

/// `240×`, `8.2×`, `1.07×`.
pub fn times(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "?×".into();
    }
    match ratio {
        r if r >= 99.5 => format!("{}×", grouped(r.round() as u64)),
        r if r >= 9.95 => format!("{r:.0}×"),
        r => format!("{}×", figures(r, 2)),
    }
}

/// `78 %`, `0.4 %`, `99.8 %`: what is not all is not called 100 %, nor what is not nothing 0 %.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent != 0.0 && percent.abs() < 0.95 {
        match percent.abs() {
            size if size < 1e-6 => "<0.000001 %".into(),
            _ => format!("{} %", figures(percent, 1)),
        }
    } else if (99.5..100.0).contains(&percent) {
        match percent {
            p if p < 99.95 => format!("{p:.1} %"),
            _ => ">99.9 %".into(),
        }
    } else {
        format!("{percent:.0} %")
    }
}

/// The same in five columns, without a fraction above 1 %.
pub fn narrow_percent(share: f64) -> String {
    let percent = share * 100.0;
    if (99.0..100.0).contains(&percent) { "99 %".into() } else { self::percent(share) }
}

/// `value` with that many significant figures, without trailing zeros after the point.
fn figures(value: f64, figures: usize) -> String {
    let before = if value >= 1.0 { digits(value) as i32 } else { 1 - leading_zeros(value) };
    let places = (figures as i32 - before).max(0) as usize;
    let text = format!("{value:.places$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn digits(value: f64) -> usize {
    if value < 10.0 { 1 } else { value.log10().floor() as usize + 1 }
}

fn leading_zeros(value: f64) -> i32 {
    if value <= 0.0 { 0 } else { (-value.log10()).ceil().clamp(0.0, 12.0) as i32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (ms, shown) in [
            (0.0, "0 ms"),
            (0.042, "0.042 ms"),
            (4.23, "4.2 ms"),
            (9.96, "10 ms"),
            (412.4, "412 ms"),
            (999.7, "1 s"),
            (9840.0, "9.84 s"),
            (60_000.0, "1 min"),
            (125_000.0, "2 min 5 s"),
            (7_260_000.0, "2 h 1 min"),
        ] {
            assert_eq!(duration(ms), shown);
        }
        assert_eq!(grouped(1_338_112), "1,338,112");
        assert_eq!(grouped(0), "0");
        assert_eq!(short(1_338_112), "1.3 M");
        assert_eq!(short(12_500), "12.5 k");
        assert_eq!(short(123_456_789), "123 M");
        assert_eq!(bytes(8192), "8 kB");
        assert_eq!(bytes(22_439_526), "21.4 MB");
        assert_eq!(times(240.2), "240×");
        assert_eq!(times(1.07), "1.1×");
        assert_eq!(number(-1.5), "-1.5");
        assert_eq!(number(0.0213), "0.0213");
        assert_eq!(percent(0.778), "78 %");
        assert_eq!(percent(0.004), "0.4 %");
        assert_eq!([percent(0.0), percent(1.0)], ["0 %", "100 %"]);
        assert_eq!(percent(0.9998), ">99.9 %");
        assert_eq!(percent(0.9963), "99.6 %");
        assert_eq!(percent(0.000_02), "0.002 %");
        assert_eq!(narrow_percent(0.9998), "99 %");
    }
}
