//! The steps in an order in which each can be done, told by what depends on what.

use std::collections::{BTreeMap, BTreeSet};

use super::fate::{Fate, Fates};
use super::kinds::{self, Sql};
use super::model::{Id, Kind, Model, Object};

/// What a step does with its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// Makes it.
    Create,
    /// Changes it.
    Alter,
    /// Says of a table what needs its indexes.
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
    inline: Vec<Id>,
}

/// The steps with what must come before each.
pub(super) struct Graph {
    /// The steps.
    pub steps: Vec<Step>,
    /// By step: the steps before it.
    before: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// All steps of the fates.
    pub(super) fn new(from: &Model, to: &Model, fates: &Fates) -> Graph {
        let mut builder = Builder { from, to, fates, steps: Vec::new(), at: BTreeMap::new() };
        builder.steps();
        builder.graph()
    }

    /// In an order: `outside` says which steps run outside of transactions; they are put off and
    /// gathered, but for what is built first.
    pub(super) fn ordered(&self, outside: &dyn Fn(&Step) -> bool) -> Vec<&Step> {
        let apart: Vec<bool> = self.steps.iter().map(outside).collect();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); self.steps.len()];
        let mut open: Vec<usize> = self.before.iter().map(BTreeSet::len).collect();
        for (step, before) in self.before.iter().enumerate() {
            for other in before {
                after[*other].push(step);
            }
        }
        // The steps by rank, so that a set of their places is in order.
        let mut ranked: Vec<usize> = (0..self.steps.len()).collect();
        ranked.sort_by_key(|at| rank(&self.steps[*at]));
        let mut place = vec![0; self.steps.len()];
        for (own, at) in ranked.iter().enumerate() {
            place[*at] = own;
        }
        let mut left: BTreeSet<usize> = (0..self.steps.len()).collect();
        let mut ready = [BTreeSet::new(), BTreeSet::new()];
        for at in 0..self.steps.len() {
            if open[at] == 0 {
                ready[usize::from(apart[at])].insert(place[at]);
            }
        }
        let mut order = Vec::with_capacity(self.steps.len());
        let mut mode = 0;
        // What takes long and needs nothing else is built before anything goes that it takes the
        // place of.
        let built = |own: &usize| self.steps[ranked[*own]].deed == Deed::Create;
        let mut building = true;
        while let Some(first) = left.first().copied() {
            let early = building.then(|| ready[1].iter().copied().find(built)).flatten();
            building = early.is_some();
            if ready[mode].is_empty() && !ready[1 - mode].is_empty() {
                mode = 1 - mode;
            }
            // None is ready in a circle: the replay says whether it can be broken at its first.
            let own = early.or_else(|| ready[mode].first().copied()).unwrap_or(first);
            ready[0].remove(&own);
            ready[1].remove(&own);
            left.remove(&own);
            let next = ranked[own];
            order.push(&self.steps[next]);
            for then in &after[next] {
                open[*then] = open[*then].saturating_sub(1);
                if open[*then] == 0 && left.contains(&place[*then]) {
                    ready[usize::from(apart[*then])].insert(place[*then]);
                }
            }
        }
        order
    }
}

/// The partitions.
fn parts(model: &Model) -> impl Iterator<Item = &Object> {
    model.objects.values().filter(|one| one.id.kind == Kind::Table && one.has("bound"))
}

/// What comes first of what could: things are made, changed, and at last dropped.
fn rank(step: &Step) -> (Deed, Kind, i32, &str) {
    (step.deed, step.id.kind, 0, &step.id.name)
}

struct Builder<'a> {
    from: &'a Model,
    to: &'a Model,
    fates: &'a Fates,
    steps: Vec<Step>,
    /// The step that does this deed to the object, or to what it is made or dropped with.
    at: BTreeMap<(Deed, Id), usize>,
}

