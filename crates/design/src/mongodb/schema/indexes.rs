use bson::{Bson, Document, doc};
use marula_core::model::{AttributeType, Entity};
use marula_mongodb::{Command, CreateIndexes, Operation};

use super::timeseries::TimeSeries;
use super::types::{is_plain, stored_name};
use super::{Draw, expiry, search, uniques};
use crate::schema::{Piece, source_attribute};
use crate::structure::{Bucket, KeyOrder, Source, Store};

/// An index somebody asks for, on stored paths.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    pub keys: Vec<(String, Bson)>,
    pub unique: bool,
    /// Further options: `partialFilterExpression`, `expireAfterSeconds`.
    pub options: Document,
    /// The paths of which it matters in which direction they are read.
    pub ordered: Vec<String>,
    /// Whether it is asked for to find given values only, never what is missing.
    pub given: bool,
    pub why: Vec<String>,
}

impl Wish {
    /// A sorted one.
    pub(super) fn sorted(keys: Vec<(String, KeyOrder)>, why: String) -> Self {
        let is_sorted = |order| matches!(order, KeyOrder::Ascending | KeyOrder::Descending);
        let ordered = keys.iter().filter(|(_, order)| is_sorted(*order));
        let ordered = ordered.map(|(path, _)| path.clone()).collect();
        let built = |order: KeyOrder| Bson::Int32(if order.is_descending() { -1 } else { 1 });
        let keys = keys.into_iter().map(|(path, order)| (path, built(order))).collect();
        Wish { keys, ordered, why: vec![why], ..Wish::default() }
    }

    /// One that finds what is equal.
    pub(super) fn on(path: String, why: String) -> Self {
        Wish::sorted(vec![(path, KeyOrder::Any)], why)
    }

    fn plain(&self) -> bool {
        self.options.is_empty()
    }

    /// Whether it leaves out nothing but what lacks one of its keys: then whoever looks for given
    /// values of them all finds all.
    fn holds_all_given(&self) -> bool {
        let filter = self.options.get_document("partialFilterExpression").ok();
        let there = doc! { "$exists": true };
        self.options.len() == 1
            && filter.is_some_and(|filter| {
                filter.iter().all(|(path, is)| {
                    self.keys.iter().any(|(key, _)| key == path) && *is == Bson::from(there.clone())
                })
            })
    }

    /// Whether an index for `other` serves this one, too.
    fn is_served_by(&self, other: &Wish) -> bool {
        let pairs = || self.keys.iter().zip(&other.keys);
        let is_sorted = |key: &Bson| matches!(key, Bson::Int32(_));
        let built = |key: &Bson| KeyOrder::sorted(*key == Bson::Int32(-1));
        let needed = |path: &String, key: &Bson| match self.ordered.contains(path) {
            true => built(key),
            false => KeyOrder::Any,
        };
        let expires = other.options.contains_key("expireAfterSeconds");
        let whole = other.plain() || (expires && other.options.len() == 1);
        if self.keys == other.keys && self.options == other.options && self.unique == other.unique {
            return true;
        }
        let whole = whole || self.given && self.keys == other.keys && other.holds_all_given();
        self.plain()
            && whole
            && self.keys.len() <= other.keys.len()
            && (!self.unique || (other.unique && self.keys.len() == other.keys.len()))
            && pairs().all(|(own, theirs)| {
                own.0 == theirs.0
                    && (own.1 == theirs.1 || is_sorted(&own.1) && is_sorted(&theirs.1))
            })
            && KeyOrder::read_by(
                pairs().map(|((path, own), (_, theirs))| (needed(path, own), built(theirs))),
            )
    }
}

/// The indexes of a store's collection; none that another serves.
pub(super) fn pieces(
    draw: &mut Draw<'_>,
    entity: &Entity,
    store: &Store,
    series: Option<&TimeSeries>,
) -> Vec<Piece> {
    let mut wishes = expiry::wishes(draw, entity, store, series);
    if series.is_none() {
        wishes.extend(uniques::wishes(draw, entity, store));
    }
    wishes.extend(wanted(draw, entity, store));
    wishes.extend(references(draw, entity, store, ""));
    if let Some(series) = series {
        wishes = in_series(draw, entity, series, wishes);
    } else {
        wishes.extend(search::wishes(draw, entity, store));
        wishes.extend(search::places(entity, store));
    }
    let mut left: Vec<Wish> = Vec::new();
    for mut wish in wishes {
        let by_id = series.is_none() && wish.keys.first().is_some_and(|(path, _)| path == "_id");
        if by_id && wish.plain() {
            continue;
        }
        if let Some(other) = left.iter_mut().find(|other| wish.is_served_by(other)) {
            other.why.extend(wish.why);
            continue;
        }
        left.retain(|other| {
            let served = other.is_served_by(&wish);
            if served {
                wish.why.extend(other.why.iter().cloned());
            }
            !served
        });
        left.push(wish);
    }
    let left = told_apart(draw, entity, left);
    left.iter().map(|wish| piece(entity, wish)).collect()
}

