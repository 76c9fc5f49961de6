use std::collections::BTreeSet;
use std::time::Duration;

use marula_core::model::AggregateFunction;
use marula_core::{Engine, Quiet, Result};
use marula_design::search::{Candidate, candidates};
use marula_design::structure::{Computed, Placement, Structure};
use marula_design::synth::World;
use marula_design::trial::{TrialOptions, mongodb, postgres, same};

use super::{model, quick, work};

/// What need not be there, alternatives and groups of which something must hold are answered alike by
/// both engines, wherever a structure keeps what is asked for: in a table of its own, in an array, in
/// an array of an array, as a count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_need_not_be_there_is_missing_in_every_design() -> Result<()> {
    let model = model(include_str!("../models/optional.yaml"));
    let work = work(&model);
    let world = World::new(&model, 1_200, 1);
    let options = TrialOptions { length: Duration::from_millis(200), ..quick() };
    let mut answers = Vec::new();
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let plain = Structure::normalised(&model);
        let with = |change: &dyn Fn(&mut Structure)| {
            let mut structure = plain.clone();
            change(&mut structure);
            structure
        };
        let embed = |relations: &[usize]| {
            with(&|structure| {
                relations.iter().for_each(|at| structure.placements[*at] = Placement::Embed)
            })
        };
        let count = Computed {
            relation: 0,
            function: AggregateFunction::Count,
            attribute: None,
            name: "orders_count".into(),
        };
        let copied = with(&|structure| {
            structure.placements[0] = Placement::Copy(vec!["country".into(), "age".into()]);
            structure.computed.push(count.clone());
        });
        let structures = [plain.clone(), embed(&[2]), embed(&[0, 2]), copied];
        let mut found: Vec<Candidate> = Vec::new();
        for structure in structures {
            let mut candidate = candidates(&model, &work, engine, 1).remove(0);
            candidate.structure = structure;
            found.push(candidate);
        }
        let tried = match engine {
            Engine::Postgres => postgres(&world, &work, &found, &options, &Quiet).await?,
            Engine::Mongodb => mongodb(&world, &work, &found, &options, &Quiet).await?,
        };
        for design in &tried.designs.candidates {
            let (name, notes) = (&design.name, &design.notes);
            assert_eq!(design.results_equal, Some(true), "{engine:?} {name}: {notes:#?}");
        }
        assert_eq!(tried.designs.candidates.len(), 4, "{:#?}", tried.designs);
        answers.push((tried.answers, tried.asked));
    }
    let [(left, asked), (right, _)] = answers.as_slice() else { panic!() };
    let mut answered: BTreeSet<&String> = BTreeSet::new();
    for ((left, right), name) in left.iter().zip(right).zip(asked) {
        assert_eq!(same(left, right), Ok(()), "{name}");
        answered.extend((!left.rows.is_empty()).then_some(name));
    }
    assert_eq!(answered.len(), model.queries.len(), "{answered:?}");
    Ok(())
}
