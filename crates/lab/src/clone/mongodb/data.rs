//! Documents, as raw BSON, from `find` to `insert`.

use bson::{Bson, Document, RawDocumentBuf, doc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use marula_core::Result;
use marula_mongodb::Session;

use super::shape::Shape;

/// Bytes of one insert; the server takes up to 48 MB, but smaller ones overlap better.
const BATCH_BYTES: usize = 4 << 20;
/// Documents of one insert: the server's own limit is 100,000.
const BATCH_DOCUMENTS: usize = 20_000;
/// Inserts under way at the same time.
const IN_FLIGHT: usize = 3;
/// `_id`s asked for in one `find`.
const IDS: usize = 5_000;

/// Copies all documents; gives how many.
pub(super) async fn copy_all(
    source: &Session,
    lab: &Session,
    shape: &Shape,
    advance: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64> {
    let mut writer = Writer::new(lab, shape, advance);
    read(source, shape, doc! {}, &mut writer).await?;
    writer.finish().await
}

/// Copies the documents of these `_id`s; gives how many.
pub(super) async fn copy_some(
    source: &Session,
    lab: &Session,
    shape: &Shape,
    ids: &[Bson],
    advance: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64> {
    let mut writer = Writer::new(lab, shape, advance);
    for ids in ids.chunks(IDS) {
        read(source, shape, doc! { "_id": { "$in": ids.to_vec() } }, &mut writer).await?;
    }
    writer.finish().await
}

async fn read(
    source: &Session,
    shape: &Shape,
    filter: Document,
    writer: &mut Writer<'_>,
) -> Result<()> {
    let collection = source.database().collection::<RawDocumentBuf>(&shape.name);
    let natural = filter.is_empty() && !shape.is_timeseries();
    let mut find = collection.find(filter).batch_size(10_000);
    if natural {
        find = find.hint(mongodb::options::Hint::Keys(doc! { "$natural": 1 }));
    }
    let mut cursor = find.await.map_err(|error| source.map(error))?;
    while cursor.advance().await.map_err(|error| source.map(error))? {
        writer.add(cursor.current().to_owned()).await?;
    }
    Ok(())
}

type Inserting<'a> = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Gathers documents and inserts them in batches.
struct Writer<'a> {
    lab: &'a Session,
    shape: &'a Shape,
    advance: &'a (dyn Fn(u64) + Send + Sync),
    batch: Vec<RawDocumentBuf>,
    bytes: usize,
    documents: u64,
    under_way: FuturesUnordered<Inserting<'a>>,
}

impl<'a> Writer<'a> {
    fn new(lab: &'a Session, shape: &'a Shape, advance: &'a (dyn Fn(u64) + Send + Sync)) -> Self {
        Writer {
            lab,
            shape,
            advance,
            batch: Vec::new(),
            bytes: 0,
            documents: 0,
            under_way: FuturesUnordered::new(),
        }
    }

    async fn add(&mut self, document: RawDocumentBuf) -> Result<()> {
        self.bytes += document.as_bytes().len();
        self.documents += 1;
        self.batch.push(document);
        if self.bytes >= BATCH_BYTES || self.batch.len() >= BATCH_DOCUMENTS {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let bytes = std::mem::take(&mut self.bytes);
        if batch.is_empty() {
            return Ok(());
        }
        // The order of a capped collection is its content.
        let in_flight = if self.shape.is_capped() { 1 } else { IN_FLIGHT };
        while self.under_way.len() >= in_flight {
            if let Some(done) = self.under_way.next().await {
                done?;
            }
        }
        (self.advance)(bytes as u64);
        let (lab, ordered) = (self.lab, self.shape.is_capped());
        let collection = lab.database().collection::<RawDocumentBuf>(&self.shape.name);
        let plain = !self.shape.is_timeseries();
        self.under_way.push(Box::pin(async move {
            let mut insert = collection.insert_many(batch).ordered(ordered);
            if plain {
                insert = insert.bypass_document_validation(true);
            }
            insert.await.map(drop).map_err(|error| lab.map(error))
        }));
        Ok(())
    }

    async fn finish(mut self) -> Result<u64> {
        self.flush().await?;
        while let Some(done) = self.under_way.next().await {
            done?;
        }
        Ok(self.documents)
    }
}
