//! From data to a model: what tables it should have been, with keys and references, and how sure
//! that is.
//!
//! [`read`] makes columns of any form of data and names what is broken in it. [`types`] says what
//! the values are. [`decompose`] takes each table apart along its functional dependencies, the
//! largest thing first; [`inclusion`] finds what leads from one to another. What comes out is put
//! together again and compared with what went in ([`rejoin`], [`prove`]).

mod build;
/// Columns of values, each value kept once.
pub mod column;
mod decompose;
mod dependency;
mod duplicates;
mod grid;
mod inclusion;
mod model;
mod naming;
mod prove;
mod rank;
pub mod read;
mod rejoin;
mod report;
mod roles;
mod types;
mod world;

use marula_core::model::Model;
use marula_core::{Progress, Proof, Report, Result, Verdict, grouped};

use column::Table;
pub use prove::Rejoined;
use read::{Read, SourceRead, What};
use world::World;

/// How a model is inferred.
#[derive(Debug, Clone, Default)]
pub struct InferOptions {
    /// What the model is called.
    pub name: String,
    /// Whether the tables are made in the lab and joined again.
    pub prove: bool,
}

/// A model that was inferred.
#[derive(Debug)]
pub struct Inferred {
    /// The model.
    pub model: Model,
    /// Sources, findings, the proof; `data.yaml` is the model as a file, with comments.
    pub report: Report,
    /// What each table came to on a server; empty when that was not tried.
    pub rejoined: Vec<Rejoined>,
    /// The proof that nothing was lost.
    pub proof: Proof,
}

/// Infers a model from what was read.
///
/// # Errors
/// `Interrupted`; what is wrong with the data, or with the lab, is said in the report.
pub async fn infer(
    reads: Vec<Read>,
    options: &InferOptions,
    progress: &dyn Progress,
) -> Result<Inferred> {
    let (mut tables, mut sources) = together(reads);
    duplicates::set_aside(&mut tables, &mut sources);
    let mut world = build::build(tables, progress);
    inclusion::find(&mut world);
    mixed(&world, &mut sources);
    let lost: u64 = (0..world.tables.len()).map(|at| rejoin::lost(&world, at)).sum();
    let (proof, rejoined) = match (lost, options.prove) {
        (0, true) => prove::prove(&world, progress).await,
        (0, false) => {
            let reason = "not made on a server (--prove off); put together here, the parts give \
                          every row back";
            (Proof::not_tried(reason), Vec::new())
        }
        (lost, _) => {
            let reason = format!("put together again, {lost} rows are not what was read");
            (Proof::bare(Verdict::Refuted, reason), Vec::new())
        }
    };
    let proof = qualified(proof, &sources);
    let (model, comments) = model::model(&world, &options.name);
    let report = report::report(&world, &model, &comments, &sources, &proof, &rejoined)?;
    Ok(Inferred { model, report, rejoined, proof })
}

/// All tables in one list, and all sources.
fn together(reads: Vec<Read>) -> (Vec<Table>, Vec<SourceRead>) {
    let (mut tables, mut sources) = (Vec::new(), Vec::new());
    for read in reads {
        let first = tables.len();
        tables.extend(read.tables.into_iter().map(|mut table: Table| {
            if let Some(parent) = &mut table.parent {
                parent.table += first;
            }
            table
        }));
        sources.push(read.source);
    }
    (tables, sources)
}

/// Says of what was proven how it differs from what stands in the sources.
fn qualified(mut proof: Proof, sources: &[SourceRead]) -> Proof {
    if !matches!(proof.verdict, Verdict::Proven | Verdict::NotTried) {
        return proof;
    }
    let all = || sources.iter().flat_map(|source| &source.trouble);
    let replaced: u64 = all().filter(|one| one.what == What::Replaced).map(|one| one.count).sum();
    let aside: u64 = sources.iter().map(|source| source.set_aside).sum();
    if replaced > 0 {
        let them = if replaced == 1 { "one of them" } else { &format!("{replaced} of them") };
        proof.reason.push_str(&format!(
            ", but for {them} in which characters were replaced when they were read"
        ));
    }
    if aside > 0 {
        proof.reason.push_str(&format!("; the {} set aside took no part", grouped(aside)));
    }
    proof
}

/// Tells of columns with values of several types.
fn mixed(world: &World, sources: &mut [SourceRead]) {
    for (table, typed) in world.tables.iter().zip(&world.typed) {
        let Some(source) = sources.iter_mut().find(|source| source.name == table.source) else {
            continue;
        };
        for (column, typed) in table.columns.iter().zip(typed) {
            if let Some((words, row)) = &typed.mixed {
                let line = table.places.get(*row).copied().unwrap_or(0);
                source.trouble(What::MixedTypes, line, format!("{}: {words}", column.name));
            }
            if let Some((words, row)) = &typed.vast {
                let line = table.places.get(*row).copied().unwrap_or(0);
                source.trouble(What::BeyondDouble, line, format!("{}: {words}", column.name));
            }
        }
    }
}
