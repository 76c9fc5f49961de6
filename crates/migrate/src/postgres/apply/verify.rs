//! What is wrong with the database itself.

use marula_core::{Finding, Place, Result, Severity};
use marula_postgres::sql::quote_qualified;

use super::{Ground, leftover};

/// Looks for invalid indexes.
pub(super) async fn verify(ground: &Ground) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for index in leftover::invalid(ground).await? {
        let name = quote_qualified(&index.schema, &index.name);
        let (title, explanation) = match index.builder {
            Some(pid) => (
                format!("the index {name} is being built or dropped (server process {pid})"),
                "It becomes valid, or goes, when that has ended.".to_string(),
            ),
            None => (
                format!("the index {name} is invalid"),
                format!(
                    "A build or drop of it broke off. Queries do not use it, and every write to {} \
                     may still pay for it. Drop it, and build it again if it is wanted: DROP INDEX \
                     CONCURRENTLY {name}.",
                    index.table
                ),
            ),
        };
        findings.push(Finding {
            rule: "invalid-index".into(),
            severity: if index.builder.is_some() { Severity::Info } else { Severity::High },
            title,
            place: Place { relation: Some(index.table), ..Place::default() },
            evidence: Vec::new(),
            explanation,
            changes: Vec::new(),
            hazard: None,
        });
    }
    Ok(findings)
}
