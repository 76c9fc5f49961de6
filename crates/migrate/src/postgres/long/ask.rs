//! What the target is asked before a change is written: whether the types are there, whether the
//! expressions can be computed, whether the rows there are fit.

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::sql::{self, quote_ident};
use marula_postgres::{Session, from_server};
use pg_query::NodeEnum;

use super::keys::referring;
use super::values::{Rows, judged, rows};
use super::{Derived, Place};

/// What the target said.
#[derive(Debug, Default)]
pub struct Asked {
    /// The new type as the server prints it.
    pub(super) data_type: Option<String>,
    /// Whether the new type has no cast to the old one.
    pub(super) one_way: bool,
    /// What the reader should know.
    pub(super) notes: Vec<String>,
}

/// Asks the target about another type for a column.
///
/// # Errors
/// `Usage` for a type that is not there or that the column has, and for expressions that cannot be
/// computed; `Refused` for values that do not fit; `Unsupported` for foreign keys that could not
/// refer to the new type.
pub async fn another_type(
    session: &Session,
    place: &Place<'_>,
    column: &str,
    data_type: &str,
    using: Option<&str>,
    back: Option<&str>,
) -> Result<Asked> {
    let mut asked = Asked::default();
    let Some(known) = place.column(column)? else { return Ok(asked) };
    let data_type_said = type_of(session, data_type).await?;
    if data_type_said == known.type_name {
        let what = format!("{}.{column} is of type {data_type_said} already", place.table);
        return Err(Error::new(ErrorKind::Usage, what).hint("give another type"));
    }
    let quoted = quote_ident(column);
    let expression = using.map_or_else(|| format!("{quoted}::{data_type}"), String::from);
    let written = format!("(SELECT {quoted} FROM {}) AS written", place.quoted());
    let made = format!("(({expression})::{data_type})");
    let computed = can(session, &made, &written).await;
    computed.map_err(|error| match using {
        Some(_) => said("--using", &error, "an expression over the column alone"),
        None => {
            let what =
                format!("{} has no cast to {data_type}: {}", known.type_name, error.message());
            Error::new(ErrorKind::Usage, what).hint("say with --using how the value is made")
        }
    })?;
    // Over the new column, which has the old one's name by then.
    let after = format!("(SELECT {made} AS {quoted} FROM {written}) AS written");
    let returned = match back {
        Some(back) => format!("(({back})::{})", known.type_name),
        None => format!("({quoted}::{})", known.type_name),
    };
    let can_return = can(session, &returned, &after).await;
    match (can_return, back) {
        (Ok(()), _) => {}
        (Err(error), Some(_)) => {
            return Err(said("--back", &error, "an expression over the changed column alone"));
        }
        (Err(_), None) => {
            asked.one_way = true;
            asked.notes.push(format!(
                "{data_type_said} has no cast to {}: after the swap the old column is no longer kept up \
                 to date; give --back",
                known.type_name
            ));
        }
    }
    asked.data_type = Some(data_type_said.clone());
    for other in referring(place, column) {
        if using.is_some() {
            let what = format!(
                "{} refers to it ({}) and holds its values",
                other.column, other.constraint
            );
            return Err(Error::new(ErrorKind::Unsupported, what)
                .at(place.table.to_string())
                .hint("without --using the values stay what they are; else drop the foreign key before, and change both"));
        }
        if !comparable(session, &data_type_said, &other.data_type).await? {
            let what = format!(
                "{} is {} and could not refer to {data_type_said} ({})",
                other.column, other.data_type, other.constraint
            );
            return Err(Error::new(ErrorKind::Unsupported, what)
                .at(place.table.to_string())
                .hint("drop the foreign key in a migration before these, change both columns, and make it again: marula migrate add-foreign-key"));
        }
    }
    let returned = (!asked.one_way).then_some(returned.as_str());
    let rows = rows(session, Some(&quoted), &made, &written, returned).await?;
    asked.notes.extend(judged(place, column, &data_type_said, known.not_null, using, rows)?);
    Ok(asked)
}

