use marula_core::model::{Attribute, AttributeType, Entity};
use marula_postgres::sql::quote_ident;

use super::keys::Kept;
use super::{Draw, partitions, search};
use crate::schema::{Piece, source_attribute};
use crate::structure::{KeyOrder, Source, Store};

/// Byte by byte: another collation's order does not tell where the texts of a beginning are.
const BYTES: &str = " text_pattern_ops";

/// How an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Sorted.
    Btree,
    /// Sorted byte by byte: beginnings of texts in any collation.
    Prefix,
    /// Equality of what is too long for a sorted one.
    Hash,
    /// Elements of arrays.
    Gin,
    /// Words of texts.
    Words,
    /// What a jsonb column contains.
    Paths,
    /// Parts of texts.
    Trigrams,
    /// Places and ranges.
    Gist,
    /// Blocks of rows that came at one time.
    Brin,
}

/// An index somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    method: Method,
    keys: Vec<(String, KeyOrder)>,
    unique: bool,
    /// Whether the order of the keys does not matter: a foreign key's columns.
    any_order: bool,
    why: Vec<String>,
}

impl Wish {
    /// On one column.
    pub(super) fn of(method: Method, column: &str, why: String) -> Self {
        Wish {
            method,
            keys: vec![(column.to_owned(), KeyOrder::Any)],
            unique: false,
            any_order: false,
            why: vec![why],
        }
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(name, _)| name.as_str())
    }

    /// Whether an index for `other` serves this one, too.
    fn is_served_by(&self, other: &Wish) -> bool {
        if self.method != other.method || other.keys.len() < self.keys.len() {
            return false;
        }
        if self.unique {
            return other.unique && other.keys.len() == self.keys.len() && self.same_start(other);
        }
        match self.any_order {
            true => other
                .columns()
                .take(self.keys.len())
                .all(|column| self.columns().any(|own| own == column)),
            false => self.same_start(other),
        }
    }

    /// Whether the other begins with the same columns, and is read in the order this one needs.
    fn same_start(&self, other: &Wish) -> bool {
        let pairs = self.keys.iter().zip(&other.keys);
        pairs.clone().all(|(own, theirs)| {
            own.0 == theirs.0 && own.1.is_beginning() == theirs.1.is_beginning()
        }) && KeyOrder::read_by(pairs.map(|(own, theirs)| (own.1, theirs.1)))
    }
}

/// The indexes of a store's table; none that another serves.
pub(super) fn pieces(
    draw: &mut Draw<'_>,
    entity: &Entity,
    store: &Store,
    kept: Kept,
) -> Vec<Piece> {
    let mut wishes = wanted(draw, entity, store);
    wishes.extend(foreign_keys(draw, entity, store));
    wishes.extend(search::wishes(draw, entity, store));
    for attribute in &entity.attributes {
        if attribute.kind == AttributeType::Point && store.attribute(&attribute.name).is_some() {
            let why = format!("finds what is near a place in {}", attribute.name);
            wishes.push(Wish::of(Method::Gist, &attribute.name, why));
        }
    }
    let partitioned = draw.partitioning(&entity.name).is_some();
    if let Some((column, why)) = partitions::old_rows(entity, partitioned)
        && store.attribute(&column).is_some()
    {
        let sorted = wishes
            .iter()
            .any(|wish| wish.method == Method::Btree && wish.columns().next() == Some(&column));
        match (sorted, entity.append_only) {
            (true, _) => {}
            (false, true) => {
                let why =
                    format!("{why}; rows come in order of time, and blocks of them are enough");
                wishes.push(Wish::of(Method::Brin, &column, why));
            }
            (false, false) => wishes.push(Wish::of(Method::Btree, &column, why)),
        }
    }
    // Behind a whole key nothing is left to tell apart.
    if let Some(key) = kept.first() {
        wishes.retain(|wish| {
            let first: Vec<&str> = wish.columns().take(key.len()).collect();
            let whole = key.iter().all(|column| first.contains(&column.as_str()));
            wish.unique || wish.method != Method::Btree || !whole
        });
    }
    let there: Vec<Wish> = kept
        .into_iter()
        .map(|columns| Wish {
            method: Method::Btree,
            keys: columns.into_iter().map(|name| (name, KeyOrder::Any)).collect(),
            unique: true,
            any_order: false,
            why: Vec::new(),
        })
        .collect();
    without_doubles(wishes, &there).iter().map(|wish| piece(draw, entity, wish)).collect()
}

/// Leaves out what another serves, and says there what for.
fn without_doubles(wishes: Vec<Wish>, there: &[Wish]) -> Vec<Wish> {
    let mut left: Vec<Wish> = Vec::new();
    for wish in wishes {
        if there.iter().any(|other| wish.is_served_by(other)) {
            continue;
        }
        if let Some(other) = left.iter_mut().find(|other| wish.is_served_by(other)) {
            other.why.extend(wish.why);
            continue;
        }
        let mut wish = wish;
        left.retain(|other| {
            let served = other.is_served_by(&wish);
            if served {
                wish.why.extend(other.why.iter().cloned());
            }
            !served
        });
        left.push(wish);
    }
    left
}

