//! What sort of thing a change is to the bench.

use marula_core::{Change, ChangeKind};

/// How a change is switched on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Indexes are built once and then hidden and shown.
    Switch,
    /// Extended statistics are gathered once and then kept from the planner and shown to it.
    Extended,
    /// Settings of the session.
    Setting,
    /// Anything else lasts: it gets a world of its own.
    Lasting,
}

/// What sort `change` is.
pub(super) fn kind_of(change: &Change) -> Kind {
    if change.kind == ChangeKind::Setting {
        return Kind::Setting;
    }
    let gathers = |sql: &String| leading(sql).starts_with("create statistics");
    if change.up.iter().any(gathers)
        && change.up.iter().all(|sql| gathers(sql) || analyzed(sql).is_some())
    {
        return Kind::Extended;
    }
    let builds = |sql: &String| {
        let words = leading(sql);
        words.starts_with("create index")
            || words.starts_with("create unique index")
            || words.starts_with("create extension")
            // An index of a partition becomes part of its parent's.
            || (words.starts_with("alter index") && sql.contains(" ATTACH PARTITION "))
    };
    if change.up.iter().all(builds) || is_drop(change) { Kind::Switch } else { Kind::Lasting }
}

/// Whether it takes indexes away, and does nothing else.
pub(super) fn is_drop(change: &Change) -> bool {
    !change.up.is_empty() && change.up.iter().all(|sql| dropped(sql).is_some())
}

/// The table a plain `ANALYZE` of all its columns looks at, as it is written there.
pub(super) fn analyzed(sql: &str) -> Option<&str> {
    const WORD: &str = "analyze ";
    let sql = sql.trim().trim_end_matches(';');
    let rest = sql.get(..WORD.len()).filter(|word| word.eq_ignore_ascii_case(WORD));
    let rest = rest.and_then(|_| sql.get(WORD.len()..))?.trim();
    (!rest.is_empty() && !rest.ends_with(')')).then_some(rest)
}

/// The index a `DROP INDEX` takes away, as it is written there.
pub(super) fn dropped(sql: &str) -> Option<&str> {
    let mut rest = sql.trim().trim_end_matches(';');
    for word in ["drop ", "index "] {
        let start = rest.get(..word.len())?;
        rest = start.eq_ignore_ascii_case(word).then(|| rest[word.len()..].trim_start())?;
    }
    for words in ["concurrently ", "if exists "] {
        if rest.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words)) {
            rest = rest[words.len()..].trim_start();
        }
    }
    (!rest.is_empty()).then_some(rest)
}

