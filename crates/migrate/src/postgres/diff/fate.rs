//! What becomes of each object: kept, made, changed, dropped, made anew.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::{self, Change, Sides, Sql};
use super::model::{Id, Kind, Model, Object};

/// What becomes of an object.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// It is made.
    Create,
    /// It is dropped.
    Drop,
    /// It is changed where it stands.
    Alter {
        /// The statements.
        statements: Vec<Sql>,
        /// Whether what reads it has to go meanwhile.
        breaks: bool,
    },
    /// It is dropped and made again.
    Recreate,
    /// It gets another name, and is otherwise the same.
    Rename(Id),
}

/// What becomes of every object that does not stay as it is.
pub(super) type Fates = BTreeMap<Id, Fate>;

/// Decides. `strict` minds objects that came with others, too: their names may differ.
pub(super) fn decide(from: &Model, to: &Model, strict: bool) -> Fates {
    let sides = Sides { from, to };
    let mut fates = Fates::new();
    let implied = |object: &Object| object.implied && !strict && !kinds::view_column(object);
    let ids: BTreeSet<&Id> = from.objects.keys().chain(to.objects.keys()).collect();
    for id in ids {
        match (from.get(id), to.get(id)) {
            (Some(old), Some(new)) => {
                let differ = old.differing(new);
                if differ.is_empty() {
                    continue;
                }
                let late = ["replica_identity", "clustered", "comment", "acl", "owner"];
                let quiet = id.kind != Kind::DefaultPrivileges
                    && differ.iter().all(|fact| late.contains(fact));
                if !quiet && implied(old) && implied(new) && id.kind != Kind::Column {
                    continue;
                }
                let fate = match kinds::alter(old, new, sides) {
                    _ if quiet => Fate::Alter { statements: Vec::new(), breaks: false },
                    Change::Recreate => Fate::Recreate,
                    Change::Alter { statements, breaks } => Fate::Alter { statements, breaks },
                };
                // A partition's column follows its parent's.
                if id.kind == Kind::Column && new.implied && !strict && !quiet {
                    continue;
                }
                fates.insert(id.clone(), fate);
            }
            (Some(old), None) if !implied(old) => {
                fates.insert(id.clone(), Fate::Drop);
            }
            (None, Some(new)) if !implied(new) => {
                fates.insert(id.clone(), Fate::Create);
            }
            _ => {}
        }
    }
    renamed(from, to, &mut fates);
    if strict {
        // What came with others can be renamed, but neither made nor dropped by itself.
        fates.retain(|id, fate| {
            let model = if matches!(fate, Fate::Create) { to } else { from };
            let moved = matches!(fate, Fate::Create | Fate::Drop);
            !moved || id.kind == Kind::Default || model.get(id).is_none_or(|own| !own.implied)
        });
    }
    // A domain that gets another base is made with its constraints.
    let based: Vec<Id> = fates
        .iter()
        .filter(|(id, fate)| {
            id.kind == Kind::Domain && matches!(fate, Fate::Alter { breaks: true, .. })
        })
        .map(|(id, _)| id.clone())
        .collect();
    fates.retain(|id, _| {
        let parent = to.get(id).or(from.get(id)).and_then(|own| own.parent.as_ref());
        id.kind != Kind::DomainConstraint || parent.is_none_or(|parent| !based.contains(parent))
    });
    spread(from, to, &mut fates);
    // What its old constraints rest on may go before it does.
    for (id, fate) in &mut fates {
        let parent = from.get(id).and_then(|own| own.parent.as_ref());
        if id.kind == Kind::DomainConstraint && parent.is_some_and(|parent| based.contains(parent))
        {
            *fate = Fate::Drop;
        }
    }
    fates
}

/// Indexes and constraints that are the same but for their name keep what was built.
fn renamed(from: &Model, to: &Model, fates: &mut Fates) {
    let nameless = |object: &Object| -> Option<String> {
        let text = object.get("definition");
        match object.id.kind {
            Kind::Constraint => Some(format!("{} {}", text, object.get("valid"))),
            Kind::Index => {
                let name = object.get("name");
                Some(text.replacen(&format!("INDEX {name} ON"), "INDEX ON", 1))
            }
            _ => None,
        }
    };
    let gone: Vec<Id> = fates
        .iter()
        .filter(|(id, fate)| {
            matches!(fate, Fate::Drop) && matches!(id.kind, Kind::Constraint | Kind::Index)
        })
        .map(|(id, _)| id.clone())
        .collect();
    for id in gone {
        let Some(old) = from.get(&id) else { continue };
        if old.parent.as_ref().is_none_or(|parent| to.get(parent).is_none()) {
            continue;
        }
        let twin = to.objects.values().find(|new| {
            new.id.kind == id.kind
                && new.parent == old.parent
                && matches!(fates.get(&new.id), Some(Fate::Create))
                && nameless(new) == nameless(old)
        });
        if let Some(twin) = twin {
            fates.remove(&twin.id);
            fates.insert(id, Fate::Rename(twin.id.clone()));
        }
    }
}

