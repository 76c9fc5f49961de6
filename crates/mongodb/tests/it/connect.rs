//! Connecting to a real server with and without TLS: what works, and what each failure says.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use marula_core::{Engine, ErrorKind, Version};
use marula_lab::{MongoServer, StartOptions, discover};
use marula_mongodb::{ConnectSpec, Session, SessionOptions};

use crate::certificates::Authority;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn open(url: &str) -> marula_core::Result<Session> {
    let spec = ConnectSpec::parse(url)?;
    Session::open(&spec, &SessionOptions::read_only(Duration::from_secs(5))).await
}

/// Fails unless opening fails with this kind and says all of these words and what to do, in less
/// than half a minute, and without the password.
async fn refused(url: &str, kind: ErrorKind, words: &[&str]) {
    let started = Instant::now();
    let error = match open(url).await {
        Ok(_) => panic!("{url} was let in"),
        Err(error) => error,
    };
    let said = format!("{error} | {}", error.hints().join(" | "));
    assert_eq!(error.kind(), kind, "{url}: {said}");
    for word in words {
        assert!(said.contains(word), "{url}: '{word}' is not in: {said}");
    }
    assert!(!error.hints().is_empty(), "{url}: what to do? {said}");
    assert!(error.place().is_some(), "{url}: where? {said}");
    assert!(!format!("{said} {error:?}").contains("s3cret-word"), "{url}: {said}");
    assert!(started.elapsed() < Duration::from_secs(30), "{url}: {:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_or_its_lack_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // The server runs as another user when the tests are root.
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let authority = Authority::new(folder.path(), "authority");
    Authority::new(folder.path(), "stranger");
    authority.sign("localhost");
    let file = |name: &str| folder.path().join(name).display().to_string();

    let version = Some(Version::new(6, 0, 0));
    let install = discover::choose_exactly(Engine::Mongodb, version).unwrap();
    let (port, plain) = (free_port(), free_port());
    // One of its options takes no value on the command line, hence a file.
    let tls = format!(
        "net:\n  tls:\n    mode: requireTLS\n    certificateKeyFile: {}\n    CAFile: {}\n    \
         allowConnectionsWithoutCertificates: true\n",
        file("localhost.pem"),
        file("authority.crt")
    );
    std::fs::write(file("mongod.conf"), tls).unwrap();
    let options = StartOptions::default().loopback(port).setting("config", file("mongod.conf"));
    let with_tls = MongoServer::start(&install, &options).await.unwrap();
    let options = StartOptions::default().loopback(plain);
    let without = MongoServer::start(&install, &options).await.unwrap();
    let url = |host: &str, port: u16, rest: &str| {
        let options = "directConnection=true&serverSelectionTimeoutMS=3000";
        format!("mongodb://{host}:{port}/shop?{options}{rest}")
    };
    let trusted = format!("&tls=true&tlsCAFile={}", file("authority.crt"));

    open(&url("localhost", port, &trusted)).await.unwrap();
    open(&url("127.0.0.1", port, "&tls=true&tlsInsecure=true")).await.unwrap();
    open(&url("127.0.0.1", plain, "")).await.unwrap();

    // The certificate is for localhost, not for an address.
    let words = ["TLS was refused", "127.0.0.1", "tlsCAFile", "host's name"];
    refused(&url("127.0.0.1", port, &trusted), ErrorKind::Denied, &words).await;
    let stranger = format!("&tls=true&tlsCAFile={}", file("stranger.crt"));
    let words = ["TLS was refused", "localhost", "tlsCAFile"];
    refused(&url("localhost", port, &stranger), ErrorKind::Denied, &words).await;
    // One side speaks TLS, the other does not.
    let words = ["127.0.0.1", "tls=true"];
    refused(&url("127.0.0.1", port, ""), ErrorKind::Unreachable, &words).await;
    let words = ["TLS was refused", "127.0.0.1", "tls=false"];
    refused(&url("127.0.0.1", plain, &trusted), ErrorKind::Denied, &words).await;
    let missing = format!("&tls=true&tlsCAFile={}", file("none.crt"));
    let words = ["tlsCAFile", "none.crt: it cannot be read: No such file"];
    refused(&url("localhost", port, &missing), ErrorKind::Io, &words).await;

    with_tls.stop().await;
    without.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_a_certificate_gets_it_or_its_lack_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let authority = Authority::new(folder.path(), "authority");
    authority.sign("localhost");
    authority.sign("ann");
    let stranger = Authority::new(folder.path(), "stranger");
    stranger.sign("bob");
    let file = |name: &str| folder.path().join(name).display().to_string();

    let version = Some(Version::new(6, 0, 0));
    let install = discover::choose_exactly(Engine::Mongodb, version).unwrap();
    let port = free_port();
    let options = StartOptions::default()
        .loopback(port)
        .setting("tlsMode", "requireTLS")
        .setting("tlsCertificateKeyFile", file("localhost.pem"))
        .setting("tlsCAFile", file("authority.crt"));
    let server = MongoServer::start(&install, &options).await.unwrap();
    let url = |rest: &str| {
        format!(
            "mongodb://localhost:{port}/shop?directConnection=true&serverSelectionTimeoutMS=3000\
             &tls=true&tlsCAFile={}{rest}",
            file("authority.crt")
        )
    };
    let with = |name: &str| url(&format!("&tlsCertificateKeyFile={}", file(name)));

    open(&with("ann.pem")).await.unwrap();
    let words = ["TLS was refused", "localhost", "tlsCertificateKeyFile"];
    refused(&url(""), ErrorKind::Denied, &words).await;
    refused(&with("bob.pem"), ErrorKind::Denied, &["TLS was refused", "localhost"]).await;
    let words = ["tlsCertificateKeyFile", "none.pem: it cannot be read: No such file"];
    refused(&with("none.pem"), ErrorKind::Io, &words).await;
    let words = ["tlsCertificateKeyFile", "ann.crt: there is no PRIVATE KEY in it", "both"];
    refused(&with("ann.crt"), ErrorKind::Io, &words).await;

    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_lead_nowhere_are_named_in_good_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let login = "ann:s3cret-word@";
    let words = ["no-such-host.invalid", "SRV record"];
    let srv = format!("mongodb+srv://{login}no-such-host.invalid/shop");
    refused(&srv, ErrorKind::Unreachable, &words).await;
    let short = "serverSelectionTimeoutMS=2000";
    let words = ["no server answers", "no-such-host.invalid:27017", "host and port"];
    let unknown = format!("mongodb://{login}no-such-host.invalid/shop?{short}");
    refused(&unknown, ErrorKind::Unreachable, &words).await;
    let words = ["no server answers", "did not answer in time", "firewall"];
    let silent_url = format!("mongodb://{login}127.0.0.1:{silent_port}/shop?{short}");
    refused(&silent_url, ErrorKind::Unreachable, &words).await;
    // A member of a replica set nobody else can be reached of.
    let words = ["no server answers", "127.0.0.1:1", "directConnection=true"];
    let set = format!("mongodb://{login}127.0.0.1:1/shop?replicaSet=rs0&{short}");
    refused(&set, ErrorKind::Unreachable, &words).await;
    drop(silent);
}
