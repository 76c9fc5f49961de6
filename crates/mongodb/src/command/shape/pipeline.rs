//! What the parts of a pipeline's stages mean.

use super::write::Mode;

/// How the value of a stage is read. Also tells what a fast walk over raw bytes must tell apart.
pub(super) fn of_stage(stage: &str) -> Mode {
    match stage {
        "$match" => Mode::Filter,
        "$sort" => Mode::Keep,
        "$project" => Mode::Project,
        "$unset" => Mode::Keep,
        "$lookup" | "$graphLookup" | "$unionWith" | "$merge" | "$out" | "$unwind" | "$densify"
        | "$count" | "$geoNear" | "$search" | "$searchMeta" | "$vectorSearch" | "$changeStream" => {
            Mode::Names
        }
        "$facet" => Mode::Facet,
        _ => Mode::Expression,
    }
}

/// How a field of a stage that names things is read.
pub(super) fn below(field: &str) -> Mode {
    match field {
        "let" | "startWith" | "near" | "range" => Mode::Expression,
        "restrictSearchWithMatch" | "query" | "filter" | "compound" | "text" | "queryVector" => {
            Mode::Filter
        }
        "from" | "localField" | "foreignField" | "as" | "into" | "on" | "coll" | "db" | "path"
        | "key" | "field" | "index" | "connectFromField" | "connectToField" | "depthField"
        | "distanceField" | "includeArrayIndex" | "partitionByFields" => Mode::Names,
        // `pipeline`, `whenMatched`, and each output of `$facet`.
        _ => Mode::Pipeline,
    }
}