/// What has to go with what it reads, until nothing more has to.
fn spread(from: &Model, to: &Model, fates: &mut Fates) {
    let called = |id: &Id| id.name.split('(').next().unwrap_or_default().to_string();
    let made: BTreeSet<String> = fates
        .iter()
        .filter(|(id, fate)| id.kind == Kind::Function && matches!(fate, Fate::Create))
        .map(|(id, _)| called(id))
        .collect();
    loop {
        let mut more: Vec<(Id, Fate)> = Vec::new();
        let touched = touched(from, fates);
        for object in from.objects.values() {
            let id = &object.id;
            if let Some(Fate::Rename(twin)) = fates.get(id) {
                // What it rests on goes: then it cannot stay either.
                let falls =
                    |other: &Id| matches!(fates.get(other), Some(Fate::Drop | Fate::Recreate));
                if object.depends.iter().any(falls) {
                    more.push((twin.clone(), Fate::Create));
                    more.push((id.clone(), Fate::Drop));
                }
                continue;
            }
            let Some(new) = to.get(id) else { continue };
            if matches!(fates.get(id), Some(Fate::Recreate | Fate::Drop)) {
                continue;
            }
            // A partition's share of a key comes and goes with the key.
            let share = |other: &Id| {
                other.kind == id.kind && matches!(fates.get(other), Some(Fate::Recreate))
            };
            let keyed = matches!(id.kind, Kind::Constraint | Kind::Index) && object.implied;
            if keyed && object.depends.iter().any(share) {
                continue;
            }
            let goes = object.depends.iter().any(|other| {
                let still = new.depends.contains(other);
                let part = object.parent.as_ref() == Some(other);
                match fates.get(other) {
                    Some(Fate::Recreate) => {
                        part || (could(object) && (still || !fates.contains_key(id)))
                    }
                    // While both are there, a call may mean either.
                    Some(Fate::Drop)
                        if other.kind == Kind::Function && made.contains(&called(other)) =>
                    {
                        part || could(object)
                    }
                    // What stays as it reads may have rested on what goes: a key of the same columns.
                    Some(Fate::Drop) => part || (could(object) && !fates.contains_key(id)),
                    Some(Fate::Alter { breaks: true, .. }) => still && reads(object, other, from),
                    _ => still && touched.contains(other) && reads(object, other, from),
                }
            });
            if goes {
                more.push((id.clone(), Fate::Recreate));
            }
        }
        if more.is_empty() {
            return;
        }
        fates.extend(more);
    }
}

/// Whether an object can be made anew without losing rows.
fn could(object: &Object) -> bool {
    match object.id.kind {
        Kind::Table | Kind::Schema | Kind::Extension => false,
        Kind::Column => kinds::is_generated(object),
        _ => true,
    }
}

/// The columns whose type is being replaced under them.
fn touched(from: &Model, fates: &Fates) -> BTreeSet<Id> {
    let types: BTreeSet<&Id> = fates
        .iter()
        .filter(|(id, fate)| {
            matches!(fate, Fate::Alter { breaks: true, .. })
                && matches!(id.kind, Kind::Enum | Kind::Domain)
        })
        .map(|(id, _)| id)
        .collect();
    if types.is_empty() {
        return BTreeSet::new();
    }
    from.objects
        .values()
        .filter(|object| {
            object.id.kind == Kind::Column && object.depends.iter().any(|id| types.contains(id))
        })
        .map(|object| object.id.clone())
        .collect()
}

/// Whether an object is in the way when `other` is changed in place.
fn reads(object: &Object, other: &Id, from: &Model) -> bool {
    let of_type = matches!(other.kind, Kind::Enum | Kind::Domain);
    match object.id.kind {
        Kind::View | Kind::MaterializedView | Kind::Rule | Kind::Policy => true,
        // What says FOR EACH ROW on the table alone does not mind.
        Kind::Trigger | Kind::Function | Kind::Aggregate | Kind::Publication => true,
        Kind::Column => {
            kinds::is_generated(object) && from.get(other).is_none_or(|other| other.id != object.id)
        }
        Kind::Constraint | Kind::Index => of_type,
        // A type's columns get their defaults back with it.
        _ => false,
    }
}
