use marula_design::postgres::schema::{SchemaOptions, schema};
use marula_design::structure::{Layout, Placement, Structure};
use marula_postgres::Session;
use marula_postgres::catalog::{Scope, read};

use super::models::*;
use super::postgres::{CHECK, MAJORS, drawn, fresh, run};

/// Names and texts are never more than names and texts; psql takes the whole script.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_and_texts_stay_what_they_are() {
    for major in MAJORS {
        let (_, session) = fresh(major).await;
        run(&session, "CREATE TABLE victims (id int)").await.unwrap();
        let model = hostile();
        let structure = Structure::normalised(&model);
        let layout = Layout::new(&model, &structure);
        let options = SchemaOptions::of(&session).await.unwrap();
        let schema = schema(&model, &structure, &layout, &[], &options);
        let script = schema.to_script();
        psql(major, session.database(), &script).await;
        let catalog = read(&session, Scope::All).await.unwrap();
        assert!(catalog.find("victims").is_some());
        let name = &model.entities[0].name;
        let table = catalog.relations.iter().find(|one| one.name == *name).unwrap();
        assert!(table.columns.iter().any(|column| column.name == "t'\"i\\tle"));
        let left_out = schema.notes.iter().filter(|note| note.contains("is left out")).count();
        assert_eq!(left_out, 5, "{:#?}", schema.notes);
        let quoted = marula_postgres::sql::quote_ident(name);
        run(&session, &format!("INSERT INTO {quoted} (parent_id) VALUES (NULL)")).await.unwrap();
        let refused = format!("INSERT INTO {quoted} (\"t'\"\"i\\tle\") VALUES ('')");
        assert_eq!(run(&session, &refused).await, Err(CHECK.into()));
        within(&session).await;
    }
}

/// A hostile name in a `jsonb` column is a name in a path, too.
async fn within(session: &Session) {
    let mut case = Case::of(SHOP).placed("order_lines", "orders", Placement::Embed);
    let name = "q\"u\\a'.$[*] ? (1 == 1)";
    case.model.entities[3].attributes[3].name = name.into();
    let schema = drawn(&case, session).await;
    for statement in schema.pieces.iter().flat_map(|piece| &piece.statements) {
        run(session, statement).await.unwrap_or_else(|error| panic!("{error}\n{statement}"));
    }
    let line = |quantity: i32| {
        let line =
            serde_json::json!([{"line_no": 1, "product_id": "x", "unit_price": 1, name: quantity}]);
        format!(
            "INSERT INTO orders (customer_id, placed_at, total, lines) VALUES (1, now(), 1, {})",
            marula_postgres::sql::quote_literal(&line.to_string())
        )
    };
    run(session, "INSERT INTO customers (id, email, name, country) VALUES (1, 'a', 'A', 'DE')")
        .await
        .unwrap();
    assert_eq!(run(session, &line(0)).await, Err(CHECK.into()));
    assert_eq!(run(session, &line(1)).await, Ok(()));
}

/// Runs a script with psql, which stops at the first error.
async fn psql(major: u16, database: &str, script: &str) {
    let server = marula_lab::shared::postgres(major).await.unwrap();
    let url = server.url().replacen("/postgres?", &format!("/{database}?"), 1);
    let file =
        std::env::temp_dir().join(format!("marula-schema-{}-{database}.sql", std::process::id()));
    std::fs::write(&file, script).unwrap();
    let mut psql = std::process::Command::new("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &url, "-f"]).arg(&file);
    let output = psql.output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{major} {errors}\n{script}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_runs_in_psql() {
    for text in [SHOP, SERVICE, TREE, SCHOOL, CIRCLE, BOOKING, SENSORS, LIBRARY] {
        for major in MAJORS {
            let (_, session) = fresh(major).await;
            let case = Case::of(text);
            let schema = drawn(&case, &session).await;
            psql(major, session.database(), &schema.to_script()).await;
            let catalog = read(&session, Scope::All).await.unwrap();
            for entity in &case.model.entities {
                let table = catalog.find(&entity.name).unwrap();
                assert!(!table.primary_key().is_empty(), "{}", entity.name);
            }
        }
    }
}
