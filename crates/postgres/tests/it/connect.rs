//! Connecting to a real server in every way libpq knows: what works, and what each failure says.

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use marula_core::{Engine, Error, ErrorKind, Version};
use marula_lab::{PostgresServer, StartOptions, discover};
use marula_postgres::explain::{Mode, explain};
use marula_postgres::{ConnectSpec, Environment, Session, SessionOptions};
use tokio::sync::OnceCell;

use crate::certificates::Authority;
use crate::support::statement;

const PASSWORD: &str = "s3cret-word";

/// Who may come in, and how.
const RULES: &str = "\
local     all all                     trust
hostnossl all plain      127.0.0.1/32 scram-sha-256
hostssl   all secure     127.0.0.1/32 scram-sha-256
hostssl   all certified  127.0.0.1/32 cert
host      all reader,full,\"od:d\\x\" 127.0.0.1/32 scram-sha-256
";

/// A server with TLS, and one without.
struct Servers {
    with_tls: PostgresServer,
    without: PostgresServer,
    folder: PathBuf,
}

impl Servers {
    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

async fn servers() -> &'static Servers {
    static SERVERS: OnceCell<Servers> = OnceCell::const_new();
    SERVERS
        .get_or_init(|| async {
            let with_tls = start().await;
            // Within the server's folder, which goes with it.
            let folder = with_tls.folder().join("certificates");
            std::fs::create_dir(&folder).unwrap();
            std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
            let authority = Authority::new(&folder, "authority");
            Authority::new(&folder, "stranger");
            for name in ["localhost", "certified"] {
                authority.sign(name);
            }
            let of = with_tls.folder().metadata().unwrap();
            chown(folder.join("localhost.key"), Some(of.uid()), Some(of.gid())).unwrap();
            for (setting, file) in [
                ("ssl_cert_file", "localhost.crt"),
                ("ssl_key_file", "localhost.key"),
                ("ssl_ca_file", "authority.crt"),
            ] {
                let file = folder.join(file);
                let set = format!("ALTER SYSTEM SET {setting} = '{}'", file.display());
                with_tls.execute(&set).await.unwrap();
            }
            with_tls.execute("ALTER SYSTEM SET ssl = on").await.unwrap();
            reload(&with_tls).await;
            Servers { without: start().await, with_tls, folder }
        })
        .await
}

