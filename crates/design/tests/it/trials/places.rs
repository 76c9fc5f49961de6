use std::time::Duration;

use marula_core::{Quiet, Result, Version};
use marula_design::search::{Candidate, candidates};
use marula_design::structure::{Placement, Structure};
use marula_design::synth::World;
use marula_design::trial::{TrialOptions, postgres};

use super::{model, quick, work};

/// Places are filled, written, copied and kept in arrays, with PostGIS and without it: PostgreSQL 15 has
/// it where the set-up could get it, 18 does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_are_kept_with_postgis_and_without() -> Result<()> {
    let model = model(
        "name: places
entities:
- name: shops
  rows: 300
  attributes:
  - {name: id, type: id}
  - {name: place, type: point, required: true}
  - {name: depot, type: point, missing: 0.5}
- name: visits
  rows: 600
  attributes:
  - {name: id, type: id}
  - {name: shop_id, type: id, required: true}
  - {name: seen_from, type: point, required: true}
relations: [{from: visits, attributes: [shop_id], to: shops, name: shop, inverse: visits, owned: true, fanout: {average: 2, max: 20}}]
queries:
- {name: shop, rate: 5, sql: 'SELECT id, place, depot FROM shops WHERE id = $1'}
- {name: visits, rate: 5, sql: 'SELECT v.id, v.seen_from, s.place FROM visits v JOIN shops s ON s.id = v.shop_id WHERE v.shop_id = $1'}
writes:
- {name: open, does: insert, entity: shops, rate: 2}
- {name: visit, does: insert, entity: visits, rate: 5}
- {name: move, does: update, entity: shops, set: [place], rate: 5}
",
    );
    let work = work(&model);
    let world = World::new(&model, 900, 1);
    let offered =
        std::path::Path::new("/usr/share/postgresql/15/extension/postgis.control").exists();
    for (major, geography) in [(15, offered), (18, false)] {
        let plain = Structure::normalised(&model);
        let placed = |placement: Placement| {
            let mut structure = plain.clone();
            structure.placements[0] = placement;
            structure
        };
        let copied = placed(Placement::Copy(vec!["place".into()]));
        let structures = [plain.clone(), placed(Placement::Embed), copied];
        let like = candidates(&model, &work, marula_core::Engine::Postgres, 1).remove(0);
        let found = structures.map(|structure| Candidate { structure, ..like.clone() });
        let options = TrialOptions {
            version: Some(Version::new(major, 0, 0)),
            length: Duration::from_millis(500),
            ..quick()
        };
        let tried = postgres(&world, &work, &found, &options, &Quiet).await?;
        assert_eq!(tried.designs.candidates.len(), 3, "{major}: {:#?}", tried.designs);
        for design in &tried.designs.candidates {
            let (name, notes) = (&design.name, &design.notes);
            assert_eq!(design.results_equal, Some(true), "{major} {name}: {notes:#?}");
            assert!(design.operations.iter().all(|o| o.failed == 0), "{major} {name}: {notes:#?}");
            let said = design.script.contains("place geography(Point,4326)");
            assert_eq!(said, geography, "{major} {name}: {}", design.script);
        }
    }
    Ok(())
}
