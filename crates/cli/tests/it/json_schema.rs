//! Whether a value is one a JSON Schema allows.

use serde_json::{Value, json};

/// As much of JSON Schema as ours uses; a word it does not know is a failure, not a pass. Keys that
/// the schema does not name are failures too, which is stricter than the standard.
pub fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    check_part(root, schema, value, at, false).map_err(|why| why.chars().take(400).collect())
}

/// `part`: the value has keys of another schema besides.
fn check_part(
    root: &Value,
    schema: &Value,
    value: &Value,
    at: &str,
    part: bool,
) -> Result<(), String> {
    let schema = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(words) => words,
        other => return Err(format!("{at}: {other} allows nothing")),
    };
    for (word, rule) in schema {
        match word.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                let target = root.pointer(pointer).ok_or(format!("{at}: no {pointer}"))?;
                check_part(root, target, value, at, schema.contains_key("properties"))?;
            }
            "type" => {
                has_type(rule, value).then_some(()).ok_or(format!("{at}: {value} is no {rule}"))?
            }
            "enum" => rule
                .as_array()
                .unwrap()
                .contains(value)
                .then_some(())
                .ok_or(format!("{at}: {value}"))?,
            "const" => {
                (rule == value).then_some(()).ok_or(format!("{at}: {value} is not {rule}"))?
            }
            "anyOf" | "oneOf" => {
                let tried = rule.as_array().unwrap().iter().map(|one| check(root, one, value, at));
                let failures: Vec<String> =
                    tried.map(Result::err).collect::<Option<_>>().unwrap_or_default();
                if !failures.is_empty() {
                    return Err(failures.join(" and "));
                }
            }
            "allOf" => {
                for one in rule.as_array().unwrap() {
                    check(root, one, value, at)?;
                }
            }
            "required" => {
                for key in rule.as_array().unwrap() {
                    value.get(key.as_str().unwrap()).ok_or(format!("{at}: {key} is missing"))?;
                }
            }
            "properties" => {
                let open = part
                    || ["$ref", "additionalProperties", "oneOf", "anyOf"]
                        .iter()
                        .any(|w| schema.contains_key(*w));
                for (key, inner) in value.as_object().into_iter().flatten() {
                    match rule.get(key) {
                        Some(rule) => check(root, rule, inner, &format!("{at}.{key}"))?,
                        None if open => {}
                        None => return Err(format!("{at}: {key} is not in the schema")),
                    }
                }
            }
            "additionalProperties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    if schema.get("properties").is_none_or(|named| named.get(key).is_none()) {
                        check(root, rule, inner, &format!("{at}.{key}"))?;
                    }
                }
            }
            "items" => {
                for (number, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, inner, &format!("{at}[{number}]"))?;
                }
            }
            "prefixItems" => {
                for (rule, inner) in
                    rule.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten())
                {
                    check(root, rule, inner, at)?;
                }
            }
            "minimum" => {
                let least = rule.as_f64().unwrap();
                value
                    .as_f64()
                    .is_none_or(|number| number >= least)
                    .then_some(())
                    .ok_or(format!("{at}: {value}"))?;
            }
            "maximum" | "minItems" | "maxItems" | "format" | "description" | "title"
            | "default" | "$defs" | "$schema" | "examples" => {}
            other => return Err(format!("{at}: the check does not know '{other}'")),
        }
    }
    Ok(())
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let one = |name: &Value| match name.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        _ => false,
    };
    rule.as_array().map_or_else(|| one(rule), |names| names.iter().any(one))
}

#[test]
fn the_check_would_notice() {
    let schema = json!({
        "type": "object",
        "properties": { "a": { "type": "integer", "minimum": 0 }, "b": { "enum": ["x", "y"] } },
        "required": ["a"],
    });
    assert_eq!(check(&schema, &schema, &json!({ "a": 1, "b": "x" }), "r"), Ok(()));
    for bad in [
        json!({}),
        json!({ "a": -1 }),
        json!({ "a": "1" }),
        json!({ "a": 1, "b": "z" }),
        json!({ "a": 1, "c": 1 }),
    ] {
        assert!(check(&schema, &schema, &bad, "r").is_err(), "{bad}");
    }
}
