use marula_core::{Engine, Quiet, Result};
use marula_design::search::candidates;
use marula_design::synth::World;
use marula_design::trial::{mongodb, postgres, same};

use super::{model, quick, work};

/// Of a course that nobody was graded in there is no average: it stands last on both engines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregate_of_nothing_stands_last() -> Result<()> {
    let model = model(
        "name: school
entities:
- {name: courses, rows: 200, attributes: [{name: id, type: id}]}
- name: exams
  rows: 500
  attributes:
  - {name: id, type: id}
  - {name: course_id, type: id, required: true}
  - {name: grade, type: integer, min: 1, max: 6, missing: 0.7}
relations: [{from: exams, attributes: [course_id], to: courses, fanout: {average: 2.5, max: 10}}]
queries:
- name: best
  rate: 1
  sql: SELECT course_id, avg(grade) AS a FROM exams GROUP BY course_id ORDER BY a DESC NULLS LAST, course_id
- name: least
  rate: 1
  sql: SELECT course_id, min(grade) AS a FROM exams GROUP BY course_id ORDER BY a NULLS FIRST, course_id LIMIT 20
",
    );
    let work = work(&model);
    let world = World::new(&model, 700, 1);
    let mut answers = Vec::new();
    for engine in [Engine::Postgres, Engine::Mongodb] {
        let found = candidates(&model, &work, engine, 1);
        let tried = match engine {
            Engine::Postgres => postgres(&world, &work, &found, &quick(), &Quiet).await?,
            Engine::Mongodb => mongodb(&world, &work, &found, &quick(), &Quiet).await?,
        };
        answers.push(tried.answers);
    }
    for (left, right) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(same(left, right), Ok(()));
        assert!(left.rows.len() >= 20);
    }
    Ok(())
}
