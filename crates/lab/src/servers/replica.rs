use std::time::{Duration, Instant};

use bson::{Document, doc};
use marula_core::{Error, ErrorKind, Result};
use mongodb::Client;
use mongodb::options::ClientOptions;

/// The name of the lab's replica set.
pub(super) const NAME: &str = "lab";
/// How long one member may take to elect itself.
const LIMIT: Duration = Duration::from_secs(30);

/// Makes the server at `url` a replica set whose one member is called `member`, and waits until it
/// is primary.
pub(super) async fn initiate(url: &str, member: &str) -> Result<()> {
    let failed = |error: mongodb::error::Error| {
        Error::new(ErrorKind::Lab, format!("the replica set could not be initiated: {error}"))
            .because(error)
    };
    let client = connect(url).await.map_err(failed)?;
    let admin = client.database("admin");
    let config = doc! { "_id": NAME, "version": 1, "members": [{ "_id": 0, "host": member }] };
    admin.run_command(doc! { "replSetInitiate": config }).await.map_err(failed)?;
    let until = Instant::now() + LIMIT;
    loop {
        let hello: Document = admin.run_command(doc! { "isMaster": 1 }).await.map_err(failed)?;
        if hello.get_bool("ismaster").unwrap_or(false) {
            break;
        }
        if Instant::now() > until {
            let message = format!("the replica set had no primary after {} s", LIMIT.as_secs());
            return Err(Error::new(ErrorKind::Lab, message)
                .hint("look whether this machine is overloaded, then try again"));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    client.shutdown().immediate(true).await;
    Ok(())
}

/// Adds the server at `url` to the replica set of the server at `primary`, without a vote, and
/// waits until it has copied everything.
pub(super) async fn add(primary: &str, url: &str, member: &str, limit: Duration) -> Result<()> {
    let failed = |error: mongodb::error::Error| {
        Error::new(ErrorKind::Lab, format!("no second member could be added: {error}"))
            .because(error)
    };
    let first = connect(primary).await.map_err(failed)?;
    let admin = first.database("admin");
    let reply = admin.run_command(doc! { "replSetGetConfig": 1 }).await.map_err(failed)?;
    let mut config = reply.get_document("config").cloned().unwrap_or_default();
    let version = config.get_i32("version").unwrap_or(1);
    config.insert("version", version + 1);
    if let Ok(members) = config.get_array_mut("members") {
        let number = i32::try_from(members.len()).unwrap_or(1);
        members.push(doc! { "_id": number, "host": member, "priority": 0, "votes": 0 }.into());
    }
    let until = Instant::now() + limit;
    // A set that was initiated just now takes a new configuration in a moment.
    while let Err(error) = admin.run_command(doc! { "replSetReconfig": config.clone() }).await {
        if Instant::now() > until {
            return Err(failed(error));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = connect(url).await.map_err(failed)?;
    let of_second = second.database("admin");
    loop {
        let hello = of_second.run_command(doc! { "isMaster": 1 }).await.unwrap_or_default();
        if hello.get_bool("secondary").unwrap_or(false) {
            break;
        }
        if Instant::now() > until {
            let message = format!("a second member had not copied all after {} s", limit.as_secs());
            return Err(Error::new(ErrorKind::Lab, message)
                .hint("look whether this machine is overloaded, then try again"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.shutdown().immediate(true).await;
    second.shutdown().immediate(true).await;
    Ok(())
}

async fn connect(url: &str) -> mongodb::error::Result<Client> {
    let mut options = ClientOptions::parse(url).await?;
    options.server_selection_timeout = Some(Duration::from_secs(10));
    Client::with_options(options)
}
