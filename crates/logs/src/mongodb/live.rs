//! What a running server tells: its profiler's documents, and the end of its log.

use bson::{Document, doc};
use marula_core::{Digest, Engine, Result, SourceRead, Timestamp};
use marula_mongodb::{Command, Find, Operation, Session, run};

use super::profile_bson::ProfileBson;
use crate::{Clue, Collector, Format, Place, Request};

/// Reads `system.profile` of the session's database.
///
/// A database that is not profiled gives an empty digest whose source says so. Only reads: the
/// profiler is turned on by whoever may.
///
/// # Errors
/// `Refused` without the right to read it, and whatever else the server says.
pub async fn profile(session: &Session, request: &Request) -> Result<Digest> {
    let mut documents = Vec::new();
    let find = Find { filter: filter(request), ..Find::default() };
    let command = Command::new("system.profile", Operation::Find(find));
    run::run(session, &command, |document| {
        documents.extend_from_slice(document.as_bytes());
        Ok(())
    })
    .await?;
    let mut source = SourceRead {
        name: session.spec().to_string(),
        format: Some("mongodb system.profile".into()),
        engine: Some(Engine::Mongodb),
        bytes: documents.len() as u64,
        ..SourceRead::default()
    };
    if documents.is_empty() {
        source.ended = Some(
            "the profiler has nothing to tell: turn it on with db.setProfilingLevel(1, {slowms: 100})"
                .into(),
        );
    }
    Ok(collected(request, source, &ProfileBson, &documents))
}

/// Reads the last lines of the server's log, at most 1024, as the server itself keeps them.
///
/// # Errors
/// `Refused` without the right to the server's `getLog`, and whatever else the server says.
pub async fn recent_log(session: &Session, request: &Request) -> Result<Digest> {
    let admin = session.client().database("admin");
    let reply = admin
        .run_command(doc! { "getLog": "global" })
        .await
        .map_err(|failure| session.map(failure))?;
    let mut text = String::new();
    for line in reply.get_array("log").into_iter().flatten().filter_map(bson::Bson::as_str) {
        text.push_str(line);
        text.push('\n');
    }
    let clue = Clue { head: text.as_bytes(), prefix: None, written: None };
    let mut guesses = super::detect(&clue);
    guesses.retain(|guess| guess.share > 0.0);
    guesses.sort_by(|a, b| b.share.total_cmp(&a.share));
    let mut source = SourceRead {
        name: session.spec().to_string(),
        engine: Some(Engine::Mongodb),
        bytes: text.len() as u64,
        ..SourceRead::default()
    };
    let Some(guess) = guesses.into_iter().next() else {
        source.ended = Some("the server keeps no log that can be read".into());
        return Ok(collected(request, source, &ProfileBson, b""));
    };
    source.format = Some(guess.format.name().to_owned());
    Ok(collected(request, source, guess.format.as_ref(), text.as_bytes()))
}

fn collected(request: &Request, source: SourceRead, format: &dyn Format, bytes: &[u8]) -> Digest {
    let mut collector = Collector::new(request);
    collector.source(source, |tally| {
        let edges = format.read(bytes, Place::default(), tally);
        // What came before is not known: what depends on it counts.
        let open = format.stitch(None, edges, tally);
        format.finish(open, tally);
    });
    collector.finish(request)
}

/// Lets the server leave out what is not asked for, and the reading of the profile itself.
fn filter(request: &Request) -> Document {
    let moment = |at: Timestamp| bson::DateTime::from_millis(at.0);
    let mut filter = doc! { "ns": { "$not": { "$regex": r"\.system\.profile$" } } };
    let mut time = Document::new();
    if let Some(from) = request.filter.from {
        time.insert("$gte", moment(from));
    }
    if let Some(to) = request.filter.to {
        time.insert("$lt", moment(to));
    }
    if !time.is_empty() {
        filter.insert("ts", time);
    }
    filter
}
