//! Comments, rights and owners, the same for every kind.

use std::collections::{BTreeMap, BTreeSet};

use marula_postgres::sql::quote_literal;

use super::super::model::{Kind, Object};
use super::Sql;

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
    all
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
    let (old, new) = (entries(before), entries(to.get("acl")));
    if old == new {
        return Vec::new();
    }
    let (on, column) = match to.id.kind {
        Kind::Column => (format!("TABLE {}", to.get("table")), Some(to.get("name"))),
        Kind::View | Kind::MaterializedView => (format!("TABLE {}", to.id.name), None),
        Kind::Domain => (format!("TYPE {}", to.id.name), None),
        Kind::Aggregate => (format!("FUNCTION {}", to.id.name), None),
        _ => (called(to), None),
    };
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
