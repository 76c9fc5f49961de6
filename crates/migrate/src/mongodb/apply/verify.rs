//! What is wrong with the database itself.

use bson::{Bson, Document, doc};
use marula_core::{Finding, Place, Result, Severity};

use super::Ground;

/// Looks for index builds that do not come to their end.
pub(super) async fn verify(ground: &Ground) -> Result<Vec<Finding>> {
    let map = |error| ground.session.map(error);
    let database = ground.session.database();
    let mut findings = Vec::new();
    for name in database.list_collection_names().await.map_err(map)? {
        let list = doc! { "listIndexes": &name, "includeBuildUUIDs": true };
        // A view has none.
        let Ok(reply) = database.run_command(list).await else { continue };
        let batch = reply.get_document("cursor").ok().and_then(|c| c.get_array("firstBatch").ok());
        let building = batch
            .into_iter()
            .flatten()
            .filter_map(Bson::as_document)
            .filter(|index: &&Document| index.contains_key("buildUUID"));
        for index in building {
            let spec = index.get_document("spec").unwrap_or(index);
            let own = spec.get_str("name").unwrap_or("?");
            findings.push(Finding {
                rule: "invalid-index".into(),
                severity: Severity::Medium,
                title: format!("the index {own} of {name} is not built to its end"),
                place: Place { relation: Some(name.clone()), ..Place::default() },
                evidence: Vec::new(),
                explanation: "It is being built, or waits for members that do not answer: see \
                              db.currentOp() and rs.status(). Until then it is not used."
                    .into(),
                changes: Vec::new(),
                hazard: None,
            });
        }
    }
    Ok(findings)
}
