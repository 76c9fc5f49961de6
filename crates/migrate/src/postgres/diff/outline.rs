//! What a plan does, loses and leaves, in words.

use super::fate::{Fate, Fates};
use super::model::{Id, Kind, Model, Object};
use super::{counters, loss};

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is made.
    Made,
    /// It is changed, or made anew.
    Changed,
    /// It is dropped.
    Dropped,
}

/// What is lost, each in a line.
pub(super) fn destroyed(from: &Model, to: &Model, fates: &Fates) -> Vec<String> {
    let mut all = Vec::new();
    let over = counters::handed(from, to, fates);
    let handed = |id: &Id| over.iter().any(|own| own.column == *id || own.sequence == *id);
    for (id, fate) in fates {
        let Some(object) = from.get(id) else { continue };
        let gone = |id: &Id| matches!(fates.get(id), Some(Fate::Drop | Fate::Recreate));
        match (id.kind, fate) {
            (Kind::Table, Fate::Drop) => all.push(format!("{id} is dropped with its rows")),
            (Kind::Table, Fate::Recreate) => {
                all.push(format!(
                    "{id} cannot be changed in place: it is made anew, without its rows"
                ));
            }
            (Kind::Column, Fate::Drop | Fate::Recreate)
                if !object.has("generated")
                    && !super::kinds::view_column(object)
                    && !object.parent.as_ref().is_some_and(gone) =>
            {
                all.push(format!("{id} is dropped with its values"));
            }
            (Kind::Column, Fate::Alter { .. }) => {
                let Some(new) = to.get(id) else { continue };
                if object.has("identity") && !new.has("identity") && !handed(id) {
                    all.push(format!(
                        "{id} is no identity any more: how far it has counted is lost"
                    ));
                }
                let old = loss::base(from, object.get("type"));
                let lost = loss::lost(&old, &loss::base(to, new.get("type")), false);
                // What is computed is computed again.
                let stored = !new.implied && !new.has("generated") && object.has("type");
                if let Some(lost) = lost.filter(|_| stored) {
                    all.push(format!("{id} becomes {}: {lost}", new.get("type")));
                }
            }
            (Kind::Domain, Fate::Alter { breaks: true, .. }) => {
                // Its values come over by way of text.
                let Some(new) = to.get(id) else { continue };
                let (old, new) = (object.get("base"), new.get("base"));
                if let Some(lost) = loss::lost(old, new, true) {
                    all.push(format!("{id} becomes {new}: {lost}"));
                }
            }
            (Kind::Sequence, Fate::Drop) => {
                let owned = from.get(&Id::new(Kind::OwnedBy, id.name.clone()));
                let column = owned.and_then(|owned| owned.parent.as_ref());
                let with = column.is_some_and(|column| {
                    let table = from.get(column).and_then(|own| own.parent.as_ref());
                    gone(column) || table.is_some_and(gone)
                });
                if !with && !handed(id) {
                    all.push(format!("{id} is dropped with how far it has counted"));
                }
            }
            (Kind::Enum, Fate::Alter { breaks: true, .. }) => {
                let labels = |model: &Model| {
                    let text = model.get(id).map_or("", |object| object.get("labels"));
                    super::kinds::labels(text)
                };
                let new = labels(to);
                let lost: Vec<String> =
                    labels(from).into_iter().filter(|label| !new.contains(label)).collect();
                if !lost.is_empty() {
                    all.push(format!(
                        "{id} loses {}: a row that holds it makes the migration fail",
                        lost.join(", ")
                    ));
                }
            }
            _ => {}
        }
    }
    all
}

