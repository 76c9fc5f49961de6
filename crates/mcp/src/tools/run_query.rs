use std::ops::ControlFlow;

use marula_core::{Engine, Error, ErrorKind, Result, Statement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Operation, Outcome};
use crate::answer::Truncated;
use crate::pool::Lease;
use crate::{cursor, text};

pub struct RunQuery;

/// The rows of an answer when nobody says how many.
const ROWS: u32 = 100;
/// The most rows of an answer.
const MOST: u32 = 1_000;
/// The most bytes of an answer's rows.
const BYTES: usize = 48 * 1024;
/// The most letters of one value.
const VALUE: usize = 2_000;
/// How far in a result a page may begin.
const FAR: u64 = 1_000_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Alias of list_targets.
    target: String,
    /// One SELECT, or one find, aggregate, countDocuments or distinct in mongosh syntax.
    query: String,
    /// Rows, at most 1000; 100 unless given.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// From the last answer, for the next page.
    cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Output {
    summary: String,
    /// What the rows are.
    notice: String,
    columns: Vec<String>,
    /// Arrays of column values; MongoDB: documents as extended JSON.
    untrusted_rows: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::answer::Loose>")]
    truncated: Option<Truncated>,
    next: Vec<String>,
}

impl Operation for RunQuery {
    const NAME: &'static str = "run_query";
    const TITLE: &'static str = "Run a read-only query";
    const ABOUT: &'static str = "Run one read-only query and get its rows or documents: look at data, \
        count, check values, sample, show the newest or the largest. SQL on PostgreSQL, mongosh \
        syntax on MongoDB. Anything that writes is refused before it is sent. Results are capped; \
        page with cursor.";
    type Input = Input;
    type Output = Output;

    async fn run(call: &Call, input: Input) -> Result<Outcome<Output>> {
        let limit = input.limit.unwrap_or(ROWS).clamp(1, MOST);
        let question = format!("run {} {}", input.target, input.query);
        let skip = cursor::decode(input.cursor.as_deref(), &question)?;
        if skip > FAR {
            return Err(Error::new(ErrorKind::Usage, "the page is too far into the result")
                .hint("order the query by a key and ask for what comes after the last one seen"));
        }
        // What would be refused is refused before anybody is troubled with it.
        let found = call.state.find(&input.target)?;
        let mut page = Page { limit, ..Page::default() };
        let more = match found.engine {
            Engine::Postgres => {
                let parsed = marula_postgres::guard::check(&input.query)?;
                if parsed.stripped_explain() {
                    return Err(Error::new(ErrorKind::Usage, "EXPLAIN gives a plan and no rows")
                        .hint("give the SELECT alone, or call explain_query with it"));
                }
                let lease = call.state.lend(&input.target).await?;
                let read = postgres(&lease, &parsed, skip, &mut page).await;
                lease.ended(read)?
            }
            Engine::Mongodb => {
                let command = marula_mongodb::shell::parse(&input.query)?;
                marula_mongodb::guard::check(&command)?;
                let lease = call.state.lend(&input.target).await?;
                let read = mongodb(&lease, &command, skip, &mut page).await;
                lease.ended(read)?
            }
        };
        let shown = page.rows.len() as u64;
        let truncated = (more && shown > 0).then(|| {
            Truncated::page(
                format!("there are rows after these {shown}"),
                "call again with this cursor and the same other arguments; without a total ORDER \
                 BY (sort) pages may overlap",
                cursor::encode(skip + shown, &question),
            )
        });
        let mut summary = format!("{shown} rows from row {}", skip + 1);
        if page.shortened > 0 {
            summary.push_str(&format!("; {} long values are cut", page.shortened));
        }
        let next = if call.state.has("explain_query") && truncated.is_none() {
            vec!["explain_query if it was slow".into()]
        } else {
            Vec::new()
        };
        Ok(Outcome::Done(Output {
            summary,
            notice: text::NOTICE.into(),
            columns: page.columns,
            untrusted_rows: page.rows,
            truncated,
            next,
        }))
    }
}

#[derive(Default)]
struct Page {
    limit: u32,
    columns: Vec<String>,
    rows: Vec<Value>,
    bytes: usize,
    shortened: usize,
}

impl Page {
    /// Whether another row of this size goes in. The first always does: its values are cut.
    fn full(&self, bytes: usize) -> bool {
        self.rows.len() >= self.limit as usize
            || !self.rows.is_empty() && self.bytes + bytes > BYTES
    }

    fn add(&mut self, mut row: Value) -> ControlFlow<()> {
        self.shortened += shorten(&mut row);
        let bytes = row.to_string().len();
        if self.full(bytes) {
            return ControlFlow::Break(());
        }
        self.bytes += bytes;
        self.rows.push(row);
        ControlFlow::Continue(())
    }
}

/// Cuts values that are too long, and says how many.
fn shorten(value: &mut Value) -> usize {
    match value {
        Value::String(long) if long.chars().nth(VALUE).is_some() => {
            *long = text::cut(long, VALUE);
            1
        }
        Value::Array(items) => {
            let cut = items.iter_mut().map(shorten).sum();
            // A document with a list of a million numbers is a page of its own.
            if items.len() > VALUE {
                let left = items.len() - VALUE;
                items.truncate(VALUE);
                items.push(format!("… ({left} elements more)").into());
                return cut + 1;
            }
            cut
        }
        Value::Object(fields) => fields.values_mut().map(shorten).sum(),
        _ => 0,
    }
}

async fn postgres(
    lease: &Lease,
    parsed: &marula_postgres::sql::ParsedStatement,
    skip: u64,
    page: &mut Page,
) -> Result<bool> {
    let session = lease.postgres()?;
    marula_postgres::guard::check_in_catalog(session, parsed).await?;
    let statement = Statement::new(Engine::Postgres, parsed.text());
    let (columns, more) = marula_postgres::page::page(session, &statement, skip, |values| {
        let values = values.iter().map(|value| value.map_or(Value::Null, Value::from));
        page.add(values.collect())
    })
    .await?;
    page.columns =
        columns.iter().map(|column| format!("{} {}", column.name, column.type_name)).collect();
    Ok(more)
}

async fn mongodb(
    lease: &Lease,
    command: &marula_mongodb::Command,
    skip: u64,
    page: &mut Page,
) -> Result<bool> {
    let mut passed = 0;
    let mut full = false;
    let read = marula_mongodb::run::run(lease.mongodb()?, command, |document| {
        passed += 1;
        if passed <= skip {
            return Ok(());
        }
        let document = bson::Document::try_from(document).map_err(|error| {
            Error::new(ErrorKind::Server, "a document cannot be read").because(error)
        })?;
        if page.add(bson::Bson::Document(document).into_relaxed_extjson()).is_break() {
            full = true;
            // The way to stop reading.
            return Err(Error::new(ErrorKind::Interrupted, "enough"));
        }
        Ok(())
    })
    .await;
    match read {
        Err(error) if !full => Err(error),
        _ => Ok(full),
    }
}