async fn start() -> PostgresServer {
    let version = Some(Version::new(15, 0, 0));
    let install = discover::choose_exactly(Engine::Postgres, version).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = StartOptions::default().loopback(port);
    let server = PostgresServer::start(&install, &options).await.unwrap();
    for user in ["plain", "secure", "certified", "reader", "full", "\"od:d\\x\""] {
        server.execute(&format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")).await.unwrap();
    }
    server.execute("ALTER ROLE full CONNECTION LIMIT 0").await.unwrap();
    server.execute("CREATE TABLE secrets (id int)").await.unwrap();
    std::fs::write(server.folder().join("data/pg_hba.conf"), RULES).unwrap();
    reload(&server).await;
    server
}

/// Has the server read its settings anew, and waits until new connections see them.
async fn reload(server: &PostgresServer) {
    server.execute("SELECT pg_reload_conf()").await.unwrap();
    let on = std::fs::read_to_string(server.folder().join("data/postgresql.auto.conf")).unwrap();
    for _ in 0..500 {
        let session = Session::open(&server.spec(), &SessionOptions::lab()).await.unwrap();
        let row = session.client().query_one("SHOW ssl", &[]).await.unwrap();
        if (row.get::<_, &str>(0) == "on") == on.contains("ssl = 'on'") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the server does not take its settings: {}", server.log().display());
}

/// An empty home, so that nobody's own files have a say.
fn nobody() -> Environment {
    Environment { variables: HashMap::new(), home: Some("/nonexistent".into()), user: None }
}

/// Opens a session; gives whether it goes through TLS.
async fn open(text: &str, environment: &Environment) -> Result<bool, Error> {
    let spec = ConnectSpec::parse(text, environment)?;
    let session = Session::open(&spec, &SessionOptions::read_only(Duration::from_secs(20))).await?;
    let sql = "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)";
    Ok(session.client().query_one(sql, &[]).await.unwrap().get(0))
}

/// Fails unless opening fails with this kind and says all of these words; nothing of it shows the
/// password, and it says what to do.
async fn refused(text: &str, environment: &Environment, kind: ErrorKind, words: &[&str]) {
    let error = match open(text, environment).await {
        Ok(_) => panic!("{text} was let in"),
        Err(error) => error,
    };
    let said = format!("{error} | {}", error.hints().join(" | "));
    assert_eq!(error.kind(), kind, "{text}: {said}");
    for word in words {
        assert!(said.contains(word), "{text}: '{word}' is not in: {said}");
    }
    assert!(!error.hints().is_empty(), "{text}: what to do? {said}");
    assert!(error.place().is_some() || kind == ErrorKind::Usage, "{text}: where? {said}");
    for secret in [PASSWORD, "wr0ng"] {
        assert!(!format!("{said} {error:?}").contains(secret), "{text}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sslmode_does_what_libpq_does() {
    let servers = servers().await;
    let port = servers.with_tls.port();
    let base = format!("port={port} dbname=postgres user=reader password={PASSWORD}");
    let authority = format!("sslrootcert={}", servers.file("authority.crt"));
    let stranger = format!("sslrootcert={}", servers.file("stranger.crt"));
    let (named, numbered) = ("host=localhost hostaddr=127.0.0.1", "host=127.0.0.1");

    for (how, tls) in [
        ("sslmode=disable".to_owned(), false),
        ("sslmode=allow".to_owned(), false),
        (String::new(), true),
        ("sslmode=prefer".to_owned(), true),
        ("sslmode=require".to_owned(), true),
        (format!("sslmode=require {authority}"), true),
        (format!("sslmode=verify-ca {authority}"), true),
    ] {
        let text = format!("{base} {numbered} {how}");
        assert_eq!(open(&text, &nobody()).await.unwrap(), tls, "{how}");
    }
    let full = format!("{base} {named} sslmode=verify-full {authority}");
    assert!(open(&full, &nobody()).await.unwrap());

    // The certificate is for localhost, not for an address.
    let wrong_host = format!("{base} {numbered} sslmode=verify-full {authority}");
    let words = ["TLS failed", "127.0.0.1", "sslrootcert", "host name"];
    refused(&wrong_host, &nobody(), ErrorKind::Denied, &words).await;
    for how in ["require", "verify-ca", "verify-full"] {
        let text = format!("{base} {named} sslmode={how} {stranger}");
        let words = ["TLS failed", "certificate", "localhost:", "check sslmode and sslrootcert"];
        refused(&text, &nobody(), ErrorKind::Denied, &words).await;
    }
    let missing = servers.file("none.crt");
    let text = format!("{base} {named} sslmode=verify-ca sslrootcert={missing}");
    refused(&text, &nobody(), ErrorKind::Usage, &["sslrootcert cannot be read", &missing]).await;
    let text = format!("{base} {named} sslmode=sometimes");
    let words = ["sslmode 'sometimes' is not known", "verify-full"];
    refused(&text, &nobody(), ErrorKind::Usage, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_wants_of_tls_is_met_or_named() {
    let servers = servers().await;
    let at = |port: u16, user: &str, mode: &str| {
        let who = format!("user={user} password={PASSWORD}");
        format!("host=127.0.0.1 port={port} dbname=postgres {who} sslmode={mode}")
    };
    let (tls, none) = (servers.with_tls.port(), servers.without.port());
    for (text, through) in [
        (at(tls, "plain", "prefer"), false),
        (at(tls, "secure", "prefer"), true),
        (at(tls, "secure", "allow"), true),
        (at(none, "reader", "prefer"), false),
        (at(none, "reader", "allow"), false),
    ] {
        assert_eq!(open(&text, &nobody()).await.unwrap(), through, "{text}");
    }
    for (user, mode) in [("plain", "require"), ("secure", "disable")] {
        let words = ["28000", "pg_hba.conf", user];
        refused(&at(tls, user, mode), &nobody(), ErrorKind::Denied, &words).await;
    }
    let words = ["the server has no TLS, sslmode=require wants it", "sslmode=prefer"];
    refused(&at(none, "reader", "require"), &nobody(), ErrorKind::Denied, &words).await;

    // Who comes with a certificate needs no password.
    let certified = |key: &str| {
        let certificate = servers.file("certified.crt");
        let text = at(tls, "certified", "require").replace(PASSWORD, "unused");
        format!("{text} sslcert={certificate} sslkey={key}")
    };
    let key = servers.file("certified.key");
    assert!(open(&certified(&key), &nobody()).await.unwrap());
    let other = servers.file("localhost.pem");
    let words = ["others may read the client's key", &other, "chmod 0600"];
    refused(&certified(&other), &nobody(), ErrorKind::Usage, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_come_from_the_variable_the_file_or_the_service() {
    let servers = servers().await;
    let port = servers.without.port();
    let folder = tempfile::tempdir().unwrap();
    let home = |lines: &str, mode: u32| {
        let file = folder.path().join(".pgpass");
        std::fs::write(&file, lines).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        Environment { home: Some(folder.path().into()), ..nobody() }
    };
    let url = format!("postgresql://reader@127.0.0.1:{port}/postgres");
    let line = format!("127.0.0.1:{port}:postgres:reader:{PASSWORD}\n");

    // .pgpass
    open(&url, &home(&line, 0o600)).await.unwrap();
    open(&url, &home(&format!("# mine\n*:*:*:reader:{PASSWORD}\n"), 0o600)).await.unwrap();
    let odd = format!("host=127.0.0.1 port={port} dbname=postgres user='od:d\\\\x'");
    open(&odd, &home(&format!("*:*:*:od\\:d\\\\x:{PASSWORD}\n"), 0o600)).await.unwrap();
    let wrong = line.replace(PASSWORD, "wr0ng");
    let words = ["password authentication failed", "28P01", "~/.pgpass"];
    refused(&url, &home(&wrong, 0o600), ErrorKind::Denied, &words).await;
    let words = ["the server wants a password for reader", "PGPASSWORD", "mode 0600"];
    refused(&url, &home("other:*:*:*:x\n", 0o600), ErrorKind::Denied, &words).await;
    let words = ["wants a password", ".pgpass was not read: others may read it", "chmod 0600"];
    refused(&url, &home(&line, 0o644), ErrorKind::Denied, &words).await;

    // PG* variables; what the address says counts more.
    let variables = |pairs: &[(&str, &str)]| Environment {
        variables: pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..nobody()
    };
    let number = port.to_string();
    let all = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", number.as_str()),
        ("PGDATABASE", "postgres"),
        ("PGUSER", "reader"),
        ("PGPASSWORD", PASSWORD),
        ("PGSSLMODE", "disable"),
    ];
    open("", &variables(&all)).await.unwrap();
    open("postgres", &variables(&all)).await.unwrap();
    let other = [("PGPORT", "1"), ("PGUSER", "ghost"), ("PGPASSWORD", PASSWORD)];
    open(&url, &variables(&other)).await.unwrap();
    let wrong = [("PGPASSWORD", "wr0ng")];
    refused(&url, &variables(&wrong), ErrorKind::Denied, &["28P01", "127.0.0.1"]).await;

    // pg_service.conf
    let service = folder.path().join("services.conf");
    let here = [("PGSERVICEFILE", service.to_str().unwrap()), ("PGPASSWORD", PASSWORD)];
    let write = |text: &str| std::fs::write(&service, text).unwrap();
    let shop = format!("[shop]\nhost=127.0.0.1\nport={port}\ndbname=postgres\nuser=reader\n");
    write(&format!("# servers\n[other]\nhost=nowhere\n{shop}"));
    open("service=shop", &variables(&here)).await.unwrap();
    open("service=shop user=secure", &variables(&here)).await.unwrap_err();
    let words = ["no service is called 'shpo'", "did you mean 'shop'?"];
    refused("service=shpo", &variables(&here), ErrorKind::NotFound, &words).await;
    write("[shop]\nhost 127.0.0.1\n");
    let words = ["without '='", "services.conf, line 2"];
    refused("service=shop", &variables(&here), ErrorKind::Usage, &words).await;
    write("[shop]\nhots=127.0.0.1\n");
    let words = ["no connection option is called 'hots'", "did you mean 'host'?", "line 2"];
    refused("service=shop", &variables(&here), ErrorKind::Usage, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_databases_and_rights_that_are_missing_are_named() {
    let servers = servers().await;
    let port = servers.without.port();
    let url = |login: &str, rest: &str| format!("postgresql://{login}@127.0.0.1:{port}/{rest}");
    let reader = format!("reader:{PASSWORD}");

    let words = ["password authentication failed for user \"reader\"", "127.0.0.1:"];
    refused(&url("reader:wr0ng", "postgres"), &nobody(), ErrorKind::Denied, &words).await;
    let words = ["database \"shpo\" does not exist", "3D000", "name a database that exists"];
    refused(&url(&reader, "shpo"), &nobody(), ErrorKind::NotFound, &words).await;
    let words = ["no pg_hba.conf entry", "ghost"];
    refused(&url("ghost:wr0ng", "postgres"), &nobody(), ErrorKind::Denied, &words).await;
    let words = ["too many connections for role \"full\"", "53300", "max_connections"];
    let full = url(&format!("full:{PASSWORD}"), "postgres");
    refused(&full, &nobody(), ErrorKind::Unreachable, &words).await;
    let standby = url(&reader, "postgres?target_session_attrs=standby");
    let words = ["the server is not a standby", "target_session_attrs"];
    refused(&standby, &nobody(), ErrorKind::Unreachable, &words).await;

    let spec = ConnectSpec::parse(&url(&reader, "postgres"), &nobody()).unwrap();
    let options = SessionOptions::read_only(Duration::from_secs(5));
    let session = Session::open(&spec, &options).await.unwrap();
    let select = statement("SELECT * FROM secrets");
    let error = explain(&session, &select, Mode::Estimate).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert_eq!(error.server_code(), Some("42501"));
    assert!(error.message().contains("permission denied for table secrets"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_there_are_named_in_good_time() {
    let servers = servers().await;
    let port = servers.without.port();
    let socket = servers.without.spec();
    let (folder, number) = (socket.hosts()[0].0.to_owned(), socket.hosts()[0].1);
    let there = format!("host={folder} port={number} user=postgres dbname=postgres");
    // Through a socket there is no TLS, whatever is asked for short of verification.
    assert!(!open(&format!("{there} sslmode=require"), &nobody()).await.unwrap());
    // The second host answers.
    let two = format!("host=127.0.0.1,127.0.0.1 port=1,{port}");
    open(&format!("{two} user=reader dbname=postgres password={PASSWORD}"), &nobody())
        .await
        .unwrap();

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let closing_port = closing.local_addr().unwrap().port();
    std::thread::spawn(move || closing.incoming().for_each(drop));
    let started = Instant::now();
    for (text, words) in [
        ("host=127.0.0.1 port=1".to_owned(), ["127.0.0.1:1: ", "Connection refused"]),
        ("host=no-such-host.invalid".to_owned(), ["no-such-host.invalid:5432", "host and port"]),
        ("host=/nonexistent".to_owned(), ["/nonexistent/.s.PGSQL.5432", "check that it runs"]),
        (
            format!("host=127.0.0.1 port={silent_port} connect_timeout=2"),
            ["did not answer within 2 s", "firewall"],
        ),
        (
            format!("host=127.0.0.1 port={closing_port} sslmode=disable"),
            ["closed the connection", "PostgreSQL listens on this port"],
        ),
    ] {
        let text = format!("{text} user=reader dbname=postgres");
        refused(&text, &nobody(), ErrorKind::Unreachable, &words).await;
    }
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    drop(silent);
    assert!(!Path::new("/nonexistent").exists());
}
