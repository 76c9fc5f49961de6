//! A schema as a set of named objects with facts: neutral to how many kinds there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use marula_core::Version;

/// What sort of object it is, in the order in which objects are best made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Schema,
    Extension,
    Collation,
    Enum,
    Domain,
    DomainConstraint,
    Range,
    Composite,
    Sequence,
    Function,
    Aggregate,
    Table,
    Column,
    Default,
    OwnedBy,
    Constraint,
    Index,
    View,
    MaterializedView,
    Statistics,
    Rule,
    Trigger,
    Policy,
    Publication,
    EventTrigger,
    DefaultPrivileges,
}

impl Kind {
    /// Every kind under the name the reading queries use.
    const NAMES: [(&'static str, Kind); 26] = [
        ("schema", Kind::Schema),
        ("extension", Kind::Extension),
        ("collation", Kind::Collation),
        ("enum", Kind::Enum),
        ("domain", Kind::Domain),
        ("domain constraint", Kind::DomainConstraint),
        ("range type", Kind::Range),
        ("composite type", Kind::Composite),
        ("sequence", Kind::Sequence),
        ("function", Kind::Function),
        ("aggregate", Kind::Aggregate),
        ("table", Kind::Table),
        ("column", Kind::Column),
        ("default", Kind::Default),
        ("owner column of", Kind::OwnedBy),
        ("constraint", Kind::Constraint),
        ("index", Kind::Index),
        ("view", Kind::View),
        ("materialized view", Kind::MaterializedView),
        ("statistics", Kind::Statistics),
        ("rule", Kind::Rule),
        ("trigger", Kind::Trigger),
        ("policy", Kind::Policy),
        ("publication", Kind::Publication),
        ("event trigger", Kind::EventTrigger),
        ("default privileges", Kind::DefaultPrivileges),
    ];

    /// Its name, as people say it.
    pub fn name(self) -> &'static str {
        Kind::NAMES.iter().find(|(_, kind)| *kind == self).map_or("object", |(name, _)| name)
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::NAMES.iter().find(|(own, _)| *own == name).map(|(_, kind)| *kind)
    }

    /// Whether it goes when what it belongs to goes.
    pub fn is_part(self) -> bool {
        matches!(
            self,
            Kind::Column
                | Kind::Default
                | Kind::OwnedBy
                | Kind::Constraint
                | Kind::DomainConstraint
                | Kind::Index
                | Kind::Statistics
                | Kind::Rule
                | Kind::Trigger
                | Kind::Policy
        )
    }
}

/// What an object is called: its kind and its whole name, quoted as SQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// What sort it is.
    pub kind: Kind,
    /// `public.users`, `public.users.email`, `public.f(integer)`.
    pub name: String,
}

impl Id {
    /// The id of a kind and a name.
    pub fn new(kind: Kind, name: impl Into<String>) -> Id {
        Id { kind, name: name.into() }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.strip_prefix("public.").unwrap_or(&self.name);
        write!(f, "{} {name}", self.kind.name())
    }
}

/// One object with all that is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// What it is called.
    pub id: Id,
    /// What it is a part of.
    pub parent: Option<Id>,
    /// What is known of it; what begins with an underscore is not compared.
    pub facts: BTreeMap<String, String>,
    /// What must be there before it.
    pub depends: BTreeSet<Id>,
    /// Whether it is there because of another object: a partition's column, an index of one.
    pub implied: bool,
}

impl Object {
    /// A fact, or nothing.
    pub fn get(&self, fact: &str) -> &str {
        self.facts.get(fact).map_or("", String::as_str)
    }

    /// Whether a fact is there and says something.
    pub fn has(&self, fact: &str) -> bool {
        !self.get(fact).is_empty()
    }

    /// The facts that differ.
    pub fn differing<'a>(&'a self, other: &'a Object) -> BTreeSet<&'a str> {
        let keys = self.facts.keys().chain(other.facts.keys()).map(String::as_str);
        keys.filter(|key| !key.starts_with('_') && self.get(key) != other.get(key)).collect()
    }
}

/// All objects of a database.
#[derive(Debug, Clone)]
pub struct Model {
    /// The objects.
    pub objects: BTreeMap<Id, Object>,
    /// The server's version.
    pub version: Version,
    /// What is there and cannot be written: its kind and name, and what it is, for comparing.
    pub others: BTreeMap<(String, String), String>,
}

impl Model {
    /// An object by its id.
    pub fn get(&self, id: &Id) -> Option<&Object> {
        self.objects.get(id)
    }

    /// The parts of an object, in the order of columns and then of names.
    pub fn parts<'a>(&'a self, of: &'a Id, kind: Kind) -> Vec<&'a Object> {
        // Names of parts begin with the name of the whole: they stand together.
        let prefix = format!("{}.", of.name);
        let mut parts: Vec<&Object> = self
            .objects
            .range(Id::new(kind, prefix.clone())..)
            .take_while(|(id, _)| id.kind == kind && id.name.starts_with(&prefix))
            .map(|(_, object)| object)
            .filter(|object| object.parent.as_ref() == Some(of))
            .collect();
        parts.sort_by_key(|part| part.get("_position").parse::<i32>().unwrap_or(0));
        parts
    }
}
