//! What is built anew beside the old one, which stays in use until it is done.

use super::fate::Fate;
use super::kinds::{self, Sql};
use super::model::{Id, Kind, Object};
use super::names::{beside, taken};
use super::steps::{Builder, Deed};

impl Builder<'_> {
    /// Makes the steps of what can be built beside the old one; false when it cannot be.
    pub(super) fn beside(&mut self, id: &Id) -> bool {
        let (Some(old), Some(new)) = (self.from.get(id), self.to.get(id)) else { return false };
        if id.kind == Kind::Index && self.goes_along(new) {
            return true;
        }
        if old.parent != new.parent || !self.outlives(old, new) {
            return false;
        }
        match id.kind {
            Kind::Index => {
                let gone = kinds::drop(old);
                self.index(new, gone);
                self.at.insert((Deed::Drop, id.clone()), self.steps.len() - 1);
                true
            }
            Kind::Constraint if self.keyed(new) && self.keyed(old) => {
                self.drop(id);
                self.key(new);
                true
            }
            Kind::MaterializedView if self.refilled(id) => {
                self.materialized(new);
                true
            }
            _ => false,
        }
    }

    /// Makes the steps of what is made under the name of something on the same table that goes: an
    /// index that becomes a constraint, and the other way round.
    pub(super) fn succeeds(&mut self, new: &Object) -> bool {
        let built = new.id.kind == Kind::Index || self.keyed(new);
        let Some(name) = taken(new).filter(|_| built) else { return false };
        let old = self.freed.get(&name).and_then(|id| self.from.get(id));
        let old = old.filter(|old| old.parent == new.parent);
        let Some(old) = old.filter(|old| self.outlives(old, new)) else { return false };
        match new.id.kind {
            Kind::Index => self.index(new, Vec::new()),
            _ => self.key(new),
        }
        self.successors.push((old.id.clone(), new.id.clone()));
        true
    }

    /// Whether the old one can stand until the new one is there.
    fn outlives(&self, old: &Object, new: &Object) -> bool {
        let whole = |other: &Id| {
            let goes = |id: &Id| matches!(self.fates.get(id), Some(Fate::Recreate));
            goes(other) || old.parent.as_ref().is_some_and(goes)
        };
        let stays = |other: &Id| {
            // A key's columns keep what compares them, also under another type.
            !self.breaks(other)
                || (old.id.kind == Kind::Constraint
                    && other.kind == Kind::Column
                    && new.depends.contains(other))
        };
        old.depends.iter().all(|other| !whole(other) && stays(other))
            && new.depends.iter().all(|other| !whole(other))
            && (new.id.kind == Kind::Constraint || !new.depends.iter().any(|id| self.breaks(id)))
    }

    /// Whether a constraint can be put on an index that is there.
    fn keyed(&self, object: &Object) -> bool {
        let model = if self.to.get(&object.id) == Some(object) { self.to } else { self.from };
        let table = object.parent.as_ref().and_then(|parent| model.get(parent));
        object.id.kind == Kind::Constraint
            && ["p", "u"].contains(&object.get("type"))
            && object.has("_built")
            && !object.implied
            && !object.get("definition").contains("WITHOUT OVERLAPS")
            && table.is_some_and(|table| table.id.kind == Kind::Table && !table.has("partitioned"))
    }

    /// Builds an index under another name and gives it its own when nobody else has it.
    fn index(&mut self, new: &Object, gone: Vec<Sql>) {
        let (name, schema) = (new.get("name"), new.get("_schema"));
        let other = beside(schema, name, &mut self.relations);
        self.built.push(Id::new(Kind::Index, format!("{schema}.{other}")));
        self.push(&new.id, Deed::Build, vec![named(&kinds::index(new), name, &other, None).into()]);
        let mut statements = gone;
        statements.push(format!("ALTER INDEX {schema}.{other} RENAME TO {name}").into());
        statements.extend(kinds::finish(None, new));
        let said = self.said(new);
        let whole = !said.is_empty();
        statements.extend(said);
        self.push(&new.id, Deed::Create, statements);
        if let Some(step) = self.steps.last_mut() {
            step.whole = whole;
        }
    }

    /// What the table says of the old index: it goes with that, and is said again of the new one.
    fn said(&self, new: &Object) -> Vec<Sql> {
        let sides = new.parent.as_ref().and_then(|id| self.from.get(id).zip(self.to.get(id)));
        let Some((before, table)) = sides else { return Vec::new() };
        let (name, alter) = (new.get("name"), format!("ALTER TABLE {}", table.id.name));
        let same = |fact: &str, said: &str| table.get(fact) == said && before.get(fact) == said;
        let identity = format!("USING INDEX {name}");
        let mut all: Vec<Sql> = Vec::new();
        if same("replica_identity", &identity) {
            all.push(format!("{alter} REPLICA IDENTITY {identity}").into());
        }
        if same("clustered", name) {
            all.push(format!("{alter} CLUSTER ON {name}").into());
        }
        all
    }

    /// Builds a key's index under another name, for the constraint to take.
    fn key(&mut self, new: &Object) {
        let table = new.get("table");
        let name = new.get("name");
        let schema = table.strip_suffix(kinds::bare(table)).unwrap_or_default();
        let other = beside(schema.trim_end_matches('.'), name, &mut self.relations);
        self.built.push(Id::new(Kind::Index, format!("{schema}{other}")));
        let built = named(new.get("_built"), name, &other, None);
        self.push(&new.id, Deed::Build, vec![built.into()]);
        let word = if new.get("type") == "p" { "PRIMARY KEY" } else { "UNIQUE" };
        let when = new
            .get("definition")
            .find(" DEFERRABLE")
            .map_or("", |at| new.get("definition").get(at..).unwrap_or_default());
        let mut statements: Vec<Sql> = vec![
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {other}{when}")
                .into(),
        ];
        statements.extend(kinds::finish(None, new));
        statements.extend(self.said(new));
        self.push(&new.id, Deed::Create, statements);
    }

    /// Whether a materialized view is made under another name: it reads what stays, and nothing
    /// hangs on it but indexes.
    fn refilled(&self, id: &Id) -> bool {
        let (Some(old), Some(new)) = (self.from.get(id), self.to.get(id)) else { return false };
        let mut parts = self.to.objects.values().filter(|part| part.parent.as_ref() == Some(id));
        id.kind == Kind::MaterializedView
            && matches!(self.fates.get(id), Some(Fate::Recreate))
            && new.get("populated") != "false"
            && parts.all(|part| matches!(part.id.kind, Kind::Column | Kind::Index))
            && self.outlives(old, new)
    }

    /// Whether an index is made with its materialized view, which is built beside the old one.
    pub(super) fn goes_along(&self, index: &Object) -> bool {
        index.parent.as_ref().is_some_and(|view| self.refilled(view))
    }

    /// Fills a materialized view under another name, with its indexes.
    fn materialized(&mut self, new: &Object) {
        let view = &new.id.name;
        let (schema, name) = (view.strip_suffix(kinds::bare(view)), kinds::bare(view));
        let schema = schema.unwrap_or_default();
        let other = beside(schema.trim_end_matches('.'), name, &mut self.relations);
        let mut built: Vec<Sql> = Vec::new();
        for sql in kinds::create(new, self.to, &[], false) {
            let text =
                sql.text.replacen(&format!("VIEW {view}"), &format!("VIEW {schema}{other}"), 1);
            built.push(text.into());
        }
        let mut statements: Vec<Sql> = kinds::drop(new);
        statements.push(format!("ALTER MATERIALIZED VIEW {schema}{other} RENAME TO {name}").into());
        statements.extend(kinds::finish(None, new));
        let mut parts = Vec::new();
        let indexes =
            self.to.objects.values().filter(|part| {
                part.id.kind == Kind::Index && part.parent.as_ref() == Some(&new.id)
            });
        for index in indexes {
            let own = index.get("name");
            let new_name = beside(index.get("_schema"), own, &mut self.relations);
            let on = Some((view.as_str(), format!("{schema}{other}")));
            built.push(named(&kinds::index(index), own, &new_name, on).into());
            let rename = format!("ALTER INDEX {}.{new_name} RENAME TO {own}", index.get("_schema"));
            statements.push(rename.into());
            statements.extend(kinds::finish(None, index));
            parts.push(index.id.clone());
        }
        self.push(&new.id, Deed::Build, built);
        self.push(&new.id, Deed::Create, statements);
        let swap = self.steps.len() - 1;
        self.at.insert((Deed::Drop, new.id.clone()), swap);
        for part in parts {
            self.at.insert((Deed::Create, part), swap);
        }
    }
}

/// CREATE INDEX under another name, and on another relation.
fn named(text: &str, name: &str, other: &str, on: Option<(&str, String)>) -> String {
    let built = text.replacen(&format!("INDEX {name} ON"), &format!("INDEX {other} ON"), 1);
    match on {
        Some((old, new)) => built.replacen(&format!(" ON {old} "), &format!(" ON {new} "), 1),
        None => built,
    }
}
