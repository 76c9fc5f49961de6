//! JSON Schemas of arguments and answers, from the types. What says nothing to a model is left out.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// What a tool takes.
pub fn input<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = made::<T>(SchemaSettings::draft2020_12()).as_ref().clone();
    // What may be left out is left out, rather than null; null is taken all the same.
    if let Some(Value::Object(arguments)) = schema.get_mut("properties") {
        arguments.values_mut().for_each(without_null);
    }
    Arc::new(schema)
}

/// Takes the null out of what may be something or null.
fn without_null(schema: &mut Value) {
    let Value::Object(words) = schema else { return };
    if let Some(Value::Array(kinds)) = words.get("type")
        && let [kind, Value::String(null)] = kinds.as_slice()
        && null == "null"
    {
        let kind = kind.clone();
        words.insert("type".into(), kind);
    }
    if let Some(Value::Array(either)) = words.get("anyOf")
        && let [Value::Object(one), null] = either.as_slice()
        && null["type"] == "null"
    {
        let one = one.clone();
        words.remove("anyOf");
        words.extend(one);
    }
}

/// What a tool answers.
pub fn output<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = made::<T>(SchemaSettings::draft2020_12().for_serialize()).as_ref().clone();
    schema.values_mut().for_each(bare);
    Arc::new(schema)
}

/// Takes out of an answer's schema what the answer itself shows: what its keys say, which of them are
/// always there, and the null of what is left out rather than null.
fn bare(schema: &mut Value) {
    without_null(schema);
    match schema {
        Value::Object(words) => {
            if words.get("description").is_some_and(Value::is_string) {
                words.remove("description");
            }
            if words.get("required").is_some_and(Value::is_array) {
                words.remove("required");
            }
            if let Some(Value::Array(words_of)) = words.get("oneOf") {
                let names: Option<Vec<Value>> =
                    words_of.iter().map(|one| one.get("const").cloned()).collect();
                if let Some(names) = names {
                    *words = JsonObject::from_iter([("enum".into(), Value::Array(names))]);
                }
            }
            words.values_mut().for_each(bare);
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        _ => {}
    }
}

fn made<T: JsonSchema>(settings: SchemaSettings) -> Arc<JsonObject> {
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    lean(&mut schema);
    let Value::Object(mut object) = schema else { return Arc::default() };
    for word in ["$schema", "title", "description"] {
        object.remove(word);
    }
    object.entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
    Arc::new(object)
}

/// Takes out what only generators of code read.
fn lean(schema: &mut Value) {
    match schema {
        Value::Object(words) => {
            if words.get("type").is_some_and(|kind| !kind.is_object()) {
                words.remove("format");
            }
            if words.get("default").is_some_and(Value::is_null) {
                words.remove("default");
            }
            words.values_mut().for_each(lean);
        }
        Value::Array(items) => items.iter_mut().for_each(lean),
        _ => {}
    }
}
