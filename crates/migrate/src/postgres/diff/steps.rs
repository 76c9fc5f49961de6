//! What is done with each object, as steps.

use std::collections::{BTreeMap, BTreeSet};

use super::fate::{Fate, Fates};
use super::kinds::{self, Sql};
use super::model::{Id, Kind, Model, Object};
use super::names;

/// What a step does with its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// Builds what takes its place, under another name.
    Build,
    /// Makes it.
    Create,
    /// Changes it.
    Alter,
    /// Says of a table what needs its indexes, and of a column what its type does not need.
    Late,
    /// Drops it.
    Drop,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Its object.
    pub id: Id,
    /// What is done.
    pub deed: Deed,
    /// By which statements.
    pub statements: Vec<Sql>,
    /// The parts that are made with a table.
    pub inline: Vec<Id>,
    /// The table or view it is about.
    pub on: Option<Id>,
    /// Whether its statements belong into one transaction.
    pub whole: bool,
}

/// Makes the steps, and knows which step does what.
pub(super) struct Builder<'a> {
    pub from: &'a Model,
    pub to: &'a Model,
    pub fates: &'a Fates,
    pub steps: Vec<Step>,
    /// The step that does this deed to the object, or to what it is made or dropped with.
    pub at: BTreeMap<(Deed, Id), usize>,
    /// The names that relations have.
    pub relations: BTreeSet<String>,
    /// Objects made under the name of another kind's that goes, and that.
    pub successors: Vec<(Id, Id)>,
    /// The indexes that are built under another name.
    pub built: Vec<Id>,
    /// The indexes and constraints that go, by the names they take.
    pub freed: BTreeMap<String, Id>,
    /// Steps in their order that let what a column counts go over from one sequence to another.
    pub handed: Vec<(usize, usize)>,
}

