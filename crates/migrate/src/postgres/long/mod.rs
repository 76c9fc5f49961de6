//! Long changes: what has no online form is done in steps, each a migration of its own.
//!
//! Expand: the new columns, and a trigger that fills them with every write. Backfill: the rows that
//! were there, in batches. Verify: a statement that fails while a row differs; keys, indexes and
//! NOT NULL of the new columns. Swap (a type) or switch (a name): the new column takes the old
//! one's place. Contract: the old columns go.

mod around;
pub mod ask;
mod beside;
mod carry;
mod depend;
mod derive;
mod expression;
mod filled;
mod identity;
mod keys;
mod names;
mod rename;
mod retype;
mod steps;
mod trigger;
mod values;
mod views;

use marula_core::{Column, Error, ErrorKind, RelationalCatalog, Result, Version};
use marula_postgres::sql::{self, quote_ident};

use super::written::comment;
pub use around::Around;
use beside::Beside;
use carry::Carried;
pub use derive::derive;
pub use rename::rename_column;
pub use retype::change_type;

/// One step of a long change: a migration.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What it does: `expand`, `backfill`, `verify`, `swap`, `switch`, `contract`.
    pub name: &'static str,
    /// The file.
    pub text: String,
    /// Whether it has a way back.
    pub reversible: bool,
}

/// A change in steps.
#[derive(Debug)]
pub struct LongChange {
    /// The steps, in order.
    pub stages: Vec<Stage>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// A new column: its name, type, and how its value comes from the old ones.
#[derive(Debug, Clone)]
pub struct Derived {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: String,
    /// An expression over the old columns.
    pub expression: String,
    /// Its collation, when it is not its type's own.
    pub collation: Option<String>,
}

impl Derived {
    /// `first_name=text:split_part(name, ' ', 1)`.
    ///
    /// # Errors
    /// `Usage` when it is not of that form.
    pub fn parse(text: &str) -> Result<Derived> {
        let wrong = || {
            Error::new(ErrorKind::Usage, format!("'{text}' says no new column"))
                .hint("write it like \"first_name=text:split_part(name, ' ', 1)\"")
        };
        let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
        // A type may have colons in no place, an expression has them in casts.
        let (data_type, expression) = rest.split_once(':').ok_or_else(wrong)?;
        let derived = Derived {
            name: name.trim().into(),
            data_type: data_type.trim().into(),
            expression: expression.trim().into(),
            collation: None,
        };
        let whole = [&derived.name, &derived.data_type, &derived.expression];
        if whole.iter().any(|part| part.is_empty()) { Err(wrong()) } else { Ok(derived) }
    }
}

/// The table a change is on, and what is known of it.
pub struct Place<'a> {
    /// Its name, with or without a schema.
    pub table: &'a str,
    /// The target's catalogue: defaults, keys and indexes are minded then.
    pub catalog: Option<&'a RelationalCatalog>,
    /// What hangs on the columns besides: policies, triggers, statistics, rights.
    pub around: Option<&'a Around>,
    /// The version it is written for.
    pub version: Version,
}

impl Place<'_> {
    fn quoted(&self) -> String {
        self.table.split('.').map(quote_ident).collect::<Vec<_>>().join(".")
    }

    fn bare(&self) -> &str {
        self.table.rsplit('.').next().unwrap_or(self.table)
    }

    fn schema(&self) -> String {
        self.table
            .rsplit_once('.')
            .map_or(String::new(), |(schema, _)| format!("{}.", quote_ident(schema)))
    }

    /// The sequences that belong to a column; without a look around it, the one its default names.
    fn sequences(&self, column: &str, default: Option<&str>) -> Vec<String> {
        let Some(around) = self.around else {
            let named = default.and_then(|text| text.strip_prefix("nextval('"));
            let named = named.and_then(|text| text.strip_suffix("'::regclass)"));
            return named.map(|name| name.replace("''", "'")).into_iter().collect();
        };
        let own = around.sequences.iter().filter(|(of, _)| of == column);
        own.map(|(_, sequence)| sequence.clone()).collect()
    }

    /// The column as the target has it.
    fn column(&self, name: &str) -> Result<Option<Column>> {
        let Some(catalog) = self.catalog else { return Ok(None) };
        let missing = |what: String| {
            Err(Error::new(ErrorKind::NotFound, what).hint("see what is there with marula inspect"))
        };
        let Some(relation) = catalog.find(self.table) else {
            return missing(format!("there is no table {}", self.table));
        };
        let Some(column) = relation.column(name) else {
            return missing(format!("table {} has no column {name}", self.table));
        };
        if column.generated.as_deref().is_some_and(|how| matches!(how, "s" | "v")) {
            let what = format!("{}.{name} is computed by the server", self.table);
            return Err(Error::new(ErrorKind::Unsupported, what)
                .hint("drop the column and add it with its new definition"));
        }
        Ok(Some(column.clone()))
    }
}

/// What is said of what hangs on the columns.
fn told(place: &Place<'_>, carried: &Carried) -> Vec<String> {
    let mut notes: Vec<String> = carried
        .by_hand
        .iter()
        .map(|what| format!("by hand before the last step: {what}"))
        .collect();
    notes.extend(carried.notes.iter().cloned());
    let asked = place.around.and_then(|around| around.asked.as_ref());
    notes.extend(asked.into_iter().flat_map(|asked| asked.notes.iter().cloned()));
    let published = place.around.map(|around| around.published.as_slice()).unwrap_or_default();
    if !published.is_empty() {
        notes.push(format!(
            "the table is published ({}): a subscriber that has not got the new column stops at the first \
             row written after the first step; give it the column there before",
            published.join(", ")
        ));
    }
    if place.catalog.is_some() && place.around.is_none() {
        notes.push("policies, triggers, statistics and rights were not looked at".into());
    }
    notes
}

const UNKNOWN: &str = "the column's default, keys, indexes and NOT NULL are not known: with \
                       --target they are taken over";
const SWITCH: &str = "The new names have the say from here on; deploy what uses them before the last \
                      step.";

/// A name of at most 63 bytes.
fn short(name: &str) -> String {
    names::free(name, "", &|_| false)
}

/// How a swap is taken back: what takes long beforehand and afterwards, while all go on.
fn taken_back(
    beside: &Beside,
    before: Vec<String>,
    mut within: Vec<String>,
) -> (String, Vec<String>) {
    let after = beside.back_after.clone();
    if before.is_empty() && after.is_empty() {
        return (beside.patience().into(), within);
    }
    let mut all = before;
    all.push("BEGIN".into());
    all.append(&mut within);
    all.push("COMMIT".into());
    all.extend(after);
    (format!("transaction:false {}", beside.patience()), all)
}

/// A step's file. Every statement must parse.
fn file(
    name: &'static str,
    what: &str,
    options: &str,
    up: &[String],
    down: Option<(&str, &[String])>,
) -> Result<Stage> {
    let body = |statements: &[String]| -> Result<String> {
        let mut text = String::new();
        for statement in statements {
            sql::parse(statement)?;
            text.push_str(statement);
            text.push_str(";\n");
        }
        Ok(text)
    };
    let mut text = comment(what);
    text.push_str(&format!("\n-- migrate:up {options}\n{}", body(up)?));
    match down {
        Some((options, down)) => {
            let options = if options.is_empty() { String::new() } else { format!(" {options}") };
            text.push_str(&format!("\n-- migrate:down{options}\n{}", body(down)?));
        }
        None => text.push_str("\n-- There is no way back: the old columns' values are gone.\n"),
    }
    Ok(Stage { name, text, reversible: down.is_some() })
}
