use super::support::*;

/// Documents too large for what is asked of them
pub static RULE: Check = rule(
    "large-documents",
    "Documents too large for what is asked of them",
    Severity::Medium,
    "A read of one field brings the whole document into the cache, and an update writes all of it to the \
     oplog's snapshot. Above 200 KB on average, look at what is read together; put what is seldom asked \
     for (texts, images, histories) into a second collection with the same _id.",
    GUIDANCE,
    &[
        bad(
            "300 KB each",
            numbered!(
                "pages",
                "20",
                "body: {$reduce: {input: {$range: [0, 15]}, initialValue: \"xxxxxxxxx\", in: {$concat: [\"$$value\", \"$$value\"]}}}"
            ),
        ),
        good(
            "3 KB each",
            numbered!(
                "pages",
                "20",
                "body: {$reduce: {input: {$range: [0, 8]}, initialValue: \"xxxxxxxxx\", in: {$concat: [\"$$value\", \"$$value\"]}}}"
            ),
        ),
    ],
    check,
);

fn check(catalog: &DocumentCatalog) -> Vec<Draft> {
    collections(catalog)
        .filter(|collection| collection.average_bytes > 200 << 10)
        .map(|collection| {
            let name = &collection.name;
            let title = format!("documents of {name} are large");
            let why = "Reading one field brings in all of it. Put what is seldom asked for into a second \
                       collection with the same _id.";
            Draft::new(Severity::Medium, name.clone(), title, why)
                .bytes("average", collection.average_bytes as f64)
                .number("documents", collection.documents as f64)
        })
        .collect()
}
