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
    let mut options = ClientOptions::parse(url).await.map_err(failed)?;
    options.server_selection_timeout = Some(Duration::from_secs(10));
    let client = Client::with_options(options).map_err(failed)?;
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
