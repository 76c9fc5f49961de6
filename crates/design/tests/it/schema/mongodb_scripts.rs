use bson::doc;
use marula_core::Version;
use marula_design::mongodb::schema::{SchemaOptions, schema};
use marula_design::structure::{Layout, Structure};
use marula_mongodb::shell;

use super::models::*;
use super::mongodb::{VERSIONS, count, drawn, fresh, run};

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_and_texts_stay_what_they_are() {
    let model = hostile();
    let structure = Structure::normalised(&model);
    let layout = Layout::new(&model, &structure);
    for version in VERSIONS {
        let session = fresh(version).await;
        run(&session, "db.victims.insertOne({_id: 1})").await;
        let schema =
            schema(&model, &structure, &layout, &[], &SchemaOptions::new(session.version()));
        // The whole script, comments and all, is what the shell would take apart.
        for command in shell::parse_many(&schema.to_script()).unwrap() {
            session.database().run_command(command.to_command()).await.unwrap();
        }
        assert_eq!(count(&session, "victims", doc! {}).await, 1);
        let names = session.database().list_collection_names().await.unwrap();
        assert!(names.contains(&model.entities[0].name), "{names:?}");
        let all = session.database().collection::<bson::Document>(&model.entities[0].name);
        all.insert_one(doc! { "_id": 1, "t'\"i\\tle": "x" }).await.unwrap();
        all.insert_one(doc! { "_id": 2, "t'\"i\\tle": "" }).await.unwrap_err();
        session.database().drop().await.unwrap();
    }
    // Names MongoDB cannot have are left out, and said.
    let mut case = Case::of(TREE);
    case.model.entities[0].attributes[2].name = "$where.x".into();
    let schema = drawn(&case, Version::new(6, 0, 0));
    assert!(schema.notes.iter().any(|note| note.contains("$where.x of categories is not checked")));
    case.model.entities[0].name = "system.users".into();
    case.model.relations.clear();
    case.structure.placements.clear();
    let schema = drawn(&case, Version::new(6, 0, 0));
    assert!(schema.pieces.is_empty() && schema.notes[0].contains("no collection can be called"));
}

/// mongosh itself, where it is installed with the lab's servers.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_run_in_mongosh() {
    let Some(mongosh) = mongosh() else { return };
    let server = marula_lab::shared::mongodb(6, 0).await.unwrap();
    let mut cases: Vec<Case> =
        [SHOP, SERVICE, BOOKING, SENSORS, LIBRARY].map(Case::of).into_iter().collect();
    let model = hostile();
    let structure = Structure::normalised(&model);
    cases.push(Case { model, structure, wanted: Vec::new() });
    for case in cases {
        let session = fresh((6, 0)).await;
        let script = drawn(&case, session.version()).to_script();
        let name = session.spec().database().unwrap().to_owned();
        let file = std::env::temp_dir().join(format!("marula-{}-{name}.js", std::process::id()));
        std::fs::write(&file, &script).unwrap();
        let output = std::process::Command::new(&mongosh)
            .args([&server.url_of(&name), "--quiet", "--norc", "--file"])
            .arg(&file)
            .output()
            .unwrap();
        std::fs::remove_file(&file).unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{said}\n{script}");
        let names = session.database().list_collection_names().await.unwrap();
        for entity in &case.model.entities {
            assert!(names.contains(&entity.name), "{} of {names:?}\n{said}", entity.name);
        }
        session.database().drop().await.unwrap();
    }
}

fn mongosh() -> Option<std::path::PathBuf> {
    let servers = std::fs::read_dir(marula_lab::home().join("servers")).ok()?;
    let found = servers.filter_map(Result::ok).map(|entry| entry.path().join("bin/mongosh"));
    found.filter(|path| path.exists()).max()
}
