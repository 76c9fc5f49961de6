use marula_core::model::{Attribute, AttributeType, Fanout, Model};

use crate::schema::{is_given_out, source_attribute};
use crate::structure::{Field, Layout, Source, Store, Structure};

/// The most bytes a document may have.
pub const DOCUMENT_LIMIT: f64 = 16.0 * 1024.0 * 1024.0;

/// How large a collection's documents become, in bytes, as far as the model tells.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentSize {
    /// The entity whose collection it is.
    pub store: String,
    /// The mean.
    pub average: f64,
    /// 99 of 100 have no more, as far as fan-outs are known: texts are taken three times as long
    /// as on average, or as long as they may be.
    pub p99: f64,
    /// The largest there may be; none when an array grows without bound. What has no limit
    /// ([`DocumentSize::assumed`]) is taken ten times as long as on average.
    pub maximum: Option<f64>,
    /// The paths of the texts and lists whose length the model does not limit.
    pub assumed: Vec<String>,
    /// The path of the arrays that nothing bounds.
    pub unbounded: Vec<String>,
}

impl DocumentSize {
    /// Whether every document fits, however many belong to it.
    pub fn fits(&self) -> bool {
        self.maximum.is_some_and(|most| most < DOCUMENT_LIMIT)
    }
}

/// How large the documents of each collection become. A structure one of whose documents does not
/// fit is never to be used.
pub fn sizes(model: &Model, structure: &Structure, layout: &Layout) -> Vec<DocumentSize> {
    layout
        .stores
        .iter()
        .map(|store| {
            let mut open = Open::default();
            let measure = Measure { model, structure };
            let size = measure.document(store, "", &mut open);
            let Open { unbounded, assumed } = open;
            DocumentSize {
                store: store.entity.clone(),
                average: size.average,
                p99: size.p99,
                maximum: unbounded.is_empty().then_some(size.maximum),
                assumed,
                unbounded,
            }
        })
        .collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    average: f64,
    p99: f64,
    maximum: f64,
}

impl Size {
    fn all(bytes: f64) -> Self {
        Size { average: bytes, p99: bytes, maximum: bytes }
    }

    /// No more than so much of it.
    fn most(self, most: f64) -> Self {
        Size {
            average: self.average.min(most),
            p99: self.p99.min(most),
            maximum: self.maximum.min(most),
        }
    }

    fn add(&mut self, other: Size) {
        self.average += other.average;
        self.p99 += other.p99;
        self.maximum += other.maximum;
    }
}

/// What the model leaves open, by its paths.
#[derive(Default)]
struct Open {
    /// Arrays that nothing bounds.
    unbounded: Vec<String>,
    /// Texts and lists that nothing limits.
    assumed: Vec<String>,
}

struct Measure<'m> {
    model: &'m Model,
    structure: &'m Structure,
}

/// An element of an array has its number as its name: type, two digits or three, and the end.
const ELEMENT: f64 = 4.5;
/// Length and end of a document.
const FRAME: f64 = 5.0;

impl Measure<'_> {
    fn document(&self, store: &Store, path: &str, open: &mut Open) -> Size {
        let mut size = Size::all(FRAME);
        for field in &store.fields {
            size.add(self.field(store, field, path, open));
        }
        size
    }

    fn field(&self, store: &Store, field: &Field, path: &str, open: &mut Open) -> Size {
        let name = Size::all(2.0 + field.name.len() as f64);
        let mut size = match &field.source {
            Source::Embedded { relation, store: within } => {
                let path = format!("{path}{}", field.name);
                let count = self.count(*relation);
                if count.maximum.is_infinite() {
                    open.unbounded.push(path.clone());
                }
                let mut element = self.document(within, &format!("{path}."), open);
                element.add(Size::all(ELEMENT));
                array(element, count)
            }
            Source::Subset { relation, count, store: within, .. } => {
                let mut element = self.document(within, &format!("{path}{}.", field.name), open);
                element.add(Size::all(ELEMENT));
                array(element, self.count(*relation).most(*count as f64))
            }
            Source::Rows { count, store: within } => {
                let mut element = self.document(within, &format!("{path}{}.", field.name), open);
                element.add(Size::all(ELEMENT));
                let count = *count as f64;
                // One to which late members came is cut in two when it has twice as many.
                array(element, Size { average: count, p99: count, maximum: 2.0 * count })
            }
            source => match source_attribute(self.model, self.structure, store, source) {
                // A count of members, or of changes.
                None => Size::all(8.0),
                Some((entity, attribute)) => {
                    let own = self.model.entity(&store.entity);
                    let key = own.is_some_and(|own| own.key().contains(&field.name.as_str()));
                    let given = is_given_out(self.model, entity, attribute);
                    let there = match key || given || attribute.required {
                        true => 1.0,
                        false => 1.0 - attribute.missing.unwrap_or(0.0).clamp(0.0, 1.0),
                    };
                    if is_open(attribute, attribute.kind) {
                        open.assumed.push(format!("{path}{}", field.name));
                    }
                    let value = value(attribute, attribute.kind);
                    let whole = name.average + value.average;
                    return Size {
                        average: whole * there,
                        p99: name.p99 + value.p99,
                        maximum: name.maximum + value.maximum,
                    };
                }
            },
        };
        size.add(name);
        size
    }

    /// How many belong to one.
    fn count(&self, relation: usize) -> Size {
        let Some(relation) = self.model.relations.get(relation) else { return Size::default() };
        let rows = |name: &str| self.model.entity(name).map_or(0.0, |e| e.rows.0 as f64);
        let (many, one) = (rows(&relation.from), rows(&relation.to));
        let mean = if one > 0.0 { many / one } else { 1.0 };
        fanout(relation.fanout.unwrap_or(Fanout { average: mean, p99: None, max: None }))
    }
}

