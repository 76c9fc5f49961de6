//! Whether the rows there are become what they are to become.

use std::time::Duration;

use marula_core::{Error, ErrorKind, Result};
use marula_postgres::{Session, from_server, guard};

use super::Place;

/// How long the rows are looked through.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a look at the rows.
pub(super) enum Rows {
    /// Values that become NULL, and values that the new ones do not give back.
    Counted { nothing: i64, lost: Option<i64> },
    /// One does not convert.
    Failed(Error),
    /// Why they were not looked at.
    Unseen(String),
}

pub(super) fn judged(
    place: &Place<'_>,
    column: &str,
    data_type: &str,
    not_null: bool,
    using: Option<&str>,
    rows: Rows,
) -> Result<Option<String>> {
    let own = format!("{}.{column}", place.table);
    let rows_of = |count: i64| if count == 1 { "1 row".into() } else { format!("{count} rows") };
    let refused = |what: String| {
        Err(Error::new(ErrorKind::Refused, what).at(place.table.to_string()).hint(
            "mend the rows before this is written, or say with --using what becomes of them: \"nullif(value, 'n/a')::date\"",
        ))
    };
    match rows {
        Rows::Failed(error) => {
            refused(format!("a value of {own} does not become {data_type}: {}", error.message()))
        }
        Rows::Unseen(why) => Ok(Some(format!(
            "the values of {own} were not looked at ({why}): one that does not fit stops the backfill"
        ))),
        Rows::Counted { nothing, .. } if not_null && nothing > 0 => {
            refused(format!("{} of {own} would become NULL, which it forbids", rows_of(nothing)))
        }
        // ALTER TABLE would refuse what a cast cuts short.
        Rows::Counted { lost: Some(lost), .. }
            if lost > 0 && using.is_none() && super::retype::is_short(data_type) =>
        {
            refused(format!("{} of {own} would be cut short by {data_type}", rows_of(lost)))
        }
        Rows::Counted { nothing, lost } => {
            let lost = lost.filter(|lost| *lost > nothing);
            Ok(lost.map(|lost| {
                format!(
                    "{} of {own} hold what {data_type} does not give back: the old values are gone with \
                     the last step",
                    rows_of(lost)
                )
            }))
        }
    }
}

/// Computes the new value of every row, as long as that takes little time. `was` is the old column,
/// and `returned` leads to it from the new one under its name.
pub(super) async fn rows(
    session: &Session,
    was: Option<&str>,
    made: &str,
    written: &str,
    returned: Option<&str>,
) -> Result<Rows> {
    let text = match (was, returned) {
        (Some(was), Some(returned)) => format!(
            "SELECT count(*) FILTER (WHERE made IS NULL AND was IS NOT NULL), count(*) FILTER (WHERE (SELECT \
             {returned} FROM (SELECT computed.made AS {was}) AS written) IS DISTINCT FROM was) FROM (SELECT \
             {was} AS was, {made} AS made FROM {written}) AS computed"
        ),
        (Some(was), None) => format!(
            "SELECT count(*) FILTER (WHERE made IS NULL AND was IS NOT NULL), NULL::bigint FROM (SELECT {was} AS \
             was, {made} AS made FROM {written}) AS computed"
        ),
        (None, _) => format!(
            "SELECT count(made), NULL::bigint FROM (SELECT {made} AS made FROM {written}) AS computed"
        ),
    };
    let statement = match guard::check(&text) {
        Ok(statement) => statement,
        Err(error) => return Ok(Rows::Unseen(error.message().to_string())),
    };
    if let Err(error) = guard::check_in_catalog(session, &statement).await {
        return Ok(Rows::Unseen(error.message().to_string()));
    }
    let client = session.client();
    let begin = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {}", PATIENCE.as_millis());
    client.batch_execute(&begin).await.map_err(|error| from_server(&error))?;
    let found = client.query_one(&text, &[]).await;
    client.batch_execute("ROLLBACK").await.map_err(|error| from_server(&error))?;
    Ok(match found {
        Ok(row) => Rows::Counted { nothing: row.get(0), lost: row.get(1) },
        Err(error) => {
            let error = from_server(&error);
            match error.server_code().unwrap_or_default() {
                code if code.starts_with("22") || code == "23514" => Rows::Failed(error),
                "57014" => Rows::Unseen(format!("it takes longer than {} s", PATIENCE.as_secs())),
                _ => Rows::Unseen(error.message().to_string()),
            }
        }
    })
}
