mod document;
mod relational;

use marula_core::{Catalog, Engine, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Operation, Outcome};
use crate::answer::Truncated;
use crate::pool::Lease;
use crate::{cursor, text};

pub struct Describe;

/// The most bytes of an answer's objects.
const BYTES: usize = 40 * 1024;
/// Documents that are looked at for a collection's fields.
const SAMPLE: u32 = 300;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Alias of list_targets.
    target: String,
    /// Only tables and collections whose name, columns or fields hold one of these words.
    search: Option<String>,
    /// Only these.
    #[serde(default)]
    objects: Vec<String>,
    /// names, summary or full; full for objects, names otherwise.
    detail: Option<Detail>,
    /// From the last answer, for the next page.
    cursor: Option<String>,
}

/// How much of each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Detail {
    Names,
    Summary,
    Full,
}

impl Detail {
    /// The most objects of an answer.
    fn page(self) -> usize {
        match self {
            Detail::Names => 200,
            Detail::Summary => 60,
            Detail::Full => 20,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    /// What the names are.
    notice: String,
    objects: Vec<Object>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::answer::Loose>")]
    truncated: Option<Truncated>,
    next: Vec<String>,
}

/// A table, view or collection.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Object {
    name: String,
    kind: String,
    /// Rows or documents, estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Columns with types, or sampled fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    /// Keys and constraints.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<String>,
    /// Indexes with size and uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<String>,
    /// Statistics, upkeep, validator, partitions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<String>,
}

impl Operation for Describe {
    const NAME: &'static str = "describe";
    const TITLE: &'static str = "Describe tables and collections";
    const ABOUT: &'static str = "Show what a database holds: find tables and collections by word, their \
        columns or fields with types, primary and foreign keys, existing indexes with size and use, \
        row counts, sizes, statistics, validators. The schema of the database. Search first, then \
        full detail for the few that matter.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let detail = input.detail.unwrap_or(match input.objects.as_slice() {
            [] => Detail::Names,
            _ => Detail::Full,
        });
        let question =
            format!("describe {} {:?} {:?} {detail:?}", input.target, input.search, input.objects);
        let skip = cursor::decode(input.cursor.as_deref(), &question)?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let words = words(input.search.as_deref());
        if input.objects.len() > 100 {
            return Err(Error::new(ErrorKind::Usage, "more than 100 objects are named")
                .hint("name fewer, or use search"));
        }
        let lease = call.state.lend(&input.target).await?;
        let read = read(&lease, &input.objects, detail, &words, skip).await;
        let (mut found, notes) = lease.ended(read)?;
        let all = found.len();
        let mut bytes = 0;
        let mut shown = Vec::new();
        for object in found.drain(skip.min(all)..) {
            bytes += serde_json::to_string(&object).map_or(0, |json| json.len());
            let full = shown.len() >= detail.page() || bytes > BYTES && !shown.is_empty();
            if full {
                break;
            }
            shown.push(object);
        }
        let end = skip.min(all) + shown.len();
        let truncated = (end < all).then(|| {
            Truncated::page(
                format!("{} of {all} are left", all - end),
                "call again with this cursor and the same other arguments, or search for a word",
                cursor::encode(end as u64, &question),
            )
        });
        let summary = match (shown.len(), all) {
            (0, _) => "nothing there has such a name".to_string(),
            (some, all) => format!("{some} of {all} tables, views or collections"),
        };
        let next = match (detail, shown.first()) {
            (Detail::Names, Some(first)) => {
                vec![format!("describe with objects ['{}'] for columns and indexes", first.name)]
            }
            (_, Some(_)) if call.state.has("run_query") => vec!["run_query to look at data".into()],
            _ => Vec::new(),
        };
        let notice = text::NOTICE.into();
        Ok(Outcome::Done(Output { summary, notice, objects: shown, notes, truncated, next }))
    }
}

/// The objects in order, each with as much as is asked for; what stands on other pages stays bare.
async fn read(
    lease: &Lease,
    objects: &[String],
    detail: Detail,
    words: &[String],
    skip: usize,
) -> Result<(Vec<Object>, Vec<String>)> {
    let catalog = match lease.found.engine {
        Engine::Postgres => {
            use marula_postgres::catalog::{Scope, read};
            let scope = if objects.is_empty() { Scope::All } else { Scope::Relations(objects) };
            Catalog::Postgres(read(lease.postgres()?, scope).await?)
        }
        Engine::Mongodb => {
            use marula_mongodb::catalog::{Scope, read};
            let scope = if objects.is_empty() { Scope::All } else { Scope::Collections(objects) };
            let sample = (!objects.is_empty() && detail != Detail::Names).then_some(SAMPLE);
            Catalog::Mongodb(read(lease.mongodb()?, scope, sample).await?)
        }
    };
    Ok(match catalog {
        Catalog::Postgres(catalog) => (relational::objects(&catalog, detail, words), Vec::new()),
        Catalog::Mongodb(catalog) => {
            let mut found = document::objects(&catalog, detail, words);
            let mut notes = catalog.notes.clone();
            if objects.is_empty() && detail != Detail::Names {
                // Fields are sampled for the page that is shown and no other.
                let page: Vec<String> = found
                    .iter()
                    .skip(skip)
                    .take(detail.page())
                    .map(|object| object.name.clone())
                    .collect();
                if !page.is_empty() {
                    use marula_mongodb::catalog::{Scope, read};
                    let scope = Scope::Collections(&page);
                    let sampled = read(lease.mongodb()?, scope, Some(SAMPLE)).await?;
                    let full = document::objects(&sampled, detail, &[]);
                    for object in full {
                        if let Some(bare) = found.iter_mut().find(|bare| bare.name == object.name) {
                            *bare = object;
                        }
                    }
                    notes.extend(sampled.notes);
                }
            }
            (found, notes)
        }
    })
}

/// The words that are looked for, in small letters.
fn words(search: Option<&str>) -> Vec<String> {
    let search = search.unwrap_or_default().to_lowercase();
    search
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .take(10)
        .map(singular)
        .collect()
}

/// Without its s: orders, order and order_id are one.
fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 => stem.to_string(),
        _ => word.to_string(),
    }
}

/// Whether one of the words stands in one of the names; without words everything is wanted.
fn wanted<'a>(words: &[String], names: impl IntoIterator<Item = &'a str>) -> bool {
    words.is_empty()
        || names.into_iter().any(|name| {
            let name = name.to_lowercase();
            words.iter().any(|word| name.contains(word.as_str()))
        })
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} kB", bytes / 1024),
        1_048_576..1_073_741_824 => format!("{} MB", bytes >> 20),
        _ => format!("{:.1} GB", bytes as f64 / 1_073_741_824.0),
    }
}
