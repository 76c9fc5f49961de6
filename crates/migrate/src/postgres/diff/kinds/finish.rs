//! Comments, rights and owners, the same for every kind.

use std::collections::{BTreeMap, BTreeSet};

use marula_postgres::sql::quote_literal;

use super::super::model::{Kind, Object};
use super::{Sql, column, settings, view_column};

/// What COMMENT ON, GRANT ON and OWNER TO call it.
fn called(object: &Object) -> String {
    let name = &object.id.name;
    let (table, own) = (object.get("table"), object.get("name"));
    match object.id.kind {
        Kind::Constraint => format!("CONSTRAINT {own} ON {table}"),
        Kind::DomainConstraint => format!("CONSTRAINT {own} ON DOMAIN {}", object.get("domain")),
        Kind::Rule => format!("RULE {own} ON {table}"),
        Kind::Trigger => format!("TRIGGER {own} ON {table}"),
        Kind::Policy => format!("POLICY {own} ON {table}"),
        Kind::Enum | Kind::Range | Kind::Composite => format!("TYPE {name}"),
        Kind::Function => format!("{} {name}", object.get("kind")),
        Kind::Aggregate => format!("AGGREGATE {}", object.get("signature")),
        kind => format!("{} {name}", kind.name().to_uppercase()),
    }
}

/// What every object of a kind may be used for by everybody.
fn usual(kind: Kind) -> &'static str {
    match kind {
        Kind::Function | Kind::Aggregate => "EXECUTE PUBLIC",
        Kind::Enum | Kind::Domain | Kind::Range | Kind::Composite => "USAGE PUBLIC",
        _ => "",
    }
}

/// Comments, rights and owner that lead from one to the other; `None` is a new object.
pub(in super::super) fn finish(from: Option<&Object>, to: &Object) -> Vec<Sql> {
    let mut all: Vec<Sql> = Vec::new();
    let owner = from.map_or("", |from| from.get("owner"));
    let ownable = !matches!(to.id.kind, Kind::Column | Kind::DefaultPrivileges);
    if to.has("owner") && to.get("owner") != owner && ownable {
        all.push(format!("ALTER {} OWNER TO {}", called(to), to.get("owner")).into());
    }
    let comment = from.map_or("", |from| from.get("comment"));
    if comment != to.get("comment") {
        let said = if to.has("comment") { quote_literal(to.get("comment")) } else { "NULL".into() };
        all.push(format!("COMMENT ON {} IS {said}", called(to)).into());
    }
    if to.id.kind == Kind::DefaultPrivileges {
        return all;
    }
    let before = from.map_or(usual(to.id.kind), |from| from.get("acl"));
    all.extend(rights(before, to));
    match to.id.kind {
        Kind::Column => all.extend(of_column(from, to)),
        Kind::Index | Kind::Constraint => all.extend(targets(from, to)),
        _ => {}
    }
    all
}

/// What is said of a column's NOT NULL and of its identity's sequence, and how a materialized
/// view's is stored.
fn of_column(from: Option<&Object>, to: &Object) -> Vec<Sql> {
    let before = |fact: &str| from.map_or("", |from| from.get(fact)).to_string();
    let said = |fact: &str| match to.get(fact) {
        "" => "NULL".to_string(),
        text => quote_literal(text),
    };
    let mut all: Vec<Sql> = Vec::new();
    if view_column(to) {
        all.extend(column::stored(from, to));
    }
    if to.has("_not_null_name") && before("not_null_comment") != to.get("not_null_comment") {
        let (name, table) = (to.get("_not_null_name"), to.get("table"));
        let said = said("not_null_comment");
        all.push(format!("COMMENT ON CONSTRAINT {name} ON {table} IS {said}").into());
    }
    if let Some((sequence, _)) = to.get("identity_sequence").split_once('\n') {
        if before("sequence_comment") != to.get("sequence_comment") {
            let said = said("sequence_comment");
            all.push(format!("COMMENT ON SEQUENCE {sequence} IS {said}").into());
        }
        let on = format!("SEQUENCE {sequence}");
        all.extend(granted(&before("sequence_acl"), to.get("sequence_acl"), &on, None));
    }
    all
}