/// Indexes on the same keys, of which one leaves something out, with names of their own. Servers
/// before 5.0 take one of them only: the unique one stays.
fn told_apart(draw: &mut Draw<'_>, entity: &Entity, wishes: Vec<Wish>) -> Vec<Wish> {
    let mut found: Vec<Wish> = Vec::new();
    for mut wish in wishes {
        let same = found.iter().filter(|other| other.keys == wish.keys).count();
        if same > 0 && draw.options.version.major < 5 {
            draw.note(format!(
                "an index of {} on ({}) beside the one with a filter needs 5.0: {}",
                entity.name,
                wish.keys.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>().join(", "),
                wish.why.join("; ")
            ));
            continue;
        }
        if same > 0 {
            let keys: Document = wish.keys.iter().cloned().collect();
            let create = CreateIndexes::one(keys, Document::new());
            let usual = create.indexes.first().and_then(|index| index.get_str("name").ok());
            let end = if same == 1 { "all".to_owned() } else { format!("all_{same}") };
            wish.options.insert("name", format!("{}_{end}", usual.unwrap_or("index")));
        }
        found.push(wish);
    }
    found
}

fn piece(entity: &Entity, wish: &Wish) -> Piece {
    let keys: Document = wish.keys.iter().cloned().collect();
    let mut options = wish.options.clone();
    if wish.unique {
        options.insert("unique", true);
    }
    let create = CreateIndexes::one(keys, options);
    let name = create.indexes.first().and_then(|index| index.get_str("name").ok());
    let object = format!("index {} {}", entity.name, name.unwrap_or_default());
    let command = Command::new(&entity.name, Operation::CreateIndexes(create));
    let mut why: Vec<&str> = Vec::new();
    for reason in wish.why.iter().filter(|reason| !reason.is_empty()) {
        if !why.contains(&reason.as_str()) {
            why.push(reason);
        }
    }
    Piece::after(object, vec![command.to_shell()]).because(why.join("; "))
}

