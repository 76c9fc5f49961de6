//! Filling the collections of a structure.

use bson::{Bson, Document, doc};
use marula_core::Result;
use marula_mongodb::Session;

use super::value::document;
use crate::structure::{Bucket, Layout, Store, Structure};
use crate::synth::{Member, Value, World};
use crate::work::{Record, Tree};

/// How many documents are sent at once at most, and about how many bytes.
const DOCUMENTS: usize = 1_000;
const BYTES: usize = 4 << 20;

/// Puts every member of a world into the collections of a layout.
///
/// # Errors
/// What the server says, such as a document the validator rejects.
pub async fn fill(
    session: &Session,
    world: &World<'_>,
    structure: &Structure,
    layout: &Layout,
) -> Result<()> {
    for store in &layout.stores {
        collection(session, world, structure, store).await?;
    }
    Ok(())
}

/// The code of a document that a validator rejects.
pub(crate) const INVALID: &str = "121";

/// Puts every member of a world that a store holds into its collection.
pub(crate) async fn collection(
    session: &Session,
    world: &World<'_>,
    structure: &Structure,
    store: &Store,
) -> Result<()> {
    let Some(entity) = world.index(&store.entity) else { return Ok(()) };
    let mut batch: Vec<Bson> = Vec::new();
    let mut bytes = 0;
    for record in records(world, structure, store, entity) {
        let document = document(world.model, &record, Some(&store.entity), "", &mut Vec::new());
        bytes += size(&document);
        batch.push(Bson::Document(document));
        if batch.len() == DOCUMENTS || bytes >= BYTES {
            send(session, &store.entity, &mut batch).await?;
            bytes = 0;
        }
    }
    send(session, &store.entity, &mut batch).await
}

/// What a store keeps, document by document.
fn records<'a>(
    world: &'a World<'_>,
    structure: &'a Structure,
    store: &'a Store,
    entity: usize,
) -> Box<dyn Iterator<Item = Record> + Send + 'a> {
    let Some((_, bucket)) = structure.bucket(world.model, &store.entity) else {
        return Box::new((0..world.rows(entity)).map(move |row| {
            let tree = Tree::alone(world.member(entity, row));
            Record::new(world, structure, store, &tree)
        }));
    };
    let one = world.index(&world.model.relations[bucket.relation].to).unwrap_or_default();
    Box::new((0..world.rows(one)).flat_map(move |row| {
        buckets(world, bucket, &world.member(one, row))
            .into_iter()
            .map(move |members| Record::bucket(world, structure, store, bucket, &members))
    }))
}

/// The members of one in the order of their moments, by as many as a bucket takes; those of one
/// moment are in one bucket.
fn buckets(world: &World<'_>, bucket: &Bucket, one: &Member) -> Vec<Vec<Tree>> {
    let many = world.children(one, bucket.relation).into_iter();
    let mut many: Vec<(Value, Tree)> =
        many.map(|member| (world.value(&member, &bucket.time), Tree::alone(member))).collect();
    many.sort_by(|(left, _), (right, _)| left.order(right));
    let mut found: Vec<Vec<Tree>> = Vec::new();
    let mut before = Value::Null;
    for (moment, tree) in many {
        match found.last_mut() {
            Some(last) if (last.len() as u64) < bucket.count || moment == before => last.push(tree),
            _ => found.push(vec![tree]),
        }
        before = moment;
    }
    found
}

async fn send(session: &Session, collection: &str, batch: &mut Vec<Bson>) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let documents = std::mem::take(batch);
    let command: Document = doc! { "insert": collection, "documents": documents, "ordered": false };
    run(session, command).await.map_err(|error| error.at(collection.to_owned()))?;
    Ok(())
}

/// Runs a writing command; an error of a single write is an error.
///
/// # Errors
/// What the server says.
pub(crate) async fn run(session: &Session, command: Document) -> Result<Document> {
    let reply =
        session.database().run_command(command).await.map_err(|failure| session.map(failure))?;
    written(&reply)?;
    Ok(reply)
}

/// An error of a single write in a reply, if there is one.
///
/// # Errors
/// `Server` with the first write's error.
pub(crate) fn written(reply: &Document) -> Result<()> {
    let Ok([Bson::Document(first), ..]) = reply.get_array("writeErrors").map(Vec::as_slice) else {
        return Ok(());
    };
    let message = first.get_str("errmsg").unwrap_or("a write failed").to_owned();
    let code = first.get_i32("code").unwrap_or_default();
    Err(marula_core::Error::new(marula_core::ErrorKind::Server, message).code(code.to_string()))
}

fn size(document: &Document) -> usize {
    document.to_vec().map_or(0, |bytes| bytes.len())
}
