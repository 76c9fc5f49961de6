//! What a value loses when its column gets another type.

use super::model::{Id, Kind, Model};

/// A type in its parts: `numeric(10,4)` is `numeric` with 10 and 4.
struct Type<'a> {
    name: String,
    numbers: Vec<i64>,
    text: &'a str,
}

impl<'a> Type<'a> {
    fn new(text: &'a str) -> Type<'a> {
        let text = text.trim_end_matches("[]");
        let parts = text.split_once('(').and_then(|(name, rest)| {
            let (numbers, rest) = rest.split_once(')')?;
            Some((format!("{name}{rest}"), numbers))
        });
        let (name, numbers) = parts.unwrap_or((text.to_string(), ""));
        let numbers = numbers.split(',').filter_map(|number| number.parse().ok()).collect();
        Type { name, numbers, text }
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    fn whole(&self) -> bool {
        self.is(&["smallint", "integer", "bigint"])
    }

    fn number(&self) -> bool {
        self.whole() || self.is(&["numeric", "real", "double precision", "money"])
    }

    /// The digits behind the point; `None` is any number of them.
    fn scale(&self) -> Option<i64> {
        match self.name.as_str() {
            "numeric" => self.numbers.get(1).copied(),
            "money" => Some(2),
            _ if self.whole() => Some(0),
            _ => None,
        }
    }

    /// The decimal digits it can have at most.
    fn digits(&self) -> i64 {
        match self.name.as_str() {
            "smallint" => 5,
            "integer" => 10,
            "real" => 6,
            "double precision" => 15,
            "numeric" => self.numbers.first().copied().unwrap_or(i64::MAX),
            _ => 19,
        }
    }

    fn stamp(&self) -> bool {
        self.name.starts_with("timestamp ")
    }

    fn zoned(&self) -> bool {
        self.name.ends_with(" with time zone")
    }

    fn time(&self) -> bool {
        self.name.starts_with("time ")
    }

    fn interval(&self) -> bool {
        self.name == "interval" || self.name.starts_with("interval ")
    }

    /// The smallest field an interval keeps; what is greater it always has.
    fn field(&self) -> usize {
        let fields = ["year", "month", "day", "hour", "minute", "second"];
        let last = self.name.rsplit(' ').next().unwrap_or_default();
        fields.iter().position(|field| *field == last).unwrap_or(fields.len() - 1)
    }

    /// The digits of a second's fraction.
    fn fraction(&self) -> Option<i64> {
        let seconds = self.stamp() || self.time() || (self.interval() && self.field() == 5);
        seconds.then(|| self.numbers.first().copied().unwrap_or(6))
    }

    fn letters(&self) -> bool {
        self.is(&["text", "character varying", "character"])
    }

    /// How many characters or bits fit in.
    fn length(&self) -> Option<i64> {
        match self.name.as_str() {
            "integer" => Some(32),
            "bigint" => Some(64),
            "smallint" => Some(16),
            _ => self.numbers.first().copied(),
        }
    }
}

/// What values lose on the way from one type to another; `None` when nothing, or when the server
/// fails rather than cut them. `cut` is a way that cuts what is too long.
pub(super) fn lost(old: &str, new: &str, cut: bool) -> Option<String> {
    let (old, new) = (Type::new(old), Type::new(new));
    if old.text == new.text {
        return None;
    }
    let fraction = match (old.fraction(), new.fraction()) {
        (Some(old), Some(new)) if new < old => new,
        _ => i64::MAX,
    };
    Some(match new.name.as_str() {
        "boolean" if old.whole() => "every number but 0 becomes true".into(),
        _ if old.number() && new.number() => return number(&old, &new),
        "date" if old.stamp() => "the time of day is lost".into(),
        _ if new.time() && old.stamp() => "the date is lost".into(),
        _ if new.time() && old.interval() => "its days are lost".into(),
        _ if old.zoned() && (new.stamp() || new.time()) && !new.zoned() => {
            "the time zone is lost: it is written in that of the session".into()
        }
        _ if old.interval() && new.interval() && new.field() < old.field() => {
            let fields = ["years", "months", "days", "hours", "minutes"];
            format!("what is less than {} is cut off", fields[new.field()])
        }
        _ if fraction == 0 => "fractions of a second are rounded off".into(),
        _ if fraction < i64::MAX => {
            format!("fractions of a second are rounded to {fraction} digits")
        }
        "\"char\"" if old.letters() => "all but the first byte is lost".into(),
        "name" if old.letters() && old.length().is_none_or(|own| own > 15) => {
            "what is longer than 63 bytes is cut off".into()
        }
        "jsonb" if old.letters() || old.name == "json" => {
            "blanks, the order of keys and keys that come twice are lost".into()
        }
        "cidr" if old.name == "inet" => "the part of the address behind the network is lost".into(),
        "bit" if old.whole() && new.length().unwrap_or(1) < old.length().unwrap_or(64) => {
            "the higher bits are lost".into()
        }
        _ if cut && (new.letters() || new.name.starts_with("bit")) => {
            let most = new.length()?;
            if old.length().is_some_and(|own| own <= most && !old.number()) {
                return None;
            }
            format!("what is longer than {most} is cut off")
        }
        _ => return None,
    })
}

fn number(old: &Type<'_>, new: &Type<'_>) -> Option<String> {
    let floats = ["real", "double precision"];
    if new.is(&floats) {
        let fits = old.digits() <= new.digits() && (!old.is(&floats) || old.name == new.name);
        let fits = fits || (old.name == "real" && new.name == "double precision");
        return (!fits).then(|| format!("only about {} digits are kept", new.digits()));
    }
    let scale = new.scale().or((new.name == "numeric" && !new.numbers.is_empty()).then_some(0));
    match scale {
        None if old.is(&floats) => {
            Some(format!("what is behind the first {} digits is rounded off", old.digits()))
        }
        Some(scale) if old.scale().is_none_or(|own| own > scale) => Some(match scale {
            0 => "what is behind the decimal point is rounded off".into(),
            scale if scale < 0 => {
                format!("the last {} digits before the decimal point are rounded off", -scale)
            }
            1 => "it is rounded to one digit behind the decimal point".into(),
            scale => format!("it is rounded to {scale} digits behind the decimal point"),
        }),
        _ => None,
    }
}

/// The type a domain is made of, through all domains between.
pub(super) fn base(model: &Model, kind: &str) -> String {
    let mut own = kind.to_string();
    for _ in 0..16 {
        let bare = own.trim_end_matches("[]").to_string();
        let Some(domain) = model.get(&Id::new(Kind::Domain, bare.clone())) else { break };
        own = format!("{}{}", domain.get("base"), &own[bare.len()..]);
    }
    own
}

#[cfg(test)]
mod tests {
    use super::lost;

    #[test]
    fn a_type_that_keeps_less_is_known_by_its_name() {
        for (old, new) in [
            ("numeric(10,4)", "numeric(10,1)"),
            ("numeric", "integer"),
            ("numeric(10,2)[]", "integer[]"),
            ("double precision", "integer"),
            ("double precision", "real"),
            ("double precision", "numeric"),
            ("integer", "numeric(10,-2)"),
            ("bigint", "double precision"),
            ("numeric(12,3)", "money"),
            ("timestamp without time zone", "date"),
            ("timestamp with time zone", "time without time zone"),
            ("timestamp with time zone", "timestamp(0) with time zone"),
            ("timestamp with time zone", "timestamp without time zone"),
            ("time(3) without time zone", "time(2) without time zone"),
            ("interval", "interval day"),
            ("interval day to second", "interval(0)"),
            ("integer", "boolean"),
            ("text", "name"),
            ("json", "jsonb"),
            ("inet", "cidr"),
        ] {
            assert!(lost(old, new, false).is_some(), "{old} to {new}");
        }
    }

    #[test]
    fn a_type_that_keeps_all_or_fails_loses_nothing() {
        for (old, new) in [
            ("numeric(10,1)", "numeric(10,4)"),
            ("numeric(10,0)", "bigint"),
            ("integer", "bigint"),
            ("bigint", "numeric"),
            ("bigint", "integer"),
            ("integer", "double precision"),
            ("real", "double precision"),
            ("date", "timestamp without time zone"),
            ("timestamp(0) with time zone", "timestamp with time zone"),
            ("interval day", "interval"),
            ("interval year to month", "interval day"),
            ("text", "character varying(5)"),
            ("text", "integer"),
            ("integer", "text"),
        ] {
            assert_eq!(lost(old, new, false), None, "{old} to {new}");
        }
        assert!(lost("text", "character varying(5)", true).is_some());
        assert_eq!(lost("character varying(3)", "character varying(5)", true), None);
    }
}
