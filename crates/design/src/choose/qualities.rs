//! What else tells the engines apart, told from the model and the designs, not from opinion.

use marula_core::model::{AttributeType, Model};
use marula_core::{CandidateDesign, Quality};

/// The table.
pub(super) fn qualities(model: &Model, best: [&CandidateDesign; 2]) -> Vec<Quality> {
    vec![
        transactions(model, best),
        joins(model, best),
        churn(model),
        references(model),
        sharding(model),
    ]
}

fn quality(about: &str, model: String, postgres: &str, mongodb: String) -> Quality {
    Quality { about: about.into(), model, postgres: postgres.into(), mongodb }
}

/// Writes that touch several places at once.
fn transactions(model: &Model, best: [&CandidateDesign; 2]) -> Quality {
    let several = |design: &CandidateDesign| {
        let touched = design.operations.iter().filter(|operation| operation.kind != "query");
        touched
            .filter(|operation| {
                operation.text.trim_end().lines().count() > 1 && operation.kind != "query"
            })
            .count()
    };
    let writing = |design: &CandidateDesign| {
        design.operations.iter().filter(|operation| operation.kind != "query").count()
    };
    let together = model.writes.iter().filter(|write| {
        model.transactions.iter().any(|transaction| transaction.writes.contains(&write.name))
    });
    quality(
        "transactions across entities",
        format!(
            "{} of {} writes are said to be one with others",
            together.count(),
            model.writes.len()
        ),
        "every statement and transaction is atomic at any isolation level it asks for",
        format!(
            "{} of {} writes and transactions of the measured design touch more than one document and need a transaction (a replica set, retries on conflict, 60 seconds at most)",
            several(best[1]),
            writing(best[1])
        ),
    )
}

/// Queries that go from one entity to another.
fn joins(model: &Model, best: [&CandidateDesign; 2]) -> Quality {
    let lookups =
        best[1].operations.iter().filter(|operation| operation.text.contains("$lookup")).count();
    let joined = best[0]
        .operations
        .iter()
        .filter(|operation| operation.kind == "query" && operation.text.contains("JOIN"))
        .count();
    quality(
        "questions nobody has thought of yet",
        format!("{} entities, {} relations", model.entities.len(), model.relations.len()),
        &format!(
            "any join along any relation, planned by statistics; {joined} of the model's queries join"
        ),
        format!(
            "{lookups} of the model's queries need $lookup; what is embedded or copied answers the queries of the model, others may have to be written against it"
        ),
    )
}

/// Parts whose fields differ from member to member.
fn churn(model: &Model) -> Quality {
    let open: usize = model
        .entities
        .iter()
        .map(|entity| {
            entity
                .attributes
                .iter()
                .filter(|attribute| attribute.kind == AttributeType::Json)
                .count()
        })
        .sum();
    let kinds = model.entities.iter().filter(|entity| entity.kind.is_some()).count();
    quality(
        "schema churn",
        format!("{open} attributes are open parts, {kinds} entities have kinds that differ"),
        "a new column is a migration (cheap without a rewrite); open parts go to jsonb, indexed but without column statistics",
        "a new field needs no migration of old documents; the validator and every reader must know both forms".into(),
    )
}

/// What must refer to something that is there.
fn references(model: &Model) -> Quality {
    quality(
        "references that must hold",
        format!("{} relations", model.relations.len()),
        "foreign keys hold them, whatever program writes",
        "nothing holds them but the programs; what is embedded cannot lose its owner".into(),
    )
}

/// Whether it outgrows one server.
fn sharding(model: &Model) -> Quality {
    let growth = |entity: &marula_core::model::Entity| {
        let share = entity.growth.map_or(0.0, |growth| growth.0);
        entity.rows.0 as f64 * (1.0 + share).powi(12)
    };
    let now: u64 = model.entities.iter().map(|entity| entity.rows.0).sum();
    let then: f64 = model.entities.iter().map(growth).sum();
    let rate: f64 = model.writes.iter().map(|write| write.rate.0).sum::<f64>()
        + model.transactions.iter().map(|transaction| transaction.rate.0).sum::<f64>();
    quality(
        "more than one server",
        format!(
            "{now} rows now, {then:.0} in a year at the growth that is said; {rate:.1} writes a second"
        ),
        "one server writes; partitions, read replicas; sharding only by extensions or by the program",
        "sharding is part of the server; the script suggests shard keys".into(),
    )
}