/// What the work asks for.
fn wanted(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Vec<Wish> {
    let mut found = Vec::new();
    for wanted in draw.wanted.iter().filter(|wanted| wanted.store == entity.name) {
        let mut keys: Vec<(String, KeyOrder)> = Vec::new();
        let mut array: Option<String> = None;
        for (path, order) in &wanted.keys {
            let Some((stored, within)) = stored_path(draw, entity, store, path) else {
                draw.note(format!("{} has no field {path} to index: {}", entity.name, wanted.why));
                continue;
            };
            // An index takes the elements of one array only.
            match (&array, &within) {
                (Some(one), Some(other)) if one != other => {
                    draw.note(format!(
                        "an index of {} on both {one} and {other} cannot be: it takes the elements \
                         of one array only ({})",
                        entity.name, wanted.why
                    ));
                    continue;
                }
                (None, Some(_)) => array = within,
                _ => {}
            }
            if !keys.iter().any(|(known, _)| *known == stored) {
                keys.push((stored, *order));
            }
        }
        if !keys.is_empty() && keys.len() <= 32 {
            let whole = keys.len() == wanted.keys.len();
            let wish = Wish::sorted(keys, wanted.why.clone());
            let given = wanted.given && whole;
            found.push(Wish { unique: wanted.unique && whole, given, ..wish });
        }
    }
    found
}

/// A field's path as it is stored, and the array its elements are of.
fn stored_path(
    draw: &Draw<'_>,
    entity: &Entity,
    store: &Store,
    path: &str,
) -> Option<(String, Option<String>)> {
    let first = |name: &str| store.fields.iter().find(|field| field.name == name);
    if let Some(field) = first(path) {
        let stored = stored_name(entity, &field.name);
        let known = source_attribute(draw.model, draw.structure, store, &field.source);
        let list = known.is_some_and(|(_, attribute)| attribute.kind == AttributeType::List)
            || is_array(&field.source);
        return is_plain(stored).then(|| (stored.to_owned(), list.then(|| stored.to_owned())));
    }
    let (head, rest) = path.split_once('.')?;
    let field = first(head).filter(|field| is_plain(&field.name))?;
    let known = match &field.source {
        Source::Embedded { store: within, .. }
        | Source::Subset { store: within, .. }
        | Source::Rows { store: within, .. } => within_path(within, rest),
        // The open part has fields nobody names.
        _ => rest.split('.').all(is_plain),
    };
    let array = is_array(&field.source).then(|| head.to_owned());
    known.then(|| (path.to_owned(), array))
}

fn is_array(source: &Source) -> bool {
    matches!(source, Source::Embedded { .. } | Source::Subset { .. } | Source::Rows { .. })
}

fn within_path(store: &Store, path: &str) -> bool {
    let named = |name: &str| store.fields.iter().find(|field| field.name == name);
    if let Some(field) = named(path) {
        return is_plain(&field.name);
    }
    let Some((head, rest)) = path.split_once('.') else { return false };
    match named(head).map(|field| &field.source) {
        Some(Source::Embedded { store, .. }) => within_path(store, rest),
        Some(_) => rest.split('.').all(is_plain),
        None => false,
    }
}

/// References, by which the many of one are found; also those within arrays.
fn references(draw: &Draw<'_>, entity: &Entity, store: &Store, path: &str) -> Vec<Wish> {
    let mut found = Vec::new();
    for (at, relation) in draw.model.relations.iter().enumerate() {
        let embedded =
            draw.structure.placements.get(at) == Some(&crate::structure::Placement::Embed);
        if relation.from != store.entity || embedded || draw.layout.store(&relation.to).is_none() {
            continue;
        }
        let keys: Option<Vec<(String, KeyOrder)>> = relation
            .attributes
            .iter()
            .map(|name| {
                let field = store.attribute(name).filter(|field| is_plain(&field.name))?;
                let stored = match path {
                    "" => stored_name(entity, &field.name),
                    _ => &field.name,
                };
                Some((format!("{path}{stored}"), KeyOrder::Any))
            })
            .collect();
        let why =
            format!("reference to {}: the {} of one are found by it", relation.to, relation.from);
        // Buckets are found by their last moment, too; the reference alone tells the last of them.
        let bucket = draw.structure.buckets.iter().any(|bucket| bucket.relation == at);
        let last = bucket.then(|| (Bucket::LAST.to_owned(), KeyOrder::Ascending));
        let keys = keys.map(|keys| keys.into_iter().chain(last).collect::<Vec<_>>());
        found.extend(keys.filter(|keys| !keys.is_empty()).map(|keys| {
            // Buckets are read in their order, too.
            Wish { given: !bucket, ..Wish::sorted(keys, why) }
        }));
    }
    for field in &store.fields {
        if let Source::Embedded { store: within, .. } = &field.source
            && is_plain(&field.name)
        {
            found.extend(references(draw, entity, within, &format!("{path}{}.", field.name)));
        }
    }
    found
}

/// Of what is asked for, what a time-series collection can have.
fn in_series(
    draw: &mut Draw<'_>,
    entity: &Entity,
    series: &TimeSeries,
    wishes: Vec<Wish>,
) -> Vec<Wish> {
    let known = |path: &str| path == series.time || series.source.as_deref() == Some(path);
    let any = draw.options.version.major >= 6;
    let mut found: Vec<Wish> = Vec::new();
    for mut wish in wishes {
        // In its place the source with the time: that is how the buckets lie.
        let only_source =
            wish.keys.len() == 1 && series.source.as_deref() == Some(wish.keys[0].0.as_str());
        if only_source {
            wish.keys.push((series.time.clone(), Bson::Int32(1)));
        }
        if any || wish.keys.iter().all(|(path, _)| known(path)) {
            wish.unique = false;
            found.push(wish);
        } else {
            draw.note(format!(
                "{}: an index on what is measured needs 6.0: {}",
                entity.name,
                wish.why.join("; ")
            ));
        }
    }
    found
}

/// `{a: {$exists: true}}` for each of some fields.
pub(super) fn there(names: &[&str]) -> Document {
    names.iter().map(|name| ((*name).to_owned(), doc! { "$exists": true }.into())).collect()
}