/// What the work asks for, on columns.
fn wanted(draw: &mut Draw<'_>, entity: &Entity, store: &Store) -> Vec<Wish> {
    let mut found = Vec::new();
    for wanted in draw.wanted.iter().filter(|wanted| wanted.store == entity.name) {
        let mut sorted: Vec<(String, KeyOrder)> = Vec::new();
        for (path, order) in &wanted.keys {
            match method(draw, store, path) {
                Some((column, Method::Btree)) => {
                    if !sorted.iter().any(|(known, _)| *known == column) {
                        sorted.push((column, *order));
                    }
                }
                Some((column, other)) => {
                    found.push(Wish::of(other, &column, wanted.why.clone()));
                }
                None => draw
                    .note(format!("{} has no field {path} to index: {}", entity.name, wanted.why)),
            }
        }
        if sorted.is_empty() || sorted.len() > 32 {
            continue;
        }
        let long = |(name, _): &(String, KeyOrder)| entity.attribute(name).is_some_and(is_long);
        let wish = Wish {
            method: Method::Btree,
            unique: wanted.unique && sorted.len() == wanted.keys.len(),
            keys: sorted,
            any_order: false,
            why: vec![wanted.why.clone()],
        };
        match wish.keys.as_slice() {
            [(column, _)] if !wish.unique && long(&wish.keys[0]) => {
                let why = format!("{}; a sorted index takes no value over 2,704 bytes", wanted.why);
                found.push(Wish::of(Method::Hash, column, why));
            }
            _ => found.push(wish),
        }
    }
    found
}

/// A text that may be too long for a sorted index.
fn is_long(attribute: &Attribute) -> bool {
    attribute.kind == AttributeType::Text
        && attribute.max_length.is_none_or(|most| most > 1000)
        && attribute.average_length.is_some_and(|average| average > 500)
}

/// The column of a field's path, and how it is indexed.
fn method(draw: &Draw<'_>, store: &Store, path: &str) -> Option<(String, Method)> {
    let named = |name: &str| store.fields.iter().find(|field| field.name == name);
    let field = named(path).or_else(|| named(path.split('.').next()?))?;
    let known = source_attribute(draw.model, draw.structure, store, &field.source);
    let method = match (&field.source, known.map(|(_, attribute)| attribute)) {
        (Source::Embedded { .. }, _) => Method::Paths,
        (_, Some(attribute)) => match attribute.kind {
            AttributeType::Json => Method::Paths,
            AttributeType::List => match attribute.of {
                Some(AttributeType::List) => Method::Paths,
                _ => Method::Gin,
            },
            AttributeType::Point
            | AttributeType::DateRange
            | AttributeType::TimestampRange
            | AttributeType::NumberRange => Method::Gist,
            _ => Method::Btree,
        },
        _ => Method::Btree,
    };
    Some((field.name.clone(), method))
}

/// Indexes for foreign keys: what deletes one looks for the many.
fn foreign_keys(draw: &Draw<'_>, entity: &Entity, store: &Store) -> Vec<Wish> {
    let mut found: Vec<Wish> = draw
        .references
        .iter()
        .filter(|one| one.relation.from == entity.name)
        .map(|one| Wish {
            method: Method::Btree,
            keys: one
                .relation
                .attributes
                .iter()
                .map(|name| (name.clone(), KeyOrder::Any))
                .collect(),
            unique: false,
            any_order: true,
            why: vec![format!("foreign key to {}: joins, and deletes there", one.relation.to)],
        })
        .collect();
    for attribute in &entity.attributes {
        if let Some(table) = draw.lookups.table(entity, attribute)
            && store.attribute(&attribute.name).is_some()
        {
            let why = format!("foreign key to {table}");
            found.push(Wish::of(Method::Btree, &attribute.name, why));
        }
    }
    found
}

fn piece(draw: &mut Draw<'_>, entity: &Entity, wish: &Wish) -> Piece {
    let mut words = vec![entity.name.as_str()];
    words.extend(wish.columns());
    words.extend((wish.method == Method::Words).then_some("words"));
    let name = draw.names.of(&words, "idx");
    let (using, class) = match wish.method {
        Method::Btree => ("", ""),
        Method::Prefix => ("", BYTES),
        Method::Hash => (" USING hash", ""),
        Method::Gin | Method::Words => (" USING gin", ""),
        Method::Paths => (" USING gin", " jsonb_path_ops"),
        Method::Trigrams => (" USING gin", search::TRIGRAMS),
        Method::Gist => (" USING gist", ""),
        Method::Brin => (" USING brin", ""),
    };
    let keys: Vec<String> = wish
        .keys
        .iter()
        .map(|(column, order)| {
            let (order, class) = match order {
                KeyOrder::Descending => (" DESC", class),
                KeyOrder::Beginning => ("", BYTES),
                _ => ("", class),
            };
            let column = quote_ident(column);
            let key = match wish.method {
                Method::Words => search::words_of(&column),
                _ => column,
            };
            format!("{key}{class}{order}")
        })
        .collect();
    let unique = if wish.unique { "UNIQUE " } else { "" };
    let statement = format!(
        "CREATE {unique}INDEX {} ON {}{using} ({})",
        quote_ident(&name),
        quote_ident(&entity.name),
        keys.join(", ")
    );
    let mut why: Vec<&str> = Vec::new();
    for reason in &wish.why {
        if !why.contains(&reason.as_str()) {
            why.push(reason);
        }
    }
    Piece::after(format!("index {name}"), vec![statement]).because(why.join("; "))
}
