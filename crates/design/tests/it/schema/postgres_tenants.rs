use marula_design::schema::Stage;
use marula_postgres::Session;

use super::models::*;
use super::postgres::{MAJORS, drawn, fresh, reviewed, run, session};

async fn number(session: &Session, sql: &str) -> i64 {
    session.client().query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_see_their_own_rows_alone() {
    for major in MAJORS {
        let (spec, owner) = fresh(major).await;
        let case = Case::of(SERVICE);
        let schema = drawn(&case, &owner).await;
        for statement in schema.statements(Stage::BeforeLoading) {
            run(&owner, statement).await.unwrap();
        }
        run(&owner, "INSERT INTO tenants VALUES (1, 'one'), (2, 'two'); INSERT INTO plans VALUES (1, 'free');
             INSERT INTO projects VALUES (1, 1, 'a'), (2, 2, 'b'); INSERT INTO labels VALUES (1, 1), (2, 2);
             INSERT INTO tasks VALUES (1, 1, 'x'), (2, 2, 'y')")
            .await
            .unwrap();
        for statement in schema.statements(Stage::AfterLoading) {
            run(&owner, statement).await.unwrap_or_else(|error| panic!("{error}\n{statement}"));
        }
        // A role that owns nothing, and one that owns the tables.
        let (app, holder) =
            (format!("app_{}", spec.database()), format!("own_{}", spec.database()));
        run(&owner, &format!(
            "CREATE ROLE {app}; CREATE ROLE {holder}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {app};
             GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {app};
             ALTER TABLE tenants OWNER TO {holder}; ALTER TABLE projects OWNER TO {holder};
             ALTER TABLE tasks OWNER TO {holder}; ALTER TABLE labels OWNER TO {holder}")).await.unwrap();
        for role in [&app, &holder] {
            let session = session(&spec).await;
            run(&session, &format!("SET ROLE {role}")).await.unwrap();
            let counted = "SELECT (SELECT count(*) FROM tenants) + (SELECT count(*) FROM projects) + (SELECT count(*) FROM tasks)";
            assert_eq!(number(&session, counted).await, 0, "{major} {role}: no tenant, no rows");
            run(&session, "SET app.tenant = '1'").await.unwrap();
            assert_eq!(number(&session, counted).await, 3, "{major} {role}");
            assert_eq!(number(&session, "SELECT id FROM tasks").await, 1);
            for (statement, expected) in [
                ("INSERT INTO projects (id, tenant_id, title) VALUES (3, 2, 'theirs')", "42501"),
                ("INSERT INTO tasks (id, project_id, title) VALUES (3, 2, 'theirs')", "42501"),
                ("UPDATE projects SET tenant_id = 2", "42501"),
                // A foreign key alone would let it name what another tenant has.
                (
                    "INSERT INTO tasks (id, project_id, title, label_id) VALUES (3, 1, 'x', 2)",
                    "42501",
                ),
                ("UPDATE tasks SET label_id = 2", "42501"),
                ("UPDATE tasks SET label_id = 1", ""),
                ("INSERT INTO projects (id, tenant_id, title) VALUES (10, 1, 'ours')", ""),
                ("INSERT INTO tasks (id, project_id, title) VALUES (10, 10, 'ours')", ""),
                ("DELETE FROM tasks WHERE id = 2", ""),
                ("DELETE FROM tasks WHERE id = 10", ""),
                ("DELETE FROM projects WHERE id = 10", ""),
            ] {
                let got = run(&session, statement).await.err().unwrap_or_default();
                assert_eq!(got, expected, "{major} {role} {statement}");
            }
            run(&session, "RESET app.tenant").await.unwrap();
            assert_eq!(number(&session, counted).await, 0, "{major} {role}: reset");
            if *role == app {
                assert_eq!(number(&session, "SELECT count(*) FROM plans").await, 1);
            }
        }
        assert_eq!(number(&owner, "SELECT count(*) FROM tasks").await, 2, "nobody took another's");
        assert_eq!(reviewed(&owner).await, Vec::<String>::new());
        assert!(schema.notes.iter().any(|note| note.contains("all tenants see the same plans")));
        let open = "nothing keeps tasks (before_id) → tasks within one of tenants";
        assert!(schema.notes.iter().any(|note| note.contains(open)), "{:?}", schema.notes);
        run(&owner, &format!("DROP OWNED BY {app}, {holder}; DROP ROLE {app}, {holder}"))
            .await
            .unwrap();
    }
}

/// A reference to the same table that names the tenant on both sides needs nothing more: the foreign
/// key refuses what is another's.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_the_tenant_in_it_keeps_references_within_it() {
    let case = Case::of(
        "
name: clinic
tenant: tenants
entities:
  - {name: tenants, rows: 9, attributes: [{name: id, type: id}]}
  - name: staff
    key: [tenant_id, code]
    rows: 90
    attributes: [{name: tenant_id, type: id, required: true}, {name: code, type: text, required: true}, {name: boss, type: text}]
relations:
  - {from: staff, attributes: [tenant_id], to: tenants}
  - {from: staff, attributes: [tenant_id, boss], to: staff}
",
    );
    for major in MAJORS {
        let (_, owner) = fresh(major).await;
        let schema = drawn(&case, &owner).await;
        for stage in [Stage::BeforeLoading, Stage::AfterLoading] {
            for statement in schema.statements(stage) {
                run(&owner, statement).await.unwrap_or_else(|error| panic!("{error}\n{statement}"));
            }
        }
        run(&owner, "INSERT INTO tenants VALUES (1), (2); INSERT INTO staff VALUES (1, 'a', NULL)")
            .await
            .unwrap();
        let theirs = run(&owner, "INSERT INTO staff VALUES (2, 'b', 'a')").await;
        assert_eq!(theirs.err().as_deref(), Some("23503"), "{major}");
        assert!(
            schema.notes.iter().all(|note| !note.contains("nothing keeps")),
            "{:?}",
            schema.notes
        );
    }
}
