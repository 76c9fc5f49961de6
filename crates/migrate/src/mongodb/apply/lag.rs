//! How far the secondaries are behind, and waiting for them.

use std::time::{Duration, Instant};

use bson::{Bson, doc};
use marula_core::{Progress, Result};

use super::Ground;
use super::send::number;
use crate::apply::Stop;

/// Waits while a secondary that lives is more than `limit` behind.
pub(super) async fn wait(
    ground: &Ground,
    limit: Duration,
    stop: &Stop,
    progress: &dyn Progress,
    title: &str,
) -> Result<()> {
    if !ground.deployment.transactions || ground.deployment.sharded {
        return Ok(());
    }
    let began = Instant::now();
    loop {
        let Some((name, behind)) = worst(ground).await else { return Ok(()) };
        if behind <= limit {
            if began.elapsed() > Duration::from_secs(1) {
                let waited = began.elapsed().as_secs();
                ground.note(format!("the backfill waited {waited} s for {name}"));
            }
            return Ok(());
        }
        progress
            .step(&format!("{title}: waits for {name}, {} s behind (--max-lag)", behind.as_secs()));
        stop.check()?;
        super::lock::check(ground)?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The secondary that is furthest behind; `None` when there is none, or nobody may ask.
async fn worst(ground: &Ground) -> Option<(String, Duration)> {
    let admin = ground.session.client().database("admin");
    let status = match admin.run_command(doc! { "replSetGetStatus": 1 }).await {
        Ok(status) => status,
        Err(_) => {
            ground.note(
                "how far secondaries are behind cannot be read: the user lacks clusterMonitor",
            );
            return None;
        }
    };
    let members: Vec<_> =
        status.get_array("members").ok()?.iter().filter_map(Bson::as_document).collect();
    let optime = |member: &bson::Document| member.get_datetime("optimeDate").ok().copied();
    let wanted = delays(ground).await;
    let primary = members.iter().find(|member| number(member, "state") == 1)?;
    let newest = optime(primary)?.timestamp_millis();
    members
        .iter()
        .filter(|member| number(member, "state") == 2)
        .filter_map(|member| {
            let behind = newest - optime(member)?.timestamp_millis();
            // What is delayed on purpose is behind by as much.
            let delay = wanted.iter().find(|(id, _)| *id == number(member, "_id"));
            let behind = behind - delay.map_or(0, |(_, seconds)| seconds * 1000);
            let name = member.get_str("name").unwrap_or("a secondary").to_string();
            Some((name, Duration::from_millis(u64::try_from(behind).unwrap_or_default())))
        })
        .max_by_key(|(_, behind)| *behind)
}

/// The members that are to be behind, by number, and by how many seconds.
async fn delays(ground: &Ground) -> Vec<(i64, i64)> {
    let admin = ground.session.client().database("admin");
    let reply = admin.run_command(doc! { "replSetGetConfig": 1 }).await.unwrap_or_default();
    let config = reply.get_document("config").cloned().unwrap_or_default();
    let members = config.get_array("members").cloned().unwrap_or_default();
    let delay = |member: &bson::Document| {
        // Called slaveDelay before 5.0.
        let seconds = number(member, "secondaryDelaySecs").max(number(member, "slaveDelay"));
        (number(member, "_id"), seconds)
    };
    members.iter().filter_map(Bson::as_document).map(delay).filter(|(_, s)| *s > 0).collect()
}
