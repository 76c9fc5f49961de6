//! Schemas, extensions, collations, sequences, publications, event triggers, default privileges.

use marula_postgres::sql::quote_literal;

use super::super::model::{Kind, Object};
use super::{Change, Sql, finish};

/// How a sequence counts, without what is usual; `identity` leaves the type out, too.
pub(super) fn counts(text: &str, identity: bool) -> String {
    let (kind, rest) = match text.split_once(" INCREMENT") {
        Some((kind, rest)) => (kind, format!("INCREMENT{rest}")),
        None => return text.to_string(),
    };
    let usual = ["32767", "2147483647", "9223372036854775807"].iter().any(|most| {
        rest == format!("INCREMENT BY 1 MINVALUE 1 MAXVALUE {most} START WITH 1 CACHE 1 NO CYCLE")
    });
    let mut parts = Vec::new();
    if !identity && kind != "AS bigint" {
        parts.push(kind.to_string());
    }
    if !usual {
        parts.push(rest);
    }
    parts.join(" ")
}

/// A number of how a sequence counts, by the word before it.
pub(in super::super) fn number(counts: &str, word: &str) -> Option<i64> {
    counts.split_once(word)?.1.trim_start().split(' ').next()?.parse().ok()
}

/// Moves a sequence that stands below its new limits up to them, and one that nobody has asked yet
/// to where it is to begin: else it could not have the limits, or would begin again.
fn within(name: &str, old: &str, new: &str) -> Option<Sql> {
    let limits = |counts: &str| Some((number(counts, "MINVALUE")?, number(counts, "MAXVALUE")?));
    let ((old_min, old_max), (min, max)) = (limits(old)?, limits(new)?);
    let start = number(new, "START WITH")?;
    // What is set has to be within the old limits, too.
    let known = |number: i64| (old_min..=old_max).contains(&number);
    let narrower = min > old_min || max < old_max;
    (narrower && known(start) && known(min.max(old_min))).then(|| {
        format!(
            "SELECT pg_catalog.setval({}, CASE WHEN is_called THEN {min} ELSE {start} END, is_called) FROM \
             {name} WHERE last_value < {min} OR (last_value > {max} AND NOT is_called)",
            quote_literal(name)
        )
        .into()
    })
}

/// The statements that make one of these.
pub(super) fn create(object: &Object) -> Vec<Sql> {
    let name = &object.id.name;
    let text = match object.id.kind {
        Kind::Schema => format!("CREATE SCHEMA {name}"),
        Kind::Extension => {
            format!("CREATE EXTENSION {name} WITH SCHEMA {}", object.get("schema"))
        }
        Kind::Collation => collation(object),
        Kind::Sequence => {
            let unlogged = if object.get("persistence") == "u" { "UNLOGGED " } else { "" };
            format!("CREATE {unlogged}SEQUENCE {name} {}", counts(object.get("counts"), false))
                .trim_end()
                .to_string()
        }
        Kind::Publication => {
            let with = format!(
                "publish = '{}', publish_via_partition_root = {}",
                object.get("publish"),
                object.get("via_root")
            );
            format!("CREATE PUBLICATION {name}{} WITH ({with})", published(object, " FOR "))
        }
        Kind::EventTrigger => return event_trigger(object),
        Kind::DefaultPrivileges => return finish::default_privileges(None, Some(object)),
        _ => return Vec::new(),
    };
    vec![text.into()]
}

fn collation(object: &Object) -> String {
    let provider = match object.get("provider") {
        "i" => "icu",
        "b" => "builtin",
        _ => "libc",
    };
    let quoted = |fact: &str| object.get(fact).replace('\'', "''");
    let locale = match (provider, object.get("ctype")) {
        ("libc", ctype) if ctype != object.get("locale") => {
            format!("lc_collate = '{}', lc_ctype = '{}'", quoted("locale"), quoted("ctype"))
        }
        _ => format!("locale = '{}'", quoted("locale")),
    };
    let mut text = format!("CREATE COLLATION {} (provider = {provider}, {locale}", object.id.name);
    if object.get("deterministic") == "false" {
        text.push_str(", deterministic = false");
    }
    if object.has("rules") {
        text.push_str(&format!(", rules = '{}'", quoted("rules")));
    }
    text + ")"
}

