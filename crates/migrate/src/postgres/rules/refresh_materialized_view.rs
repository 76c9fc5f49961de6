use super::support::*;

/// REFRESH MATERIALIZED VIEW stops its readers until it is computed
pub static RULE: Rule<Context> = rule(
    49,
    "refresh-materialized-view",
    "REFRESH MATERIALIZED VIEW stops its readers until it is computed",
    Severity::High,
    None,
    "The view is computed anew and written under ACCESS EXCLUSIVE.\n\nREFRESH … \
     CONCURRENTLY needs a unique index on plain columns, takes EXCLUSIVE, and lets \
     readers go on with the old contents.",
    &[
        bad(
            "not CONCURRENTLY",
            concat!(
                shop!(),
                "CREATE MATERIALIZED VIEW per_user AS SELECT user_id, count(*) AS n FROM orders GROUP BY user_id;"
            ),
            "REFRESH MATERIALIZED VIEW per_user",
        ),
        good(
            "WITH NO DATA",
            concat!(
                shop!(),
                "CREATE MATERIALIZED VIEW per_user AS SELECT user_id, count(*) AS n FROM orders GROUP BY user_id;"
            ),
            "SET lock_timeout = '1s'; REFRESH MATERIALIZED VIEW per_user WITH NO DATA",
        ),
        good(
            "CONCURRENTLY",
            concat!(
                shop!(),
                "CREATE MATERIALIZED VIEW per_user AS SELECT user_id, count(*) AS n FROM orders GROUP BY user_id; CREATE UNIQUE INDEX ON per_user (user_id);"
            ),
            "REFRESH MATERIALIZED VIEW CONCURRENTLY per_user",
        ),
    ],
    check,
);

fn check(context: &Context) -> Vec<Draft> {
    let Some(NodeEnum::RefreshMatViewStmt(refresh)) = context.node() else { return Vec::new() };
    let view = refresh.relation.as_ref().map(table_key).unwrap_or_default();
    let lock = Lock::AccessExclusive;
    if refresh.concurrent {
        return Vec::new();
    }
    if refresh.skip_data {
        return vec![brief(lock, &view, format!("{view} is emptied"), "Nothing is computed.")];
    }
    let title = format!("{view} cannot be read until it is computed anew");
    vec![heavy(
        lock,
        &view,
        Work::Rewrite,
        title,
        "REFRESH … CONCURRENTLY, which needs a unique index.",
    )]
}
