//! A member that is added to the last bucket of its one.

use bson::{Bson, Document, doc};

use super::value::{bson, document};
use super::write::{Step, Writer, update};
use crate::structure::{Bucket, Source};
use crate::work::{Record, Tree};

/// What adding a member takes where the last bucket does not take it at once: it is full, or the
/// member is older than what is there, or there is none yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// The collection of the buckets.
    pub collection: String,
    /// What finds the buckets of its one.
    pub whose: Document,
    /// The member's moment.
    pub at: Bson,
    /// The field of the moment in a member.
    pub time: String,
    /// The member.
    pub row: Document,
    /// How many a bucket takes.
    pub count: i64,
    /// Whether no two members of one may have the same moment.
    pub unique: bool,
}

impl Writer<'_> {
    /// One update: only the last bucket of one is not full, and only what is newer than all in it
    /// goes there without a look at the others.
    pub(super) fn append(&self, at: usize, tree: &Tree) -> Option<Step> {
        let bucket = self.structure.buckets.get(at)?;
        let r = &self.model.relations[bucket.relation];
        let store = self.layout.store(&r.from)?;
        let rows = store.fields.iter().find_map(|field| match &field.source {
            Source::Rows { store, .. } => Some(store),
            _ => None,
        })?;
        let record = Record::new(self.world, self.structure, rows, tree);
        let row = document(self.model, &record, None, "", &mut Vec::new());
        let moment = bson(&self.world.value(&tree.member, &bucket.time));
        let whose: Document = r
            .attributes
            .iter()
            .map(|name| (name.clone(), bson(&self.world.value(&tree.member, name))))
            .collect();
        let count = bucket.count as i64;
        let mut filter = whose.clone();
        filter.insert(Bucket::COUNT, doc! { "$lt": count });
        filter.insert(Bucket::LAST, doc! { "$lt": moment.clone() });
        let change = doc! {
            "$push": { Bucket::ROWS: row.clone() },
            "$inc": { Bucket::COUNT: 1 },
            "$set": { Bucket::LAST: moment.clone() },
        };
        let append = Append {
            collection: r.from.clone(),
            whose,
            at: moment,
            time: bucket.time.clone(),
            row,
            count,
            unique: bucket.is_by_moment(self.model),
        };
        let command = update(&r.from, filter, change, false);
        Some(Step { append: Some(append), ..Step::of(command) })
    }
}
