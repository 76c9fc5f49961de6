//! How each kind of object is made, changed and dropped.

mod column;
mod constraint;
mod finish;
mod misc;
mod relation;
mod routine;
mod table;
mod types;

use super::model::{Kind, Model, Object};

pub(super) use column::is_generated;
pub(super) use constraint::index;
pub(super) use finish::finish;
pub(super) use misc::number;
pub(super) use table::late;
pub(super) use types::labels;

/// One statement; and another where the server refuses the first for want of a cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sql {
    /// What is tried first.
    pub text: String,
    /// What is taken when the server says that values cannot be cast by themselves.
    pub otherwise: Option<String>,
}

impl From<String> for Sql {
    fn from(text: String) -> Sql {
        Sql { text, otherwise: None }
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Sql {
        Sql::from(text.to_string())
    }
}

/// How an object that is on both sides comes from one to the other.
pub(super) enum Change {
    /// By statements; `breaks` when what reads it must not be there meanwhile.
    Alter {
        /// The statements.
        statements: Vec<Sql>,
        /// Whether views, rules, policies, triggers and functions on it have to go for it.
        breaks: bool,
    },
    /// By dropping it and making it anew.
    Recreate,
}

impl Change {
    fn by(statements: Vec<Sql>) -> Change {
        Change::Alter { statements, breaks: false }
    }
}

/// Both sides of what is compared.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    /// What is there.
    pub from: &'a Model,
    /// What is wanted.
    pub to: &'a Model,
}

/// The statements that make an object; `inline` are the parts a table is made with.
pub(super) fn create(object: &Object, model: &Model, inline: &[&Object], attach: bool) -> Vec<Sql> {
    match object.id.kind {
        Kind::Table => table::create(object, model, inline, attach),
        Kind::Column => column::create(object, inline),
        Kind::Default => column::create_default(object),
        Kind::OwnedBy => vec![
            format!("ALTER SEQUENCE {} OWNED BY {}", object.get("sequence"), object.get("column"))
                .into(),
        ],
        Kind::Constraint | Kind::DomainConstraint => constraint::create(object),
        Kind::Index => constraint::create_index(object),
        Kind::Statistics => constraint::create_statistics(object),
        Kind::View | Kind::MaterializedView => relation::create(object),
        Kind::Rule | Kind::Trigger => relation::create_hook(object),
        Kind::Policy => relation::create_policy(object),
        Kind::Function | Kind::Aggregate => routine::create(object),
        Kind::Enum | Kind::Domain | Kind::Range | Kind::Composite => types::create(object),
        _ => misc::create(object),
    }
}

/// The statement that drops an object.
pub(super) fn drop(object: &Object) -> Vec<Sql> {
    let name = &object.id.name;
    let (table, own) = (object.get("table"), object.get("name"));
    let text = match object.id.kind {
        Kind::Table => format!("DROP TABLE {name}"),
        Kind::Column if view_column(object) => return Vec::new(),
        Kind::Column => format!("ALTER TABLE {table} DROP COLUMN {own}"),
        Kind::Default => {
            format!("ALTER {} {table} ALTER COLUMN {own} DROP DEFAULT", object.get("_relation"))
        }
        Kind::OwnedBy => format!("ALTER SEQUENCE {} OWNED BY NONE", object.get("sequence")),
        Kind::Constraint => format!("ALTER TABLE {table} DROP CONSTRAINT {own}"),
        Kind::DomainConstraint => {
            format!("ALTER DOMAIN {} DROP CONSTRAINT {own}", object.get("domain"))
        }
        Kind::Rule => format!("DROP RULE {own} ON {table}"),
        Kind::Trigger => format!("DROP TRIGGER {own} ON {table}"),
        Kind::Policy => format!("DROP POLICY {own} ON {table}"),
        Kind::Function => format!("DROP {} {name}", object.get("kind")),
        Kind::Aggregate => format!("DROP AGGREGATE {}", object.get("signature")),
        Kind::Enum | Kind::Range | Kind::Composite => format!("DROP TYPE {name}"),
        Kind::DefaultPrivileges => return misc::drop_privileges(object),
        kind => format!("DROP {} {name}", kind.name().to_uppercase()),
    };
    vec![text.into()]
}

/// How an object comes to be what it is on the other side, without comments and rights.
pub(super) fn alter(from: &Object, to: &Object, sides: Sides<'_>) -> Change {
    match from.id.kind {
        Kind::Table => table::alter(from, to),
        Kind::Column => column::alter(from, to, sides),
        Kind::Default => Change::by(column::create_default(to)),
        Kind::OwnedBy => Change::by(create(to, sides.to, &[], false)),
        Kind::Constraint | Kind::DomainConstraint => constraint::alter(from, to),
        Kind::Index => constraint::alter_index(from, to),
        Kind::Statistics => constraint::alter_statistics(from, to),
        Kind::View | Kind::MaterializedView => relation::alter(from, to),
        Kind::Rule | Kind::Trigger => relation::alter_hook(from, to, sides.to.version.major),
        Kind::Policy => relation::alter_policy(from, to),
        Kind::Function | Kind::Aggregate => routine::alter(from, to),
        Kind::Enum | Kind::Domain | Kind::Range | Kind::Composite => types::alter(from, to, sides),
        _ => misc::alter(from, to),
    }
}

/// Whether a column is one of a view: it comes and goes with the view.
pub(super) fn view_column(object: &Object) -> bool {
    object.id.kind == Kind::Column
        && object
            .parent
            .as_ref()
            .is_some_and(|parent| matches!(parent.kind, Kind::View | Kind::MaterializedView))
}

/// `a=1, b=2` as pairs.
fn settings(text: &str) -> Vec<(&str, &str)> {
    text.split(", ").filter_map(|part| part.split_once('=')).collect()
}

/// `a = '1', b = '2'` as reloptions are written.
fn with(text: &str, prefix: &str) -> Vec<String> {
    settings(text)
        .into_iter()
        .map(|(key, value)| {
            let value = value.replace('\'', "''");
            format!("{prefix}{key} = '{value}'")
        })
        .collect()
}

/// `SET (…)` and `RESET (…)` that lead from one list of settings to the other.
fn reset(alter: &str, from: &str, to: &str, prefix: &str) -> Vec<Sql> {
    let (old, new) = (settings(from), settings(to));
    let gone: Vec<String> = old
        .iter()
        .filter(|(key, _)| !new.iter().any(|(other, _)| other == key))
        .map(|(key, _)| format!("{prefix}{key}"))
        .collect();
    let mut all = Vec::new();
    if !gone.is_empty() {
        all.push(format!("{alter} RESET ({})", gone.join(", ")).into());
    }
    if !new.is_empty() && old != new {
        all.push(format!("{alter} SET ({})", with(to, prefix).join(", ")).into());
    }
    all
}

/// The last part of a quoted, qualified name.
pub(super) fn bare(name: &str) -> &str {
    let mut quoted = false;
    let mut at = 0;
    for (place, letter) in name.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '.' if !quoted => at = place + 1,
            _ => {}
        }
    }
    name.get(at..).unwrap_or(name)
}