/// How much is gathered of an index's own columns.
fn targets(from: Option<&Object>, to: &Object) -> Vec<Sql> {
    let index = if to.id.kind == Kind::Index { &to.id.name } else { to.get("_index") };
    let old = settings(from.map_or("", |from| from.get("statistics")));
    let new = settings(to.get("statistics"));
    let gone = old.iter().filter(|(column, _)| !new.iter().any(|(own, _)| own == column));
    let gone = gone.map(|(column, _)| (*column, "-1"));
    let come = new.iter().filter(|one| !old.contains(one)).copied();
    gone.chain(come)
        .map(|(column, target)| {
            format!("ALTER INDEX {index} ALTER COLUMN {column} SET STATISTICS {target}").into()
        })
        .collect()
}

/// `SELECT* role` as (role, whether it can be passed on) → privileges.
type Rights = BTreeMap<(String, bool), BTreeSet<String>>;

fn entries(text: &str) -> BTreeSet<(String, String, bool)> {
    text.lines()
        .filter_map(|line| {
            let (privilege, role) = privilege_and_role(line)?;
            let (name, grant) = match privilege.strip_suffix('*') {
                Some(name) => (name, true),
                None => (privilege, false),
            };
            Some((role.to_string(), name.to_string(), grant))
        })
        .collect()
}

fn privilege_and_role(line: &str) -> Option<(&str, &str)> {
    // ALTER SYSTEM and SET have spaces in them, but on parameters only.
    line.split_once(' ')
}

fn grouped(entries: impl Iterator<Item = (String, String, bool)>) -> Rights {
    let mut rights = Rights::new();
    for (role, privilege, grant) in entries {
        rights.entry((role, grant)).or_default().insert(privilege);
    }
    rights
}

fn listed(privileges: &BTreeSet<String>, column: Option<&str>) -> String {
    let all: Vec<String> = privileges
        .iter()
        .map(|privilege| match column {
            Some(column) => format!("{privilege} ({column})"),
            None => privilege.clone(),
        })
        .collect();
    all.join(", ")
}

fn rights(before: &str, to: &Object) -> Vec<Sql> {
    let (on, column) = match to.id.kind {
        Kind::Column => (format!("TABLE {}", to.get("table")), Some(to.get("name"))),
        Kind::View | Kind::MaterializedView => (format!("TABLE {}", to.id.name), None),
        Kind::Domain => (format!("TYPE {}", to.id.name), None),
        Kind::Aggregate => (format!("FUNCTION {}", to.id.name), None),
        _ => (called(to), None),
    };
    granted(before, to.get("acl"), &on, column)
}

fn granted(before: &str, after: &str, on: &str, column: Option<&str>) -> Vec<Sql> {
    let (old, new) = (entries(before), entries(after));
    let mut all: Vec<Sql> = Vec::new();
    for ((role, _), privileges) in grouped(old.difference(&new).cloned()) {
        all.push(format!("REVOKE {} ON {on} FROM {role}", listed(&privileges, column)).into());
    }
    for ((role, grant), privileges) in grouped(new.difference(&old).cloned()) {
        let option = if grant { " WITH GRANT OPTION" } else { "" };
        all.push(format!("GRANT {} ON {on} TO {role}{option}", listed(&privileges, column)).into());
    }
    all
}

/// ALTER DEFAULT PRIVILEGES from what is granted to what is wanted; `None` is what the server does
/// by itself.
pub(super) fn default_privileges(before: Option<&Object>, after: Option<&Object>) -> Vec<Sql> {
    let Some(one) = after.or(before) else { return Vec::new() };
    let usual = match (one.get("schema"), one.get("objects")) {
        ("", "FUNCTIONS") => "EXECUTE PUBLIC",
        ("", "TYPES") => "USAGE PUBLIC",
        _ => "",
    };
    let of = |object: Option<&Object>| entries(object.map_or(usual, |object| object.get("acl")));
    let (old, new) = (of(before), of(after));
    let within = match one.get("schema") {
        "" => String::new(),
        schema => format!(" IN SCHEMA {schema}"),
    };
    let head = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{within}", one.get("role"));
    let on = one.get("objects");
    let mut all: Vec<Sql> = Vec::new();
    for ((role, _), privileges) in grouped(old.difference(&new).cloned()) {
        all.push(format!("{head} REVOKE {} ON {on} FROM {role}", listed(&privileges, None)).into());
    }
    for ((role, grant), privileges) in grouped(new.difference(&old).cloned()) {
        let option = if grant { " WITH GRANT OPTION" } else { "" };
        all.push(
            format!("{head} GRANT {} ON {on} TO {role}{option}", listed(&privileges, None)).into(),
        );
    }
    all
}
