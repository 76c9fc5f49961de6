//! What belongs to another comes and goes with it, wherever a structure keeps it.

use std::time::Duration;

use marula_core::model::{AggregateFunction, Model};
use marula_core::{Engine, Quiet, Result};
use marula_design::search::{Candidate, candidates};
use marula_design::structure::{Computed, Layout, Placement, Structure};
use marula_design::synth::World;
use marula_design::trial::{TrialOptions, mongodb, postgres, same};

use super::{model, quick, work};

/// Everything on its own, but for the relationships that are embedded and the counts that are kept.
fn structure(model: &Model, embedded: &[usize], counted: &[usize]) -> Structure {
    let mut structure = Structure::normalised(model);
    embedded.iter().for_each(|at| structure.placements[*at] = Placement::Embed);
    structure.computed = counted
        .iter()
        .map(|at| Computed {
            relation: *at,
            function: AggregateFunction::Count,
            attribute: None,
            name: format!("{}_count", model.relations[*at].from),
        })
        .collect();
    structure
}

/// On both engines all structures answer alike, before and after the same writes, of which none fails.
async fn all_alike(model: &Model, rows: u64, structures: &[Structure]) -> Result<()> {
    let work = work(model);
    let world = World::new(model, rows, 1);
    let options = TrialOptions { length: Duration::from_millis(200), ..quick() };
    let mut answers = Vec::new();
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let mut found: Vec<Candidate> = Vec::new();
        for (at, structure) in structures.iter().enumerate() {
            let mut candidate = candidates(model, &work, engine, 1).remove(0);
            (candidate.name, candidate.structure) = (at.to_string(), structure.clone());
            found.push(candidate);
        }
        let tried = match engine {
            Engine::Postgres => postgres(&world, &work, &found, &options, &Quiet).await?,
            Engine::Mongodb => mongodb(&world, &work, &found, &options, &Quiet).await?,
        };
        for design in &tried.designs.candidates {
            let (name, notes) = (&design.name, &design.notes);
            assert_eq!(design.results_equal, Some(true), "{engine:?} {name}: {notes:#?}");
            assert!(design.operations.iter().all(|o| o.failed == 0), "{name}: {notes:#?}");
            let compared = notes.iter().all(|note| !note.contains("are not compared"));
            assert!(compared, "{engine:?} {name}: {notes:#?}");
        }
        assert_eq!(tried.designs.candidates.len(), structures.len(), "{:#?}", tried.designs);
        answers.push(tried.answers);
    }
    for (left, right) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(same(left, right), Ok(()));
    }
    Ok(())
}

const LABELS: &str = "name: crm
entities:
- {name: tags, rows: 100, attributes: [{name: id, type: id}, {name: label, type: text, required: true}]}
- {name: contacts, rows: 300, attributes: [{name: id, type: id}, {name: email, type: text, required: true}]}
- name: labels
  rows: 600
  key: [contact_id, tag_id]
  attributes: [{name: contact_id, type: id, required: true}, {name: tag_id, type: id, required: true}, {name: weight, type: integer, required: true}]
relations:
- {from: labels, attributes: [contact_id], to: contacts, owned: true, fanout: {average: 2, p99: 6, max: 8}}
- {from: labels, attributes: [tag_id], to: tags, inverse: uses, on_delete: restrict, fanout: {average: 6, max: 60}}
queries:
- {name: of_contact, rate: 100, sql: 'SELECT c.email, l.tag_id, l.weight FROM contacts c LEFT JOIN labels l ON l.contact_id = c.id WHERE c.id = $1'}
- {name: uses, rate: 50, sql: 'SELECT t.id, count(l.tag_id) AS n FROM tags t LEFT JOIN labels l ON l.tag_id = t.id GROUP BY t.id'}
writes:
- {name: add_contact, does: insert, entity: contacts, with: [labels], rate: 5}
- {name: drop_contact, does: delete, entity: contacts, rate: 5}
- {name: drop_label, does: delete, entity: labels, rate: 5}
";

/// A count is kept of those that come along with an owner or go with it, within it or not; nobody is
/// taken away twice, alone and with the owner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_follows_those_that_come_and_go_with_an_owner() -> Result<()> {
    let model = model(LABELS);
    let of = |embedded: &[usize], counted: &[usize]| structure(&model, embedded, counted);
    let structures = [of(&[], &[]), of(&[], &[1]), of(&[0], &[1]), of(&[1], &[])];
    all_alike(&model, 1_000, &structures).await
}

/// What the notes say agrees with it: who adds or deletes an owner counts for the tags, too.
#[test]
fn the_notes_name_every_write_that_moves_a_count() {
    let model = model(LABELS);
    let structure = structure(&model, &[], &[1]);
    let layout = Layout::new(&model, &structure);
    let options =
        marula_design::mongodb::schema::SchemaOptions::new(marula_core::Version::new(7, 0, 0));
    let schema = marula_design::mongodb::schema::schema(&model, &structure, &layout, &[], &options);
    let count = schema.notes.iter().find(|note| note.starts_with("tags.labels_count")).unwrap();
    for step in
        ["add_contact also adds to", "drop_contact also takes from", "drop_label also takes"]
    {
        assert!(count.contains(step), "{count}");
    }
    let left = "drop_contact also deletes the labels of those contacts, in one transaction";
    assert!(schema.notes.iter().any(|note| note.starts_with(left)), "{:#?}", schema.notes);
}

