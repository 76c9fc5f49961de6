//! The histories of other tools in a MongoDB database.

use bson::{Bson, Document, doc};
use marula_core::{Result, Timestamp};

use super::Ground;
use super::send::number;
use crate::apply::adopt::{Foreign, ForeignRow, Sum};

/// Every history that is there.
pub(super) async fn find(ground: &Ground) -> Result<Vec<Foreign>> {
    let names = ground.session.database().list_collection_names().await;
    let names = names.map_err(|error| ground.session.map(error))?;
    let mut found = Vec::new();
    for name in names {
        let (tool, readable) = match name.as_str() {
            "changelog" => ("migrate-mongo", true),
            "schema_migrations" => ("golang-migrate", true),
            "mongockChangeLog" | "dbchangelog" => ("Mongock", false),
            _ => continue,
        };
        let rows = all(ground, &name).await?;
        let mut foreign = Foreign { tool, table: name, readable, rows: Vec::new(), up_to: None };
        for row in rows {
            match tool {
                "migrate-mongo" => foreign.rows.extend(migrate_mongo(&row)),
                "golang-migrate" => golang(&row, &mut foreign),
                _ => foreign.rows.extend(mongock(&row)),
            }
        }
        // A collection called changelog may be anything.
        if !foreign.rows.is_empty() || foreign.up_to.is_some() {
            found.push(foreign);
        }
    }
    Ok(found)
}

async fn all(ground: &Ground, name: &str) -> Result<Vec<Document>> {
    let map = |error| ground.session.map(error);
    let collection = ground.collection(name);
    let mut cursor = collection
        .find(doc! {})
        .sort(doc! { "appliedAt": 1, "timestamp": 1, "_id": 1 })
        .await
        .map_err(map)?;
    let mut rows = Vec::new();
    while cursor.advance().await.map_err(map)? {
        rows.push(cursor.deserialize_current().map_err(map)?);
    }
    Ok(rows)
}

fn moment(row: &Document, key: &str) -> Option<Timestamp> {
    row.get_datetime(key).ok().map(|moment| Timestamp(moment.timestamp_millis()))
}

fn migrate_mongo(row: &Document) -> Option<ForeignRow> {
    let file = row.get_str("fileName").ok()?;
    let digits: String = file.chars().take_while(char::is_ascii_digit).collect();
    Some(ForeignRow {
        version: digits,
        name: file.to_string(),
        file: Some(file.to_string()),
        sum: row.get_str("fileHash").map_or(Sum::None, |sum| Sum::Sha256(sum.to_string())),
        trouble: None,
        finished: moment(row, "appliedAt"),
    })
}

fn golang(row: &Document, foreign: &mut Foreign) {
    if !matches!(row.get("version"), Some(Bson::Int32(_) | Bson::Int64(_))) {
        return;
    }
    let version = number(row, "version").to_string();
    if row.get_bool("dirty").unwrap_or(false) {
        let trouble = Some("is marked dirty: it failed in the middle".to_string());
        foreign.rows.push(ForeignRow { version, trouble, ..ForeignRow::default() });
    } else {
        foreign.up_to = Some(version);
    }
}

fn mongock(row: &Document) -> Option<ForeignRow> {
    let id = row.get_str("changeId").ok()?;
    let state = row.get_str("state").unwrap_or("EXECUTED");
    if matches!(state, "ROLLED_BACK" | "IGNORED") {
        return None;
    }
    Some(ForeignRow {
        version: id.to_string(),
        name: row.get_str("changeLogClass").unwrap_or(id).to_string(),
        trouble: matches!(state, "FAILED" | "ROLLBACK_FAILED").then(|| "failed".to_string()),
        finished: moment(row, "timestamp"),
        ..ForeignRow::default()
    })
}
