//! Entities and relations from schemas that are there: SQL, DBML, live databases of both engines.

mod dbml;
mod documents;
mod kinds;
mod relational;
mod sql;

#[cfg(test)]
mod tests;

use marula_core::model::{Attribute, AttributeType, Entity, Model, Relationship};
use marula_core::{Catalog, Error, ErrorKind, Progress, Result};

pub use dbml::dbml;
pub use sql::sql;

use super::{Made, Way, fill};

/// A model from a live PostgreSQL database: its tables, keys and references, with rows, numbers of
/// values and fan-outs from the statistics.
///
/// # Errors
/// What the server answers; `NotFound` where it has no tables.
pub async fn postgres(session: &marula_postgres::Session, progress: &dyn Progress) -> Result<Made> {
    progress.step("reading the catalogue");
    let catalog =
        marula_postgres::catalog::read(session, marula_postgres::catalog::Scope::All).await?;
    relational::model(&catalog)
}

/// A model from a live MongoDB database: collections become entities, arrays of documents entities
/// that belong to them, and fields that hold others' keys references.
///
/// # Errors
/// What the server answers; `NotFound` where it has no collections.
pub async fn mongodb(
    session: &marula_mongodb::Session,
    sample: u32,
    progress: &dyn Progress,
) -> Result<Made> {
    progress.step("looking at documents");
    let scope = marula_mongodb::catalog::Scope::All;
    let catalog = marula_mongodb::catalog::read(session, scope, Some(sample)).await?;
    documents::model(&catalog)
}

/// A model from what a target holds.
///
/// # Errors
/// `NotFound` where that is nothing.
pub fn catalog(catalog: &Catalog) -> Result<Made> {
    match catalog {
        Catalog::Postgres(catalog) => relational::model(catalog),
        Catalog::Mongodb(catalog) => documents::model(catalog),
    }
}

/// Puts the last touches to a model that was read, and says where it came from.
fn finished(mut model: Model, source: &str, mut notes: Vec<String>) -> Result<Made> {
    if model.entities.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "there are no tables to make a model of")
            .at(source.to_string()));
    }
    let known: Vec<String> = model.entities.iter().map(|entity| entity.name.clone()).collect();
    model.relations.retain(|relation| {
        let there = known.contains(&relation.from) && known.contains(&relation.to);
        if !there {
            notes.push(format!(
                "the reference of {} to {} is left out: {} is not there",
                relation.from, relation.to, relation.to
            ));
        }
        there
    });
    for at in 0..model.relations.len() {
        let owned = {
            let relation = &model.relations[at];
            let many = model.entity(&relation.from);
            // Part of the key: the many cannot be told apart without the one.
            many.is_some_and(|many| {
                let key = many.key();
                key.len() > 1 && relation.attributes.iter().all(|a| key[..1].contains(&a.as_str()))
            })
        };
        model.relations[at].owned |= owned;
    }
    fill(&mut model);
    let mut comments = super::Comments::new();
    comments.insert(
        Way::root(),
        vec![
            format!("From {source}."),
            "Say what is asked of it: queries, writes and how often; see marula schema model."
                .into(),
        ],
    );
    Ok(Made { model, comments, notes })
}

/// References hold what keys are: an integer that refers to a number that is given out is one, too.
fn referring(entities: &mut [Entity], relations: &[Relationship]) {
    for relation in relations {
        let Some(one) = entities.iter().find(|entity| entity.name == relation.to) else { continue };
        let kinds: Vec<AttributeType> =
            one.key().iter().filter_map(|name| one.attribute(name)).map(|key| key.kind).collect();
        let Some(many) = entities.iter_mut().find(|entity| entity.name == relation.from) else {
            continue;
        };
        for (name, kind) in relation.attributes.iter().zip(kinds) {
            let found = many.attributes.iter_mut().find(|attribute| attribute.name == *name);
            if let Some(Attribute { kind: own, .. }) = found
                && *own == AttributeType::Integer
                && kind == AttributeType::Id
            {
                *own = kind;
            }
        }
    }
}
