//! Long changes: what has no online form is done in steps, each a migration of its own.
//!
//! Expand: the new columns, and a trigger that fills them with every write. Backfill: the rows that
//! were there, in batches. Verify: a statement that fails while a row differs; keys, indexes and
//! NOT NULL of the new columns. Swap (a type) or switch (a name): the new column takes the old
//! one's place. Contract: the old columns go.

mod beside;
mod depend;
mod trigger;

use marula_core::{Column, Error, ErrorKind, RelationalCatalog, Result, Version};
use marula_postgres::sql::{self, quote_ident};

use beside::Beside;
use trigger::Dual;

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

/// Another type for a column, in five steps. `using` is an expression over the column, when a
/// cast is not what is wanted; `back` leads to the old type, so that the swap can be taken back.
///
/// # Errors
/// `NotFound` for a column the target does not have, `Unsupported` for one that foreign keys of
/// others refer to or that views and generated columns read, `Syntax` when a type or expression makes no SQL.
pub fn change_type(
    place: &Place<'_>,
    column: &str,
    data_type: &str,
    using: Option<&str>,
    back: Option<&str>,
) -> Result<LongChange> {
    let known = place.column(column)?;
    depend::refuse(place, &[column])?;
    let new = short(&format!("{column}_new"));
    let old = short(&format!("{column}_old"));
    let (table, quoted) = (place.quoted(), quote_ident(column));
    let expression = using.map_or_else(|| format!("{quoted}::{data_type}"), String::from);
    let derived = Derived { name: new.clone(), data_type: data_type.into(), expression };
    let beside = Beside::of(place, &[(column, &new)])?;
    let dual = Dual::new(place, &[(column.to_string(), None)], std::slice::from_ref(&derived), &[]);
    let (qnew, qold) = (quote_ident(&new), quote_ident(&old));
    let mut stages = vec![dual.expand()?, dual.backfill()?];
    let not_null = known.as_ref().is_some_and(|column| column.not_null);
    let filled: &[String] = if not_null { std::slice::from_ref(&new) } else { &[] };
    stages.push(dual.verify(filled, &beside)?);
    // Swap: names change places; what is written to the new column is kept in the old one.
    let old_type = known.as_ref().map(|column| column.type_name.clone());
    let backwards = match (back, &old_type) {
        (Some(back), _) => Some(back.to_string()),
        (None, Some(kind)) => Some(format!("{quoted}::{kind}")),
        (None, None) => None,
    };
    let default = known.as_ref().and_then(|column| column.default.clone());
    let mut up = vec![
        format!("ALTER TABLE {table} RENAME COLUMN {quoted} TO {qold}"),
        format!("ALTER TABLE {table} RENAME COLUMN {qnew} TO {quoted}"),
    ];
    let mut down = vec![
        format!("ALTER TABLE {table} RENAME COLUMN {quoted} TO {qnew}"),
        format!("ALTER TABLE {table} RENAME COLUMN {qold} TO {quoted}"),
    ];
    up.push(match &backwards {
        Some(expression) => dual.reversed(column, &old, expression),
        None => dual.stopped(),
    });
    down.push(dual.function(true));
    // A key's columns cannot be NULL: the key moves first.
    up.extend(beside.swap.iter().cloned());
    down.extend(beside.swap_back.iter().rev().cloned());
    if not_null {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {qold} DROP NOT NULL"));
    }
    if let Some(default) = &default {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {qold} DROP DEFAULT"));
        let counted = default.contains("nextval(");
        let cast = if counted { default.clone() } else { format!("({default})::{data_type}") };
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {cast}"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {qnew} DROP DEFAULT"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {default}"));
        if counted && let Some(sequence) = default.split('\'').nth(1) {
            up.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted}"));
            if ["bigint", "int8", "integer", "int"].contains(&data_type.to_lowercase().as_str()) {
                up.push(format!("ALTER SEQUENCE {sequence} AS {data_type}"));
            }
            down.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted}"));
        }
    }
    if not_null {
        // Rows written meanwhile may have had no value of the old type.
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET NOT NULL"));
    }
    stages.push(file("swap", SWAP, "lock_timeout:2s", &up, Some(("lock_timeout:2s", &down)))?);
    stages.push(dual.contract(&[old])?);
    let mut notes = beside.notes;
    if known.is_none() {
        notes.push(UNKNOWN.into());
    }
    if backwards.is_none() {
        notes.push(
            "after the swap the old column is no longer kept up to date: its type is not known; \
             give --target or --back"
                .into(),
        );
    }
    Ok(LongChange { stages, notes })
}

