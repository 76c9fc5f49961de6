//! What is generated for a target runs there, keeps nobody waiting, and can be taken back.

use marula_lab::shared;
use marula_migrate::postgres::generate::{
    Known, add_constraint, add_foreign_key, add_index, orphans, rename_table, waits,
};
use marula_migrate::postgres::long::Stage;
use marula_postgres::Session;
use marula_postgres::catalog::{Scope, read};

use super::fixes::CATALOGUE;
use super::long::{prepared, run};

const SETUP: &str = "
CREATE TABLE users (id int PRIMARY KEY, mail text);
CREATE TABLE visits (id int, at date NOT NULL, user_id int) PARTITION BY RANGE (at);
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY RANGE (at);
CREATE TABLE visits_2026_a PARTITION OF visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
INSERT INTO users SELECT n, 'm' || n FROM generate_series(1, 100) n;
INSERT INTO visits SELECT n, '2025-03-01', n FROM generate_series(1, 100) n;
INSERT INTO visits SELECT n, '2026-03-01', n FROM generate_series(1, 100) n";

async fn catalogue(session: &Session) -> Vec<String> {
    let rows = session.client().query(CATALOGUE, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_for_a_partitioned_table_leads_where_the_plain_statement_does() {
    let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<String>>();
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (_, session) = prepared(server, SETUP).await;
        let catalog = read(&session, Scope::All).await.unwrap();
        let known = Known { version: session.version(), catalog: Some(&catalog) };
        let before = catalogue(&session).await;
        let columns = list(&["user_id", "at"]);
        for (text, plain) in [
            (
                add_index("visits", &columns, false, &known),
                "CREATE INDEX visits_user_id_at_idx ON visits (user_id, at)",
            ),
            (
                add_constraint("visits", "once", "UNIQUE (id, at)", &known),
                "ALTER TABLE visits ADD CONSTRAINT once UNIQUE (id, at)",
            ),
            (
                add_constraint("visits", "visits_pkey", "PRIMARY KEY (id, at)", &known),
                "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY (id, at)",
            ),
            (
                add_foreign_key(
                    "visits",
                    &list(&["user_id"]),
                    "users",
                    &[],
                    Some("CASCADE"),
                    &known,
                ),
                "ALTER TABLE visits ADD CONSTRAINT visits_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE",
            ),
            (
                add_constraint("users", "users_mail", "UNIQUE (mail)", &known),
                "ALTER TABLE users ADD CONSTRAINT users_mail UNIQUE (mail)",
            ),
        ] {
            let text = text.unwrap();
            let safe = text.contains("CONCURRENTLY") || text.contains("VALIDATE");
            assert!(safe, "{text}");
            assert!(waits(&text, &known).unwrap().is_empty(), "{text}");
            let stage = Stage { name: "x", text, reversible: true };
            run(&session, &stage, true)
                .await
                .unwrap_or_else(|e| panic!("{major}: {e}\n{}", stage.text));
            let (_, other) = prepared(server, SETUP).await;
            other.client().batch_execute(plain).await.unwrap();
            assert_eq!(
                catalogue(&session).await,
                catalogue(&other).await,
                "{major}: {}",
                stage.text
            );
            run(&session, &stage, false)
                .await
                .unwrap_or_else(|e| panic!("{major}: {e}\n{}", stage.text));
            assert_eq!(
                catalogue(&session).await,
                before,
                "{major}: the way back of {}",
                stage.text
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_came_meanwhile_is_told_and_rows_that_refer_to_nothing_are_counted() {
    let server = shared::postgres(15).await.unwrap();
    let (_, session) = prepared(server, SETUP).await;
    let catalog = read(&session, Scope::All).await.unwrap();
    let known = Known { version: session.version(), catalog: Some(&catalog) };
    let columns = ["user_id".to_string()];
    let text = add_index("visits", &columns, false, &known).unwrap();
    let client = session.client();
    let late =
        "CREATE TABLE late PARTITION OF visits FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')";
    client.batch_execute(late).await.unwrap();
    let stage = Stage { name: "x", text, reversible: true };
    let told = run(&session, &stage, true).await.unwrap_err();
    assert!(told.contains("these have no part of the index: late"), "{told}");
    let key = ["id".to_string()];
    let found = orphans(&session, "visits", &columns, "users", &key).await.unwrap().unwrap();
    assert_eq!(found.0, 0);
    client.batch_execute("DELETE FROM users WHERE id > 97").await.unwrap();
    let (count, query) =
        orphans(&session, "visits", &columns, "users", &key).await.unwrap().unwrap();
    assert_eq!(count, 6);
    assert_eq!(client.query(&query, &[]).await.unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_tables_owner_uses_its_old_name_when_somebody_else_renames_it() {
    for major in [15, 18] {
        let server = shared::postgres(major).await.unwrap();
        let (spec, session) = prepared(server, "CREATE TABLE ten (id int PRIMARY KEY)").await;
        let client = session.client();
        let role = format!("owner_{}", spec.database());
        let owned = format!("CREATE ROLE {role}; ALTER TABLE ten OWNER TO {role}");
        client.batch_execute(&owned).await.unwrap();
        let [text, _] = rename_table("ten", "tenants", session.version()).unwrap();
        run(&session, &Stage { name: "x", text, reversible: true }, true).await.unwrap();
        let used = format!("SET ROLE {role}; INSERT INTO ten VALUES (1); SELECT * FROM ten");
        client.batch_execute(&used).await.unwrap_or_else(|error| panic!("{major}: {error:?}"));
        // The roles of a shared server are for all of its databases.
        let gone = format!("RESET ROLE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
        client.batch_execute(&gone).await.unwrap();
    }
}
