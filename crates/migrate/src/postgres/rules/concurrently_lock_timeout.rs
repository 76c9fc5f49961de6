use super::support::*;

/// CONCURRENTLY under a lock_timeout is cancelled by any old transaction
pub static RULE: Rule<Context> = rule(
    34,
    "concurrently-lock-timeout",
    "CONCURRENTLY under a lock_timeout is cancelled by any old transaction",
    Severity::Medium,
    None,
    "CONCURRENTLY waits for every transaction that may still see the old state, even of \
     other tables. A lock_timeout cancels it there and leaves an INVALID index behind, \
     which costs every write and serves nobody.\n\nSet lock_timeout = 0 for this \
     statement alone, watch for old transactions instead, and drop an INVALID index \
     before trying again.",
    &[
        bad(
            "a lock_timeout",
            shop!(),
            "SET lock_timeout = '1s'; CREATE INDEX CONCURRENTLY users_age ON users (age)",
        ),
        good(
            "switched off for it",
            shop!(),
            "SET lock_timeout = '1s'; SET lock_timeout = 0; CREATE INDEX CONCURRENTLY users_age ON users (age)",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let LockTimeout::Set(limit) = context.transaction.lock_timeout else { return Vec::new() };
    let Some((table, what)) = concurrent(context) else { return Vec::new() };
    let title = format!(
        "{what} CONCURRENTLY is cancelled after waiting {limit} ms for any old transaction"
    );
    vec![
        locked(
            Lock::ShareUpdateExclusive,
            &table,
            Severity::Medium,
            title,
            "SET lock_timeout = 0 before it; a cancelled one leaves an INVALID index.",
        )
        .work(Work::Build)
        .even_new(),
    ]
}