impl<'a> Builder<'a> {
    /// All steps of the fates.
    pub(super) fn new(from: &'a Model, to: &'a Model, fates: &'a Fates) -> Builder<'a> {
        let freed = fates.iter().filter_map(|(id, fate)| {
            let built = matches!(id.kind, Kind::Index | Kind::Constraint);
            let object = from.get(id).filter(|_| built && matches!(fate, Fate::Drop))?;
            Some((names::taken(object)?, id.clone()))
        });
        let mut builder = Builder {
            from,
            to,
            fates,
            steps: Vec::new(),
            at: BTreeMap::new(),
            relations: names::relations(from, to),
            successors: Vec::new(),
            built: Vec::new(),
            freed: freed.collect(),
            handed: Vec::new(),
        };
        builder.steps();
        builder.hand_over();
        builder
    }

    pub(super) fn push(&mut self, id: &Id, deed: Deed, statements: Vec<Sql>) {
        self.at.insert((deed, id.clone()), self.steps.len());
        let relation =
            |id: &&Id| matches!(id.kind, Kind::Table | Kind::View | Kind::MaterializedView);
        let object = self.to.get(id).or_else(|| self.from.get(id));
        let parent = object.and_then(|object| object.parent.as_ref());
        let on = Some(id).filter(relation).or(parent.filter(relation)).cloned();
        let id = id.clone();
        self.steps.push(Step { id, deed, statements, inline: Vec::new(), on, whole: false });
    }

    /// The nearest object above that is itself made (or dropped) as a whole.
    fn whole(&self, object: &Object, model: &Model, made: bool) -> Option<Id> {
        let mut parent = object.parent.clone()?;
        loop {
            let goes = match self.fates.get(&parent) {
                Some(Fate::Recreate) => true,
                Some(Fate::Create) => made,
                Some(Fate::Drop) => !made,
                _ => false,
            };
            if goes && !(parent.kind == Kind::Column && made) {
                return Some(self.top(parent, model, made));
            }
            parent = model.get(&parent)?.parent.clone()?;
        }
    }

    fn top(&self, id: Id, model: &Model, made: bool) -> Id {
        match model.get(&id).and_then(|object| self.whole(object, model, made)) {
            Some(above) => above,
            None => id,
        }
    }

    fn steps(&mut self) {
        for (id, fate) in self.fates {
            match fate {
                Fate::Create => self.create(id),
                Fate::Drop => self.drop(id),
                Fate::Recreate if self.beside(id) => {}
                Fate::Recreate => {
                    self.drop(id);
                    self.create(id);
                }
                Fate::Rename(new) => self.rename(id, new),
                Fate::Alter { statements, .. } => self.alter(id, statements),
            }
        }
    }

    fn create(&mut self, id: &Id) {
        let Some(object) = self.to.get(id) else { return };
        let above = self.whole(object, self.to, true);
        if let Some(above) = above.filter(|_| id.kind == Kind::Column) {
            let at = (Deed::Create, above);
            if let Some(step) = self.at.get(&at).copied() {
                self.at.insert((Deed::Create, id.clone()), step);
                self.steps[step].statements.extend(kinds::finish(None, object));
            } else if kinds::view_column(object) {
                self.push(id, Deed::Create, kinds::finish(None, object));
            }
            return;
        }
        if (id.kind == Kind::Index && self.goes_along(object)) || self.succeeds(object) {
            return;
        }
        let attach = object.has("bound")
            && object.parent.is_none()
            && !object
                .depends
                .iter()
                .any(|other| matches!(self.fates.get(other), Some(Fate::Create | Fate::Recreate)));
        let mut statements = kinds::create(object, self.to, &[], attach);
        statements.extend(kinds::finish(None, object));
        if statements.is_empty() {
            return;
        }
        if let Some(old) = self.succeeded(object) {
            self.successors.push((old, id.clone()));
        }
        self.push(id, Deed::Create, statements);
        if id.kind == Kind::Table {
            let late = kinds::late(None, object);
            if !late.is_empty() {
                self.push(id, Deed::Late, late);
            }
        }
    }

    /// The foreign key that goes, and is this one under another name.
    fn succeeded(&self, object: &Object) -> Option<Id> {
        let same = |old: &&Object| {
            matches!(self.fates.get(&old.id), Some(Fate::Drop))
                && old.id.kind == Kind::Constraint
                && old.get("type") == "f"
                && old.parent == object.parent
                && old.get("definition") == object.get("definition")
        };
        let wanted = object.id.kind == Kind::Constraint && object.get("type") == "f";
        self.from.objects.values().filter(|_| wanted).find(same).map(|old| old.id.clone())
    }

    pub(super) fn drop(&mut self, id: &Id) {
        let Some(object) = self.from.get(id) else { return };
        let part = id.kind.is_part() || (id.kind == Kind::Sequence && self.owner(id).is_some());
        let foreign = id.kind == Kind::Constraint && object.get("type") == "f";
        let sequence = Id::new(Kind::Sequence, id.name.clone());
        let with_it =
            id.kind == Kind::OwnedBy && matches!(self.fates.get(&sequence), Some(Fate::Drop));
        let above = match id.kind {
            Kind::Sequence => self.owner(id),
            _ if with_it => Some(sequence),
            _ => self.whole(object, self.from, false),
        };
        if let Some(above) = above.filter(|_| part && !foreign) {
            // It goes with what it belongs to, which is dropped under this name.
            self.at.insert((Deed::Drop, id.clone()), usize::MAX);
            self.steps_of_drop(id, &above);
            return;
        }
        if object.implied && self.to.get(id).is_none() && !kinds::view_column(object) {
            // Somebody else's part, seen in a strict look: it goes with that.
            if id.kind == Kind::Column {
                return;
            }
        }
        self.push(id, Deed::Drop, kinds::drop(object));
    }

    /// The column or table whose going takes a sequence along.
    pub(super) fn owner(&self, id: &Id) -> Option<Id> {
        let owned = self.from.get(&Id::new(Kind::OwnedBy, id.name.clone()))?;
        self.whole(owned, self.from, false)
    }

    /// Remembers that a part goes with the whole; resolved when all steps are there.
    fn steps_of_drop(&mut self, id: &Id, above: &Id) {
        let at = self.at.get(&(Deed::Drop, above.clone())).copied();
        if let Some(at) = at.filter(|at| *at != usize::MAX) {
            self.at.insert((Deed::Drop, id.clone()), at);
        }
    }

    fn rename(&mut self, id: &Id, new: &Id) {
        let (Some(old), Some(wanted)) = (self.from.get(id), self.to.get(new)) else { return };
        let mut statements: Vec<Sql> = vec![match id.kind {
            Kind::Constraint => format!(
                "ALTER TABLE {} RENAME CONSTRAINT {} TO {}",
                old.get("table"),
                old.get("name"),
                wanted.get("name")
            )
            .into(),
            _ => format!("ALTER INDEX {} RENAME TO {}", id.name, wanted.get("name")).into(),
        }];
        let mut before = old.clone();
        before.id = new.clone();
        for fact in ["name", "definition"] {
            before.facts.insert(fact.into(), wanted.get(fact).into());
        }
        statements.extend(kinds::finish(Some(&before), wanted));
        self.push(new, Deed::Alter, statements);
        self.at.insert((Deed::Drop, id.clone()), self.steps.len() - 1);
        self.at.insert((Deed::Create, new.clone()), self.steps.len() - 1);
    }

    fn alter(&mut self, id: &Id, statements: &[Sql]) {
        let (Some(old), Some(new)) = (self.from.get(id), self.to.get(id)) else { return };
        let mut all = statements.to_vec();
        all.extend(kinds::finish(Some(old), new));
        let mut late = Vec::new();
        if id.kind == Kind::Table {
            late = kinds::late(Some(old), new);
        }
        if id.kind == Kind::Column && all.len() > 1 && self.breaks(id) {
            // What reads the column need not be gone while all rows are looked through.
            if !all.iter().any(|sql| sql.text.contains(" AS IDENTITY")) {
                let (filled, others) = all.into_iter().partition(|sql| {
                    sql.text.ends_with(" SET NOT NULL")
                        || sql.text.starts_with("COMMENT ON CONSTRAINT ")
                });
                (late, all) = (filled, others);
            }
        }
        if !late.is_empty() {
            self.push(id, Deed::Late, late);
        }
        if !all.is_empty() {
            // What takes a NOT NULL away and says it again does both at once.
            let says = |word: &str| all.iter().any(|sql| sql.text.ends_with(word));
            let whole = says(" DROP NOT NULL") && says(" SET NOT NULL");
            self.push(id, Deed::Alter, all);
            if let Some(step) = self.steps.last_mut() {
                step.whole = whole;
            }
        }
    }

    /// Whether an object is changed so that what reads it has to go meanwhile.
    pub(super) fn breaks(&self, id: &Id) -> bool {
        matches!(self.fates.get(id), Some(Fate::Alter { breaks: true, .. }))
    }
}