/// The truth is what the normalised design answers, not the first one; which query answers otherwise,
/// and with which rows, is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_normalised_design_tells_who_is_right() -> Result<()> {
    // Nothing keeps a count in step with those that are taken away by other than their key.
    let text = LABELS.replace("entity: labels, rate: 5", "entity: labels, by: [weight], rate: 5");
    let model = model(&text);
    let (work, world) = (work(&model), World::new(&model, 1_000, 1));
    let mut found = candidates(&model, &work, Engine::Postgres, 2);
    found.truncate(2);
    let wrong = structure(&model, &[], &[1]);
    for (candidate, structure) in found.iter_mut().zip([wrong, structure(&model, &[], &[])]) {
        candidate.name = format!("{} kept", structure.computed.len());
        candidate.structure = structure;
    }
    let options = TrialOptions { length: Duration::from_millis(200), ..quick() };
    let tried = postgres(&world, &work, &found, &options, &Quiet).await?;
    let [right, wrong] = &tried.designs.candidates[..] else { panic!("{:#?}", tried.designs) };
    assert_eq!((right.name.as_str(), right.results_equal), ("0 kept", Some(true)));
    assert_eq!((wrong.name.as_str(), wrong.results_equal), ("1 kept", Some(false)));
    let told: Vec<&str> = wrong.differences().collect();
    let start = "answers differ from those of 0 kept after the same writes: uses: (";
    assert!(told.iter().any(|note| note.starts_with(start)), "{told:?}");
    Ok(())
}

const CLINIC: &str = "name: clinic
entities:
- {name: clinics, rows: 20, attributes: [{name: id, type: id}]}
- name: staff
  rows: 300
  key: [clinic_id, code]
  attributes: [{name: clinic_id, type: id, required: true}, {name: code, type: text, required: true, max_length: 12}]
- {name: skills, rows: 40, attributes: [{name: id, type: uuid}]}
- name: learned
  rows: 900
  attributes: [{name: id, type: id}, {name: clinic_id, type: id, required: true}, {name: code, type: text, required: true}, {name: skill_id, type: uuid, required: true}]
- name: proofs
  rows: 900
  attributes: [{name: id, type: id}, {name: learned_id, type: id, required: true}, {name: pages, type: integer, required: true, min: 1, max: 9}]
- name: visits
  rows: 900
  attributes: [{name: id, type: id}, {name: room_id, type: id, required: true}, {name: skill_id, type: uuid}]
- {name: rooms, rows: 90, attributes: [{name: id, type: id}]}
relations:
- {from: staff, attributes: [clinic_id], to: clinics}
- {from: learned, attributes: [clinic_id, code], to: staff, owned: true, fanout: {average: 3, p99: 8, max: 12}}
- {from: learned, attributes: [skill_id], to: skills, on_delete: cascade}
- {from: proofs, attributes: [learned_id], to: learned, owned: true, fanout: {average: 1, max: 12}}
- {from: visits, attributes: [room_id], to: rooms, fanout: {average: 10, max: 60}}
- {from: visits, attributes: [skill_id], to: skills}
queries:
- {name: learned_by_skill, rate: 5, sql: 'SELECT k.id, count(l.id) AS n FROM skills k LEFT JOIN learned l ON l.skill_id = k.id GROUP BY k.id'}
- {name: pages, rate: 5, sql: 'SELECT pages, count(*) AS n FROM proofs GROUP BY pages'}
- {name: visits_for, rate: 5, sql: 'SELECT skill_id, count(*) AS n FROM visits GROUP BY skill_id'}
writes:
- {name: fire, does: delete, entity: staff, rate: 1}
- {name: forget, does: delete, entity: skills, rate: 1}
";

/// Who is deleted takes along what is owned, over several steps, and leaves none that refer to it:
/// where no foreign key does that, the program does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_take_their_own_along_in_every_design() -> Result<()> {
    let model = model(CLINIC);
    let of = |embedded: &[usize]| structure(&model, embedded, &[]);
    let structures = [of(&[]), of(&[1, 3]), of(&[4])];
    all_alike(&model, 4_000, &structures).await
}

/// A LEFT JOIN over a key of several parts, of which the array has one and its document another: who
/// has no partner comes all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_lost_who_has_no_partner_in_an_array() -> Result<()> {
    let model = model(
        "name: crm
entities:
- {name: tenants, rows: 5, attributes: [{name: id, type: id}]}
- name: tags
  rows: 200
  key: [tenant_id, slug]
  attributes: [{name: tenant_id, type: id, required: true}, {name: slug, type: text, required: true, max_length: 20}]
- name: contacts
  rows: 100
  key: [tenant_id, no]
  attributes: [{name: tenant_id, type: id, required: true}, {name: no, type: integer, required: true}]
- name: labels
  rows: 40
  key: [tenant_id, no, slug]
  attributes: [{name: tenant_id, type: id, required: true}, {name: no, type: integer, required: true}, {name: slug, type: text, required: true}]
relations:
- {from: tags, attributes: [tenant_id], to: tenants}
- {from: contacts, attributes: [tenant_id], to: tenants}
- {from: labels, attributes: [tenant_id, no], to: contacts, owned: true, fanout: {average: 0.4, max: 3}}
- {from: labels, attributes: [tenant_id, slug], to: tags}
queries:
- {name: unused, rate: 1, sql: 'SELECT t.tenant_id, t.slug FROM tags t LEFT JOIN labels l ON l.tenant_id = t.tenant_id AND l.slug = t.slug WHERE l.slug IS NULL'}
- {name: used, rate: 1, sql: 'SELECT t.tenant_id, t.slug, l.no FROM tags t LEFT JOIN labels l ON l.tenant_id = t.tenant_id AND l.slug = t.slug'}
",
    );
    let structures = [structure(&model, &[], &[]), structure(&model, &[2], &[])];
    all_alike(&model, 1_000, &structures).await
}