/// Asks the target about columns made from others, and what the reader should know.
///
/// # Errors
/// `Usage` for types and names that are not there, or are, and for expressions that cannot be
/// computed; `Refused` for values that do not fit.
pub async fn made_of(
    session: &Session,
    place: &Place<'_>,
    olds: &[String],
    news: &[Derived],
    backs: &[(String, String)],
) -> Result<Asked> {
    let mut asked = Asked::default();
    let list = olds.iter().map(|old| quote_ident(old)).collect::<Vec<_>>().join(", ");
    let mut types = Vec::new();
    for old in olds {
        let Some(known) = place.column(old)? else { return Ok(asked) };
        types.push((old, known.type_name));
    }
    let written = format!("(SELECT {list} FROM {}) AS written", place.quoted());
    let mut all = Vec::new();
    for new in news {
        type_of(session, &new.data_type).await?;
        let made = format!("(({})::{})", new.expression, new.data_type);
        let computed = can(session, &made, &written).await;
        computed.map_err(|error| {
            let what = format!("--into {}", new.name);
            said(&what, &error, "an expression over the old columns alone")
        })?;
        let rows = rows(session, None, &made, &written, None).await?;
        match rows {
            Rows::Failed(error) => {
                let what = format!("a row of {} gives no {}: {}", place.table, new.name, error.message());
                return Err(Error::new(ErrorKind::Refused, what)
                    .at(place.table.to_string())
                    .hint("mend the rows before this is written, or the expression"));
            }
            Rows::Unseen(why) => asked.notes.push(format!(
                "the values of {} were not looked at ({why}): one that does not fit stops the backfill",
                new.name
            )),
            Rows::Counted { .. } => {}
        }
        all.push(format!("{made} AS {}", quote_ident(&new.name)));
    }
    let after = format!("(SELECT {} FROM {written}) AS written", all.join(", "));
    for (old, back) in backs {
        let kind = types.iter().find(|(name, _)| *name == old).map(|(_, kind)| kind.as_str());
        let Some(kind) = kind else {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("--back names {old}, which is none of the columns that go"),
            )
            .hint("write it like \"name=first || ' ' || last\""));
        };
        let computed = can(session, &format!("(({back})::{kind})"), &after).await;
        computed.map_err(|error| {
            said(&format!("--back {old}"), &error, "an expression over the new columns alone")
        })?;
    }
    Ok(asked)
}

fn said(option: &str, error: &Error, hint: &str) -> Error {
    let what = format!("{option} cannot be computed: {}", error.message());
    Error::new(ErrorKind::Usage, what).hint(format!("give {hint}"))
}

/// A type's name as the server prints it.
async fn type_of(session: &Session, data_type: &str) -> Result<String> {
    let none = |what: String| {
        Error::new(ErrorKind::Usage, what)
            .hint("give a type of the target: bigint, numeric(12,2), date, text")
    };
    let text = format!("SELECT NULL::{data_type} AS made");
    let parsed = sql::parse(&text).map_err(|_| none(format!("'{data_type}' is no type")))?;
    let single = parsed.select().is_some_and(|select| {
        let [target] = select.target_list.as_slice() else { return false };
        let Some(NodeEnum::ResTarget(target)) = target.node.as_ref() else { return false };
        let value = target.val.as_deref().and_then(|value| value.node.as_ref());
        select.from_clause.is_empty()
            && select.where_clause.is_none()
            && matches!(value, Some(NodeEnum::TypeCast(_)))
    });
    if !single {
        return Err(none(format!("'{data_type}' is no type")));
    }
    let lines = explained(session, &format!("EXPLAIN (VERBOSE, COSTS OFF) {text}")).await;
    let lines = lines.map_err(|error| {
        if data_type.to_ascii_lowercase().ends_with("serial") {
            return none(format!("{data_type} is no type of a column"))
                .hint("give the type below it: what counts goes on counting");
        }
        none(error.message().to_string())
    })?;
    let printed = lines.iter().find_map(|line| line.trim().strip_prefix("Output: NULL::"));
    Ok(printed.map_or_else(|| data_type.to_string(), String::from))
}

/// Whether a row's expression can be computed.
async fn can(session: &Session, expression: &str, from: &str) -> Result<()> {
    // In a condition neither aggregates nor sets are taken.
    let text = format!("SELECT 1 FROM {from} WHERE {expression} IS NULL");
    sql::parse(&text)?;
    explained(session, &format!("EXPLAIN (COSTS OFF) {text}")).await.map(|_| ())
}

async fn explained(session: &Session, text: &str) -> Result<Vec<String>> {
    let client = session.client();
    client.batch_execute("BEGIN READ ONLY").await.map_err(|error| from_server(&error))?;
    let found = client.query(text, &[]).await;
    client.batch_execute("ROLLBACK").await.map_err(|error| from_server(&error))?;
    let rows = found.map_err(|error| from_server(&error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether a foreign key of one type can refer to a key of another.
async fn comparable(session: &Session, key: &str, own: &str) -> Result<bool> {
    let sql = "SELECT $1::text::regtype = $2::text::regtype OR EXISTS (
         SELECT FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_amop o ON o.amopfamily = c.opcfamily AND o.amopmethod = 403
             AND o.amopstrategy = 3 AND o.amoplefttype = c.opcintype
          WHERE c.opcmethod = 403 AND c.opcdefault
            AND (c.opcintype = $1::text::regtype OR EXISTS (SELECT FROM pg_catalog.pg_cast WHERE castsource = $1::text::regtype
                 AND casttarget = c.opcintype AND castmethod = 'b' AND castcontext = 'i'))
            AND (o.amoprighttype = $2::text::regtype OR o.amoprighttype = c.opcintype AND EXISTS (SELECT FROM pg_catalog.pg_cast
                 WHERE castsource = $2::text::regtype AND casttarget = c.opcintype AND castcontext = 'i')))";
    let row = session.client().query_one(sql, &[&key, &own]).await;
    Ok(row.map_err(|error| from_server(&error))?.get(0))
}
