//! `marula model infer`: the model itself, so that it can be written to a file as it stands. Its
//! comments say what the report does.

use marula_core::{Json, Report, Verdict};

use super::numbers::grouped;
use super::text::counted;

/// The model as YAML.
pub fn infer(report: &Report) -> Option<String> {
    report.data.as_ref()?["yaml"].as_str().map(str::to_string)
}

/// The result in one line.
pub fn sentence(report: &Report) -> String {
    let Some(data) = &report.data else { return "nothing was inferred".into() };
    let count = |name: &str| data["model"][name].as_array().map_or(0, Vec::len) as u64;
    let of = |name: &str| -> u64 {
        let sources = data["sources"].as_array();
        sources.into_iter().flatten().filter_map(|source| source[name].as_u64()).sum()
    };
    let proven = serde_json::from_value(data["proof"]["verdict"].clone());
    let proven = match proven {
        Ok(Verdict::Proven) if replaced(data) => {
            "; joined again, they are what was read but for characters that were replaced"
        }
        Ok(Verdict::Proven) => "; joined again, they are what was read",
        Ok(Verdict::Refuted) => "; joined again, they are NOT what was read",
        _ => "",
    };
    format!(
        "{} read, {} set aside: {} and {}{proven}",
        counted(of("read"), "row", "rows"),
        grouped(of("set_aside")),
        counted(count("entities"), "entity", "entities"),
        counted(count("relations"), "relation", "relations")
    )
}

/// Whether characters were replaced when they were read.
fn replaced(data: &Json) -> bool {
    let sources = data["sources"].as_array().into_iter().flatten();
    let mut trouble = sources.flat_map(|source| source["trouble"].as_array().into_iter().flatten());
    trouble.any(|one| one["what"] == "replaced")
}