impl Builder<'_> {
    fn push(&mut self, id: &Id, deed: Deed, statements: Vec<Sql>) {
        self.at.insert((deed, id.clone()), self.steps.len());
        self.steps.push(Step { id: id.clone(), deed, statements, inline: Vec::new() });
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
                Fate::Recreate if self.swaps(id) => self.swap(id),
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
        self.push(id, Deed::Create, statements);
        if id.kind == Kind::Table {
            let late = kinds::late(None, object);
            if !late.is_empty() {
                self.push(id, Deed::Late, late);
            }
        }
    }

    fn drop(&mut self, id: &Id) {
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
            if matches!(id.kind, Kind::Column | Kind::Default) {
                return;
            }
        }
        self.push(id, Deed::Drop, kinds::drop(object));
    }

    /// The column or table whose going takes a sequence along.
    fn owner(&self, id: &Id) -> Option<Id> {
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

    /// Whether an index can be built anew beside the old one.
    fn swaps(&self, id: &Id) -> bool {
        let (Some(old), Some(new)) = (self.from.get(id), self.to.get(id)) else { return false };
        let stays = |other: &Id| {
            !matches!(
                self.fates.get(other),
                Some(Fate::Drop | Fate::Recreate | Fate::Alter { breaks: true, .. })
            )
        };
        id.kind == Kind::Index
            && old.parent == new.parent
            && old.depends.iter().all(stays)
            && new.depends.iter().all(stays)
    }

    /// Builds an index under another name and gives it the old one's.
    fn swap(&mut self, id: &Id) {
        let Some(new) = self.to.get(id) else { return };
        let bare = new.get("name").trim_matches('"').replace("\"\"", "\"");
        let mut short: String = bare.clone();
        while short.len() > 59 {
            short.pop();
        }
        let other = marula_postgres::sql::quote_ident(&format!("{short}_new"));
        let (name, schema) = (new.get("name"), new.get("_schema"));
        let built = kinds::index(new).replacen(
            &format!("INDEX {name} ON"),
            &format!("INDEX {other} ON"),
            1,
        );
        let mut statements: Vec<Sql> = vec![
            built.into(),
            format!("DROP INDEX {schema}.{name}").into(),
            format!("ALTER INDEX {schema}.{other} RENAME TO {name}").into(),
        ];
        statements.extend(kinds::finish(None, new));
        self.push(id, Deed::Create, statements);
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
        if id.kind == Kind::Table {
            let late = kinds::late(Some(old), new);
            if !late.is_empty() {
                self.push(id, Deed::Late, late);
            }
        }
        if !all.is_empty() {
            self.push(id, Deed::Alter, all);
        }
    }

    fn step(&self, deed: Deed, id: &Id) -> Option<usize> {
        self.at.get(&(deed, id.clone())).copied().filter(|at| *at != usize::MAX)
    }

    /// The step that makes an object, itself or as a part of another.
    fn made(&self, id: &Id) -> Option<usize> {
        let mut id = id.clone();
        loop {
            if let Some(step) = self.step(Deed::Create, &id) {
                return Some(step);
            }
            id = self.to.get(&id)?.parent.clone()?;
        }
    }

    /// The step that drops an object, itself or with what it belongs to.
    fn dropped(&self, id: &Id) -> Option<usize> {
        let mut id = id.clone();
        loop {
            let goes =
                matches!(self.fates.get(&id), Some(Fate::Drop | Fate::Recreate | Fate::Rename(_)));
            let object = self.from.get(&id)?;
            if goes && let Some(step) = self.step(Deed::Drop, &id) {
                return Some(step);
            }
            // What came with others goes with what it is a part of.
            if !goes && !object.implied {
                return None;
            }
            id = match id.kind {
                Kind::Sequence => self.owner(&id)?,
                _ => object.parent.clone()?,
            };
        }
    }

    /// The step that drops what an implied object came with.
    fn dropped_with(&self, object: &Object, depth: usize) -> Option<usize> {
        if !object.implied || object.get("type") != "f" || depth == 0 {
            return None;
        }
        object.depends.iter().filter(|other| other.kind == object.id.kind).find_map(|other| {
            let other = self.from.get(other)?;
            self.dropped(&other.id).or_else(|| self.dropped_with(other, depth - 1))
        })
    }

    /// What a change of reaches an object through one of its columns: the view it is a column of,
    /// the type it has.
    fn through(&self, id: &Id, model: &Model) -> Vec<Id> {
        let Some(object) = model.get(id).filter(|_| id.kind == Kind::Column) else {
            return Vec::new();
        };
        let mut all: Vec<Id> = object
            .depends
            .iter()
            .filter(|other| matches!(self.fates.get(other), Some(Fate::Alter { breaks: true, .. })))
            .cloned()
            .collect();
        if kinds::view_column(object) {
            all.extend(object.parent.clone());
        }
        all
    }

    /// Whether a table gets other parents.
    fn joins(&self, object: &Object) -> bool {
        object.id.kind == Kind::Table
            && self.from.get(&object.id).is_some_and(|old| {
                let differ = old.differing(object);
                differ.contains("parents") || differ.contains("bound")
            })
    }

    fn graph(mut self) -> Graph {
        let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.steps.len()];
        let mut edge = |first: Option<usize>, then: Option<usize>| {
            if let (Some(first), Some(then)) = (first, then)
                && first != then
            {
                before[then].insert(first);
            }
        };
        for object in self.to.objects.values() {
            let made = self.made(&object.id).filter(|_| {
                matches!(self.fates.get(&object.id), Some(Fate::Create | Fate::Recreate))
                    || self.step(Deed::Create, &object.id).is_some()
            });
            let altered = self.step(Deed::Alter, &object.id);
            for own in [made, altered].into_iter().flatten() {
                for other in &object.depends {
                    edge(self.made(other), Some(own));
                    edge(self.step(Deed::Alter, other), Some(own));
                    for above in self.through(other, self.to) {
                        edge(self.step(Deed::Alter, &above), Some(own));
                    }
                }
            }
            if let (Some(own), true) = (altered, self.joins(object)) {
                // A child must have its parent's columns and checks before it becomes one.
                for part in self.to.objects.values() {
                    let concerned = part.parent.as_ref().is_some_and(|parent| {
                        *parent == object.id || object.depends.contains(parent)
                    });
                    if concerned && matches!(part.id.kind, Kind::Column | Kind::Constraint) {
                        edge(self.step(Deed::Create, &part.id), Some(own));
                        edge(self.step(Deed::Alter, &part.id), Some(own));
                    }
                }
            }
            if let Some(late) = self.step(Deed::Late, &object.id) {
                edge(self.step(Deed::Create, &object.id), Some(late));
                edge(altered, Some(late));
                for part in self.to.objects.values() {
                    if part.parent.as_ref() == Some(&object.id) {
                        edge(self.made(&part.id), Some(late));
                        edge(self.step(Deed::Alter, &part.id), Some(late));
                    }
                }
            }
        }
        for object in self.from.objects.values() {
            // A foreign key's share in a partition goes with the key, and not with its own table.
            let dropped = self.dropped_with(object, 5).or_else(|| self.dropped(&object.id));
            let altered = self.step(Deed::Alter, &object.id);
            for other in &object.depends {
                edge(dropped, self.dropped(other));
                edge(dropped, self.step(Deed::Alter, other));
                for above in self.through(other, self.from) {
                    edge(dropped, self.step(Deed::Alter, &above));
                }
                // Changed so that it no longer needs what goes.
                let gone = self.dropped(other);
                let still = self.to.get(&object.id).is_some_and(|new| new.depends.contains(other));
                if !still {
                    edge(altered, gone);
                    if matches!(self.fates.get(other), Some(Fate::Alter { breaks: true, .. })) {
                        edge(altered, self.step(Deed::Alter, other));
                    }
                }
            }
        }
        // So is what a partition takes.
        for new in parts(self.to) {
            let made = self.step(Deed::Create, &new.id);
            let attached = made.or_else(|| self.step(Deed::Alter, &new.id));
            for old in parts(self.from).filter(|old| old.get("parents") == new.get("parents")) {
                edge(self.dropped(&old.id), attached);
                let moved =
                    self.to.get(&old.id).is_some_and(|now| now.get("bound") != old.get("bound"));
                if moved {
                    edge(self.step(Deed::Alter, &old.id), made);
                }
            }
        }
        // A name is free only when who had it is gone.
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for object in self.from.objects.values() {
            if let (Some(step), Some(name)) = (self.dropped(&object.id), taken(object)) {
                names.entry(name).or_default().push(step);
            }
        }
        for object in self.from.objects.values() {
            let stays = self.to.get(&object.id).is_some_and(|new| new.has("identity"));
            if let Some(name) = counter(object).filter(|_| !stays)
                && let Some(step) =
                    self.dropped(&object.id).or_else(|| self.step(Deed::Alter, &object.id))
            {
                names.entry(name).or_default().push(step);
            }
        }
        for object in self.to.objects.values() {
            let counts = self.made(&object.id).or_else(|| self.step(Deed::Alter, &object.id));
            let Some(name) = counter(object).filter(|_| counts.is_some()) else { continue };
            for gone in names.get(&name).into_iter().flatten() {
                edge(Some(*gone), counts);
            }
        }
        for object in self.to.objects.values() {
            let made = self.step(Deed::Create, &object.id);
            let Some(name) = taken(object).filter(|_| made.is_some()) else { continue };
            for gone in names.get(&name).into_iter().flatten() {
                edge(Some(*gone), made);
            }
        }
        let mut graph = Graph { steps: std::mem::take(&mut self.steps), before };
        fold(&mut graph, self.to);
        graph
    }
}