/// Drops beside which something much alike is made: perhaps only a name changed.
pub(super) fn likely_renames(from: &Model, to: &Model, fates: &Fates) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let of = |kind: Kind, wanted: &dyn Fn(&Fate) -> bool| -> Vec<Id> {
        let own = fates.iter().filter(|(id, fate)| id.kind == kind && wanted(fate));
        own.map(|(id, _)| id.clone()).collect()
    };
    let short = |name: &str| name.strip_prefix("public.").unwrap_or(name).to_string();
    let columns = |model: &Model, table: &Id| -> Vec<(String, String)> {
        let mut all: Vec<_> = model
            .parts(table, Kind::Column)
            .iter()
            .map(|c| (c.get("name").to_string(), c.get("type").to_string()))
            .collect();
        all.sort();
        all
    };
    for gone in of(Kind::Table, &|fate| matches!(fate, Fate::Drop)) {
        let was = columns(from, &gone);
        for new in of(Kind::Table, &|fate| matches!(fate, Fate::Create)) {
            if !was.is_empty() && columns(to, &new) == was {
                let flag = format!("--rename-table {}={}", short(&gone.name), short(&new.name));
                all.push((format!("{gone} may have become {new}"), flag));
            }
        }
    }
    for gone in of(Kind::Column, &|fate| matches!(fate, Fate::Drop)) {
        let Some(old) = from.get(&gone).filter(|old| !old.implied) else { continue };
        for new in of(Kind::Column, &|fate| matches!(fate, Fate::Create)) {
            let Some(wanted) = to.get(&new) else { continue };
            let alike = wanted.parent == old.parent
                && wanted.get("type") == old.get("type")
                && old.has("type")
                && !wanted.implied
                && !old.has("generated")
                && !wanted.has("generated");
            if alike {
                let flag = format!("--rename {}={}", short(&gone.name), short(&new.name));
                all.push((format!("{gone} may have become {new}"), flag));
            }
        }
    }
    all
}

/// What differs between two schemas, each in a line.
pub(super) fn differences(from: &Model, to: &Model) -> Vec<String> {
    let mut all = Vec::new();
    for (id, object) in &from.objects {
        match to.get(id) {
            None if object.implied && id.kind != Kind::Default => {}
            None => all.push(format!("{id} is too many")),
            Some(wanted) => {
                for fact in object.differing(wanted) {
                    let shown = |text: &str| match text {
                        "" => "nothing".to_string(),
                        text if text.contains('\n') || text.len() > 200 => {
                            format!("'{}…'", text.chars().take(200).collect::<String>())
                        }
                        text => format!("'{text}'"),
                    };
                    all.push(format!(
                        "{id}: its {} is {}, and should be {}",
                        fact.replace('_', " "),
                        shown(object.get(fact)),
                        shown(wanted.get(fact))
                    ));
                }
            }
        }
    }
    for (id, object) in &to.objects {
        if from.get(id).is_none() && (!object.implied || id.kind == Kind::Default) {
            all.push(format!("{id} is missing"));
        }
    }
    all
}

/// What differs and no statement can make so.
pub(super) fn unwritten(is: &Model, wanted: &Model) -> Vec<String> {
    let inherits = |model: &Model, own: &Object| {
        let table = own.parent.as_ref().and_then(|id| model.get(id));
        table.is_some_and(|table| table.has("parents") && !table.has("bound"))
    };
    let columns = is.objects.values().filter(|own| own.id.kind == Kind::Column);
    columns
        .filter_map(|own| {
            let new = wanted.get(&own.id)?;
            let both = inherits(is, own) && inherits(wanted, new);
            (both && own.implied != new.implied).then(|| {
                let (old, new) = match own.implied {
                    true => ("only inherited", "the table's own, too"),
                    false => ("the table's own, too", "only inherited"),
                };
                format!(
                    "{} is {old}, and should be {new}: no statement makes it so (it matters when its \
                     parent loses the column)",
                    own.id
                )
            })
        })
        .collect()
}

/// What a plan does, each object in a line: `+`, `~`, `-` and its name.
pub(super) fn outline(fates: &Fates, from: &Model, to: &Model) -> Vec<(Turn, String)> {
    let mut all = Vec::new();
    for (id, fate) in fates {
        let model = if matches!(fate, Fate::Create) { to } else { from };
        let Some(object) = model.get(id) else { continue };
        let whole = object.parent.as_ref().is_some_and(|parent| {
            let same = matches!(
                (fate, fates.get(parent)),
                (Fate::Create, Some(Fate::Create))
                    | (Fate::Drop, Some(Fate::Drop))
                    | (Fate::Recreate, Some(Fate::Recreate))
            );
            same && (id.kind.is_part() || parent.kind == Kind::Column)
        });
        if whole || super::kinds::view_column(object) {
            continue;
        }
        match fate {
            Fate::Create => all.push((Turn::Made, id.to_string())),
            Fate::Drop => all.push((Turn::Dropped, id.to_string())),
            Fate::Rename(new) => {
                all.push((
                    Turn::Changed,
                    format!("{id} is renamed {}", super::kinds::bare(&new.name)),
                ));
            }
            Fate::Alter { .. } => all.push((Turn::Changed, id.to_string())),
            Fate::Recreate => all.push((Turn::Changed, format!("{id} (made anew)"))),
        }
    }
    all
}