/// The first words in lower case, single-spaced: enough to tell a statement by.
fn leading(sql: &str) -> String {
    sql.split_whitespace().take(4).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The statement as it is run in the lab, where nobody is to be kept from writing: without
/// CONCURRENTLY, which would read the table twice.
pub(super) fn for_lab(sql: &str) -> String {
    let words = leading(sql);
    if !words.starts_with("create index") && !words.starts_with("create unique index") {
        return sql.to_owned();
    }
    let at = sql.to_ascii_lowercase().find("concurrently");
    match at {
        // Only as the word after INDEX, never inside a name or a condition.
        Some(at)
            if sql.get(..at).is_some_and(|b| b.trim_end().to_lowercase().ends_with("index")) =>
        {
            let (before, after) = sql.split_at(at);
            format!(
                "{before}{}",
                after.get("concurrently".len()..).unwrap_or_default().trim_start()
            )
        }
        _ => sql.to_owned(),
    }
}

/// The `SET` a session needs to run under a setting, and the `RESET` that takes it back:
/// `ALTER SYSTEM SET`, `ALTER ROLE … SET` and `ALTER DATABASE … SET` become a plain one.
pub(super) fn session_setting(sql: &str) -> Option<(String, String)> {
    let lower = sql.to_ascii_lowercase();
    let at = if lower.trim_start().starts_with("set ") {
        lower.find("set ")?
    } else if lower.trim_start().starts_with("alter ") {
        lower.find(" set ")? + 1
    } else {
        return None;
    };
    let text = sql.get(at..)?.trim_end_matches([';', ' ', '\n']).to_owned();
    let rest = text.get("set ".len()..)?.trim_start();
    let rest = rest.strip_prefix("SESSION ").or(rest.strip_prefix("session ")).unwrap_or(rest);
    let rest = rest.strip_prefix("LOCAL ").or(rest.strip_prefix("local ")).unwrap_or(rest);
    let name = rest.split(['=', ' ']).next()?.to_owned();
    Some((format!("SET {rest}"), format!("RESET {name}")))
}

#[cfg(test)]
mod tests {
    use marula_core::{ChangeId, Engine, Proof};

    use super::*;

    fn change(kind: ChangeKind, up: &[&str]) -> Change {
        Change {
            id: ChangeId("c1".into()),
            kind,
            engine: Engine::Postgres,
            title: String::new(),
            relation: None,
            up: up.iter().map(|sql| (*sql).to_owned()).collect(),
            down: Vec::new(),
            hazards: Vec::new(),
            conditions: Vec::new(),
            proof: Proof::not_tried(""),
        }
    }

    #[test]
    fn indexes_are_switches_and_statistics_last() {
        let index = change(ChangeKind::Index, &["CREATE INDEX CONCURRENTLY i ON t (a)"]);
        assert_eq!(kind_of(&index), Kind::Switch);
        let expression =
            change(ChangeKind::Index, &["create index i on t (lower(a))", "ANALYZE t"]);
        assert_eq!(kind_of(&expression), Kind::Lasting);
        assert_eq!(kind_of(&change(ChangeKind::Statistics, &["ANALYZE t"])), Kind::Lasting);
        let together = ["CREATE STATISTICS s ON a, b FROM t", "ANALYZE public.t"];
        assert_eq!(kind_of(&change(ChangeKind::Statistics, &together)), Kind::Extended);
        assert_eq!(analyzed("analyze \"odd (one\";"), Some("\"odd (one\""));
        let finer = ["ALTER TABLE t ALTER COLUMN a SET STATISTICS 9", "ANALYZE t (a)"];
        assert_eq!(kind_of(&change(ChangeKind::Statistics, &finer)), Kind::Lasting);
        assert_eq!(kind_of(&change(ChangeKind::Setting, &["SET work_mem = '1GB'"])), Kind::Setting);
    }

    #[test]
    fn what_drops_indexes_is_switched_too() {
        let gone = change(ChangeKind::Index, &["DROP INDEX CONCURRENTLY public.\"Odd one\";"]);
        assert_eq!(kind_of(&gone), Kind::Switch);
        assert!(is_drop(&gone));
        assert_eq!(dropped(&gone.up[0]), Some("public.\"Odd one\""));
        assert_eq!(dropped("drop index if exists a"), Some("a"));
        assert_eq!(dropped("DROP TABLE a"), None);
    }

    #[test]
    fn only_the_keyword_is_taken_out() {
        assert_eq!(
            for_lab("CREATE UNIQUE INDEX  CONCURRENTLY i ON t (a)"),
            "CREATE UNIQUE INDEX  i ON t (a)"
        );
        let named = "CREATE INDEX \"concurrently\" ON t (a)";
        assert_eq!(for_lab(named), named);
    }

    #[test]
    fn settings_of_any_reach_are_tried_in_the_session() {
        for sql in [
            "SET work_mem = '64MB'",
            "ALTER SYSTEM SET work_mem = '64MB';",
            "ALTER ROLE ann SET work_mem = '64MB'",
            "ALTER DATABASE shop SET work_mem = '64MB'",
        ] {
            let expected = ("SET work_mem = '64MB'".to_owned(), "RESET work_mem".to_owned());
            assert_eq!(session_setting(sql), Some(expected), "{sql}");
        }
    }
}