/// Another name for a column, in five steps: statements with the old and with the new name work
/// from the first step to before the last.
///
/// # Errors
/// As [`change_type`].
pub fn rename_column(
    place: &Place<'_>,
    column: &str,
    new: &str,
    data_type: Option<&str>,
) -> Result<LongChange> {
    let known = place.column(column)?;
    let Some(data_type) =
        known.as_ref().map(|column| column.type_name.as_str()).or(data_type).map(String::from)
    else {
        return Err(Error::new(ErrorKind::Usage, "the column's type is not known")
            .hint("name the target with --target, or give the type with --type"));
    };
    let views = depend::carried(place, column, new)?;
    let derived = Derived { name: new.into(), data_type, expression: quote_ident(column) };
    let beside = Beside::of(place, &[(column, new)])?;
    let default = known.as_ref().and_then(|column| column.default.clone());
    let olds = [(column.to_string(), default.clone())];
    let backs = [(column.to_string(), quote_ident(new))];
    let dual = Dual::new(place, &olds, std::slice::from_ref(&derived), &backs);
    let not_null = known.as_ref().is_some_and(|column| column.not_null);
    let own = [new.to_string()];
    let filled: &[String] = if not_null { &own } else { &[] };
    let mut stages = vec![dual.expand()?, dual.backfill()?, dual.verify(filled, &beside)?];
    let (table, quoted, qnew) = (place.quoted(), quote_ident(column), quote_ident(new));
    // Switch: the new column has the say over defaults and NULL.
    let undefaulted = Dual::new(place, &[(column.to_string(), None)], &[derived], &backs);
    let mut up = vec![undefaulted.function(true)];
    let mut down = vec![dual.function(true)];
    if let Some(default) = &default {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} DROP DEFAULT"));
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {qnew} SET DEFAULT {default}"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {qnew} DROP DEFAULT"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {default}"));
        if let Some(sequence) = default.split('\'').nth(1).filter(|_| default.contains("nextval("))
        {
            up.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{qnew}"));
            down.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted}"));
        }
    }
    up.extend(beside.swap.iter().cloned());
    down.splice(0..0, beside.swap_back.iter().rev().cloned());
    if not_null {
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} DROP NOT NULL"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET NOT NULL"));
    }
    for (over_new, over_old) in views {
        up.push(over_new);
        down.push(over_old);
    }
    stages.push(file("switch", SWITCH, "lock_timeout:2s", &up, Some(("lock_timeout:2s", &down)))?);
    stages.push(dual.contract(&[column.to_string()])?);
    let mut notes = beside.notes;
    if known.is_none() {
        notes.push(UNKNOWN.into());
    }
    Ok(LongChange { stages, notes })
}

/// Columns made from others: one split into several, or several merged into one. With `backs`
/// (old column, expression over the new ones) what is written to the new columns reaches the old
/// ones, too, until the last step.
///
/// # Errors
/// As [`change_type`].
pub fn derive(
    place: &Place<'_>,
    olds: &[String],
    news: &[Derived],
    backs: &[(String, String)],
) -> Result<LongChange> {
    depend::refuse(place, &olds.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut from = Vec::new();
    let mut required = Vec::new();
    for old in olds {
        let known = place.column(old)?;
        if known.as_ref().is_some_and(|column| column.not_null) {
            required.push(old.clone());
        }
        from.push((old.clone(), known.and_then(|column| column.default)));
    }
    let dual = Dual::new(place, &from, news, backs);
    let table = place.quoted();
    let mut stages = vec![dual.expand()?, dual.backfill()?];
    stages.push(dual.verify(&[], &Beside::default())?);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    if backs.is_empty() {
        // From here on the new columns are written by themselves.
        up.push(dual.stopped());
        down.push(dual.function(true));
    }
    for old in &required {
        let old = quote_ident(old);
        up.push(format!("ALTER TABLE {table} ALTER COLUMN {old} DROP NOT NULL"));
        down.push(format!("ALTER TABLE {table} ALTER COLUMN {old} SET NOT NULL"));
    }
    if !up.is_empty() {
        let how = Some(("lock_timeout:2s", down.as_slice()));
        stages.push(file("switch", SWITCH, "lock_timeout:2s", &up, how)?);
    }
    stages.push(dual.contract(olds)?);
    let mut notes = Vec::new();
    if place.catalog.is_none() {
        notes.push(UNKNOWN.into());
    }
    if backs.is_empty() {
        notes.push(
            "without --back the new columns follow the old ones until the switch, and the old \
             ones are left as they are after it"
                .into(),
        );
    }
    Ok(LongChange { stages, notes })
}

const UNKNOWN: &str = "the column's default, keys, indexes and NOT NULL are not known: with \
                       --target they are taken over";
const SWAP: &str = "The new column gets the old one's name. Statements read and write the new type \
                    from here on: deploy what understands both before.";
const SWITCH: &str = "The new names have the say from here on; deploy what uses them before the last \
                      step.";

/// A name of at most 63 bytes.
fn short(name: &str) -> String {
    let mut name = name.to_string();
    while name.len() > 63 {
        name.pop();
    }
    name
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
    let mut text = String::new();
    let mut line = String::from("--");
    for word in what.split_whitespace() {
        if line.len() + word.len() > 96 {
            text.push_str(&line);
            text.push('\n');
            line = String::from("--");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
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