/// A fan-out, with what it does not say filled in.
fn fanout(known: Fanout) -> Size {
    let average = known.average.max(0.0);
    let maximum = known.max.map_or(f64::INFINITY, |most| most as f64);
    let p99 = known.p99.map_or((average * 3.0).ceil(), |p99| p99 as f64).min(maximum);
    Size { average, p99, maximum }
}

/// An array of as many elements. Where there are many, they are not all large at once.
fn array(element: Size, count: Size) -> Size {
    let most = if count.maximum.is_finite() { count.maximum * element.maximum } else { 0.0 };
    Size {
        average: FRAME + count.average * element.average,
        p99: FRAME + (count.p99 * element.average).max(count.average * element.p99),
        maximum: FRAME + most,
    }
}

/// The bytes of a value, as MongoDB stores it.
fn value(attribute: &Attribute, kind: AttributeType) -> Size {
    match kind {
        AttributeType::Boolean => Size::all(1.0),
        AttributeType::Decimal | AttributeType::Money => Size::all(16.0),
        AttributeType::Uuid | AttributeType::UuidV7 => Size::all(21.0),
        AttributeType::Time => Size::all(20.0),
        AttributeType::Point => Size::all(60.0),
        AttributeType::DateRange | AttributeType::TimestampRange => Size::all(30.0),
        AttributeType::NumberRange => Size::all(46.0),
        AttributeType::Id
        | AttributeType::Integer
        | AttributeType::Float
        | AttributeType::Date
        | AttributeType::Timestamp
        | AttributeType::Duration => Size::all(8.0),
        AttributeType::Enumeration => {
            let lengths = attribute.values.iter().map(|value| value.len() as f64);
            let most = lengths.clone().fold(0.0, f64::max);
            let mean = lengths.sum::<f64>() / attribute.values.len().max(1) as f64;
            Size { average: mean + 5.0, p99: most + 5.0, maximum: most + 5.0 }
        }
        AttributeType::Text => {
            let mut size = length(attribute, 20.0);
            size.add(Size::all(5.0));
            size
        }
        AttributeType::Binary | AttributeType::Json => {
            let mut size = length(attribute, 200.0);
            size.add(Size::all(5.0));
            size
        }
        AttributeType::List => {
            let of = attribute.of.filter(|of| *of != AttributeType::List);
            let mut element = value(attribute, of.unwrap_or_default());
            element.add(Size::all(ELEMENT));
            // Nobody says how long: a few, as tags are; a list is bounded by who writes it.
            let few = Fanout { average: 5.0, p99: Some(20), max: Some(100) };
            let mut count = fanout(attribute.length.unwrap_or(few));
            if count.maximum.is_infinite() {
                count.maximum = count.p99 * 10.0;
            }
            array(element, count)
        }
    }
}

/// Whether nothing limits how long a value is.
fn is_open(attribute: &Attribute, kind: AttributeType) -> bool {
    match kind {
        AttributeType::Text | AttributeType::Binary | AttributeType::Json => {
            attribute.max_length.is_none()
        }
        AttributeType::List => {
            let of = attribute.of.filter(|of| *of != AttributeType::List);
            attribute.length.is_none_or(|length| length.max.is_none())
                || is_open(attribute, of.unwrap_or_default())
        }
        _ => false,
    }
}

/// How long a text is.
fn length(attribute: &Attribute, usual: f64) -> Size {
    let limit = attribute.max_length.map(f64::from);
    let average = attribute
        .average_length
        .map(f64::from)
        .unwrap_or_else(|| limit.map_or(usual, |limit| usual.min((limit / 2.0).max(1.0))));
    // Letters beyond ASCII take two to four bytes; a limit counts letters.
    let limit = limit.map_or(f64::INFINITY, |limit| limit.max(average));
    Size {
        average,
        p99: (average * 3.0).min(limit),
        maximum: if limit.is_finite() { limit * 2.0 } else { average * 10.0 },
    }
}
