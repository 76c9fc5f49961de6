//! Types of SQL as a model's.

use marula_core::model::{Attribute, AttributeType};

use crate::model::types::of_sql;

/// Gives an attribute the type that SQL, DBML or a catalogue writes: `character varying(20)`,
/// `numeric(12,2)`, `text[]`. `false` where it is unknown; then it is a text.
pub fn set(attribute: &mut Attribute, written: &str) -> bool {
    let lower = written.trim().trim_matches('"').to_lowercase();
    if let Some(inner) = lower.strip_suffix("[]") {
        let mut one = Attribute::default();
        let known = set(&mut one, inner.trim_end_matches("[]"));
        attribute.kind = AttributeType::List;
        let whole = matches!(one.kind, AttributeType::Enumeration | AttributeType::List);
        attribute.of = Some(if whole { AttributeType::Text } else { one.kind });
        return known;
    }
    let (name, arguments) = parts(&lower);
    let plain = name.rsplit('.').next().unwrap_or(&name).trim().replace(' ', "_");
    let plain = plain.trim_matches('"');
    let Some(kind) = of_sql(plain) else {
        attribute.kind = AttributeType::Text;
        return false;
    };
    attribute.kind = kind;
    let number = |at: usize| arguments.get(at).and_then(|text| text.trim().parse::<u32>().ok());
    match kind {
        AttributeType::Text if !plain.contains("text") => {
            attribute.max_length = number(0).filter(|length| *length > 0);
        }
        AttributeType::Decimal => {
            attribute.precision = number(0);
            attribute.scale = number(1);
            // An amount of two digits whose name says money.
            if crate::names::is_money(&attribute.name) && attribute.scale.is_none_or(|s| s == 2) {
                attribute.kind = AttributeType::Money;
            }
        }
        AttributeType::Boolean if plain == "bit" && number(0).is_some_and(|bits| bits > 1) => {
            attribute.kind = AttributeType::Binary;
        }
        _ => {}
    }
    true
}

/// The name without what stands in brackets, and that.
fn parts(text: &str) -> (String, Vec<String>) {
    let Some((before, rest)) = text.split_once('(') else { return (text.into(), Vec::new()) };
    let (inner, after) = rest.split_once(')').unwrap_or((rest, ""));
    // `timestamp(3) with time zone`
    let name = format!("{} {}", before.trim(), after.trim());
    (name.trim().to_string(), inner.split(',').map(str::to_string).collect())
}

/// A default that a model can say: a constant, not what the server computes.
pub fn constant(kind: AttributeType, text: &str) -> Option<marula_core::Json> {
    use marula_core::Json;
    let text = text.trim();
    // 'open'::order_status
    let text = match text.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
        Some((inner, rest)) if rest.is_empty() || rest.starts_with("::") => inner.to_string(),
        Some(_) => return None,
        None => text.split("::").next().unwrap_or(text).trim_matches(['(', ')']).to_string(),
    };
    match kind {
        AttributeType::Boolean => match text.to_lowercase().as_str() {
            "true" | "t" | "1" => Some(Json::Bool(true)),
            "false" | "f" | "0" => Some(Json::Bool(false)),
            _ => None,
        },
        kind if crate::model::sql::is_number(kind) => {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
            match number.fract() == 0.0 && number.abs() < 9e15 {
                true => Some(Json::from(number as i64)),
                false => serde_json::Number::from_f64(number).map(Json::Number),
            }
        }
        AttributeType::Text | AttributeType::Enumeration
            if !text.contains('(') && !text.to_lowercase().starts_with("current") =>
        {
            Some(Json::String(text))
        }
        _ => None,
    }
}
