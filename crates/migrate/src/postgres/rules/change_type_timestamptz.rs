use super::support::*;

/// timestamp and timestamptz are exchanged: free in UTC, a rewrite elsewhere
pub static RULE: Rule<Context> = rule(
    30,
    "change-type-timestamptz",
    "timestamp and timestamptz are exchanged: free in UTC, a rewrite elsewhere",
    Severity::High,
    None,
    "When the session's TimeZone is UTC the stored values are right as they are (12 and \
     later); only indexes on the column are built anew. In any other time zone every row \
     is written anew, under ACCESS EXCLUSIVE.\n\nBegin the file with SET TimeZone = \
     'UTC', if that is what the values mean.",
    &[
        bad(
            "nobody says which time zone",
            shop!(),
            "ALTER TABLE users ALTER COLUMN born TYPE timestamptz",
        ),
        bad(
            "in Berlin",
            shop!(),
            "SET TimeZone = 'Europe/Berlin'; ALTER TABLE users ALTER COLUMN born TYPE timestamptz",
        ),
        good(
            "in UTC, without an index on it",
            shop!(),
            "SET lock_timeout = '1s'; SET TimeZone = 'UTC'; ALTER TABLE users ALTER COLUMN born TYPE timestamptz",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let zone = context.transaction.time_zone.as_ref().or(context.schema.time_zone.as_ref());
    let utc = zone.map(|zone| {
        ["utc", "gmt", "etc/utc", "etc/gmt", "zulu", "uct", "0"]
            .contains(&zone.to_ascii_lowercase().as_str())
    });
    retyped(context)
        .into_iter()
        .filter(|retyped| retyped.change == TypeChange::TimeZone)
        .map(|retyped| {
            let (lock, table) = (retyped.alter.lock, &retyped.alter.table);
            let why = "Begin the file with SET TimeZone = 'UTC', if that is what the values mean.";
            match utc {
                _ if context.version.major < 12 => {
                    heavy(lock, table, Work::Rewrite, retyped.title() + ": every row is written anew", why)
                }
                Some(false) => {
                    let title = retyped.title() + ": not in UTC, so every row is written anew";
                    heavy(lock, table, Work::Rewrite, title, why)
                }
                _ if retyped.indexed == Some(true) => {
                    let title = retyped.title() + ": indexes on it are built anew";
                    heavy(lock, table, Work::Build, title, "In UTC the rows stay; the indexes do not. Drop them first and build them CONCURRENTLY afterwards.")
                }
                Some(true) => brief(lock, table, retyped.title(), "In UTC nothing is rewritten."),
                None => {
                    let title = retyped.title() + ": every row is written anew unless TimeZone is UTC";
                    locked(lock, table, Severity::Medium, title, why)
                }
            }
        })
        .collect()
}
