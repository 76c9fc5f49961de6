use marula_core::{Parameter, ParameterOrigin};

/// Bound parameters as logged: `$1 = '42', $2 = NULL, $3 = 'cut...'`.
pub(crate) fn parameters(text: &str) -> Vec<Parameter> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.strip_prefix('$') {
        let Some((_, value)) = dollar.split_once(" = ") else { break };
        let (value, behind) = match value.strip_prefix('\'') {
            Some(quoted) => {
                let end = end_of(quoted);
                let behind = quoted.get(end..).unwrap_or_default();
                (
                    Some(quoted[..end].replace("''", "'")),
                    behind.strip_prefix('\'').unwrap_or(behind),
                )
            }
            None => {
                let end = value.find(", $").unwrap_or(value.len());
                let word = value[..end].trim_end();
                ((word != "NULL").then(|| word.to_owned()), &value[end..])
            }
        };
        found.push(Parameter { value, origin: ParameterOrigin::Sampled });
        let Some(next) = behind.find('$') else { break };
        rest = &behind[next..];
    }
    found
}

/// Where a quoted value ends: at a quote that is not doubled.
fn end_of(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(quote) = memchr::memchr(b'\'', &bytes[at..]) {
        if bytes.get(at + quote + 1) != Some(&b'\'') {
            return at + quote;
        }
        at += quote + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_nulls_and_quotes() {
        let values = |text| parameters(text).into_iter().map(|p| p.value).collect::<Vec<_>>();
        assert_eq!(
            values("$1 = '42', $2 = NULL, $3 = 'it''s, $4 = x', $4 = ''"),
            [Some("42".into()), None, Some("it's, $4 = x".into()), Some(String::new())]
        );
        assert_eq!(values("$1 = 'cut"), [Some("cut".into())]);
        assert!(values("").is_empty());
    }
}
