//! Users who may not do all of what is due: found before any of it runs.

use bson::{Document, doc};
use marula_core::{Engine, Version};
use marula_lab::{MongoServer, StartOptions, discover};
use marula_mongodb::{Session, SessionOptions};

use super::{Project, postgres};

fn refused(project: &Project, words: &[&str]) {
    let (code, said) = project.run(&["migrate", "apply", "t"]);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, Some(3), "{said}");
    for word in words {
        assert!(flat.contains(word), "'{word}' is not in: {said}");
    }
}

#[test]
fn a_postgres_user_who_may_do_a_part() {
    let (_, eye) = postgres(15, &[]);
    let name = eye.session.spec().database().to_string();
    eye.run(&format!(
        "DROP ROLE IF EXISTS partly; CREATE ROLE partly LOGIN; GRANT CREATE ON DATABASE {name} TO partly;
         CREATE TABLE mine (id int); ALTER TABLE mine OWNER TO partly;
         CREATE TABLE yours (id int PRIMARY KEY, a int, b int); GRANT SELECT, UPDATE (a) ON yours TO partly"
    ));
    let server = eye.runtime.block_on(marula_lab::shared::postgres(15)).unwrap();
    let url = server.url().replace("/postgres?", &format!("/{name}?"));
    let url = url.replace("user=postgres", "user=partly");
    for (last, words) in [
        ("ALTER TABLE yours ADD c int", "partly may not change yours, which belongs to postgres"),
        ("DROP TABLE public.yours", "partly may not change public.yours"),
        ("CREATE INDEX i ON yours (a)", "partly may not change yours"),
        ("INSERT INTO yours VALUES (1)", "partly has no INSERT on yours"),
        ("DELETE FROM yours", "partly has no DELETE on yours"),
    ] {
        let file =
            format!("-- migrate:up transaction:false\nALTER TABLE mine ADD x int;\n{last};\n");
        let project = Project::new(url.clone(), &[("1_a.sql", &file)]);
        // Who owns them is a superuser: nobody is told to become one.
        let way = if words.contains(" has no ") { "GRANT " } else { "OWNER TO" };
        refused(&project, &[words, "nothing ran", "1_a.sql:3", way]);
        let added =
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'mine'::regclass AND attname = 'x'";
        assert_eq!(eye.number(added), 0, "{last}");
    }
    // What may be done, and what the file makes itself, is done.
    let file = "-- migrate:up\nCREATE SCHEMA own;\nCREATE TABLE own.new (id int);\n\
                ALTER TABLE own.new ADD x int;\nALTER TABLE mine ADD x int;\nUPDATE yours SET a = 2;\n";
    let project = Project::new(url, &[("1_a.sql", file)]);
    project.expect(&["migrate", "apply", "t"]);
    eye.run("DROP OWNED BY partly; DROP ROLE partly");
}

#[test]
fn a_mongodb_user_who_may_do_a_part() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let install = discover::choose_exactly(Engine::Mongodb, Some(Version::new(6, 0, 0))).unwrap();
    // Rights are asked for only with --auth, which takes no value: a configuration file says it.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mongod.conf");
    std::fs::write(&file, "security:\n  authorization: enabled\n").unwrap();
    for path in [folder.path(), file.as_path()] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let options = StartOptions::default().setting("config", file.display().to_string());
    let server = runtime.block_on(MongoServer::start(&install, &options)).unwrap();
    let spec = server.spec().with_database("shop");
    let root = runtime.block_on(Session::open(&spec, &SessionOptions::lab())).unwrap();
    let login = |user: &str| {
        server.url_of("shop").replace("mongodb://", &format!("mongodb://{user}:s3cret@"))
            + "&authSource=admin"
    };
    let users = [
        doc! { "createUser": "root", "pwd": "s3cret", "roles": ["root"] },
        doc! { "createUser": "writer", "pwd": "s3cret", "roles": [{ "role": "readWrite", "db": "shop" }] },
    ];
    let [first, second] = users;
    runtime.block_on(async { root.client().database("admin").run_command(first).await }).unwrap();
    let spec = marula_mongodb::ConnectSpec::parse(&login("root")).unwrap();
    let root = runtime.block_on(Session::open(&spec, &SessionOptions::lab())).unwrap();
    runtime.block_on(async { root.client().database("admin").run_command(second).await }).unwrap();
    let items = root.database().collection::<Document>("items");
    runtime.block_on(async { items.insert_one(doc! { "_id": 1 }).await }).unwrap();

    let file = r#"{"up": [{"createIndexes": "items", "indexes": [{"key": {"a": 1}, "name": "a_1"}]},
        {"collMod": "items", "validationLevel": "moderate"}]}"#;
    let project = Project::new(login("writer"), &[("1_a.json", file)]);
    refused(
        &project,
        &["writer may not collMod on items; nothing ran", "1_a.json:2", "the role dbAdmin"],
    );
    let names = runtime.block_on(async { items.list_index_names().await }).unwrap();
    assert_eq!(names, ["_id_"], "nothing ran");
    std::fs::write(
        project.path().join("migrations/1_a.json"),
        file.split_once(",\n").unwrap().0.to_string() + "]}",
    )
    .unwrap();
    project.expect(&["migrate", "apply", "t"]);
}