/// The name of an identity column's sequence.
fn counter(object: &Object) -> Option<String> {
    let (name, _) = object.get("identity_sequence").split_once('\n')?;
    Some(format!("relation {name}"))
}

/// The name an object takes from others of other kinds.
fn taken(object: &Object) -> Option<String> {
    let name = &object.id.name;
    Some(match object.id.kind {
        Kind::Function | Kind::Aggregate => format!("routine {name}"),
        Kind::Constraint if object.has("_index") => format!("relation {}", object.get("_index")),
        Kind::Constraint | Kind::Column | Kind::Default | Kind::Rule | Kind::Trigger => {
            format!("{:?} {name}", object.id.kind)
        }
        Kind::Policy | Kind::DomainConstraint | Kind::OwnedBy => {
            format!("{:?} {name}", object.id.kind)
        }
        Kind::Schema
        | Kind::Extension
        | Kind::Publication
        | Kind::EventTrigger
        | Kind::DefaultPrivileges
        | Kind::Statistics
        | Kind::Collation => format!("{:?} {name}", object.id.kind),
        _ => format!("relation {name}"),
    })
}

/// Writes the defaults and constraints of a new table into its CREATE TABLE, where that closes no
/// circle.
fn fold(graph: &mut Graph, to: &Model) {
    let tables: Vec<usize> = (0..graph.steps.len())
        .filter(|at| graph.steps[*at].deed == Deed::Create)
        .filter(|at| matches!(graph.steps[*at].id.kind, Kind::Table | Kind::Column))
        .collect();
    // The steps that were folded, and into which.
    let mut gone: BTreeMap<usize, usize> = BTreeMap::new();
    // The steps that could be folded, by the table they are on.
    let mut parts_of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, step) in graph.steps.iter().enumerate() {
        if step.deed == Deed::Create
            && matches!(step.id.kind, Kind::Default | Kind::Constraint)
            && let Some(own) = to.get(&step.id)
        {
            parts_of.entry(own.get("table").to_string()).or_default().push(at);
        }
    }
    for table in tables {
        let id = graph.steps[table].id.clone();
        let Some(object) = to.get(&id) else { continue };
        if object.has("bound") {
            continue;
        }
        let of = if id.kind == Kind::Column { object.get("table") } else { id.name.as_str() };
        for part in parts_of.get(of).cloned().unwrap_or_default() {
            let step = &graph.steps[part];
            let Some(own) = to.get(&step.id).filter(|_| step.deed == Deed::Create) else {
                continue;
            };
            let mine = match step.id.kind {
                Kind::Default if id.kind == Kind::Column => own.id.name == id.name,
                Kind::Default => own.get("table") == id.name,
                Kind::Constraint if id.kind == Kind::Table => {
                    own.parent.as_ref() == Some(&id)
                        && own.get("type") != "f"
                        && own.get("valid") == "true"
                }
                _ => false,
            };
            if !mine || own.implied || gone.contains_key(&part) {
                continue;
            }
            let others: Vec<usize> =
                graph.before[part].iter().copied().filter(|other| *other != table).collect();
            if others.iter().any(|other| leads(graph, &gone, *other, table)) {
                continue;
            }
            graph.before[table].extend(others);
            graph.before[table].remove(&part);
            let inlined = graph.steps[part].id.clone();
            graph.steps[table].inline.push(inlined);
            gone.insert(part, table);
        }
        let inline: Vec<&Object> =
            graph.steps[table].inline.iter().filter_map(|id| to.get(id)).collect();
        if id.kind == Kind::Column && inline.is_empty() {
            continue;
        }
        let mut statements = kinds::create(object, to, &inline, false);
        statements.extend(kinds::finish(None, object));
        for column in to.parts(&id, Kind::Column) {
            statements.extend(kinds::finish(None, column));
        }
        for part in &inline {
            statements.extend(kinds::finish(None, part));
        }
        graph.steps[table].statements = statements;
    }
    if gone.is_empty() {
        return;
    }
    let keep: Vec<usize> = (0..graph.steps.len()).filter(|at| !gone.contains_key(at)).collect();
    let place: BTreeMap<usize, usize> =
        keep.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    graph.before = keep
        .iter()
        .map(|old| {
            let before = graph.before[*old].iter().map(|at| gone.get(at).unwrap_or(at));
            before.filter(|at| *at != old).filter_map(|at| place.get(at).copied()).collect()
        })
        .collect();
    graph.steps = keep.iter().map(|old| graph.steps[*old].clone()).collect();
}

/// Whether `table` must come before `step`; what was folded stands where it was folded into.
fn leads(graph: &Graph, gone: &BTreeMap<usize, usize>, step: usize, table: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![step];
    while let Some(at) = open.pop() {
        let at = gone.get(&at).copied().unwrap_or(at);
        if at == table {
            return true;
        }
        if seen.insert(at) {
            open.extend(graph.before[at].iter().copied());
        }
    }
    false
}
