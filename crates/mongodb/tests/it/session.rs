//! Connecting: what goes wrong is named.

use std::time::{Duration, Instant};

use bson::doc;
use marula_core::{Engine, ErrorKind, Version};
use marula_lab::{MongoServer, StartOptions, discover};
use marula_mongodb::{ConnectSpec, Session, SessionOptions, catalog, explain, shell};
use secrecy::SecretString;

fn options() -> SessionOptions {
    SessionOptions::read_only(Duration::from_secs(5))
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let spec =
        ConnectSpec::parse("mongodb://ann:hunter2@127.0.0.1:1/shop?serverSelectionTimeoutMS=700")
            .unwrap();
    let started = Instant::now();
    let error = Session::open(&spec, &options()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert!(!error.hints().is_empty());
}

#[tokio::test]
async fn the_only_database_is_taken_when_the_address_names_none() {
    let place = crate::support::place((6, 0)).await;
    let name = place.spec.database().unwrap();
    assert_eq!(place.target.database().name(), name);
    assert_eq!(place.target.version().major, 6);
}

#[tokio::test]
async fn users_passwords_and_rights() {
    let install = discover::choose_exactly(Engine::Mongodb, Some(Version::new(5, 0, 0))).unwrap();
    let start = StartOptions::default().setting("setParameter", "enableLocalhostAuthBypass=true");
    // Rights are asked for only with --auth, which takes no value: a configuration file says it.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mongod.conf");
    std::fs::write(&file, "security:\n  authorization: enabled\n").unwrap();
    for path in [folder.path(), file.as_path()] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let start = start.setting("config", file.display().to_string());
    let server = MongoServer::start(&install, &start).await.unwrap();
    let open = server.spec().with_database("shop");
    let root = Session::open(&open, &SessionOptions::lab()).await.unwrap();
    let admin = root.client().database("admin");
    admin
        .run_command(doc! { "createUser": "root", "pwd": "r00t!secret", "roles": ["root"] })
        .await
        .unwrap();
    let socket = open.to_string().replace("mongodb://", "");
    let host = socket.split('/').next().unwrap();
    let url = |login: &str| {
        ConnectSpec::parse(&format!(
            "mongodb://{login}@{host}/shop?authSource=admin&directConnection=true"
        ))
        .unwrap()
    };
    let root = Session::open(&url("root:r00t!secret"), &SessionOptions::lab()).await.unwrap();
    let admin = root.client().database("admin");
    for (user, role) in [("reader", "read"), ("nobody", "")] {
        let roles = match role {
            "" => vec![],
            role => vec![doc! { "role": role, "db": "shop" }],
        };
        admin
            .run_command(doc! { "createUser": user, "pwd": "s3cret-word", "roles": roles })
            .await
            .unwrap();
    }
    let orders = root.database().collection("orders");
    orders.insert_many((0..10).map(|n| doc! { "_id": n, "a": n })).await.unwrap();

    let wrong = Session::open(&url("reader:wr0ng-word"), &options()).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Denied, "{wrong}");
    assert!(!format!("{wrong} {wrong:?}").contains("wr0ng-word"), "{wrong:?}");

    let given = url("reader").with_password(SecretString::from("s3cret-word".to_string()));
    let reader = Session::open(&given, &options()).await.unwrap();
    let catalog = catalog::read(&reader, catalog::Scope::All, Some(100)).await.unwrap();
    let orders = catalog.find("orders").unwrap();
    assert_eq!(orders.documents, 10);
    assert_eq!(orders.indexes[0].accesses, None, "a reader may not see $indexStats");
    assert!(
        catalog.notes.iter().any(|note| note.contains("clusterMonitor")),
        "{:?}",
        catalog.notes
    );

    let nobody = Session::open(&url("nobody:s3cret-word"), &options()).await.unwrap();
    let find = shell::parse("db.orders.find({a: 1})").unwrap();
    let denied = explain::explain(&nobody, &find, explain::Mode::Estimate).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied, "{denied}");
    assert_eq!(denied.server_code(), Some("Unauthorized"));

    // A server that dies in the middle.
    let pid = rustix_kill(server.pid());
    assert!(pid);
    let died = explain::explain(
        &reader.with_timeout(Duration::from_secs(2)),
        &find,
        explain::Mode::Estimate,
    )
    .await
    .unwrap_err();
    assert!(
        matches!(died.kind(), ErrorKind::ServerDied | ErrorKind::Unreachable),
        "{died} {:?}",
        died.kind()
    );
    server.stop().await;
}

fn rustix_kill(pid: u32) -> bool {
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success()
}
