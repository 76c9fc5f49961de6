use marula_core::model::{Entity, Model};

/// The many of one, which come one after the other, kept by so many in one document: the bucket
/// pattern, by hand. There is no store of single members then.
///
/// The buckets of one lie one behind the other in time, and all but the last are full.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// The relationship's index in the model.
    pub relation: usize,
    /// The moment of a member.
    pub time: String,
    /// How many members a bucket takes before the next is begun.
    pub count: u64,
}

impl Bucket {
    /// Whether no two members of one have the same moment: their key says so.
    pub fn is_by_moment(&self, model: &Model) -> bool {
        let r = &model.relations[self.relation];
        let key = model.entity(&r.from).map(Entity::key).unwrap_or_default();
        let of_it = |part: &str| part == self.time || r.attributes.iter().any(|name| name == part);
        key.contains(&self.time.as_str()) && key.into_iter().all(of_it)
    }

    /// The field with the first moment in a bucket.
    pub const FIRST: &'static str = "first";
    /// The field with the last moment.
    pub const LAST: &'static str = "last";
    /// The field with the number of members.
    pub const COUNT: &'static str = "count";
    /// The field with the members.
    pub const ROWS: &'static str = "rows";
}

/// What is kept of a bucket beside whose it is and its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The first moment.
    First,
    /// The last moment.
    Last,
    /// The number of members.
    Count,
}
