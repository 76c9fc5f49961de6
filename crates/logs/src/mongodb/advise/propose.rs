//! The indexes that are proposed, as changes.

use bson::{Bson, Document, doc};
use marula_core::{Change, ChangeId, ChangeKind, Digest, Engine, Proof};
use marula_mongodb::{Command, CreateIndexes, DropIndex, Operation};

use crate::wish::{Known, Proposed};

/// Indexes that plans in the log used, by collection.
pub(super) fn indexes_seen(digest: &Digest) -> Known {
    let mut found = Known::new();
    for statement in &digest.statements {
        let Some(namespace) = statement.objects.first() else { continue };
        for plan in &statement.plans {
            for part in plan.name.split("SCAN {").skip(1) {
                let Some((keys, _)) = part.split_once('}') else { continue };
                let keys: Option<Vec<(String, i32)>> = keys
                    .split(',')
                    .map(|key| {
                        let (path, direction) = key.split_once(": ")?;
                        // Text, hashed and geometry indexes serve nothing of ours.
                        let direction = direction.trim().parse::<f64>().ok()? as i32;
                        Some((path.trim().trim_matches('"').to_owned(), direction))
                    })
                    .collect();
                found.entry(namespace.clone()).or_default().extend(keys);
            }
        }
    }
    found
}

/// The change that makes the index.
pub(super) fn change(id: ChangeId, proposed: &Proposed, digest: &Digest) -> Change {
    let wish = &proposed.wish;
    let (_, collection) = wish.namespace.split_once('.').unwrap_or(("", &wish.namespace));
    let keys = proposed.keys();
    let name = keys.iter().map(|(path, way)| format!("{path}_{way}")).collect::<Vec<_>>().join("_");
    let document: Document =
        keys.iter().map(|(path, way)| (path.clone(), Bson::Int32(*way))).collect();
    let mut options = doc! { "name": name.as_str() };
    if let Some(collation) = &wish.collation {
        options.insert("collation", collation.clone());
    }
    let create = CreateIndexes::one(document.clone(), options);
    let shell = |operation| Command::new(collection, operation).to_shell();
    let statements = proposed.statements.len();
    Change {
        id,
        kind: ChangeKind::Index,
        engine: Engine::Mongodb,
        title: format!(
            "index on {} ({}) for {statements} {}: {}",
            wish.namespace,
            keys.iter().map(|(path, way)| format!("{path} {way}")).collect::<Vec<_>>().join(", "),
            if statements == 1 { "statement" } else { "statements" },
            wish.order,
        ),
        relation: Some(wish.namespace.clone()),
        up: vec![shell(Operation::CreateIndexes(create))],
        down: vec![shell(Operation::DropIndex(DropIndex { index: Bson::String(name) }))],
        hazards: hazards(proposed, digest),
        conditions: conditions(proposed, digest, &keys),
        proof: Proof::not_tried(
            "read from the log alone; with --target the lab measures it on the collection's data",
        ),
    }
}

fn hazards(proposed: &Proposed, digest: &Digest) -> Vec<String> {
    let of_this = |one: &&marula_core::StatementDigest| {
        one.engine == Engine::Mongodb && one.objects.first() == Some(&proposed.wish.namespace)
    };
    let writes: u64 = digest
        .statements
        .iter()
        .filter(of_this)
        .filter(|one| {
            matches!(one.operation.as_str(), "insert" | "update" | "delete" | "findAndModify")
        })
        .map(|one| one.load.returned.unwrap_or(one.load.calls))
        .sum();
    let mut hazards = Vec::new();
    if writes > 0 {
        hazards.push(format!(
            "{writes} documents were written in the log's time: each write keeps one more index"
        ));
    }
    if proposed.keys().len() > 1 {
        hazards.push("at most one of the fields may hold arrays".to_owned());
    }
    hazards
}

fn conditions(proposed: &Proposed, digest: &Digest, keys: &[(String, i32)]) -> Vec<String> {
    let wish = &proposed.wish;
    let mut found = vec!["no plan in the log used such an index".to_owned()];
    let known = indexes_seen(digest);
    let shorter =
        known.get(&wish.namespace).into_iter().flatten().filter(|known| {
            !known.is_empty() && known.len() < keys.len() && keys.starts_with(known)
        });
    for known in shorter {
        let known = known.iter().map(|(path, way)| format!("{path}: {way}")).collect::<Vec<_>>();
        found.push(format!("it extends {{ {} }}, which it may replace", known.join(", ")));
    }
    if let Some(instead) = &wish.instead {
        found.push(format!("the order {instead} may be better: it depends on the values"));
    }
    if wish.incomplete {
        found.push(
            "the log had cut the statement short: a sort or further fields may be missing"
                .to_owned(),
        );
    }
    found
}