fn published(object: &Object, word: &str) -> String {
    if object.has("all") {
        return format!("{word}ALL TABLES");
    }
    let mut parts = Vec::new();
    if object.has("tables") {
        parts.push(format!("TABLE {}", object.get("tables")));
    }
    if object.has("schemas") {
        parts.push(format!("TABLES IN SCHEMA {}", object.get("schemas")));
    }
    if parts.is_empty() { String::new() } else { format!("{word}{}", parts.join(", ")) }
}

fn event_trigger(object: &Object) -> Vec<Sql> {
    let tags = match object.get("tags") {
        "" => String::new(),
        tags => format!(" WHEN TAG IN ({tags})"),
    };
    let mut all = vec![
        format!(
            "CREATE EVENT TRIGGER {} ON {}{tags} EXECUTE FUNCTION {}",
            object.id.name,
            object.get("event"),
            object.get("function")
        )
        .into(),
    ];
    if object.get("enabled") != "O" {
        all.push(enabled(object));
    }
    all
}

fn enabled(object: &Object) -> Sql {
    let how = match object.get("enabled") {
        "D" => "DISABLE",
        "R" => "ENABLE REPLICA",
        "A" => "ENABLE ALWAYS",
        _ => "ENABLE",
    };
    format!("ALTER EVENT TRIGGER {} {how}", object.id.name).into()
}

/// How one of these comes to be another.
pub(super) fn alter(from: &Object, to: &Object) -> Change {
    let differ = from.differing(to);
    let name = &to.id.name;
    let has = |fact: &str| differ.contains(fact);
    match from.id.kind {
        Kind::Extension if has("schema") => Change::by(vec![
            format!("ALTER EXTENSION {name} SET SCHEMA {}", to.get("schema")).into(),
        ]),
        Kind::Collation
            if ["provider", "deterministic", "locale", "ctype", "rules"].iter().any(|f| has(f)) =>
        {
            Change::Recreate
        }
        Kind::Sequence => {
            let mut all: Vec<Sql> = Vec::new();
            if has("counts") {
                all.extend(within(name, from.get("counts"), to.get("counts")));
                let text = format!("ALTER SEQUENCE {name} {}", to.get("counts"));
                // Where it stands may be outside of its new limits.
                all.push(Sql { otherwise: Some(format!("{text} RESTART")), text });
            }
            if has("persistence") {
                let word = if to.get("persistence") == "u" { "UNLOGGED" } else { "LOGGED" };
                all.push(format!("ALTER SEQUENCE {name} SET {word}").into());
            }
            Change::by(all)
        }
        Kind::Publication => {
            if has("all") || (to.get("tables").is_empty() && to.get("schemas").is_empty()) {
                let quiet = !["all", "tables", "schemas"].iter().any(|fact| has(fact));
                if !quiet {
                    return Change::Recreate;
                }
            }
            let mut all: Vec<Sql> = Vec::new();
            if has("tables") || has("schemas") {
                all.push(format!("ALTER PUBLICATION {name}{}", published(to, " SET ")).into());
            }
            if has("publish") || has("via_root") {
                all.push(
                    format!(
                        "ALTER PUBLICATION {name} SET (publish = '{}', publish_via_partition_root = \
                         {})",
                        to.get("publish"),
                        to.get("via_root")
                    )
                    .into(),
                );
            }
            Change::by(all)
        }
        Kind::EventTrigger => {
            if ["event", "function", "tags"].iter().any(|fact| has(fact)) {
                return Change::Recreate;
            }
            Change::by(if has("enabled") { vec![enabled(to)] } else { Vec::new() })
        }
        Kind::DefaultPrivileges if has("acl") => {
            Change::by(finish::default_privileges(Some(from), Some(to)))
        }
        _ => Change::by(Vec::new()),
    }
}

/// Takes default privileges back.
pub(super) fn drop_privileges(object: &Object) -> Vec<Sql> {
    finish::default_privileges(Some(object), None)
}
