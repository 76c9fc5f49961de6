//! Labs that outlive the command that starts them.
//!
//! The tests run in a home of their own through the `holder` program where they need another
//! process, and in this machine's home, under names of their own, where they do not.

use std::path::Path;

use marula_core::{Engine, ErrorKind, Quiet};
use marula_lab::named::{self, Filling, Owner, Request, Supervisor};

use crate::world::{Holder, Home, command_line};

fn supervisor() -> Supervisor {
    Supervisor { command: vec![Holder::program().into(), "supervise".into()] }
}

fn name(of: &str) -> String {
    format!("test-{of}-{}", std::process::id())
}

/// A lab that ends with this test program, whatever happens to it.
fn request(name: &str, engines: &[Engine]) -> Request {
    Request { owner: Some(Owner::this_process().unwrap()), ..Request::new(name, engines) }
}

#[tokio::test]
async fn a_lab_with_data_is_found_by_name_and_goes_with_down() {
    let name = name("data");
    let mut request = request(&name, &[Engine::Postgres, Engine::Mongodb]);
    request.data = Some(Filling { name: "shop".into(), scale: 0.001, seed: 7 });
    let up = named::up(&request, &supervisor(), &Quiet).await.unwrap();
    assert!(!up.existed());
    let lab = up.keep().await.unwrap();

    let url = named::find(&name, Engine::Postgres).unwrap();
    let environment = marula_postgres::Environment::default();
    let spec = marula_postgres::ConnectSpec::parse(&url, &environment).unwrap();
    let options = marula_postgres::SessionOptions::lab();
    let session = marula_postgres::Session::open(&spec, &options).await.unwrap();
    let row = session.client().query_one("SELECT count(*) FROM order_items", &[]).await.unwrap();
    let items: i64 = row.get(0);
    assert!(items > 500);
    drop(session);

    // Another local user, who has no password, gets nowhere.
    let (_, rest) = url.split_once('@').unwrap();
    let stranger = marula_postgres::ConnectSpec::parse(
        &format!("postgresql://postgres:guess@{rest}"),
        &environment,
    );
    let error = marula_postgres::Session::open(&stranger.unwrap(), &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(!format!("{lab:?}").contains(password(&url)), "the password is not for logs");
    let state = marula_lab::home().join("labs").join(&name).join("state.json");
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&state.metadata().unwrap()) & 0o777, 0o600);

    let url = named::find(&name, Engine::Mongodb).unwrap();
    let spec = marula_mongodb::ConnectSpec::parse(&url).unwrap();
    let options = marula_mongodb::SessionOptions::lab();
    let session = marula_mongodb::Session::open(&spec, &options).await.unwrap();
    let orders = session.database().collection::<bson::Document>("orders");
    assert!(orders.count_documents(bson::doc! {}).await.unwrap() > 100);

    // The same again is the same lab; another under its name is refused.
    let again = named::up(&request, &supervisor(), &Quiet).await.unwrap();
    assert!(again.existed());
    let other = Request::new(&name, &[Engine::Postgres]);
    let error = named::up(&other, &supervisor(), &Quiet).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.message().contains("shop at scale 0.001, seed 7"), "{error}");

    assert!(named::list().iter().any(|lab| lab.request.name == name && lab.ready));
    named::down(&name).await.unwrap();
    assert_gone(&lab);
    assert!(named::list().iter().all(|lab| lab.request.name != name));
    let error = named::down(&name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_lab_that_is_not_kept_ends_with_its_command() {
    let name = name("foreground");
    let request = request(&name, &[Engine::Postgres]);
    let up = named::up(&request, &supervisor(), &Quiet).await.unwrap();
    let lab = up.lab().clone();
    assert!(named::find(&name, Engine::Postgres).is_ok());
    drop(up);
    assert_gone(&lab);
}

#[tokio::test]
async fn down_waits_until_all_is_removed() {
    let name = name("slow");
    let request = request(&name, &[Engine::Postgres]);
    let lab = named::up(&request, &supervisor(), &Quiet).await.unwrap().keep().await.unwrap();
    // Its supervisor has so much to remove that it is seen half-way.
    let folder = marula_lab::home().join("labs").join(&name);
    for file in 0..20_000 {
        std::fs::write(folder.join(format!("{file}")), []).unwrap();
    }
    named::down(&name).await.unwrap();
    assert_gone(&lab);
}

#[tokio::test]
async fn a_lab_ends_when_its_time_is_over() {
    let name = name("ttl");
    let mut request = request(&name, &[Engine::Mongodb]);
    request.ttl = std::time::Duration::from_secs(1);
    let mut up = named::up(&request, &supervisor(), &Quiet).await.unwrap();
    up.ended().await.unwrap();
    assert_gone(up.lab());
}

#[tokio::test]
async fn a_lab_whose_supervisor_was_killed_is_cleared_away() {
    let name = name("killed");
    let request = request(&name, &[Engine::Postgres, Engine::Mongodb]);
    let lab = named::up(&request, &supervisor(), &Quiet).await.unwrap().keep().await.unwrap();
    let pid = lab.supervisor.0.to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while lab.servers.iter().any(|server| server.folder.exists()) {
        assert!(std::time::Instant::now() < until, "the janitor did not come");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let error = named::find(&name, Engine::Postgres).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_gone(&lab);
}

#[test]
fn killing_up_while_it_loads_leaves_nothing() {
    let home = Home::new();
    let mut up = Holder::start(&home, &["up", "half"]);
    assert_eq!(up.says()["step"], "loading shop at scale 0.001 into PostgreSQL");
    assert!(home.processes().len() >= 3, "servers and a janitor: {:?}", home.processes());
    assert_eq!(home.leftovers().len(), 3, "{:?}", home.leftovers());
    up.signal("-KILL");
    up.child.wait().unwrap();
    home.assert_nothing_left();
}

#[tokio::test]
async fn names_that_are_no_names_and_requests_that_make_no_sense_are_refused() {
    for name in ["", "../up", "Demo", "a b", "-x", &"x".repeat(41)] {
        let error =
            named::up(&Request::new(name, &[Engine::Postgres]), &supervisor(), &Quiet).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Usage, "{name:?}");
        assert_eq!(named::find(name, Engine::Postgres).unwrap_err().kind(), ErrorKind::Usage);
    }
    let mut request = Request::new("fine", &[Engine::Postgres]);
    request.servers[0].version = Some("9.6".parse().unwrap());
    let error = named::up(&request, &supervisor(), &Quiet).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lab);
    assert!(error.message().contains("no PostgreSQL 9 was found"), "{error}");
    assert!(!marula_lab::home().join("labs/fine").exists());
}

fn password(url: &str) -> &str {
    let (_, rest) = url.split_once("//postgres:").unwrap();
    rest.split_once('@').unwrap().0
}

fn assert_gone(lab: &named::Lab) {
    for server in &lab.servers {
        let folder = server.folder.display().to_string();
        assert!(!command_line(server.process.0).contains(&folder), "{server:?} still runs");
        assert!(!server.folder.exists(), "{folder} is left");
    }
    assert!(!Path::new(&marula_lab::home()).join("labs").join(&lab.request.name).exists());
}
