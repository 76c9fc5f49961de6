//! What there is before anything is measured: the collections, and a copy of them.

use marula_core::{DocumentCatalog, LeftOut, Progress, Result};
use marula_lab::bench::Bench;
use marula_lab::clone::CloneLimits;
use marula_lab::clone::mongodb::{Request, clone};
use marula_lab::{discover, shared};
use marula_mongodb::Session;

use super::query::Parsed;
use super::trial::Trial;
use crate::TuneOptions;
use crate::mongodb::explain::read_names;
use crate::mongodb::prove::joins;

/// The collections of all statements; statements on what does not exist are left out.
pub(super) async fn catalog(session: &Session, parsed: &mut Parsed) -> Result<DocumentCatalog> {
    let known = marula_mongodb::catalog::names(session).await?;
    let left_out = &mut parsed.left_out;
    parsed.commands.retain(|(weighted, command)| {
        let exists = known.contains(&command.collection);
        if !exists {
            left_out.push(LeftOut {
                statement: weighted.statement.text.trim().to_string(),
                calls: weighted.calls,
                reason: format!("there is no collection {}", command.collection),
            });
        }
        exists
    });
    let mut names: Vec<String> =
        parsed.commands.iter().flat_map(|(_, command)| command.collections()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| known.contains(name));
    read_names(session, &names).await
}

pub(super) async fn open<'a>(
    session: &Session,
    parsed: &Parsed,
    catalog: &DocumentCatalog,
    options: &'a TuneOptions,
    progress: &'a dyn Progress,
    notes: &mut Vec<String>,
) -> Result<Trial<'a>> {
    let choice = discover::choose(marula_core::Engine::Mongodb, Some(session.version()))?;
    notes.extend(choice.note);
    let version = choice.install.version;
    let server = shared::mongodb(version.major, version.minor).await?;
    let mut collections: Vec<String> = Vec::new();
    let mut keys = Vec::new();
    for (_, command) in &parsed.commands {
        for name in command.collections() {
            if !collections.contains(&name) {
                collections.push(name);
            }
        }
        for join in joins(command) {
            if !keys.contains(&join) {
                keys.push(join);
            }
        }
    }
    let request = Request { collections, joins: keys, limits: CloneLimits::default() };
    let bench = clone(session, &server.spec(), &request, progress).await?;
    notes.extend(bench.notes().iter().cloned());
    Ok(Trial::new(bench, options, progress, catalog))
}
